/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * html.h - results that were read back, and the page that is made of them
 *
 * report_read.c turns JSON into rows, html/figures.c rows into figures, html/page.c all of
 * it into one page that needs no network, no script and no other file.
 */
#ifndef PPBENCH_HTML_H
#define PPBENCH_HTML_H

#include <json-c/json.h>
#include <stdio.h>

#include "bench.h"
#include "html/text.h"

#define REP_CASES 24u

struct rep_row {
	const char *policy;
	const char *kind;
	unsigned int bulk;
	double median;
	double min;
	double max;
	bool published; /* measured elsewhere, by others */
	bool simulated; /* computed by a model */
	const char *refused;
	struct json_object *json;
};

/* a case's result, or the reason why there is none */
struct rep_case {
	char name[40];
	const struct bench_case *what; /* NULL: none of this program */
	char command[400];
	char error[400];
	double seconds; /* seconds that the case took; 0: it was not run now */
	char *text; /* the JSON as it was read */
	struct json_object *json;
	struct rep_row *rows;
	size_t nrows;
	char unit[40]; /* "cycles_per_page" */
};

struct rep {
	struct rep_case cases[REP_CASES];
	unsigned int n;
	unsigned int failed;
	bool quick;
	char command[400];
	double seconds;
};

/* report_read.c */
int rep_read(struct rep_case *c, const char *path);
void rep_free(struct rep_case *c);
const struct rep_case *rep_case_find(const struct rep *r, const char *name);
const struct rep_row *rep_row_find(const struct rep_case *c, const char *policy, const char *kind,
				   unsigned int bulk);
/* the smallest median of the policies that begin with @prefix; NULL: of this library's */
const struct rep_row *rep_best(const struct rep_case *c, const char *kind, unsigned int bulk,
			       const char *prefix);
unsigned int rep_bulk_near(const struct rep_case *c, const char *kind, unsigned int want);
double rep_spread(const struct rep_case *c);
/* the member @key of an object, as text; @none if there is none */
const char *rep_text(struct json_object *o, const char *key, const char *none);
bool rep_number(const struct rep_row *row, const char *key, double *value);

/* html/head.c */
void html_head(FILE *f);

/* html/figures.c; one figure for each kind of work of a case */
void html_figures(FILE *f, const struct rep_case *c);

/* html/heat.c */
void html_heat(FILE *f, const struct rep_case *c);

/* html/summary.c */
void html_summary(FILE *f, const struct rep *r);

/* html/page.c */
void html_page(FILE *f, const void *rep);

#endif /* PPBENCH_HTML_H */
