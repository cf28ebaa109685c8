/* SPDX-License-Identifier: BSD-3-Clause */
/* control/parse.c - take a line of the control socket apart: "1 drain ppfwd 0 timeout_us=100" */
#include "control/verbs.h"

#define WORDS_MAX 8u
#define FAULT_MAX 999999999999999999ull

enum {
	KEY_TIMEOUT = 1 << 0,
	KEY_LEASE = 1 << 1,
	KEY_KEEP = 1 << 2,
	KEY_OLDEST = 1 << 3,
	KEY_TRACK = 1 << 4,
	KEY_EVERY = 1 << 5,
	KEY_AFTER = 1 << 6,
	KEY_THREAD = 1 << 7,
};

static const struct verb {
	const char *name;
	enum control_verb verb;
	unsigned int words; /* at most */
	unsigned int keys;
	const char *help;
} verbs[] = {
	{ "stat", VERB_STAT, 0, 0, "zones, cores' caches, pools" },
	{ "drain", VERB_DRAIN, 2, KEY_TIMEOUT,
	  "[ZONE [CORE]] [timeout_us=N]: cached pages to the free area" },
	{ "trim", VERB_TRIM, 1, KEY_TIMEOUT | KEY_KEEP,
	  "[POOL] [keep=N] [timeout_us=N]: pages of its cache and ring to the zone" },
	{ "disable", VERB_DISABLE, 1, KEY_TIMEOUT | KEY_LEASE,
	  "[ZONE] [lease_ms=N] [timeout_us=N]: no page in any core's cache" },
	{ "enable", VERB_ENABLE, 1, 0, "[ZONE]: undo disable" },
	{ "holders", VERB_HOLDERS, 1, KEY_OLDEST | KEY_TRACK,
	  "[POOL] [oldest=N] [track=on|off]: the threads that have pages, and for how long" },
	{ "fault", VERB_FAULT, 1, KEY_EVERY | KEY_AFTER | KEY_THREAD,
	  "[POINT every=N [after=N] [thread=TID]]: allocations fail on purpose, or not" },
	{ "help", VERB_HELP, 0, 0, "this" },
};

static const struct key {
	const char *name;
	unsigned int bit;
	uint64_t min;
	uint64_t max;
	size_t offset; /* of the value in the request */
} keys[] = {
	{ "timeout_us", KEY_TIMEOUT, 1, 1000000, offsetof(struct control_request, timeout_us) },
	{ "lease_ms", KEY_LEASE, 1, 86400000, offsetof(struct control_request, lease_ms) },
	{ "keep", KEY_KEEP, 0, UINT32_MAX, offsetof(struct control_request, keep) },
	{ "oldest", KEY_OLDEST, 1, 1000, offsetof(struct control_request, oldest) },
	{ "every", KEY_EVERY, 0, FAULT_MAX, offsetof(struct control_request, every) },
	{ "after", KEY_AFTER, 0, FAULT_MAX, offsetof(struct control_request, after) },
	{ "thread", KEY_THREAD, 0, INT32_MAX, offsetof(struct control_request, thread) },
	{ "track", KEY_TRACK, CONTROL_OFF, CONTROL_ON, offsetof(struct control_request, track) },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static bool is_number(const char *text)
{
	return *text && strlen(text) <= 18 && text[strspn(text, "0123456789")] == '\0';
}

static uint64_t parse_number(const char *text)
{
	uint64_t n = 0;

	for (; *text; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

static uint64_t on_or_off(const char *text)
{
	return !strcmp(text, "on") ? CONTROL_ON : !strcmp(text, "off") ? CONTROL_OFF : 0;
}

/* The words of @req->line, of which each ends with a 0 now; their number, or -1: too many. */
static int split_words(struct control_request *req, size_t len, char **words)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (req->line[i] == ' ') {
			req->line[i] = '\0';
			continue;
		}
		if (i && req->line[i - 1])
			continue;
		if (n == WORDS_MAX)
			return -1;
		words[n++] = req->line + i;
	}
	return (int)n;
}

static int parse_key(struct control_request *req, const struct verb *verb, char *word, char *eq,
		     struct json_writer *answer)
{
	const struct key *key = keys;
	uint64_t value;

	*eq = '\0';
	while (key < keys + NR(keys) && strcmp(key->name, word))
		key++;
	if (key == keys + NR(keys) || !(verb->keys & key->bit))
		return control_error(answer, "unknown_argument", "%s: %s is no argument of it",
				     verb->name, word);
	if (key->bit == KEY_TRACK)
		value = on_or_off(eq + 1);
	else
		value = is_number(eq + 1) ? parse_number(eq + 1) : UINT64_MAX;
	if (key->bit == KEY_TRACK && !value)
		return control_error(answer, "bad_argument", "%s: %s: %s is not on or off",
				     verb->name, word, eq + 1);
	if (value < key->min || value > key->max)
		return control_error(answer, "bad_argument", "%s: %s: %s is not in %llu .. %llu",
				     verb->name, word, eq + 1, (unsigned long long)key->min,
				     (unsigned long long)key->max);
	memcpy((char *)req + key->offset, &value, sizeof(value));
	req->has_every |= key->bit == KEY_EVERY;
	return 0;
}

static int parse_arguments(struct control_request *req, const struct verb *verb, char **words,
			   int n, struct json_writer *answer)
{
	unsigned int given = 0;
	char *eq;
	int i;

	for (i = 0; i < n; i++) {
		eq = strchr(words[i], '=');
		if (eq) {
			if (parse_key(req, verb, words[i], eq, answer))
				return -1;
			continue;
		}
		if (given == verb->words)
			return control_error(answer, "unknown_argument",
					     "%s: %s is one argument too many", verb->name,
					     words[i]);
		req->word[given++] = words[i];
	}
	return 0;
}

static int check_line(const char *line, size_t len, struct json_writer *answer)
{
	size_t i;

	if (len >= CONTROL_LINE_MAX)
		return control_error(answer, "bad_request", "a request has at most %u bytes",
				     CONTROL_LINE_MAX - 1);
	for (i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return control_error(answer, "bad_request",
					     "byte %zu is a control character", i);
	}
	return 0;
}

int control_parse(struct control_request *req, const char *line, size_t len,
		  struct json_writer *answer)
{
	char *words[WORDS_MAX];
	const struct verb *verb = verbs;
	int n;

	memset(req, 0, sizeof(*req));
	if (check_line(line, len, answer))
		return -1;
	memcpy(req->line, line, len);
	n = split_words(req, len, words);
	if (n < 2)
		return control_error(answer, "bad_request", "%s; try: 1 help",
				     n < 0 ? "too many words"
					   : "a request is VERSION VERB [ARGUMENT]...");
	if (!is_number(words[0]) || parse_number(words[0]) != PP_CONTROL_VERSION)
		return control_error(answer, "unknown_version",
				     "version %s: this speaks version %u", words[0],
				     PP_CONTROL_VERSION);
	while (verb < verbs + NR(verbs) && strcmp(verb->name, words[1]))
		verb++;
	if (verb == verbs + NR(verbs))
		return control_error(answer, "unknown_verb", "%s: no such verb; try: 1 help",
				     words[1]);
	req->verb = verb->verb;
	return parse_arguments(req, verb, words + 2, n - 2, answer);
}

void control_help(struct json_writer *json)
{
	size_t i;

	control_begin(json, "help");
	jw_begin(json, "verbs", '{');
	for (i = 0; i < NR(verbs); i++)
		jw_text(json, verbs[i].name, verbs[i].help);
	jw_end(json, '}');
	control_end(json);
}
