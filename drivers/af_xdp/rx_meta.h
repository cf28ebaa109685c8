/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/rx_meta.h - settings of the XDP program for metadata; also for rx_meta.bpf.c
 */
#ifndef PP_AF_XDP_RX_META_H
#define PP_AF_XDP_RX_META_H

#include <stdint.h>

/*
 * struct xdp_rx_meta_how - constant for the program
 * @wanted: PP_RX_META_TSTAMP, HASH, VLAN
 * @insert: put a tag that the device took out back into the packet
 * @tai_ahead_ns: CLOCK_TAI less the time of day
 */
struct xdp_rx_meta_how {
	uint32_t wanted;
	uint32_t insert;
	int64_t tai_ahead_ns;
};

#endif /* PP_AF_XDP_RX_META_H */
