/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dispatched.bpf.c - the program of prog.c for libxdp's dispatcher, which replaces a function of
 * its own by it and therefore needs an object with types
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "af_xdp/xskmap.bpf.h"

XSKMAP(xsks_map, 64); /* or as many as the interface has queues */

/* a packet without a socket goes to the dispatcher's next program, or to the stack */
SEC("xdp")
int pp_af_xdp(struct xdp_md *ctx)
{
	return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
