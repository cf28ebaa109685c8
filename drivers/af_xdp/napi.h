/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/napi.h - interrupts that stay suspended while a queue's thread finds packets
 *
 * The kernel suspends the interrupts of a NAPI as long as epoll_wait(), with busy polling, finds
 * packets of it, and lets them on again as soon as it finds none (Linux 6.13).
 */
#ifndef PP_AF_XDP_NAPI_H
#define PP_AF_XDP_NAPI_H

#include "af_xdp/genl.h"
#include "af_xdp/record.h"
#include "netdev/iface.h"

/* the settings of a NAPI that matter here, in the kernel's units */
struct xdp_napi_values {
	uint32_t defer_hard_irqs;
	uint64_t gro_flush_ns;
	uint64_t suspend_ns;
};

/*
 * struct xdp_napi - of a queue
 * @ep:        an epoll descriptor with the socket in it; -1: interrupts are not suspended
 * @suspended: the last look found packets
 * @id:        NAPI that was set; 0: none
 * @before:    its settings, to be restored
 * @genl:      to restore them, in the namespace of the interface
 * @record:    for the case of a kill
 */
struct xdp_napi {
	int ep;
	bool suspended;
	uint32_t id;
	struct xdp_napi_values before;
	struct pp_genl genl;
	struct pp_record record;
};

/*
 * struct xdp_suspend - the port's options
 * @suspend_us: interrupts stay off at most for so long without a look; 0: no suspension
 * @look_us:    how long a look lasts that finds nothing
 */
struct xdp_suspend {
	uint32_t suspend_us;
	uint32_t look_us;
};

/* pp_napi_close() may follow */
void pp_napi_init(struct xdp_napi *n);

/*
 * Set the NAPI of the interface's @queue, which socket @fd is bound to. Also without a request it
 * restores what a killed process has left. Return: 0, or -errno with a sentence in pp_error():
 * interrupts are as they were.
 */
int pp_napi_open(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		 const struct xdp_suspend *how);
/* restore the settings; nothing to do after a failed open */
void pp_napi_close(struct xdp_napi *n);

/*
 * Poll the NAPI for up to @look_us. True: there are packets, and interrupts are suspended. False:
 * there are none, and interrupts are on.
 */
bool pp_napi_look(struct xdp_napi *n);

#endif /* PP_AF_XDP_NAPI_H */
