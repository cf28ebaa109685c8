/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vlan.bpf.c - a VLAN device out of tc programs, for kernels without one
 *
 * As a VLAN device does, they leave the outermost tag beside the packet; whether it gets into
 * the packet is up to the interface's offloads. What arrives without a tag is dropped.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PROTO_Q	 bpf_htons(0x8100)
#define PROTO_AD bpf_htons(0x88a8)

SEC("push_q")
int vlan_push_q(struct __sk_buff *skb)
{
	return bpf_skb_vlan_push(skb, PROTO_Q, 100) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("push_ad")
int vlan_push_ad(struct __sk_buff *skb)
{
	return bpf_skb_vlan_push(skb, PROTO_AD, 300) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("push_both")
int vlan_push_both(struct __sk_buff *skb)
{
	if (bpf_skb_vlan_push(skb, PROTO_Q, 7))
		return TC_ACT_SHOT;
	return bpf_skb_vlan_push(skb, PROTO_AD, 300) ? TC_ACT_SHOT : TC_ACT_OK;
}

/*
 * Metadata by the sequence number of af_xdp_rx_meta.c's frames. Each fourth has no tag; the hash is
 * a multiple.
 */
SEC("push_seq")
int vlan_push_seq(struct __sk_buff *skb)
{
	__be16 proto;
	__u32 seq = 0;

	if (bpf_skb_load_bytes(skb, 14, &seq, sizeof(seq)))
		return TC_ACT_SHOT;
	bpf_set_hash(skb, seq * 2654435761u);
	if (!(seq % 4))
		return TC_ACT_OK;
	proto = seq % 4 == 1 ? PROTO_Q : PROTO_AD;
	return bpf_skb_vlan_push(skb, proto, seq & 0xffff) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("pop")
int vlan_pop(struct __sk_buff *skb)
{
	if (!skb->vlan_present || bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	if (skb->vlan_present && bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char vlan_license[] SEC("license") = "Dual BSD/GPL";
