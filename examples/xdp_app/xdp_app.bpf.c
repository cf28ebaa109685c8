/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * xdp_app.bpf.c - which packets xdp_app gets, and which the kernel keeps
 *
 * A packet goes to the socket of its queue if it is unicast to this interface,
 * untagged, IPv4 without options or IPv6 without extension headers, no fragment,
 * and UDP to one of two ports. All other packets, and all packets of a queue that
 * has no socket (any more), goes to the kernel's stack.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "wanted.h"

#define IP_FRAGMENT 0x3fff /* more fragments follow, or this is not the first */

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, XDP_APP_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wanted);
} wanted SEC(".maps");

static __always_inline struct udphdr *udp_of_ipv4(void *at, void *end)
{
	struct iphdr *ip = at;

	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 ||
	    ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(IP_FRAGMENT)))
		return 0;
	return (struct udphdr *)(ip + 1);
}

static __always_inline struct udphdr *udp_of_ipv6(void *at, void *end)
{
	struct ipv6hdr *ip = at;

	if ((void *)(ip + 1) > end || ip->version != 6 || ip->nexthdr != IPPROTO_UDP)
		return 0;
	return (struct udphdr *)(ip + 1);
}

static __always_inline int is_ours(const struct ethhdr *eth, const struct wanted *w)
{
	int i, differ = 0;

	for (i = 0; i < ETH_ALEN; i++)
		differ |= eth->h_dest[i] ^ w->mac[i];
	return !differ;
}

SEC("xdp")
int xdp_app(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct udphdr *udp = 0;
	struct wanted *w;
	__u32 key = 0;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		udp = udp_of_ipv4(eth + 1, end);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		udp = udp_of_ipv6(eth + 1, end);
	if (!udp || (void *)(udp + 1) > end)
		return XDP_PASS;

	w = bpf_map_lookup_elem(&wanted, &key);
	if (!w || !udp->dest || (udp->dest != w->port[0] && udp->dest != w->port[1]) ||
	    !is_ours(eth, w))
		return XDP_PASS;
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
