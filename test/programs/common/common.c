/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * common.c - examples/common: the option table, values, and the JSON writer
 *
 *	common options ARGUMENT ...	what was read, a line each; errors as a program tells them
 *	common json			an object with all that may be in one
 *	common text COLUMNS TEXT	fit for a terminal: whole, in 7 bytes, cut, and a field
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/json.h"
#include "common/options.h"
#include "common/values.h"

#define OPTIONS struct values

const char program_name[] = "common";

static double outside; /* a variable that is in no struct */

struct values {
	bool flag;
	uint32_t bits;
	uint32_t small;
	uint64_t large;
	double seconds;
	const char *text;
	const char *any;
	unsigned int list[4];
	unsigned int n;
	int word;
};

static void set_list(void *data, const char *name, const char *arg)
{
	struct values *v = data;

	v->n = parse_list(name, arg, 1, 9, v->list, 4);
}

static void set_word(void *data, const char *name, const char *arg)
{
	static const char *const words[] = { "red", "green", NULL };

	((struct values *)data)->word = parse_word(name, arg, words);
}

static void more(FILE *out)
{
	fputs("                     a line of its own\n", out);
}

static const struct option_row rows[] = {
	{ "flag", .letter = 'f', BOOL(flag), .help = "a flag" },
	{ "bit", BITS(bits, 4), .help = "a bit" },
	{ "other-bit", BITS(bits, 8), .with = "one", .help = "another" },
	{ "small", .letter = 's', .also = "little", .arg = "N", U32(small, 2, 4294967295u),
	  .help = "a number\nin two lines", .more = more },
	{ "large", .arg = "N", U64(large, 0, UINT64_MAX), .with = "two one", .help = "a number" },
	{ "seconds", .letter = 't', .arg = "S", SECONDS(seconds, 0.5, 10), .help = "a time" },
	{ "text", .arg = "TEXT", TEXT(text), .help = "a text" },
	{ "any", .arg = "TEXT", ANY(any), .help = "a text or nothing" },
	{ "list", .arg = "LIST", SET(set_list), .help = "a list" },
	{ "word", .arg = "WORD", SET(set_word), .help = "a word" },
	{ "outside", .arg = "S", .kind = OPTION_SECONDS, .var = &outside, .most = 5,
	  .help = "a time" },
	{ "hidden", .arg = "TEXT", ANY(any) },
	{ .name = NULL },
};

static void print_usage(FILE *out)
{
	fputs("usage: common options ...\n\n", out);
}

static int show_options(int argc, char **argv)
{
	struct option_use use = { .rows = rows, .usage = print_usage, .tail = "the end\n" };
	struct values v = { .word = -1 };
	char *line = options_join(argc, argv);
	unsigned int i;
	int err = options_read(&use, &v, argc, argv);

	if (err >= 0) {
		free(line);
		return err;
	}
	if (use.operand < argc)
		options_check(&use, argv[use.operand]);
	if (usage_wrong()) {
		free(line);
		return 2;
	}
	printf("flag=%d bits=%" PRIu32 " small=%" PRIu32 " large=%" PRIu64 " seconds=%g\n", v.flag,
	       v.bits, v.small, v.large, v.seconds);
	printf("text=%s any=%s word=%d outside=%g list=", v.text ? v.text : "-",
	       v.any ? v.any : "-", v.word, outside);
	for (i = 0; i < v.n; i++)
		printf("%u ", v.list[i]);
	printf("\ngiven=%d%d operand=%s line=%s\n", options_given(&use, "small"),
	       options_given(&use, "bit"), use.operand < argc ? argv[use.operand] : "-", line);
	free(line);
	return 0;
}

static int show_json(void)
{
	char odd[256];
	struct json j;
	int i;

	for (i = 0; i < 254; i++)
		odd[i] = (char)(i < 127 ? i + 1 : 'x');
	memcpy(odd + 127, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9); /* of 2, 3 and 4 bytes */
	odd[254] = '\0';
	json_begin(&j, stdout);
	json_text(&j, "odd", odd);
	json_text(&j, "a \"key\"\\", NULL);
	json_count(&j, "most", UINT64_MAX);
	json_real(&j, "pi", M_PI, 9);
	json_real(&j, "nan", NAN, 9);
	json_real(&j, "inf", -INFINITY, 9);
	json_bool(&j, "yes", true);
	json_open(&j, "empty", '[');
	json_close(&j, ']');
	json_open(&j, "nothing", '{');
	json_close(&j, '}');
	json_open(&j, "list", '[');
	json_count(&j, NULL, 1);
	json_open(&j, NULL, '{');
	json_bool(&j, "no", false);
	json_close(&j, '}');
	json_open(&j, NULL, '[');
	json_text(&j, NULL, "last");
	json_close(&j, ']');
	json_close(&j, ']');
	return json_end(&j) ? 1 : 0;
}

static int show_text(unsigned int columns, const char *text)
{
	char all[256], few[8], cut[256], field[256];

	printf("%s|%s|%s|%s|\n", printable(text, all, sizeof(all)),
	       printable(text, few, sizeof(few)),
	       printable_columns(text, cut, sizeof(cut), columns),
	       printable_field(text, field, sizeof(field), columns));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "json"))
		return show_json();
	if (argc > 1 && !strcmp(argv[1], "options"))
		return show_options(argc - 1, argv + 1);
	if (argc > 3 && !strcmp(argv[1], "text"))
		return show_text((unsigned int)atoi(argv[2]), argv[3]);
	return 99;
}
