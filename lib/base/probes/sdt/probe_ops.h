/* SPDX-License-Identifier: BSD-3-Clause */
/* probe_ops.h - probes by <sys/sdt.h>, with semaphores */
#ifndef PP_PROBE_OPS_H
#define PP_PROBE_OPS_H

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* How many tracers are attached; the kernel counts, in this process's copy. */
#define PROBE_SEMAPHORE(name) \
	extern uint16_t pagepool_##name##_semaphore __attribute__((__visibility__("hidden")));

PROBES(PROBE_SEMAPHORE)

#define PROBE_ON(name)		 unlikely(READ_ONCE(pagepool_##name##_semaphore))
#define PROBE3(name, a, b, c)	 STAP_PROBE3(pagepool, name, a, b, c)
#define PROBE4(name, a, b, c, d) STAP_PROBE4(pagepool, name, a, b, c, d)

#endif /* PP_PROBE_OPS_H */
