/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * values.c - numbers, times and lists of CPUs on the command line
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ppfwd.h"

uint64_t parse_number(const char *name, const char *text, uint64_t min, uint64_t max)
{
	unsigned long long value;
	char *end;

	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		usage_error("%s %s: not a number; give %" PRIu64 " to %" PRIu64, name, text, min,
			    max);
	else if (value < min || value > max) /* ULLONG_MAX, on overflow, is above any max */
		usage_error("%s %s: out of range; give %" PRIu64 " to %" PRIu64, name, text, min,
			    max);
	else
		return value;
	return min;
}

double parse_seconds(const char *name, const char *text, double min)
{
	const double max = 1e8;
	double value;
	char *end;

	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		usage_error("%s %s: not a number; give seconds, as 2.5", name, text);
	else if (value < min || value > max)
		usage_error("%s %s: out of range; give %g to %g seconds", name, text, min, max);
	else
		return value;
	return min;
}

static void add_core(struct options *opts, unsigned int core)
{
	cpu_set_t allowed;
	unsigned int i;

	for (i = 0; i < opts->ncores; i++) {
		if (opts->cores[i] == core) {
			usage_error("--cores: CPU %u twice; one worker has a CPU to itself", core);
			return;
		}
	}
	if (sched_getaffinity(0, sizeof(allowed), &allowed) || !CPU_ISSET(core, &allowed))
		usage_error("--cores: CPU %u does not exist or is not allowed; see taskset -cp $$",
			    core);
	else
		opts->cores[opts->ncores++] = core;
}

void parse_cores(struct options *opts, const char *text)
{
	const char *at = text;
	unsigned long first, last;
	char *end;

	opts->ncores = 0;
	do {
		first = last = strtoul(at, &end, 10);
		if (*at >= '0' && *at <= '9' && *end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
		}
		if (*at < '0' || *at > '9' || (*end && *end != ',') || first > last)
			usage_error("--cores %s: not a list of CPUs; give one as 0,2-3", text);
		else if (last >= PPFWD_CORES_MAX)
			usage_error("--cores %s: out of range; give 0 to %u", text,
				    (unsigned int)PPFWD_CORES_MAX - 1);
		for (; first <= last && !usage_wrong(); first++)
			add_core(opts, (unsigned int)first);
		at = end + 1;
	} while (*end && !usage_wrong());
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
