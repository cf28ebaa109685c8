/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plot.c - the rows as a picture, drawn by gnuplot
 *
 * A case describes its panels (struct bench_plot): what x, y and the series are. One
 * without a description gets a panel for each kind. Nothing is drawn that is not in the
 * rows, and gnuplot is fed on its standard input: no other file is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PANELS 16u
#define SERIES 48u
#define WIDTH  1000u
#define HEIGHT 420u /* of a panel */
#define FOOTER 60u
#define MANY   10u /* names: more do not fit side by side, so the bars lie */

extern char **environ;

/* posix_spawn() wants words that it may write to */
static char gnuplot[] = "gnuplot", version[] = "--version", in_file[] = "/dev/stdin";

struct series {
	const char *policy;
	const char *kind;
	bool simulated;
};

struct panel {
	struct bench_plot what;
	struct series series[SERIES];
	unsigned int nseries;
	const char *names[BENCH_ROWS_MAX]; /* bars: x, in the order of the rows */
	unsigned int nnames;
	double least; /* y */
	unsigned int lo; /* lines: smallest and largest x */
	unsigned int hi;
	unsigned int id;
};

/* ---- which rows ------------------------------------------------------------------------------ */

/* NULL: the row has nothing to draw in this panel */
static const double *row_y(const struct bench_plot *p, const struct bench_row *row)
{
	const double *y = p->y ? bench_extra_find(row, p->y) : &row->median;

	if (row->refused || row->published || (p->kind && strcmp(p->kind, row->kind)))
		return NULL;
	return y && (*y > 0 || !p->log) ? y : NULL;
}

static bool in_series(const struct panel *p, const struct series *s, const struct bench_row *row)
{
	return s->simulated == row->simulated && !strcmp(s->kind, row->kind) &&
	       (p->what.bars || !strcmp(s->policy, row->policy));
}

static bool lying(const struct panel *p)
{
	return p->what.bars && p->nnames > MANY;
}

static void collect(const struct bench *b, struct panel *p)
{
	const struct bench_row *row;
	const double *y;
	unsigned int k;
	size_t i;

	for (i = 0; i < b->nrows; i++) {
		row = &b->rows[i];
		y = row_y(&p->what, row);
		if (!y)
			continue;
		p->least = p->nseries && p->least < *y ? p->least : *y;
		p->lo = p->lo && p->lo < row->bulk ? p->lo : row->bulk;
		p->hi = p->hi > row->bulk ? p->hi : row->bulk;
		for (k = 0; k < p->nseries && !in_series(p, &p->series[k], row); k++)
			continue;
		if (k == p->nseries && k < SERIES)
			p->series[p->nseries++] =
				(struct series){ row->policy, row->kind, row->simulated };
		for (k = 0; k < p->nnames && strcmp(p->names[k], row->policy); k++)
			continue;
		if (k == p->nnames && k < BENCH_ROWS_MAX)
			p->names[p->nnames++] = row->policy;
	}
}

/* without a description: lines where a kind has several bulks, bars where it has one */
static unsigned int describe(const struct bench *b, struct bench_plot *plots)
{
	unsigned int n = 0, k;
	size_t i;

	for (i = 0; i < b->nrows; i++) {
		for (k = 0; k < n && strcmp(plots[k].kind, b->rows[i].kind); k++)
			continue;
		if (k < n && b->rows[i].bulk != b->rows[i - 1].bulk)
			plots[k].bars = false;
		if (k == n && n < PANELS && !b->rows[i].refused)
			plots[n++] = (struct bench_plot){ .title = b->rows[i].kind,
							  .kind = b->rows[i].kind,
							  .label = b->what->unit,
							  .bars = true,
							  .log = true };
	}
	return n;
}

/* ---- gnuplot's language ---------------------------------------------------------------------- */

static void quote(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text; text++)
		fputs(*text == '\'' ? "''" : (char[]){ *text, '\0' }, f);
	fputc('\'', f);
}

static double bar_x(const struct panel *p, const char *policy, unsigned int series)
{
	unsigned int k;

	for (k = 0; k < p->nnames && strcmp(p->names[k], policy); k++)
		continue;
	return k + ((series + 0.5) / p->nseries - 0.5) * 0.8;
}

/* A series as a block of data: x, y, lowest, highest, whether it is marked. */
static void data(FILE *f, const struct bench *b, const struct panel *p, unsigned int k)
{
	const struct bench_row *row;
	const double *y, *mark;
	size_t i;

	fprintf(f, "$p%us%u << END\n", p->id, k);
	for (i = 0; i < b->nrows; i++) {
		row = &b->rows[i];
		y = row_y(&p->what, row);
		if (!y || !in_series(p, &p->series[k], row))
			continue;
		mark = p->what.mark ? bench_extra_find(row, p->what.mark) : NULL;
		fprintf(f, "%.4f %.6g %.6g %.6g %s\n",
			p->what.bars ? bar_x(p, row->policy, k) : row->bulk, *y,
			p->what.y ? *y : row->min, p->what.y ? *y : row->max,
			mark && *mark > 0 ? "1" : "NaN");
	}
	fputs("END\n", f);
}

/* the shortest name that tells the series of a panel apart */
static void series_name(const struct panel *p, const struct series *s, char *name, size_t size)
{
	bool policies = false, kinds = false;
	unsigned int k;

	for (k = 1; k < p->nseries; k++) {
		policies |= strcmp(p->series[k].policy, p->series[0].policy) != 0;
		kinds |= strcmp(p->series[k].kind, p->series[0].kind) != 0;
	}
	if (p->what.bars || (kinds && !policies))
		snprintf(name, size, "%s", s->kind);
	else if (kinds)
		snprintf(name, size, "%s %s", s->policy, s->kind);
	else
		snprintf(name, size, "%s", s->policy);
	if (s->simulated)
		snprintf(name + strlen(name), size - strlen(name), " (simulated)");
}

/* Eight colours that the colour-blind can tell apart, and another dash each time they end. */
static void styles(FILE *f)
{
	static const char *const colour[] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7",
					      "#e69f00", "#56b4e9", "#000000", "#8f8a00" };
	unsigned int k;

	for (k = 0; k < SERIES; k++)
		fprintf(f,
			"set linetype %u linecolor rgb '%s' linewidth 2 dashtype %u pointtype %u "
			"pointsize 0.7\n",
			k + 1, colour[k % 8], k / 8 % 4 + 1, k % 13 + 1);
}

static void name_tics(FILE *f, const struct panel *p, int sign)
{
	unsigned int k;

	for (k = 0; k < p->nnames; k++) {
		fputs(k ? ", " : "", f);
		quote(f, p->names[k]);
		fprintf(f, " %d", sign * (int)k);
	}
	fputs(")\n", f);
}

static void lying_axes(FILE *f, const struct bench *b, const struct panel *p)
{
	fputs("unset ylabel\nset grid xtics linecolor rgb '#dddddd'\nset xlabel noenhanced ", f);
	quote(f, p->what.label ? p->what.label : b->what->unit);
	fputs(p->what.log ? "\nset logscale x\nset format x '%g'\n" : "\nset xrange [0:*]\n", f);
	fprintf(f, "set yrange [-%u.6:0.6]\nset ytics noenhanced (", p->nnames - 1);
	name_tics(f, p, -1);
}

static void axes(FILE *f, const struct bench *b, const struct panel *p)
{
	fputs("reset\nset grid ytics linecolor rgb '#dddddd'\nset border 3\n"
	      "set tics nomirror\nset key outside right top noenhanced samplen 2\n"
	      "set style fill solid 0.8 noborder\n",
	      f);
	styles(f);
	fputs("set title noenhanced ", f);
	quote(f, p->what.title);
	fputs("\nset ylabel noenhanced ", f);
	quote(f, p->what.label ? p->what.label : b->what->unit);
	fputc('\n', f);
	if (lying(p)) {
		lying_axes(f, b, p);
		return;
	}
	fputs(p->what.log ? "set logscale y\nset format y '%g'\n" : "set yrange [0:*]\n", f);
	if (!p->what.bars) {
		fprintf(f,
			"set logscale x 2\nset format x '%%.0f'\nset xrange [%.4f:%.4f]\n"
			"set xlabel noenhanced ",
			p->lo / 1.1, p->hi * 1.1);
		quote(f, b->what->bulk_is ? b->what->bulk_is : "pages a call");
		fputc('\n', f);
		return;
	}
	fprintf(f,
		"set boxwidth %.4f\nset xrange [-0.6:%u.6]\nset xtics noenhanced rotate by -35 (",
		0.75 / p->nseries, p->nnames - 1);
	name_tics(f, p, 1);
}

/* a curve, or bars, and how far the repeats are apart */
static void curve(FILE *f, const struct panel *p, unsigned int k, const char *name)
{
	const char *grey = p->what.bars ? "#444444" : "#999999";
	double floor = p->what.log ? p->least / 2 : 0, half = 0.4 / p->nseries;

	fprintf(f, "%s$p%us%u using ", k ? ", " : "plot ", p->id, k);
	if (lying(p))
		fprintf(f, "2:(-$1):(%g):2:(-$1 - %g):(-$1 + %g) with boxxyerror", floor, half,
			half);
	else
		fprintf(f, "1:2 with %s", p->what.bars ? "boxes" : "linespoints");
	fprintf(f, " linetype %u title ", k + 1);
	quote(f, name);
	if (p->what.y)
		return;
	fprintf(f, ", $p%us%u using ", p->id, k);
	fputs(lying(p) ? "3:(-$1):($4 - $3):(0)" : "1:3:(0):($4 - $3)", f);
	fprintf(f, " with vectors nohead linecolor rgb '%s' dashtype 1 linewidth 1 notitle", grey);
}

static void curves(FILE *f, const struct panel *p)
{
	char name[3 * BENCH_NAME];
	unsigned int k;

	for (k = 0; k < p->nseries; k++) {
		series_name(p, &p->series[k], name, sizeof(name));
		curve(f, p, k, name);
		if (p->what.mark)
			fprintf(f,
				", $p%us%u using 1:($5 * $2) with points pointtype 6 pointsize 2.2 "
				"linewidth 2 linecolor rgb '#cc0000' title ",
				p->id, k);
		if (p->what.mark && k + 1 == p->nseries)
			quote(f, p->what.mark);
		else if (p->what.mark)
			fputs("''", f);
	}
	fputc('\n', f);
}

/* below the last panel: what the figures are, and where they are from */
static void footer(FILE *f, const struct bench *b, unsigned int height)
{
	const struct bench_machine *m = &b->machine;

	fprintf(f,
		"set label 1 noenhanced at screen 0.01, screen %.4f left font ',10' "
		"\"ppbench %s, median of %u; %s, %u cores; Linux %s;\\n%s; commit %s\"\n",
		34.0 / height, b->what->name, b->opts.repeat, m->cpu, m->cores, m->kernel,
		m->compiler, m->commit);
}

/* as high as the panel with most in it */
static unsigned int picture_height(const struct panel *p, unsigned int n)
{
	unsigned int each = HEIGHT, rows, i;

	for (i = 0; i < n; i++) {
		rows = lying(&p[i]) ? 110 + p[i].nnames * (12 + 8 * p[i].nseries) : 0;
		each = each > rows ? each : rows;
	}
	return n * each + FOOTER;
}

static void terminal(FILE *f, const struct panel *p, const char *name, const char *out,
		     unsigned int panels)
{
	unsigned int height = picture_height(p, panels), i;
	const char *left = "0.11";

	for (i = 0; i < panels; i++)
		if (lying(&p[i]))
			left = "0.32";

	if (!strcmp(name, "png"))
		fprintf(f, "set terminal pngcairo size %u,%u font 'sans,11'\n", WIDTH, height);
	else
		fprintf(f,
			"set terminal svg size %u,%u dynamic font 'sans,14' background 'white'\n",
			WIDTH, height);
	fputs("set encoding utf8\n", f);
	if (out) {
		fputs("set output ", f);
		quote(f, out);
		fputc('\n', f);
	}
	fprintf(f, "set multiplot layout %u,1 margins %s,0.77,%.3f,%.3f spacing 0.1,%.3f\n", panels,
		left, (FOOTER + 70.0) / height, 1 - 50.0 / height, 130.0 / height);
}

int bench_plot_script(FILE *f, const struct bench *b, const char *term, const char *out)
{
	struct bench_plot plots[PANELS + 1] = { { 0 } };
	struct panel *p = calloc(PANELS, sizeof(*p));
	unsigned int n = 0, i, k, used = 0;

	if (!p) {
		bench_error("--plot: not enough memory");
		return -1;
	}
	if (b->what->plots)
		while (b->what->plots[n].title && n < PANELS) {
			plots[n] = b->what->plots[n];
			n++;
		}
	else
		n = describe(b, plots);
	for (i = 0; i < n; i++) {
		memset(&p[used], 0, sizeof(*p));
		p[used].what = plots[i];
		p[used].id = used;
		collect(b, &p[used]);
		used += p[used].nseries > 0;
	}
	if (used)
		terminal(f, p, term, out, used);
	for (i = 0; i < used; i++) {
		for (k = 0; k < p[i].nseries; k++)
			data(f, b, &p[i], k);
		axes(f, b, &p[i]);
		if (i + 1 == used)
			footer(f, b, picture_height(p, used));
		curves(f, &p[i]);
	}
	fputs("unset multiplot\nset output\n", f);
	free(p);
	if (!used)
		bench_error("--plot: %s left nothing to draw", b->what->name);
	return used ? 0 : -1;
}

/* ---- the program ----------------------------------------------------------------------------- */

static const char *suffix(const char *file)
{
	const char *dot = strrchr(file, '.');

	return dot && (!strcmp(dot, ".svg") || !strcmp(dot, ".png")) ? dot + 1 : NULL;
}

/* @in: what it reads from; what it says goes nowhere: our own line says it */
static int start_gnuplot(pid_t *pid, int in, char *const *argv)
{
	posix_spawn_file_actions_t files;
	int err;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(pid, gnuplot, &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

static bool succeeded(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int bench_plot_check(const char *file)
{
	char *argv[] = { gnuplot, version, NULL };
	int in;
	pid_t pid;
	int err;

	if (!suffix(file)) {
		bench_error("--plot '%s': the name must end in .svg or .png", file);
		return -1;
	}
	in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	err = in < 0 || start_gnuplot(&pid, in, argv) || !succeeded(pid);
	if (in >= 0)
		close(in);
	if (!err)
		return 0;
	bench_error("--plot: gnuplot is not installed, or does not run; install gnuplot-nox, "
		    "or use --csv");
	return -2;
}

int bench_plot(const struct bench *b)
{
	char *argv[] = { gnuplot, in_file, NULL };
	const char *file = b->opts.plot;
	FILE *f = tmpfile(), *out = NULL;
	int err = -1;
	pid_t pid;

	if (!f) {
		bench_error("--plot: no temporary file: %m; free some space or set TMPDIR");
		return -1;
	}
	if (bench_plot_script(f, b, suffix(file), file))
		goto out;
	/* gnuplot would fail too, but not say why in one line */
	out = fopen(file, "we");
	if (out && !fflush(f) && !fseek(f, 0, SEEK_SET) && !start_gnuplot(&pid, fileno(f), argv))
		err = succeeded(pid) ? 0 : -1;
	if (!out)
		bench_error("cannot write --plot '%s': %m; choose another file", file);
	else if (err || fseek(out, 0, SEEK_END) || !ftell(out)) {
		err = -1;
		bench_error("--plot '%s': gnuplot failed; free some space, or use --csv", file);
	}
out:
	if (out)
		fclose(out);
	fclose(f);
	return err;
}
