/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control/answer.c - do what a line of the control socket asks for
 *
 * A zone that a request works on is pinned: it can not end meanwhile, and its destroyer waits. The
 * pin is dropped between two caches, so that this wait lasts as long as the work on one of them.
 */
#include <stdio.h>

#include "control/verbs.h"
#include "zone/zone.h"

/* unless the request says otherwise */
#define TIMEOUT_US 100000u
#define OLDEST	   10u

/* ---- which zones ----------------------------------------------------------------------------- */

static bool zone_matches(const struct pp_zone *zone, const char *word)
{
	unsigned long long id;
	int end = 0;

	if (!word || !strcmp(zone->stock->name, word))
		return true;
	return sscanf(word, "%18llu%n", &id, &end) == 1 && !word[end] && id == zone->id;
}

/* The zone, pinned: zone_unpin(); NULL: it has ended. */
static struct pp_zone *find_zone(uint64_t id)
{
	struct pp_zone *zone = NULL;

	while ((zone = zone_next(zone)) && zone->id != id)
		;
	return zone;
}

/* Ids of the zones that @word means, at most @n; none: the answer says so. */
static unsigned int select_zones(const char *word, uint64_t *ids, unsigned int n,
				 struct json_writer *answer)
{
	struct pp_zone *zone = NULL;
	unsigned int found = 0;

	while ((zone = zone_next(zone))) {
		if (zone_matches(zone, word) && found < n)
			ids[found++] = zone->id;
	}
	if (!found && word)
		control_error(answer, "not_found",
			      "zone %s: there is none of that name or id; see stat", word);
	else if (!found)
		control_error(answer, "not_found", "this process has no zone");
	return found;
}

/* ---- drain ----------------------------------------------------------------------------------- */

struct drain_work {
	uint64_t id;
	uint64_t end_ns;
	unsigned int first; /* caches first .. last */
	unsigned int last;
	uint64_t drained;
	unsigned int timeouts;
};

/* One cache; false: the zone is gone, or has no such cache. */
static bool drain_one(struct drain_work *work, unsigned int core)
{
	uint64_t now = now_ns(), left = now < work->end_ns ? (work->end_ns - now) / 1000 : 0;
	struct pp_zone *zone = find_zone(work->id);
	bool there = zone && core < zone->stock->cores;
	long moved = 0;

	if (there)
		moved = pp_zone_drain(zone, core,
				      (unsigned int)min(left, (uint64_t)CONTROL_HOLD_US));
	if (zone)
		zone_unpin(zone);
	work->drained += (uint64_t)max(moved, 0l);
	work->timeouts += moved < 0;
	return there;
}

static void drain_zone(struct drain_work *work, struct json_writer *answer)
{
	unsigned int core = work->first;

	while (drain_one(work, core) && core < work->last)
		core++;
	jw_begin(answer, NULL, '{');
	jw_count(answer, "id", work->id);
	jw_count(answer, "drained", work->drained);
	jw_count(answer, "timeouts", work->timeouts);
	jw_end(answer, '}');
}

/* A core's number, if it is one of a zone's. */
static int check_core(uint64_t id, const char *word, unsigned int *core, struct json_writer *answer)
{
	struct pp_zone *zone = find_zone(id);
	unsigned int cores = zone ? zone->stock->cores : 0;
	int end = 0;

	if (zone)
		zone_unpin(zone);
	if (sscanf(word, "%9u%n", core, &end) == 1 && !word[end] && *core < cores)
		return 0;
	return control_error(answer, "bad_argument",
			     "drain: core %s: the zone's caches are 0 .. %u", word,
			     max(cores, 1u) - 1);
}

static void answer_drain(const struct control_request *req, struct json_writer *answer)
{
	uint64_t ids[64], end_ns = now_ns() + req->timeout_us * 1000;
	struct drain_work work = { 0 };
	unsigned int n, i, core = 0;

	n = select_zones(req->word[0], ids, 64, answer);
	if (!n || (req->word[1] && check_core(ids[0], req->word[1], &core, answer)))
		return;
	control_begin(answer, "drain");
	jw_begin(answer, "zones", '[');
	for (i = 0; i < n; i++) {
		work = (struct drain_work){ .id = ids[i], .end_ns = end_ns };
		work.first = core;
		work.last = req->word[1] ? core : UINT32_MAX;
		drain_zone(&work, answer);
	}
	jw_end(answer, ']');
	control_end(answer);
}

/* ---- disable, enable ------------------------------------------------------------------------- */

static void enable_zone(struct control_disabled *d)
{
	struct pp_zone *zone = find_zone(d->zone);

	if (zone) {
		pp_zone_pcp_enable(zone);
		zone_unpin(zone);
	}
	d->zone = 0;
}

uint64_t control_expire(struct control_state *state, uint64_t now)
{
	struct control_disabled *d = state->disabled;
	uint64_t next = UINT64_MAX;

	for (; d < state->disabled + CONTROL_DISABLED; d++) {
		if (d->zone && d->until_ns <= now)
			enable_zone(d);
		else if (d->zone)
			next = min(next, d->until_ns);
	}
	return next;
}

/* Zones that ended keep no slot. */
static void forget_ended(struct control_state *state)
{
	struct control_disabled *d = state->disabled;
	struct pp_zone *zone;

	for (; d < state->disabled + CONTROL_DISABLED; d++) {
		zone = d->zone ? find_zone(d->zone) : NULL;
		if (zone)
			zone_unpin(zone);
		else
			d->zone = 0;
	}
}

/* 0, -ENOENT: the zone ended meanwhile, or why its caches were not disabled. */
static int disable_one(uint64_t id, uint64_t timeout_us)
{
	struct pp_zone *zone = find_zone(id);
	int err;

	if (!zone)
		return -ENOENT;
	err = pp_zone_pcp_disable(zone, (unsigned int)min(timeout_us, (uint64_t)CONTROL_HOLD_US));
	zone_unpin(zone);
	return err;
}

/* 0, or -1: @answer is the error. A zone that is disabled already gets the new time. */
static int disable_zone(struct control_state *state, const struct control_request *req, uint64_t id,
			struct json_writer *answer)
{
	struct control_disabled *d = control_find_disabled(state, id);
	int err;

	if (!d) {
		d = control_find_disabled(state, 0);
		if (!d)
			return control_error(answer, "busy",
					     "disable: %u zones are disabled already",
					     CONTROL_DISABLED);
		err = disable_one(id, req->timeout_us);
		if (err && err != -ENOENT)
			return control_error(answer, "timeout", "disable: zone %llu: %s",
					     (unsigned long long)id, pp_error());
		d->zone = err ? 0 : id;
	}
	d->until_ns = req->lease_ms ? now_ns() + req->lease_ms * 1000000 : UINT64_MAX;
	return 0;
}

static void list_zones(const char *verb, const uint64_t *ids, unsigned int n,
		       struct json_writer *answer)
{
	unsigned int i;

	control_begin(answer, verb);
	jw_begin(answer, "zones", '[');
	for (i = 0; i < n; i++) {
		jw_begin(answer, NULL, '{');
		jw_count(answer, "id", ids[i]);
		jw_end(answer, '}');
	}
	jw_end(answer, ']');
	control_end(answer);
}

static void answer_disable(struct control_state *state, const struct control_request *req,
			   struct json_writer *answer)
{
	uint64_t ids[CONTROL_DISABLED];
	unsigned int n, i;

	n = select_zones(req->word[0], ids, CONTROL_DISABLED, answer);
	forget_ended(state);
	for (i = 0; i < n; i++)
		if (disable_zone(state, req, ids[i], answer))
			return;
	if (n)
		list_zones("disable", ids, n, answer);
}

static void answer_enable(struct control_state *state, const struct control_request *req,
			  struct json_writer *answer)
{
	uint64_t ids[64];
	unsigned int n, i, done = 0;

	forget_ended(state);
	n = select_zones(req->word[0], ids, 64, answer);
	for (i = 0; i < n; i++) {
		if (!control_find_disabled(state, ids[i]))
			continue;
		enable_zone(control_find_disabled(state, ids[i]));
		ids[done++] = ids[i];
	}
	if (done)
		list_zones("enable", ids, done, answer);
	else if (n)
		control_error(answer, "not_disabled",
			      "enable: no request of this socket has disabled these caches");
}

/* ---- any request ----------------------------------------------------------------------------- */

static void answer_request(struct control_state *state, const struct control_request *req,
			   struct json_writer *answer)
{
	if (req->verb == VERB_DRAIN)
		answer_drain(req, answer);
	else if (req->verb == VERB_TRIM)
		control_trim(req, answer);
	else if (req->verb == VERB_HOLDERS)
		control_holders(req, answer);
	else if (req->verb == VERB_FAULT)
		control_fault(req, answer);
	else if (req->verb == VERB_DISABLE)
		answer_disable(state, req, answer);
	else if (req->verb == VERB_ENABLE)
		answer_enable(state, req, answer);
	else if (req->verb == VERB_STAT)
		control_stat(state, answer);
	else
		control_help(answer);
}

static bool changes_things(const struct control_request *req)
{
	if (req->verb == VERB_HOLDERS)
		return req->track;
	if (req->verb == VERB_FAULT)
		return req->word[0];
	return req->verb != VERB_STAT && req->verb != VERB_HELP;
}

void control_answer(struct control_state *state, const char *line, size_t len,
		    struct json_writer *answer)
{
	struct control_request req;
	bool failed = true;

	answer->len = 0;
	answer->error = false;
	state->requests++;
	if (control_parse(&req, line, len, answer))
		goto out;
	req.timeout_us = req.timeout_us ? req.timeout_us : TIMEOUT_US;
	req.oldest = req.oldest ? req.oldest : OLDEST;
	if (state->read_only && changes_things(&req))
		control_error(answer, "denied", "this program lets others look only");
	else
		answer_request(state, &req, answer);
	failed = answer->failed || answer->error;
out:
	state->errors += failed;
}
