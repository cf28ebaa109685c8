/* SPDX-License-Identifier: BSD-3-Clause */
/* wanted.h - the packets that the BPF program sends to xdp_app */
#ifndef XDP_APP_WANTED_H
#define XDP_APP_WANTED_H

#include <linux/types.h>

#define XDP_APP_QUEUES 64

/*
 * struct wanted - the one element of map "wanted"
 * @port: UDP ports, in network order; 0: none
 * @mac:  address of the interface
 */
struct wanted {
	__u16 port[2];
	__u8 mac[6];
	__u8 pad[2];
};

#endif /* XDP_APP_WANTED_H */
