/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plot.c - --plot: a case's rows as an SVG file of panels, one below the other
 *
 * A case describes its panels (struct bench_plot). A case without a description gets a
 * panel for each kind.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "chart/chart.h"
#include "common/error.h"
#include "html/text.h"

#define PANELS 16u
#define WIDTH  760.0
#define MARGIN 20.0
#define TITLE  52.0 /* the two lines above a panel */
#define GAP    24.0
#define FOOTER 50.0

struct panel {
	struct bench_plot what;
	struct chart chart;
};

struct picture {
	const struct bench *bench;
	struct panel panels[PANELS];
	unsigned int n;
};

/* NULL: the row has nothing to draw in this panel */
static const double *row_value(const struct bench_plot *p, const struct bench_row *row)
{
	if (row->refused || row->published || (p->kind && strcmp(p->kind, row->kind) != 0))
		return NULL;
	return p->y ? bench_extra_find(row, p->y) : &row->median;
}

static int fill_panel(const struct bench *b, struct panel *p)
{
	const struct bench_row *row;
	const double *y, *mark;
	size_t i;

	p->chart.width = WIDTH;
	p->chart.x_name = b->what->bulk_is ? b->what->bulk_is : "pages a call";
	p->chart.rows = bench_alloc(b->nrows, sizeof(*p->chart.rows));
	if (!p->chart.rows)
		return -1;
	for (i = 0; i < b->nrows; i++) {
		row = &b->rows[i];
		y = row_value(&p->what, row);
		mark = p->what.mark ? bench_extra_find(row, p->what.mark) : NULL;
		if (y)
			p->chart.rows[p->chart.n++] = (struct chart_row){
				.policy = row->policy,
				.kind = row->kind,
				.bulk = row->bulk,
				.y = *y,
				.lo = p->what.y ? 0 : row->min,
				.hi = p->what.y ? 0 : row->max,
				.marked = mark && *mark > 0,
				.simulated = row->simulated,
			};
	}
	chart_layout(&p->chart);
	return 0;
}

/* the panels that the case describes, or one for each kind */
static unsigned int describe_panels(const struct bench *b, struct panel *p)
{
	const struct bench_plot *plot = b->what->plots;
	unsigned int n = 0, k;
	size_t i;

	for (; plot && plot->title && n < PANELS; plot++)
		p[n++].what = *plot;
	for (i = 0; !b->what->plots && i < b->nrows && n < PANELS; i++) {
		for (k = 0; k < n && strcmp(p[k].what.kind, b->rows[i].kind) != 0; k++)
			continue;
		if (k == n && !b->rows[i].refused)
			p[n++].what = (struct bench_plot){ .title = b->rows[i].kind,
							   .kind = b->rows[i].kind };
	}
	return n;
}

static void write_panel(FILE *f, const struct bench *b, const struct panel *p, double top)
{
	fprintf(f, "<g transform=\"translate(%.0f,%.0f)\"><text class=\"title\" y=\"14\">", MARGIN,
		top);
	html_text(f, p->what.title);
	fputs("</text><text class=\"axis\" y=\"34\">", f);
	html_words(f, p->what.label ? p->what.label : b->what->unit);
	if (p->chart.log)
		fputs(", logarithmic scale", f);
	if (p->chart.bars && p->chart.rows[0].bulk > 1) {
		fputs("; ", f);
		html_text(f, p->chart.x_name);
		fprintf(f, ": %u", p->chart.rows[0].bulk);
	}
	if (p->what.mark) {
		fputs("; ring: ", f);
		html_text(f, p->what.mark);
	}
	fprintf(f, "</text>\n<g transform=\"translate(0,%.0f)\">\n", TITLE);
	chart_draw(f, &p->chart);
	fputs("</g></g>\n", f);
}

/* below the last panel: the case, the machine and the commit */
static void write_footer(FILE *f, const struct bench *b, double top)
{
	const struct machine *m = &b->machine;
	char line[400];

	fprintf(f, "<text class=\"axis\" x=\"%.0f\" y=\"%.0f\">", MARGIN, top);
	snprintf(line, sizeof(line), "ppbench %s, median of %u; %s, %u cores", b->what->name,
		 b->opts.repeat, m->cpu, m->cores);
	html_text(f, line);
	fprintf(f, "</text><text class=\"axis\" x=\"%.0f\" y=\"%.0f\">", MARGIN, top + 16);
	snprintf(line, sizeof(line), "Linux %s; %s; commit %s", m->kernel, b->compiler, b->commit);
	html_text(f, line);
	fputs("</text>\n", f);
}

static void write_picture(FILE *f, const void *picture)
{
	const struct picture *pic = picture;
	const struct panel *p = pic->panels;
	const struct bench *b = pic->bench;
	double width = WIDTH + 2 * MARGIN, height = MARGIN, top = MARGIN;
	unsigned int i;

	for (i = 0; i < pic->n; i++)
		height += p[i].chart.n ? TITLE + p[i].chart.height + GAP : 0;
	height += FOOTER;
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"viewBox=\"0 0 %.0f %.0f\">\n<style>",
		width, height, width, height);
	chart_css(f);
	fputs("svg .title{font-size:15px;font-weight:bold}</style>\n"
	      "<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n",
	      f);
	for (i = 0; i < pic->n; i++) {
		if (!p[i].chart.n)
			continue;
		write_panel(f, b, &p[i], top);
		top += TITLE + p[i].chart.height + GAP;
	}
	write_footer(f, b, top + 14);
	fputs("</svg>\n", f);
}

void bench_plot_set(void *opts, const char *name, const char *arg)
{
	size_t len = strlen(arg);

	if (len <= 4 || strcmp(arg + len - 4, ".svg") != 0)
		usage_error("%s '%s': the name must end in .svg", name, arg);
	((struct bench_opts *)opts)->plot = arg;
}

int bench_plot(const struct bench *b)
{
	struct picture *pic = bench_alloc(1, sizeof(*pic));
	unsigned int i, points = 0;
	int err = 0;

	if (!pic)
		return -1;
	pic->bench = b;
	pic->n = describe_panels(b, pic->panels);
	for (i = 0; !err && i < pic->n; i++) {
		err = fill_panel(b, &pic->panels[i]);
		points += pic->panels[i].chart.n > 0;
	}
	if (!err && points)
		err = bench_write("--plot", b->opts.plot, write_picture, pic);
	else if (!err)
		bench_error("--plot: %s left nothing to draw", b->what->name);
	for (i = 0; i < pic->n; i++)
		free(pic->panels[i].chart.rows);
	free(pic);
	return points ? err : -1;
}
