/* SPDX-License-Identifier: BSD-3-Clause */
/* watchdog.h - ends a program that hangs, and says where each of its threads is */
#ifndef PP_TEST_WATCHDOG_H
#define PP_TEST_WATCHDOG_H

/*
 * End the program after @seconds in which it ran. The clock goes on while a virtual machine is
 * paused, or the program is stopped; such a pause counts for a quarter of @seconds at most.
 */
void watchdog_start(unsigned int seconds);

/*
 * Called by the watchdog's signal handler before the program ends: it tells on stderr, with
 * watchdog_say(), what the test knows about its progress.
 */
void watchdog_report(void (*report)(void));

/* printf() to stderr for signal handlers: of %s, %u and %% */
void watchdog_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* PP_TEST_WATCHDOG_H */
