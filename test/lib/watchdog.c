/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watchdog.c - a hang explains itself: time, CPU time, and for each thread its state and stack
 *
 * Little CPU time means that the threads wait for each other, or that the machine was stopped. Much
 * of it means that they run and get nowhere. `addr2line -fie PROGRAM +0xOFFSET` names the lines of
 * a stack.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "watchdog.h"

/* ThreadSanitizer calls its handler at once, and those of most others when it likes. */
#define SIG_STACK SIGSYS
#define PARTS	  4u
#define FRAMES	  48

static unsigned int parts_left, ms_a_part, answers;
static double started;
static void (*tell_progress)(void);

/* ---- output without stdio -------------------------------------------------------------------- */

static void say_bytes(const char *text, size_t len)
{
	ssize_t n = write(STDERR_FILENO, text, len);

	(void)n;
}

static void say_number(unsigned int number)
{
	char text[12];
	size_t i = sizeof(text);

	do
		text[--i] = (char)('0' + number % 10);
	while (number /= 10);
	say_bytes(text + i, sizeof(text) - i);
}

void watchdog_say(const char *fmt, ...)
{
	const char *text;
	va_list args;

	va_start(args, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			say_bytes(fmt, 1);
			continue;
		}
		fmt++;
		if (*fmt == 'u') {
			say_number(va_arg(args, unsigned int));
		} else if (*fmt == 's') {
			text = va_arg(args, const char *);
			say_bytes(text, strlen(text));
		} else {
			say_bytes("%", 1);
		}
	}
	va_end(args);
}

/* ---- the state of a thread ------------------------------------------------------------------- */

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Runs in the thread itself. */
static void say_stack(int sig)
{
	void *frames[FRAMES];
	int err = errno;

	(void)sig;
	backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
	__atomic_fetch_add(&answers, 1, __ATOMIC_RELEASE);
	errno = err;
}

static size_t read_file(const char *thread, const char *name, char *text, size_t size)
{
	char path[64] = "/proc/self/task/";
	ssize_t n = -1;
	int fd;

	strcat(path, thread);
	strcat(path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	n = n < 0 ? 0 : n;
	text[n] = '\0';
	return (size_t)n;
}

/* The lines of its status that tell whether it runs, and which signals it awaits. */
static void say_status(const char *thread)
{
	static const char *const keys[] = { "Name:",   "State:", "SigPnd:",
					    "SigBlk:", "volunt", "nonvol" };
	char text[4096], *line, *end;
	unsigned int i;

	read_file(thread, "/status", text, sizeof(text));
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (!strncmp(line, keys[i], strlen(keys[i])))
				watchdog_say("  %s", line);
		}
	}
	watchdog_say("\n");
}

static void say_thread(const char *thread)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	unsigned int before = __atomic_load_n(&answers, __ATOMIC_ACQUIRE), i;
	char text[256];

	read_file(thread, "/syscall", text, sizeof(text));
	watchdog_say("thread %s: syscall %s", thread, *text ? text : "unknown\n");
	say_status(thread);
	syscall(SYS_tgkill, getpid(), atoi(thread), SIG_STACK);
	for (i = 0; i < 200 && __atomic_load_n(&answers, __ATOMIC_ACQUIRE) == before; i++)
		nanosleep(&moment, NULL);
	if (i == 200)
		watchdog_say("  its stack is unknown: it does not take signal %u\n",
			     (unsigned int)SIG_STACK);
}

struct entry {
	uint64_t ino;
	int64_t next;
	unsigned short len;
	unsigned char type;
	char name[];
};

/* readdir() may need a lock that the interrupted thread has. */
static void say_threads(void)
{
	char entries[4096] __attribute__((aligned(8)));
	const struct entry *entry;
	long n, i;
	int fd;

	fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (i = 0; i < n; i += entry->len) {
			entry = (const struct entry *)(entries + i);
			if (entry->name[0] != '.')
				say_thread(entry->name);
		}
	}
	close(fd);
}

/* ---- the watchdog ---------------------------------------------------------------------------- */

static void start_part(void)
{
	struct itimerval part = { .it_value.tv_sec = ms_a_part / 1000 };

	part.it_value.tv_usec = ms_a_part % 1000 * 1000;
	setitimer(ITIMER_REAL, &part, NULL);
}

static void bark(int sig)
{
	int err = errno;

	(void)sig;
	if (--parts_left) {
		start_part();
		errno = err;
		return;
	}
	watchdog_say("watchdog: the test hangs; killed\n%u s passed, of CPU time %u ms\n",
		     (unsigned int)(clock_s(CLOCK_MONOTONIC) - started),
		     (unsigned int)(clock_s(CLOCK_PROCESS_CPUTIME_ID) * 1e3));
	if (tell_progress)
		tell_progress();
	say_threads();
	_exit(1);
}

void watchdog_report(void (*report)(void))
{
	tell_progress = report;
}

void watchdog_start(unsigned int seconds)
{
	struct sigaction sa = { .sa_handler = say_stack, .sa_flags = SA_RESTART };
	void *frame;

	backtrace(&frame, 1); /* its first call loads a library, which no handler may do */
	sigaction(SIG_STACK, &sa, NULL);
	started = clock_s(CLOCK_MONOTONIC);
	parts_left = PARTS;
	ms_a_part = seconds * 1000 / PARTS;
	signal(SIGALRM, bark);
	start_part();
}
