/* SPDX-License-Identifier: BSD-3-Clause */
/* policies.c - the policies to measure, and those of them that this machine can run */
#include <pagepool/error.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "common/values.h"

static const char automatic[] = "auto";

static void append_policy(struct bench_opts *o, const char *name)
{
	unsigned int i;

	for (i = 0; i < o->npolicies; i++)
		if (!strcmp(o->policies[i], name))
			return;
	if (o->npolicies < BENCH_LIST_MAX)
		o->policies[o->npolicies++] = name;
}

void bench_policies_set(void *opts, const char *option, const char *text)
{
	const char *words[BENCH_LIST_MAX] = { NULL }, *const * name;
	struct bench_opts *o = opts;
	unsigned int n = 0;
	char word[32];
	size_t len;
	int i;

	for (name = pp_policy_names(); *name && n < BENCH_LIST_MAX - 2; name++)
		words[n++] = *name;
	o->npolicies = 0;
	o->all_policies = !strcmp(text, "all");
	for (i = 0; o->all_policies && words[i]; i++)
		append_policy(o, words[i]);
	words[n] = automatic;
	for (; !o->all_policies; text += len + 1) {
		len = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		i = parse_word(option, word, words);
		if (i < 0)
			return;
		append_policy(o, words[i]);
		if (!text[len])
			return;
	}
}

/* A zone tells which policy auto is here. NULL after bench_error(). */
static const char *what_auto_is(struct bench *b)
{
	struct pp_zone *zone = bench_zone_open(automatic, 0, 0);
	const char *name;

	if (!zone)
		return NULL;
	name = pp_zone_policy(zone);
	bench_note(b, "auto is %s on this machine", name);
	pp_zone_destroy(zone);
	return name;
}

/*
 * A policy that --policy names must run. With "all", a policy that this machine refuses is
 * part of the result, with the reason.
 */
int bench_policies_check(struct bench *b)
{
	struct bench_opts *o = &b->opts;
	unsigned int i, n = o->npolicies;
	const char *name;

	o->npolicies = 0;
	for (i = 0; i < n; i++) {
		name = o->policies[i];
		if (!strcmp(name, automatic))
			name = what_auto_is(b);
		if (!name)
			return -1;
		if (!pp_policy_check(name)) {
			append_policy(o, name);
			continue;
		}
		if (!o->all_policies) {
			bench_error("--policy %s: this machine can not: %s; name another, or all",
				    name, pp_error());
			return -1;
		}
		b->refused[b->nrefused].policy = name;
		snprintf(b->refused[b->nrefused++].why, sizeof(b->refused[0].why), "%s",
			 pp_error());
	}
	return 0;
}

int bench_policies_refused(struct bench *b)
{
	unsigned int i, k;

	for (k = 0; k < b->opts.nbulks; k++)
		for (i = 0; i < b->nrefused; i++)
			if (!bench_row_refused(b, b->refused[i].policy, b->opts.bulks[k],
					       b->refused[i].why))
				return -1;
	return 0;
}

bool bench_is_ours(const char *policy)
{
	const char *const *name;
	size_t len;

	if (!strncmp(policy, "zone ", 5))
		policy += 5;
	else if (!strncmp(policy, "page_pool ", 10))
		policy += 10;
	for (name = pp_policy_names(); *name; name++) {
		len = strlen(*name);
		if (!strncmp(policy, *name, len) && (!policy[len] || policy[len] == ' '))
			return true;
	}
	return false;
}
