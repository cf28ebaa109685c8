/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/mman.h>

#include "pcp.h"
#include "trace.h"

/* Shorter than a drain's hold takes to end when the holder runs. */
#define WAIT_SPINS 500

bool pcp_wait(struct pcp_wait *wait)
{
	if (wait->spins++ < WAIT_SPINS) {
		cpu_relax();
		return wait->timeout_us;
	}
	if (!wait->deadline_ns)
		wait->deadline_ns = now_ns() + (uint64_t)wait->timeout_us * 1000;
	else if (now_ns() >= wait->deadline_ns)
		return false;
	sched_yield();
	return true;
}

static size_t list_size(uint32_t high)
{
	size_t size = sizeof(struct pcp_list) + high * sizeof(void *);

	return (size + PP_LINES - 1) & ~(size_t)(PP_LINES - 1);
}

struct pcp *pcp_create(unsigned int cores, const struct pcp_config *config, size_t *stride)
{
	struct pcp *pcps, *pcp;
	unsigned int i;

	*stride = sizeof(struct pcp) + list_size(config->high);
	/* mmap, not malloc: a core that never allocates never touches its pages */
	pcps = mmap(NULL, cores * *stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (pcps == MAP_FAILED) {
		pp_set_error(ENOMEM, "no memory for %u cores' caches of %u pages", cores,
			     config->high);
		return NULL;
	}
	for (i = 0; i < cores; i++) {
		pcp = pcp_at(pcps, *stride, i);
		pcp->list = (struct pcp_list *)(pcp + 1);
		pcp->high = pcp->high_min = pcp->high_max = config->high;
		pcp->batch = config->batch;
		if (!config->traced)
			continue;
		pcp->trace = trace_create();
		if (!pcp->trace) {
			pcp_free(pcps, cores, *stride);
			return NULL;
		}
	}
	return pcps;
}

void pcp_free(struct pcp *pcps, unsigned int cores, size_t stride)
{
	unsigned int i;

	for (i = 0; i < cores; i++)
		trace_free(pcp_at(pcps, stride, i)->trace);
	munmap(pcps, cores * stride);
}
