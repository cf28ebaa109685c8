/* SPDX-License-Identifier: BSD-3-Clause */
/* html/summary.c - the answers: the best scheme, the best refill size, the best pool */
#include <string.h>

#include "html/html.h"

#define DEFAULT_POLICY "trylock"
#define AT_BULK	       64u

static void write_link(FILE *f, const struct rep_case *c)
{
	fprintf(f, " <a href=\"#%s\">%s</a>", c->name, c->name);
}

/* "rseq 4.02" */
static void write_named(FILE *f, const struct rep_row *row)
{
	fputs("<b>", f);
	html_text(f, row->policy);
	fputs("</b> ", f);
	html_number(f, row->median);
}

static void against_default(FILE *f, const struct rep_case *c, const struct rep_row *best,
			    const char *kind)
{
	const struct rep_row *usual = rep_row_find(c, DEFAULT_POLICY, kind, best->bulk);
	double spread = rep_spread(c), ratio;

	if (!usual || usual == best || best->median <= 0)
		return;
	ratio = usual->median / best->median;
	fputs("; ", f);
	write_named(f, usual);
	fprintf(f, ", the default, is %.2f times that", ratio);
	if (spread > 0 && ratio - 1 < spread)
		fprintf(f, ", which is within the repeats' spread (%.0f %%)", 100 * spread);
}

/* one line of the answer about schemes; no line without figures */
static void scheme_line(FILE *f, const struct rep *r, const char *name, const char *kind,
			const char *what)
{
	const struct rep_case *c = rep_case_find(r, name);
	unsigned int bulk = rep_bulk_near(c, kind, AT_BULK);
	const struct rep_row *best = rep_best(c, kind, bulk, NULL);

	if (!best)
		return;
	fprintf(f, "<li>%s: fastest is ", what);
	write_named(f, best);
	fputc(' ', f);
	html_words(f, c->unit);
	if (bulk > 1)
		fprintf(f, ", %u at once", bulk);
	against_default(f, c, best, kind);
	fputs(".", f);
	write_link(f, c);
	fputs("</li>\n", f);
}

static void which_scheme(FILE *f, const struct rep *r)
{
	fputs("<h3>Which scheme?</h3>\n<ul>\n", f);
	scheme_line(f, r, "policy", "prep", "A page from this core's cache and back");
	scheme_line(f, r, "policy", "crowded", "The same with more threads than CPUs");
	scheme_line(f, r, "cross", "zone", "Pages freed on another core");
	scheme_line(f, r, "drain", "full", "Draining a core that is busy");
	scheme_line(f, r, "irqoff", "window", "The window in which a core's cache is closed");
	fputs("</ul>\n", f);
}

/* the row that is marked as the knee of the default policy's curve of this kind */
static const struct rep_row *marked_knee(const struct rep_case *c, const char *kind)
{
	double knee;
	size_t i;

	for (i = 0; i < c->nrows; i++)
		if (!strcmp(c->rows[i].kind, kind) && !strcmp(c->rows[i].policy, DEFAULT_POLICY) &&
		    rep_number(&c->rows[i], "knee", &knee) && knee > 0)
			return &c->rows[i];
	return NULL;
}

static void refill_lines(FILE *f, const struct rep_case *c)
{
	const struct rep_row *row;
	size_t i, k;

	for (i = 0; i < c->nrows; i++) {
		for (k = 0; k < i && strcmp(c->rows[k].kind, c->rows[i].kind); k++)
			continue;
		row = k == i ? marked_knee(c, c->rows[i].kind) : NULL;
		if (!row)
			continue;
		fputs("<li>", f);
		html_text(f, row->kind);
		fprintf(f, ": <b>%u</b> pages; more gain little (", row->bulk);
		html_number(f, row->median);
		fputc(' ', f);
		html_words(f, c->unit);
		fputs(").", f);
		write_link(f, c);
		fputs("</li>\n", f);
	}
}

static void which_refill(FILE *f, const struct rep *r)
{
	const struct rep_case *refill = rep_case_find(r, "refill");

	if (!refill)
		return;
	fputs("<h3>Which refill size?</h3>\n<ul>\n", f);
	refill_lines(f, refill);
	fputs("</ul>\n", f);
}

/* ---- which pool ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	const char *prefix; /* of the names of its rows */
} families[] = {
	{ "zone", "zone " },	 { "page_pool", "page_pool " },
	{ "DPDK", "rte_" },	 { "locked stack", "locked stack" },
	{ "malloc", "malloc " },
};

#define FAMILIES (sizeof(families) / sizeof(*families))

static const struct {
	const char *kind, *what;
} works[] = {
	{ "raw", "taken and given back at once, pointers only" },
	{ "prep", "the same, ready for a packet" },
	{ "keep1024", "1024 held at once" },
	{ "bursty", "1 to 1024 at a time" },
	{ "cross", "taken on one core, given back on another" },
	{ "crowd", "more threads than CPUs" },
	{ "churn", "threads that come and go" },
	{ "foreign", "a thread that is registered nowhere" },
};

static void pool_row(FILE *f, const struct rep_case *c, const char *kind, const char *what)
{
	unsigned int bulk = rep_bulk_near(c, kind, AT_BULK), i;
	const struct rep_row *best[FAMILIES], *first = NULL;

	for (i = 0; i < FAMILIES; i++) {
		best[i] = rep_best(c, kind, bulk, families[i].prefix);
		if (best[i] && (!first || best[i]->median < first->median))
			first = best[i];
	}
	if (!first)
		return;
	fprintf(f, "<tr><td class=\"narrow\">%s</td><td>%u</td>", what, bulk);
	for (i = 0; i < FAMILIES; i++) {
		fputs("<td>", f);
		if (!best[i]) {
			fputs("&ndash;</td>", f);
			continue;
		}
		fputs(best[i] == first ? "<b>" : "", f);
		html_number(f, best[i]->median);
		fputs(best[i] == first ? "</b>" : "", f);
		fputs("<br><span class=\"soft\">", f);
		html_text(f, strchr(best[i]->policy, ' ') ? strchr(best[i]->policy, ' ') + 1
							  : best[i]->policy);
		fputs("</span></td>", f);
	}
	fputs("</tr>\n", f);
}

static void which_pool(FILE *f, const struct rep *r)
{
	const struct rep_case *c = rep_case_find(r, "compare");
	unsigned int i;

	if (!c)
		return;
	fputs("<h3>Which pool?</h3>\n<p>The fastest of each family, in ", f);
	html_words(f, c->unit);
	fputs(", and which one that is; bold is the fastest of all.", f);
	write_link(f, c);
	fputs("</p>\n<div class=\"scroll\"><table><thead><tr><th>work</th><th>at once</th>", f);
	for (i = 0; i < FAMILIES; i++)
		fprintf(f, "<th>%s</th>", families[i].name);
	fputs("</tr></thead><tbody>\n", f);
	for (i = 0; i < sizeof(works) / sizeof(*works); i++)
		pool_row(f, c, works[i].kind, works[i].what);
	fputs("</tbody></table></div>\n", f);
	html_command(f, c->command);
}

void html_summary(FILE *f, const struct rep *r)
{
	fputs("<section id=\"summary\"><h2>Summary</h2>\n", f);
	which_scheme(f, r);
	which_refill(f, r);
	which_pool(f, r);
	fputs("<p class=\"soft\">Drawn from the figures below by fixed rules. The fastest is not "
	      "always the right one: what each scheme promises stands in doc/sync.md.</p>"
	      "</section>\n",
	      f);
}
