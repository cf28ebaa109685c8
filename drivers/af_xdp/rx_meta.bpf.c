/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rx_meta.bpf.c - the program of prog.c for a port with rx_meta or vlan=insert
 *
 * Only a program that is loaded for one device may ask it about a packet. A packet without room for
 * metadata in front is dropped (XDP_ABORTED), because the socket's owner would read those of the
 * frame's last packet.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <pagepool/rx_meta.h>

#include "af_xdp/rx_meta.h"
#include "af_xdp/xskmap.bpf.h"

#define TSTAMP_NONE UINT64_MAX /* PP_TSTAMP_NONE */
#define TAG_LEN	    4

enum xdp_rss_hash_type {
	XDP_RSS_TYPE_NONE,
};

extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *timestamp) __ksym __weak;
extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash,
				    enum xdp_rss_hash_type *rss_type) __ksym __weak;
extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx, __be16 *vlan_proto,
					__u16 *vlan_tci) __ksym __weak;

XSKMAP(xsks_map, 64); /* or as many as the interface has queues */

/* rx_meta.c fills it in before it loads the program */
static const struct xdp_rx_meta_how how SEC(".rodata.how") __attribute__((used));

/* hides from the compiler that the object has zeros there */
static __always_inline const struct xdp_rx_meta_how *settings(void)
{
	const struct xdp_rx_meta_how *p = &how;

	asm("" : "+r"(p));
	return p;
}

static __always_inline void read_tstamp(struct xdp_md *ctx, struct pp_rx_meta *meta)
{
	__u64 at = 0;

	meta->has |= PP_RX_META_TSTAMP;
	if (!bpf_xdp_metadata_rx_timestamp(ctx, &at) && at) {
		meta->tstamp = at;
	} else {
		meta->tstamp = bpf_ktime_get_tai_ns() - settings()->tai_ahead_ns;
		meta->has |= PP_RX_META_SOFT;
	}
}

static __always_inline void read_hash(struct xdp_md *ctx, struct pp_rx_meta *meta)
{
	enum xdp_rss_hash_type type = XDP_RSS_TYPE_NONE;
	__u32 hash = 0;

	if (bpf_xdp_metadata_rx_hash(ctx, &hash, &type))
		return;
	meta->hash = hash;
	meta->hash_type = type;
	meta->has |= PP_RX_META_HASH;
}

static __always_inline void read_vlan(struct xdp_md *ctx, struct pp_rx_meta *meta)
{
	__be16 proto = 0;
	__u16 tci = 0;

	if (bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci))
		return;
	meta->vlan_proto = bpf_ntohs(proto);
	meta->vlan_tci = tci;
	meta->has |= PP_RX_META_VLAN;
}

/* the two addresses move up, and the tag takes the place behind them */
static __always_inline int insert_tag(struct xdp_md *ctx, struct pp_rx_meta *meta)
{
	__u32 *data;

	if (bpf_xdp_adjust_head(ctx, -TAG_LEN))
		return -1;
	data = (void *)(long)ctx->data;
	if ((void *)(data + 4) > (void *)(long)ctx->data_end)
		return -1;
	data[0] = data[1];
	data[1] = data[2];
	data[2] = data[3];
	data[3] = bpf_htonl((__u32)meta->vlan_proto << 16 | meta->vlan_tci);
	meta->has |= PP_RX_META_INSERTED;
	return 0;
}

static __always_inline int write_meta(struct xdp_md *ctx, const struct pp_rx_meta *meta)
{
	struct pp_rx_meta *to;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return -1;
	to = (void *)(long)ctx->data_meta;
	if ((void *)(to + 1) > (void *)(long)ctx->data)
		return -1;
	*to = *meta;
	return 0;
}

SEC("xdp")
int pp_af_xdp(struct xdp_md *ctx)
{
	struct pp_rx_meta meta = { .tstamp = TSTAMP_NONE };
	const struct xdp_rx_meta_how *how = settings();
	__u32 queue = ctx->rx_queue_index;

	if (!bpf_map_lookup_elem(&xsks_map, &queue))
		return XDP_PASS;
	if (how->wanted & PP_RX_META_TSTAMP)
		read_tstamp(ctx, &meta);
	if (how->wanted & PP_RX_META_HASH)
		read_hash(ctx, &meta);
	if (how->wanted & PP_RX_META_VLAN || how->insert)
		read_vlan(ctx, &meta);
	if (how->insert && meta.has & PP_RX_META_VLAN && insert_tag(ctx, &meta))
		return XDP_ABORTED;
	if (how->wanted && write_meta(ctx, &meta))
		return XDP_ABORTED;
	return (int)bpf_redirect_map(&xsks_map, queue, XDP_PASS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
