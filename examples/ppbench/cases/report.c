/* SPDX-License-Identifier: BSD-3-Clause */
/* cases/report.c - every case, into one HTML page */
#include "bench.h"
#include "common/error.h"

static const unsigned int bulks[] = { 0 };

static const char *page_file; /* --out */
static const char *results_dir; /* --from: results made earlier */

static int report_case(struct bench *b)
{
	if (html_run)
		return html_run(b, page_file, results_dir);
	bench_error("report: this build has no json-c; install libjson-c-dev and build again");
	return -1;
}

static void check_report(void)
{
	if (!page_file)
		usage_error("report: where to? name the page with --out FILE.html");
}

static const struct option_row report_options[] = {
	{ "out", .arg = "FILE", .kind = OPTION_ANY, .var = &page_file,
	  .help = "report: the page to write; - is stdout" },
	{ "from", .arg = "DIR", .kind = OPTION_ANY, .var = &results_dir,
	  .help = "report: results made earlier with --json DIR/CASE.json" },
	{ .name = NULL },
};

const struct bench_case bench_report = {
	.name = "report",
	.title = "every case, into one HTML page with plots",
	.unit = "cases",
	.bulks = bulks,
	.run = report_case,
	.options = report_options,
	.check = check_report,
	.page = true,
};
