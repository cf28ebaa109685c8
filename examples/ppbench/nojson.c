/* SPDX-License-Identifier: BSD-3-Clause */
/* nojson.c - in the place of the report, which reads JSON, in builds without json-c */
#include "bench.h"

int bench_report_run(struct bench *b, const struct bench_case *const *cases)
{
	(void)b;
	(void)cases;
	bench_error("report: this build has no json-c; install libjson-c-dev and build again");
	return -1;
}

static const unsigned int no_bulks[] = { 0 };

const struct bench_case bench_report = {
	.name = "report",
	.title = "every case, into one HTML page (not in this build: no json-c)",
	.unit = "cases",
	.bulks = no_bulks,
};
