/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/membarrier.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/barrier.h"
#include "base/handler.h"
#include "base/internal.h"

/* since Linux 5.10; older headers name none of them */
enum {
	FENCE_ONE_CPU = 1 << 0,
	FENCE_RSEQ = 1 << 7,
	REGISTER_FENCE_RSEQ = 1 << 8,
};

static int membarrier(int command, unsigned int flags, int cpu)
{
	return (int)syscall(SYS_membarrier, command, flags, cpu);
}

static int register_for(int command, int registration)
{
	int known = membarrier(MEMBARRIER_CMD_QUERY, 0, 0);

	if (known < 0 || !(known & command) || membarrier(registration, 0, 0))
		return pp_set_error(ENOTSUP, "membarrier is not to be had: %s",
				    known < 0 ? strerror(errno) : "too old a kernel");
	return 0;
}

int barrier_register(void)
{
	return register_for(MEMBARRIER_CMD_PRIVATE_EXPEDITED,
			    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

int barrier_register_rseq(void)
{
	return register_for(FENCE_RSEQ, REGISTER_FENCE_RSEQ);
}

bool barrier_threads(void)
{
	handler_check_wait();
	return !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

bool barrier_rseq(unsigned int cpu)
{
	handler_check_wait();
	return !membarrier(FENCE_RSEQ, FENCE_ONE_CPU, (int)cpu);
}

bool barrier_visit(unsigned int cpu)
{
	size_t bytes = CPU_ALLOC_SIZE((int)cpu + 1);
	cpu_set_t *there = CPU_ALLOC((int)cpu + 1), *back = NULL;
	bool done = false;
	size_t all;

	/* the kernel refuses a set that is smaller than its own */
	for (all = 128; there && all <= 8192; all *= 2, CPU_FREE(back)) {
		back = malloc(all);
		if (!back || !sched_getaffinity(0, all, back))
			break;
	}
	if (!there || !back || all > 8192)
		goto out;
	CPU_ZERO_S(bytes, there);
	CPU_SET_S(cpu, bytes, there);
	done = !sched_setaffinity(0, bytes, there);
	if (done)
		sched_setaffinity(0, all, back);
out:
	if (all <= 8192)
		CPU_FREE(back);
	CPU_FREE(there);
	return done;
}
