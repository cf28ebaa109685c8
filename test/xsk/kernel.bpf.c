/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel.bpf.c - XDP programs of kernel.c */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <pagepool/rx_meta.h>

#include "af_xdp/xskmap.bpf.h"

#define SEQ_AT	 14 /* of the frames of kernel.c */
#define SHRUNKEN 40

XSKMAP(sockets, 4);

/* how often the kernel would not move a tail */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} refused SEC(".maps");

static __always_inline int redirect(struct xdp_md *ctx)
{
	return (int)bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}

static __always_inline int seq_of(struct xdp_md *ctx, __u32 *seq)
{
	const unsigned char *data = (void *)(long)ctx->data;

	if ((const void *)(data + SEQ_AT + sizeof(*seq)) > (void *)(long)ctx->data_end)
		return -1;
	__builtin_memcpy(seq, data + SEQ_AT, sizeof(*seq));
	return 0;
}

SEC("xdp.frags")
int all(struct xdp_md *ctx)
{
	return redirect(ctx);
}

SEC("xdp.frags")
int half(struct xdp_md *ctx)
{
	__u32 seq;

	if (seq_of(ctx, &seq) || seq % 2)
		return XDP_DROP;
	return redirect(ctx);
}

SEC("xdp.frags")
int meta(struct xdp_md *ctx)
{
	struct pp_rx_meta *meta;
	__u32 seq;

	if (seq_of(ctx, &seq) || bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return XDP_DROP;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return XDP_DROP;
	meta->tstamp = seq + 1;
	meta->hash = ~seq;
	meta->has = PP_RX_META_TSTAMP | PP_RX_META_HASH;
	return redirect(ctx);
}

static __always_inline int move_tail(struct xdp_md *ctx, int by)
{
	__u32 key = 0;
	__u64 *n;

	if (bpf_xdp_adjust_tail(ctx, by)) {
		n = bpf_map_lookup_elem(&refused, &key);
		if (n)
			(*n)++;
		return XDP_DROP;
	}
	return redirect(ctx);
}

SEC("xdp.frags")
int shrink(struct xdp_md *ctx)
{
	return move_tail(ctx, -SHRUNKEN);
}

SEC("xdp.frags")
int grow(struct xdp_md *ctx)
{
	return move_tail(ctx, SHRUNKEN);
}

char _license[] SEC("license") = "Dual BSD/GPL";
