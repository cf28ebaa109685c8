/* SPDX-License-Identifier: BSD-3-Clause */
/* html/page.c - the page: machine and noise, the answers, then every case */
#include <string.h>
#include <time.h>

#include "html/html.h"

#define QUIET	  0.05 /* spread up to which a machine counts as quiet */
#define COLUMNS	  32u
#define FIRST	  "refill" /* the comparison that the project is for */
#define ROWS_OPEN 40u /* a table up to this long is shown at once */

static struct json_object *machine_of(const struct rep_case *c)
{
	struct json_object *m;

	return c->json && json_object_object_get_ex(c->json, "machine", &m) ? m : NULL;
}

static void write_fact(FILE *f, const char *name, const char *value)
{
	fprintf(f, "<dt>%s</dt><dd>", name);
	html_text(f, value);
	fputs("</dd>", f);
}

static bool same_machine(struct json_object *a, struct json_object *b)
{
	return !strcmp(rep_text(a, "cpu", "?"), rep_text(b, "cpu", "?")) &&
	       !strcmp(rep_text(a, "kernel", "?"), rep_text(b, "kernel", "?")) &&
	       !strcmp(rep_text(a, "commit", "?"), rep_text(b, "commit", "?"));
}

static void write_machine(FILE *f, const struct rep *r)
{
	struct json_object *m = NULL, *other;
	bool differ = false;
	unsigned int i;

	for (i = 0; i < r->n; i++) {
		other = machine_of(&r->cases[i]);
		differ |= m && other && !same_machine(m, other);
		m = m ? m : other;
	}
	if (!m)
		return;
	fputs("<dl>", f);
	write_fact(f, "CPU", rep_text(m, "cpu", "?"));
	write_fact(f, "CPUs", rep_text(m, "cores", "?"));
	write_fact(f, "Linux", rep_text(m, "kernel", "?"));
	write_fact(f, "compiler", rep_text(m, "compiler", "?"));
	write_fact(f, "commit", rep_text(m, "commit", "?"));
	write_fact(f, "TSC, Hz", rep_text(m, "tsc_hz", "?"));
	fputs("</dl>\n", f);
	if (differ)
		fputs("<p class=\"box bad\">The results come from different machines, kernels or "
		      "commits (the first is shown): do not compare figures across cases.</p>\n",
		      f);
}

/* tells how noisy the machine was */
static void write_noise(FILE *f, const struct rep *r)
{
	const struct rep_case *worst = NULL;
	double spread, most = -1;
	unsigned int i;

	for (i = 0; i < r->n; i++) {
		spread = r->cases[i].nrows ? rep_spread(&r->cases[i]) : -1;
		if (spread > most) {
			most = spread;
			worst = &r->cases[i];
		}
	}
	if (!worst)
		return;
	fprintf(f, "<div class=\"box %s\"><p><b>%s.</b> ", most > QUIET ? "warn" : "",
		most > QUIET ? "Noisy" : "Quiet");
	fprintf(f,
		"In case %s the repeats of half of all figures lie more than %.0f %% apart "
		"(largest against smallest). ",
		worst->name, 100 * most);
	fputs(most > QUIET
		      ? "Differences smaller than that say nothing here; ratios are of one run, "
			"taken in turns, and hold better than absolute figures."
		      : "Two such runs should agree within 5 %.",
	      f);
	if (r->quick)
		fputs(" Measured with --quick: short, to see that it works, not how fast.", f);
	fputs("</p></div>\n", f);
}

static void write_contents(FILE *f, const struct rep *r)
{
	unsigned int i;

	fputs("<nav class=\"soft\"><a href=\"#summary\">summary</a>", f);
	for (i = 0; i < r->n; i++)
		fprintf(f, "<a href=\"#%s\">%s%s</a>", r->cases[i].name, r->cases[i].name,
			r->cases[i].error[0] ? " (failed)" : "");
	fputs("</nav>\n", f);
}

/* ---- a case's table ------------------------------------------------------------------------- */

static bool is_fixed(const char *key)
{
	return !strcmp(key, "policy") || !strcmp(key, "kind") || !strcmp(key, "bulk") ||
	       !strcmp(key, "refused") || !strcmp(key, "published") || !strcmp(key, "simulated");
}

static unsigned int collect_keys(const struct rep_case *c, const char **keys)
{
	unsigned int n = 0, k;
	size_t i;

	for (i = 0; i < c->nrows; i++) {
		json_object_object_foreach(c->rows[i].json, key, value)
		{
			(void)value;
			for (k = 0; k < n && strcmp(keys[k], key); k++)
				continue;
			if (k == n && n < COLUMNS && !is_fixed(key))
				keys[n++] = key;
		}
	}
	return n;
}

/* the key without the unit, which stands above the table */
static void column_name(FILE *f, const struct rep_case *c, const char *key)
{
	size_t len = strlen(c->unit);

	html_words(f, len && !strncmp(key, c->unit, len) && key[len] == '_' ? key + len + 1 : key);
}

static void write_cell(FILE *f, const struct rep_row *row, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(row->json, key, &value)) {
		fputs("<td>&ndash;</td>", f);
	} else if (json_object_is_type(value, json_type_double) ||
		   json_object_is_type(value, json_type_int)) {
		fputs("<td>", f);
		html_number(f, json_object_get_double(value));
		fputs("</td>", f);
	} else {
		fputs("<td class=\"l\">", f);
		html_text(f, json_object_get_string(value));
		fputs("</td>", f);
	}
}

static void table_row(FILE *f, const struct rep_row *row, const struct rep_row *before,
		      const char **keys, unsigned int n)
{
	unsigned int k;

	fprintf(f, "<tr%s><td>",
		before && (before->bulk != row->bulk || strcmp(before->kind, row->kind))
			? " class=\"gap\""
			: "");
	html_text(f, row->policy);
	if (row->simulated)
		fputs("<span class=\"tag\">simulated</span>", f);
	if (row->published)
		fputs("<span class=\"tag\">published</span>", f);
	fputs("</td><td class=\"l\">", f);
	html_text(f, row->kind);
	fprintf(f, "</td><td>%u</td>", row->bulk);
	if (row->refused) {
		fprintf(f, "<td class=\"l wrap\" colspan=\"%u\">", n);
		html_text(f, row->refused);
		fputs("</td></tr>\n", f);
		return;
	}
	for (k = 0; k < n; k++)
		write_cell(f, row, keys[k]);
	fputs("</tr>\n", f);
}

static void write_table(FILE *f, const struct rep_case *c)
{
	const char *keys[COLUMNS];
	unsigned int n = collect_keys(c, keys), k;
	size_t i;

	fprintf(f, "<details%s><summary>All %zu rows, ", c->nrows <= ROWS_OPEN ? " open" : "",
		c->nrows);
	html_words(f, c->unit);
	fputs("</summary>\n<div class=\"scroll tall\"><table><thead><tr><th>policy</th>"
	      "<th class=\"l\">kind</th><th>bulk</th>",
	      f);
	for (k = 0; k < n; k++) {
		fputs("<th>", f);
		column_name(f, c, keys[k]);
		fputs("</th>", f);
	}
	fputs("</tr></thead><tbody>\n", f);
	for (i = 0; i < c->nrows; i++)
		table_row(f, &c->rows[i], i ? &c->rows[i - 1] : NULL, keys, n);
	fputs("</tbody></table></div>\n", f);
	html_command(f, c->command);
	fputs("</details>\n", f);
}

static void write_notes(FILE *f, const struct rep_case *c)
{
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(c->json, "notes", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	fputs("<ul class=\"soft\">\n", f);
	for (i = 0; i < json_object_array_length(list); i++) {
		fputs("<li>", f);
		html_text(f, json_object_get_string(json_object_array_get_idx(list, i)));
		fputs("</li>\n", f);
	}
	fputs("</ul>\n", f);
}

static void data_uri(FILE *f, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, len = strlen(text), left;
	unsigned int three;

	fputs("data:application/json;base64,", f);
	for (i = 0; i < len; i += 3) {
		left = len - i;
		three = (unsigned int)(unsigned char)text[i] << 16;
		three |= left > 1 ? (unsigned int)(unsigned char)text[i + 1] << 8 : 0;
		three |= left > 2 ? (unsigned char)text[i + 2] : 0;
		fputc(digits[three >> 18], f);
		fputc(digits[three >> 12 & 63], f);
		fputc(left > 1 ? digits[three >> 6 & 63] : '=', f);
		fputc(left > 2 ? digits[three & 63] : '=', f);
	}
}

static void write_section(FILE *f, const struct rep_case *c)
{
	fprintf(f, "<section id=\"%s\"><h2>%s</h2>\n", c->name, c->name);
	if (c->what) {
		fputs("<p>", f);
		html_text(f, c->what->title);
		fputs("</p>\n", f);
	}
	html_command(f, c->command);
	fputs("<p class=\"soft\">", f);
	if (c->seconds > 0)
		fprintf(f, "Ran for %.0f s. ", c->seconds);
	if (c->json && !c->error[0]) {
		fprintf(f, "<a download=\"%s.json\" href=\"", c->name);
		data_uri(f, c->text);
		fputs("\">The result as JSON</a>", f);
	}
	fputs("</p>\n", f);
	if (c->error[0]) {
		fputs("<p class=\"box bad\"><b>Failed.</b> ", f);
		html_text(f, c->error);
		fputs("</p></section>\n", f);
		return;
	}
	if (!strcmp(c->name, FIRST))
		html_heat(f, c);
	write_notes(f, c);
	html_figures(f, c);
	write_table(f, c);
	fputs("</section>\n", f);
}

void html_page(FILE *f, const void *rep)
{
	const struct rep *r = rep;
	time_t now = time(NULL);
	char when[40];
	unsigned int i;
	struct tm tm;

	strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
	html_head(f);
	fprintf(f, "<header><h1>What a page costs</h1>\n<p class=\"soft\">ppbench %s, %s</p>\n",
		PP_VERSION, when);
	html_command(f, r->command);
	write_machine(f, r);
	write_noise(f, r);
	if (r->failed)
		fprintf(f, "<p class=\"box bad\"><b>%u of %u cases gave no figures.</b></p>\n",
			r->failed, r->n);
	write_contents(f, r);
	fputs("</header>\n<main>\n", f);
	i = r->n && !strcmp(r->cases[0].name, FIRST);
	if (i)
		write_section(f, &r->cases[0]);
	html_summary(f, r);
	for (; i < r->n; i++)
		write_section(f, &r->cases[i]);
	fputs("</main>\n<footer class=\"soft\"><p>Each table and figure has the command that made "
	      "it; the rows behind them are in the page, as JSON. Figures are medians. "
	      "<b>simulated</b> marks what no machine has run, <b>published</b> what others "
	      "measured elsewhere.</p></footer>\n</body>\n</html>\n",
	      f);
}
