/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rx_meta.h - metadata of a received packet that its device does not write into the packet
 *
 * An XDP program writes struct pp_rx_meta in front of the packet: that of an af_xdp port with
 * rx_meta=tstamp+hash+vlan, or a program of the user's, which may include this header. The struct
 * lies in the page, so that struct pp_page stays one cache line.
 */
#ifndef PAGEPOOL_RX_META_H
#define PAGEPOOL_RX_META_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PP_RX_META_TSTAMP - tstamp is known */
#define PP_RX_META_TSTAMP (1u << 0)
/** PP_RX_META_HASH - hash and hash_type are known */
#define PP_RX_META_HASH (1u << 1)
/** PP_RX_META_VLAN - the device took a VLAN tag out of the packet: vlan_tci and vlan_proto */
#define PP_RX_META_VLAN (1u << 2)
/** PP_RX_META_SOFT - tstamp is the time at which the XDP program ran, since the device has none */
#define PP_RX_META_SOFT (1u << 3)
/** PP_RX_META_INSERTED - the tag is in the packet again (vlan=insert) */
#define PP_RX_META_INSERTED (1u << 4)

/**
 * struct pp_rx_meta - in front of a received packet, up to its first byte
 * @tstamp:     ns; PP_TSTAMP_NONE: missing. The device's clock, with PP_RX_META_SOFT the time of
 *              day
 * @hash:       of the packet's flow, as the device computes it; 0: missing
 * @hash_type:  fields that the hash covers, bits of the kernel's enum xdp_rss_hash_type; 0: the
 *              device does not say
 * @vlan_tci:   tag: priority and VLAN id; 0: missing
 * @vlan_proto: 0x8100 or 0x88a8, in host order; 0: missing
 * @has:        PP_RX_META_*: which of these are known
 */
struct pp_rx_meta {
	uint64_t tstamp;
	uint32_t hash;
	uint32_t hash_type;
	uint16_t vlan_tci;
	uint16_t vlan_proto;
	uint32_t has;
};

/**
 * pp_rx_meta_get() - the metadata of a received packet
 * @packet: its first byte as it was received: pp_page_data() of a page, or
 *          pp_xsk_chunk_data() of a chunk, that a port or socket with RX metadata received, before
 *          any other use of the bytes in front of the packet
 * @meta:   out
 *
 * Context: any thread that owns the packet.
 * Cost:    three loads, of the line in front of the packet.
 * Source:  struct xdp_metadata_ops. Differs: what the XDP program has asked these for.
 */
static inline void pp_rx_meta_get(const void *packet, struct pp_rx_meta *meta)
{
	__builtin_memcpy(meta, (const unsigned char *)packet - sizeof(*meta), sizeof(*meta));
}

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_RX_META_H */
