/* SPDX-License-Identifier: BSD-3-Clause */
/* wait.h - a receiver that sleeps until its wire has a packet */
#ifndef PP_LOOP_WAIT_H
#define PP_LOOP_WAIT_H

#include "loop/wire.h"

int wire_fd(struct loop_wire *w); /* the descriptor, or -errno with pp_error() */
int wire_arm(struct loop_wire *w); /* as pp_queue_arm() */
void wire_wake_slow(struct loop_wire *w);

/*
 * wire_wake() - after wire_push(): wake a receiver that sleeps
 *
 * The push must come before the load. The fence keeps the compiler from turning them round, and
 * the membarrier() of wire_arm() does the same to this CPU when it matters, so that in steady
 * state the sender pays for a load and a branch.
 */
static inline void wire_wake(struct loop_wire *w)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&w->armed, __ATOMIC_RELAXED)))
		wire_wake_slow(w);
}

#endif /* PP_LOOP_WAIT_H */
