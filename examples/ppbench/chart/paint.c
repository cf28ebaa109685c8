/* SPDX-License-Identifier: BSD-3-Clause */
/* chart/paint.c - a panel, and the colours and lines of its classes */
#include "chart/draw.h"

#define FG   "#1b1f24", "#e6edf3"
#define SOFT "#57606a", "#9198a1"
#define LINE "#d0d7de", "#3d444d"
#define BLUE "#0969da", "#4493f8"

static const struct {
	const char *class, *property, *light, *dark, *rest;
} paints[] = {
	{ "text", "fill", FG, "" },
	{ ".axis", "fill", SOFT, "" },
	{ ".back", "fill", "#ffffff", "#0d1117", "" },
	{ ".grid", "stroke", LINE, ";stroke-width:.5" },
	{ ".ours", "fill", BLUE, "" },
	{ ".other", "fill", "#8c959f", "#7d8590", "" },
	{ ".sim", "stroke", "#9a6700", "#d29922", ";fill:none;stroke-dasharray:3 2" },
	{ ".whisker", "stroke", FG, ";stroke-width:1" },
	{ ".mark", "stroke", "#b42318", "#ff7b72", ";fill:none;stroke-width:1.5" },
};

static const char *const colours[CHART_COLOURS][2] = {
	{ BLUE },
	{ "#bc4c00", "#f0883e" },
	{ "#1a7f37", "#3fb950" },
	{ "#8250df", "#ab7df8" },
	{ "#bf3989", "#f778ba" },
	{ SOFT },
	{ "#007a8a", "#39c5cf" },
	{ "#7d6200", "#d2b922" },
};

static void css_colours(FILE *f, bool dark)
{
	unsigned int i;

	for (i = 0; i < sizeof(paints) / sizeof(paints[0]); i++)
		fprintf(f, "svg %s{%s:%s%s}", paints[i].class, paints[i].property,
			dark ? paints[i].dark : paints[i].light, dark ? "" : paints[i].rest);
	for (i = 0; i < CHART_COLOURS; i++)
		fprintf(f, "svg .s%u{stroke:%s}svg .t%u{fill:%s}", i, colours[i][dark], i,
			colours[i][dark]);
}

/* Colours stand in the rules, not in variables, which many programs that show SVG do not know. */
void chart_css(FILE *f)
{
	fputs("svg text{font:11px system-ui,sans-serif}svg .name{font-size:10px}"
	      "svg .series{fill:none;stroke-width:1.75}svg .lead{fill:none;stroke-width:.5}"
	      "svg .dash{stroke-dasharray:4 3}\n",
	      f);
	css_colours(f, false);
	fputs("\n@media(prefers-color-scheme:dark){", f);
	css_colours(f, true);
	fputs("}\n", f);
}

void chart_draw(FILE *f, const struct chart *c)
{
	if (c->bars)
		chart_draw_bars(f, c);
	else
		chart_draw_curves(f, c);
}
