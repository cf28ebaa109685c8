/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * redirect.bpf.c - a program of the user's own for prog=FILE
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "af_xdp/xskmap.bpf.h"

#ifndef MAP
#define MAP xsks_map
#endif

XSKMAP(MAP, 4);

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return (int)bpf_redirect_map(&MAP, ctx->rx_queue_index, XDP_PASS);
}

char redirect_license[] SEC("license") = "Dual BSD/GPL";
