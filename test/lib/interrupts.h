/* SPDX-License-Identifier: BSD-3-Clause */
/* interrupts.h - a signal handler that a timer runs in one thread again and again */
#ifndef PP_TEST_INTERRUPTS_H
#define PP_TEST_INTERRUPTS_H

/*
 * Make @body the handler of SIGUSR1, and block that signal; errno is kept as it was. Comes before
 * the threads, and before calls for a signal safe zone: zone.h tells how these know a handler.
 */
void interrupts_init(void (*body)(void));

/*
 * Unblock the signal in the calling thread, and let a timer of its own send it. The time to the
 * next one begins at the end of a handler. It is 1 / @hz s, or as long as the handler took if that
 * was longer. So the interrupted code gets half of its CPU's time, however slow the machine is. A
 * timer with a fixed period lets no code run between handlers that take longer than the period.
 */
void interrupts_start(unsigned int hz);

/* interrupts_start() does so first. For a thread that the library sees before it has a timer. */
void interrupts_unblock(void);

/* No handler runs in the calling thread any more. Nothing happens without a start. */
void interrupts_stop(void);

#endif /* PP_TEST_INTERRUPTS_H */
