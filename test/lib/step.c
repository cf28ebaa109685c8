/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step.c - a process that is traced through one call, an instruction at a time (PTRACE_SINGLESTEP)
 *
 * The kernel starts a restartable sequence anew whenever its thread stops, so that no tracer ever
 * came through one: this one clears the thread's rseq_cs before the child goes on. Nothing else
 * runs on the child's cache meanwhile, so that the sequence needs no protection.
 */
#include "step.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

struct step_states *step_states_new(void *memory, size_t size)
{
	struct step_states *s = calloc(1, sizeof(*s));

	require(s);
	s->memory = memory;
	s->size = size;
	return s;
}

void step_put_back(const struct step_states *s, unsigned int i)
{
	memcpy(s->memory, s->state[i].memory, s->size);
}

static void keep(struct step_states *s, unsigned long step)
{
	struct step_state *state = &s->state[s->n];

	if (s->n && !memcmp(state[-1].memory, s->memory, s->size))
		return;
	require(s->n < STEP_MOST_STATES);
	if (!state->memory)
		state->memory = malloc(s->size);
	require(state->memory);
	memcpy(state->memory, s->memory, s->size);
	state->step = step;
	s->n++;
}

static _Noreturn void child_main(void (*prepare)(const void *), const void *arg, void (*act)(void))
{
	pin_to(test_cpu(0));
	prepare(arg);
	require(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
	act();
	raise(SIGUSR1);
	_exit(1);
}

pid_t step_child(void (*prepare)(const void *arg), const void *arg, void (*act)(void))
{
	int status;
	pid_t pid;

	pid = child_fork();
	if (!pid)
		child_main(prepare, arg, act);
	require(waitpid(pid, &status, 0) == pid);
	require(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	return pid;
}

bool step_one(pid_t pid)
{
	uintptr_t rseq_cs = (uintptr_t)__builtin_thread_pointer() + (uintptr_t)__rseq_offset +
			    offsetof(struct rseq, rseq_cs);
	int status;

	require(!ptrace(PTRACE_POKEDATA, pid, rseq_cs, NULL));
	require(!ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL));
	require(waitpid(pid, &status, 0) == pid);
	require(WIFSTOPPED(status));
	if (WSTOPSIG(status) == SIGUSR1)
		return false;
	require(WSTOPSIG(status) == SIGTRAP);
	return true;
}

void step_kill(pid_t pid)
{
	int status;

	require(!kill(pid, SIGKILL));
	require(waitpid(pid, &status, 0) == pid);
	require(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

unsigned long step_through(pid_t pid, struct step_states *s, unsigned long most)
{
	unsigned long steps = 0;

	pin_to(test_cpu(0)); /* beside the child: a switch is quicker than a call across */
	s->n = 0;
	keep(s, 0);
	while (steps < most && step_one(pid))
		keep(s, ++steps);
	return steps;
}
