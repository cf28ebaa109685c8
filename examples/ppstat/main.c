/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - find the program, ask it, show its answer, once or again and again */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "ppstat.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

/* without SA_RESTART: the wait for the next sample, or for an answer, ends */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN; /* a reader that left is an error like any other */
	sigaction(SIGPIPE, &sa, NULL);
}

static int check_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	complain("standard output: cannot write; was its reader closed?");
	return -1;
}

static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return 0;
	return size.ws_col;
}

/* one write erases and draws, against flicker; off a terminal one sample follows the other */
static int draw_sample(const struct sample *now, const struct sample *before, bool watch,
		       const char *user)
{
	unsigned int columns = terminal_columns();
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		complain("%s; try again", strerror(errno));
		return -1;
	}
	if (watch && columns)
		fputs("\033[H\033[2J", out);
	show_sample(now, before, columns, user, out);
	if (watch && !columns)
		fputc('\n', out);
	fclose(out);
	fwrite(text, 1, size, stdout);
	free(text);
	return check_stdout();
}

/* without json-c an answer passes as it is, and only its error is known */
static int check_answer(const char *verb, const char *answer)
{
	if (show_error)
		return show_error(verb, answer);
	if (!strstr(answer, "\"error\":{"))
		return 0;
	complain("%s: refused: %s", verb, answer);
	return -1;
}

/* A reader of @path sees the page before or this one, never a part. */
static int write_metrics(const struct sample *now, const char *path)
{
	char part[PATH_MAX];
	FILE *out = NULL;
	int fd = -1, err = 0;

	if (snprintf(part, sizeof(part), "%s.%d", path, getpid()) < (int)sizeof(part))
		fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	else
		errno = ENAMETOOLONG;
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (out) {
		show_prometheus(now, out);
		err = ferror(out) | fclose(out);
	}
	if (out && !err && !rename(part, path))
		return 0;
	complain("--out %s: %s; name a file in a directory that this user may write to", path,
		 strerror(errno));
	if (fd >= 0)
		unlink(part);
	return -1;
}

static int show_stat(const struct options *opts, const char *answer, struct sample **before,
		     const char *user)
{
	struct sample *now;
	int err = 0;

	if (check_answer(opts->verb, answer))
		return -1;
	if (opts->json) {
		puts(answer);
		return check_stdout();
	}
	now = sample_parse(answer);
	if (!now)
		return -1;
	if (opts->out)
		err = write_metrics(now, opts->out);
	else if (opts->prometheus)
		show_prometheus(now, stdout);
	else
		err = draw_sample(now, *before, opts->watch > 0, user);
	sample_free(*before);
	*before = now;
	return err ? err : check_stdout();
}

/* A signal ends it, also one that comes just before. */
static void wait_until(uint64_t *next, double seconds)
{
	uint64_t now = now_ns();
	struct timespec left;
	sigset_t all, before;

	*next += (uint64_t)(seconds * 1e9);
	if (*next < now) {
		*next = now; /* late: the next one is a whole period from now */
		return;
	}
	left = ns_to_timespec(*next - now);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (!stop)
		ppoll(NULL, 0, &left, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* The program may have cut off a rare watcher for others: connect again, once. */
static char *ask_again(struct peer *peer, const char *request)
{
	unsigned int uid;
	int pid;

	if (peer->fd < 0 || !peer_is_open(peer->path, &pid, &uid)) {
		complain("%s: the program has ended", peer->path);
		return NULL;
	}
	peer_close(peer);
	return peer_connect(peer) ? NULL : peer_ask(peer, request);
}

static int stat_loop(const struct options *opts, struct peer *peer)
{
	struct sample *before = NULL;
	uint64_t next = now_ns(), n = 0;
	char *answer;
	int err = 0;

	while (!stop && !err) {
		answer = n ? ask_again(peer, opts->request) : peer_ask(peer, opts->request);
		err = answer ? show_stat(opts, answer, &before, peer->user) : -1;
		free(answer);
		if (err || opts->watch <= 0 || ++n == opts->count)
			break;
		wait_until(&next, opts->watch);
	}
	if (before)
		sample_free(before);
	return stop ? 0 : err;
}

static int ask_once(const struct options *opts, struct peer *peer)
{
	char *answer = peer_ask(peer, opts->request);
	int err = -1;

	if (!answer)
		return -1;
	if (opts->json) {
		puts(answer);
		err = check_answer(opts->verb, answer);
	} else {
		err = show_answer(opts->verb, answer);
	}
	free(answer);
	return err ? err : check_stdout();
}

static int list_programs(void)
{
	if (!find_list(stdout)) {
		complain("no program has a control socket in $XDG_RUNTIME_DIR, /run/pagepool or "
			 "/tmp; start one with ppfwd --control auto");
		return -1;
	}
	return check_stdout();
}

int main(int argc, char **argv)
{
	struct options opts = { 0 };
	struct peer peer = { .fd = -1 };
	int err;

	err = options_parse(&opts, argc, argv);
	if (err >= 0)
		return err;
	catch_signals();
	if (!sample_parse && !opts.json && strcmp(opts.verb, "list")) {
		complain("built without json-c, which reads the answers: give --json to see them "
			 "as they are, or install libjson-c-dev and build again");
		return 1;
	}
	if (!strcmp(opts.verb, "list"))
		return list_programs() ? 1 : 0;
	if (find_target(opts.target, peer.path) || peer_connect(&peer))
		return 1;
	err = strcmp(opts.verb, "stat") ? ask_once(&opts, &peer) : stat_loop(&opts, &peer);
	peer_close(&peer);
	return err ? 1 : 0;
}
