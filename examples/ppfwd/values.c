/* SPDX-License-Identifier: BSD-3-Clause */
/* values.c - the options with words and lists as values */
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/values.h"
#include "engines/engine.h"
#include "ppfwd.h"

void add_port(void *data, const char *name, const char *text)
{
	struct options *opts = data;

	if (opts->nports == PPFWD_PORTS_MAX)
		usage_error("%s %s: too many ports; give at most %u", name, text, PPFWD_PORTS_MAX);
	else
		opts->ports[opts->nports++] = text;
}

void parse_engine(void *data, const char *name, const char *text)
{
	struct options *opts = data;

	opts->engine = engine_find(text);
	if (!opts->engine)
		usage_error("%s %s: unknown; give one that ppfwd --help lists", name, text);
}

void engines_help(FILE *out)
{
	unsigned int i;

	for (i = 0; engines[i]; i++)
		fprintf(out, "           %-9s   %s\n", engines[i]->name, engines[i]->help);
}

void parse_memory(void *data, const char *name, const char *text)
{
	static const char *const words[] = { "anon", "memfd", "hugetlb", "hugetlb,fallback", NULL };
	static const enum pp_mem kinds[] = { PP_MEM_ANON, PP_MEM_MEMFD, PP_MEM_HUGETLB,
					     PP_MEM_HUGETLB };
	struct options *opts = data;
	int word = parse_word(name, text, words);

	if (word < 0)
		return;
	opts->mem = kinds[word];
	opts->huge_fallback = word == 3;
}

void parse_accept(void *data, const char *name, const char *text)
{
	static const char *const words[] = { "eager", "lazy", "thread", NULL };
	static const uint32_t flags[] = { 0, PP_ZONE_LAZY, PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD };
	struct options *opts = data;
	int word = parse_word(name, text, words);

	if (word < 0)
		return;
	opts->zone_flags &= ~(PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD);
	opts->zone_flags |= flags[word];
}

void parse_idle(void *data, const char *name, const char *text)
{
	static const char *const words[] = { "poll", "wait", NULL };

	((struct options *)data)->idle_wait = parse_word(name, text, words) == 1;
}

void parse_node(void *data, const char *name, const char *text)
{
	struct options *opts = data;

	opts->node_local = !strcmp(text, "local");
	opts->node_set = !strcmp(text, "set");
	opts->node = PP_NODE_ANY;
	if (opts->node_local || opts->node_set)
		return;
	if (*text < '0' || *text > '9')
		usage_error("%s %s: unknown; give local, set or a number", name, text);
	else
		opts->node = (int)parse_number(name, text, 0, 1023);
}

void parse_policy(void *data, const char *name, const char *text)
{
	const char *const *policy = pp_policy_names();
	struct options *opts = data;

	if (!strcmp(text, "auto")) {
		opts->policy = "auto";
		return;
	}
	while (*policy && strcmp(*policy, text))
		policy++;
	opts->policy = *policy;
	if (!*policy)
		usage_error("%s %s: not in this build; give one that ppfwd --help lists", name,
			    text);
}

void policies_help(FILE *out)
{
	const char *const *policy;

	fprintf(out, "                    ");
	for (policy = pp_policy_names(); *policy; policy++)
		fprintf(out, " %s", *policy);
	fprintf(out, " auto\n");
}

void parse_cores(void *data, const char *name, const char *text)
{
	struct options *opts = data;
	cpu_set_t allowed, taken;
	unsigned int i, core;

	CPU_ZERO(&allowed);
	CPU_ZERO(&taken);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	opts->ncores = parse_list(name, text, 0, PPFWD_CORES_MAX - 1, opts->cores, PPFWD_CORES_MAX);
	for (i = 0; i < opts->ncores; i++) {
		core = opts->cores[i];
		if (CPU_ISSET(core, &taken))
			usage_error("%s: CPU %u twice; one worker has a CPU to itself", name, core);
		if (!CPU_ISSET(core, &allowed))
			usage_error("%s: CPU %u does not exist or is not allowed; see taskset -cp "
				    "$$",
				    name, core);
		CPU_SET(core, &taken);
	}
}

void parse_size(void *data, const char *name, const char *text)
{
	struct traffic *t = &((struct options *)data)->traffic;
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);
	char low[16];

	t->imix = !strcmp(text, "imix");
	if (t->imix) {
		t->size_min = 64;
		t->size_max = 1518;
		return;
	}
	snprintf(low, sizeof(low), "%.*s", (int)len, text);
	t->size_min = (uint32_t)parse_number(name, len < sizeof(low) ? low : text, TRAFFIC_SIZE_MIN,
					     TRAFFIC_SIZE_MAX);
	t->size_max = t->size_min;
	if (dash && !usage_wrong())
		t->size_max = (uint32_t)parse_number(name, dash + 1, t->size_min, TRAFFIC_SIZE_MAX);
}

/* "2.5M", "10kpps", "1Gbit", "100Mbps" */
void parse_rate(void *data, const char *name, const char *text)
{
	static const char *const units[] = { "", "pps", "bit", "bps", NULL };
	struct traffic *t = &((struct options *)data)->traffic;
	double scale = 1;
	unsigned int i;
	char *end;

	t->rate = strtod(text, &end);
	if (end > text && *end && strchr("kMG", *end)) {
		scale = *end == 'k' ? 1e3 : *end == 'M' ? 1e6 : 1e9;
		end++;
	}
	t->rate *= scale;
	for (i = 0; units[i] && strcmp(units[i], end); i++)
		;
	t->bits = i > 1;
	if (end == text || !units[i])
		usage_error("%s %s: not a rate; give packets as 2.5M, or bits as 1Gbit", name,
			    text);
	else if (!(t->rate >= 1 && t->rate <= 1e12))
		usage_error("%s %s: out of range; give 1 to 1000G", name, text);
}

/* "1,02:00:00:00:00:05" */
void parse_peer(void *data, const char *name, const char *text)
{
	struct traffic *t = &((struct options *)data)->traffic;
	unsigned int port, b[6], i;
	int end = 0;

	if (sscanf(text, "%2u,%2x:%2x:%2x:%2x:%2x:%2x%n", &port, &b[0], &b[1], &b[2], &b[3], &b[4],
		   &b[5], &end) != 7 ||
	    text[end] || port >= TRAFFIC_PEERS_MAX) {
		usage_error("%s %s: not a port and its address; give them as 1,02:00:00:00:00:05",
			    name, text);
		return;
	}
	t->has_peer[port] = true;
	for (i = 0; i < 6; i++)
		t->peers[port][i] = (unsigned char)b[i];
}

void default_core(struct options *opts)
{
	cpu_set_t allowed;
	unsigned int i = 0;

	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	while (i < PPFWD_CORES_MAX - 1 && !CPU_ISSET(i, &allowed))
		i++;
	opts->cores[0] = i;
	opts->ncores = 1;
}
