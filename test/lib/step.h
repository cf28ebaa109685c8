/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step.h - a process that is traced through one call, an instruction at a time
 *
 * The memory after each instruction that changed it is kept: it is what would be left if the
 * process had been killed there. A test kills the child, puts each state back, and looks at it.
 */
#ifndef PP_TEST_STEP_H
#define PP_TEST_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STEP_MOST_STATES 4096u

/* What the memory was after some instruction, and after how many. */
struct step_state {
	unsigned char *memory;
	unsigned long step;
};

struct step_states {
	unsigned char *memory; /* shared with the child */
	size_t size;
	unsigned int n;
	struct step_state state[STEP_MOST_STATES];
};

/* Empty, for states of @size bytes at @memory. */
struct step_states *step_states_new(void *memory, size_t size);
void step_put_back(const struct step_states *s, unsigned int i);

/* A child on the test's first CPU: @prepare() runs free, then it stops right before @act(). */
pid_t step_child(void (*prepare)(const void *arg), const void *arg, void (*act)(void));
/* One instruction; false: the call has returned. */
bool step_one(pid_t pid);
void step_kill(pid_t pid);

/* At most @most instructions, and every state from the first on. Returns how many there were. */
unsigned long step_through(pid_t pid, struct step_states *s, unsigned long most);

#endif
