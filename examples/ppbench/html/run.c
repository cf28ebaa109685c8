/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * html/run.c - run every case, or read earlier results, and write the page
 *
 * Each case runs as a process of this program, so that a case that fails or takes too long
 * is a line of the page and not its end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "html/html.h"

#define QUICK_S	     285.0 /* for all cases together */
#define QUICK_CASE_S 100.0
#define CASE_S	     3600.0
#define WORDS	     20u

/* ---- running a case ---- */

struct words {
	char *argv[WORDS];
	char text[WORDS][200];
	unsigned int n;
};

static char *add_word(struct words *w, const char *text)
{
	snprintf(w->text[w->n], sizeof(w->text[0]), "%.199s", text);
	w->argv[w->n] = w->text[w->n];
	w->argv[++w->n] = NULL;
	return w->argv[w->n - 1];
}

static void add_numbers(struct words *w, const char *option, const unsigned int *values,
			unsigned int n)
{
	unsigned int i, used;
	char *text;

	if (!n)
		return;
	add_word(w, option);
	text = add_word(w, "");
	for (i = used = 0; i < n && used < sizeof(w->text[0]); i++)
		used += (unsigned int)snprintf(text + used, sizeof(w->text[0]) - used, "%s%u",
					       i ? "," : "", values[i]);
}

/* the options of the report are those of each case */
static void words_for(struct words *w, const struct bench_opts *o, const struct bench_case *what)
{
	const char *const *more = what->in_report;
	unsigned int i, repeat = o->repeat == (o->quick ? 5 : 11) ? 0 : o->repeat;
	char *text;

	w->n = 0;
	add_word(w, "ppbench");
	add_word(w, what->name);
	while (more && *more)
		add_word(w, *more++);
	if (o->quick)
		add_word(w, "--quick");
	if (!o->all_policies) {
		add_word(w, "--policy");
		text = add_word(w, "");
		for (i = 0; i < o->npolicies; i++)
			snprintf(text + strlen(text), sizeof(w->text[0]) - strlen(text), "%s%s",
				 i ? "," : "", o->policies[i]);
	}
	add_numbers(w, "--bulk", o->bulks, o->nbulks);
	add_numbers(w, "--cores", o->cores, o->ncores);
	add_numbers(w, "--repeat", &repeat, repeat ? 1 : 0);
}

static void join_words(const struct words *w, char *text, size_t size)
{
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < w->n && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 w->argv[i]);
}

static void exec_case(struct words *w, const char *stderr_file)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err = open(stderr_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	setpgid(0, 0);
	if (null < 0 || err < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(err, 2) < 0)
		_exit(127);
	execv("/proc/self/exe", w->argv);
	_exit(127);
}

/* status of waitpid(), or -1 if the case was late and was killed */
static int wait_until(pid_t pid, double deadline)
{
	const struct timespec nap = { .tv_nsec = 50000000 };
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (now_s() > deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nanosleep(&nap, NULL);
	}
	return status;
}

static void last_line(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	char line[400];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0])
			snprintf(text, size, "%s", line);
	}
	if (f)
		fclose(f);
}

static void why_none(struct rep_case *c, int status, double allowed, const char *errors)
{
	if (status == -1) {
		snprintf(c->error, sizeof(c->error),
			 "Not done after %.0f s, and ended. Run it alone, or without --quick.",
			 allowed);
		return;
	}
	snprintf(c->error, sizeof(c->error), "%s %d, and no word about it.",
		 WIFSIGNALED(status) ? "Ended by signal" : "Exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	last_line(errors, c->error, sizeof(c->error));
}

static void run_case(const struct bench *b, struct rep_case *c, const char *dir, double deadline)
{
	char json[256], errors[256];
	double start = now_s(), allowed = b->opts.quick ? QUICK_CASE_S : CASE_S;
	struct words w;
	int status;
	pid_t pid;

	snprintf(json, sizeof(json), "%s/%s.json", dir, c->name);
	snprintf(errors, sizeof(errors), "%s/%s.err", dir, c->name);
	words_for(&w, &b->opts, c->what);
	join_words(&w, c->command, sizeof(c->command));
	add_word(&w, "--json");
	add_word(&w, json);
	if (deadline - start < allowed)
		allowed = deadline - start;
	if (allowed < 5) {
		snprintf(c->error, sizeof(c->error), "Not run: the others took all of the time.");
		return;
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		exec_case(&w, errors);
	status = pid < 0 ? 127 << 8 : wait_until(pid, start + allowed);
	c->seconds = now_s() - start;
	if (status)
		why_none(c, status, allowed, errors);
	else
		rep_read(c, json);
	unlink(json);
	unlink(errors);
}

/* one line that is written again and again, on a terminal only */
static void show_progress(const char *name, unsigned int i, unsigned int n)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (name)
		fprintf(stderr, "\r\033[Kppbench: %u of %u: %s", i + 1, n, name);
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

static int run_all(struct bench *b, struct rep *r)
{
	const struct bench_case *const *cases = b->cases;
	char dir[] = "/tmp/ppbench.XXXXXX";
	double deadline = now_s() + (b->opts.quick ? QUICK_S : REP_CASES * CASE_S);
	unsigned int i;

	if (!mkdtemp(dir)) {
		bench_error("report: cannot make a directory in /tmp: %m; make room there");
		return -1;
	}
	for (; *cases && r->n < REP_CASES; cases++) {
		if (*cases == b->what)
			continue;
		r->cases[r->n].what = *cases;
		snprintf(r->cases[r->n].name, sizeof(r->cases[0].name), "%s", (*cases)->name);
		r->n++;
	}
	for (i = 0; i < r->n; i++) {
		show_progress(r->cases[i].name, i, r->n);
		run_case(b, &r->cases[i], dir, deadline);
	}
	show_progress(NULL, 0, 0);
	rmdir(dir);
	return 0;
}

/* ---- results made earlier ---- */

static int is_json(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && !strcmp(entry->d_name + len - 5, ".json");
}

static int case_position(const struct bench_case *const *cases, const char *name)
{
	int i;

	for (i = 0; cases[i] && strcmp(cases[i]->name, name); i++)
		continue;
	return i;
}

/* the order of --help, whatever the files' names */
static void put_in_order(struct rep *r, const struct bench_case *const *cases)
{
	struct rep_case swap;
	unsigned int i, j;
	int at;

	for (i = 0; i < r->n; i++)
		for (j = i + 1; j < r->n; j++)
			if (case_position(cases, r->cases[j].name) <
			    case_position(cases, r->cases[i].name)) {
				swap = r->cases[i];
				r->cases[i] = r->cases[j];
				r->cases[j] = swap;
			}
	for (i = 0; i < r->n; i++) {
		at = case_position(cases, r->cases[i].name);
		r->cases[i].what = cases[at];
	}
}

static int read_all(struct rep *r, const char *dir, const struct bench_case *const *cases)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_json, alphasort), i;
	char path[4096];

	if (n <= 0) {
		bench_error(
			"report: no result in --from '%s': %s; make some with --json %s/CASE.json",
			dir, n ? strerror(errno) : "no file is called *.json", dir);
		return -1;
	}
	for (i = 0; i < n; i++) {
		if (r->n < REP_CASES) {
			snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
			snprintf(r->cases[r->n].name, sizeof(r->cases[0].name), "%.*s",
				 (int)strlen(entries[i]->d_name) - 5, entries[i]->d_name);
			rep_read(&r->cases[r->n++], path);
		}
		free(entries[i]);
	}
	free(entries);
	put_in_order(r, cases);
	return 0;
}

/* ---- the page ---- */

/* before an hour of measuring that could not be written */
static int check_out(const char *path)
{
	FILE *f;

	if (!strcmp(path, "-"))
		return 0;
	f = fopen(path, "ae");
	if (f)
		return fclose(f);
	bench_error("report: cannot write --out '%s': %m; choose another file", path);
	return -1;
}

int html_run(struct bench *b, const char *out, const char *from)
{
	struct rep *r = calloc(1, sizeof(*r));
	double start = now_s();
	unsigned int i;
	int err = r ? check_out(out) : -1;

	if (!err) {
		r->quick = b->opts.quick;
		snprintf(r->command, sizeof(r->command), "%s", b->command);
		err = from ? read_all(r, from, b->cases) : run_all(b, r);
	}
	for (i = 0; r && i < r->n; i++)
		r->failed += r->cases[i].error[0] != '\0';
	if (!err) {
		r->seconds = now_s() - start;
		err = bench_write("--out", out, html_page, r);
	}
	if (!err && r->failed) {
		bench_error("report: %u of %u cases failed; %s says which, and why", r->failed,
			    r->n, out);
		err = -1;
	} else if (!err && strcmp(out, "-") != 0) {
		printf("%s: %u cases, %.0f s\n", out, r->n, r->seconds);
	}
	for (i = 0; r && i < r->n; i++)
		rep_free(&r->cases[i]);
	free(r);
	return err;
}
