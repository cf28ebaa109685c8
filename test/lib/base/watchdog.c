/* SPDX-License-Identifier: BSD-3-Clause */
/* base/watchdog.c - the other tests' watchdog: a hang is ended and explained, a pause is not */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "interrupts.h"
#include "watchdog.h"

static char output[65536];

/* Runs @fn in a child until it ends; what it wrote to stderr is in output. Its wait status. */
static int in_child(void (*fn)(void), void (*disturb)(pid_t child))
{
	size_t got = 0;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	require(!pipe(ends));
	pid = fork();
	require(pid >= 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		fn();
		_exit(0);
	}
	close(ends[1]);
	if (disturb)
		disturb(pid);
	while ((n = read(ends[0], output + got, sizeof(output) - 1 - got)) > 0)
		got += (size_t)n;
	output[got] = '\0';
	close(ends[0]);
	require(waitpid(pid, &status, 0) == pid);
	return status;
}

static void tell_progress(void)
{
	watchdog_say("round %u of %s\n", 17u, "many");
}

static void *waits(void *arg)
{
	sigset_t none;

	(void)arg;
	sigemptyset(&none);
	while (sigsuspend(&none))
		;
	return NULL;
}

static void hangs(void)
{
	pthread_t thread;

	watchdog_report(tell_progress);
	watchdog_start(1);
	require(!pthread_create(&thread, NULL, waits, NULL));
	waits(NULL);
}

static unsigned int count_of(const char *word)
{
	const char *at = output;
	unsigned int n = 0;

	for (; (at = strstr(at, word)); at++)
		n++;
	return n;
}

static void hang_is_explained(void **state)
{
	int status = in_child(hangs, NULL);

	fputs(output, stdout);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(count_of("watchdog: the test hangs"), 1);
	assert_int_equal(count_of("of CPU time"), 1);
	assert_int_equal(count_of("round 17 of many"), 1);
	assert_true(count_of("State:") >= 2); /* sanitizers have threads of their own */
	assert_true(count_of("test-watchdog(") >= 2); /* frames of both stacks */
}

/* ---- a pause --------------------------------------------------------------------------------- */

static int ready[2], over[2];

static void await_byte(int fd)
{
	ssize_t n;
	char byte;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	require(n == 1);
}

static void waits_for_the_end(void)
{
	watchdog_start(2);
	require(write(ready[1], "", 1) == 1);
	await_byte(over[0]);
}

/* For longer than the time that it has. */
static void stop_and_continue(pid_t child)
{
	await_byte(ready[0]);
	require(!kill(child, SIGSTOP));
	sleep_us(2100000);
	require(!kill(child, SIGCONT));
	require(write(over[1], "", 1) == 1);
}

static void pause_is_no_hang(void **state)
{
	int status;

	require(!pipe(ready) && !pipe(over));
	status = in_child(waits_for_the_end, stop_and_continue);
	fputs(output, stdout);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static unsigned int handlers;

static void slow_handler(void)
{
	double end = now_s() + 0.002;

	while (now_s() < end)
		;
	__atomic_fetch_add(&handlers, 1, __ATOMIC_RELAXED);
}

/* The period is a tenth of what the handler takes. */
static void slow_handler_lets_code_run(void **state)
{
	unsigned int i, n;

	interrupts_init(slow_handler);
	interrupts_start(5000);
	for (i = 0; i < 20; i++) {
		n = __atomic_load_n(&handlers, __ATOMIC_RELAXED);
		while (__atomic_load_n(&handlers, __ATOMIC_RELAXED) == n)
			;
	}
	interrupts_stop();
	assert_true(__atomic_load_n(&handlers, __ATOMIC_RELAXED) >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hang_is_explained),
		cmocka_unit_test(pause_is_no_hang),
		cmocka_unit_test(slow_handler_lets_code_run),
	};

	return test_main("watchdog", tests, ARRAY_LEN(tests), 60);
}
