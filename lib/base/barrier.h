/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * barrier.h - membarrier(): one side of a handshake pays, so that the other is free
 *
 * Probed and registered when a zone is created, never in a drain.
 */
#ifndef PP_BARRIER_H
#define PP_BARRIER_H

#include <stdbool.h>

/* 0, or -ENOTSUP with pp_error(): the kernel or a seccomp filter refuses */
int barrier_register(void);
int barrier_register_rseq(void);

/*
 * A full barrier in every running thread of this process. False: the kernel had no
 * memory for it, or a filter came since; then nothing may be concluded.
 */
bool barrier_threads(void);

/* Every restartable sequence running on @cpu has ended or will start anew; false as above. */
bool barrier_rseq(unsigned int cpu);

/*
 * The same for the threads of every process on the machine: this thread goes to @cpu, so
 * that a thread which ran there was preempted, and comes back. False: it may not go there.
 */
bool barrier_visit(unsigned int cpu);

#endif /* PP_BARRIER_H */
