/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/features.h - features of interfaces that cost a packet something, by ethtool's ioctl() */
#ifndef PP_AF_XDP_FEATURES_H
#define PP_AF_XDP_FEATURES_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define XDP_FEATURES 8u
#define VLAN_BITS    0x33u
#define CSUM_BITS    0xc0u
#define LRO_BITS     0x0cu

/* @name: the kernel's; @command: ethtool -K's; @far: of a veth's other end, not of the interface */
struct pp_xdp_feature {
	const char *name;
	const char *command;
	bool far;
};

/* bits of a mask are indices into this */
extern const struct pp_xdp_feature pp_xdp_features[XDP_FEATURES];

/* an interface: its number, and a socket of its namespace; @name: as it was last */
struct pp_xdp_end {
	int ctl;
	int index;
	char name[IFNAMSIZ];
};

/* those that are on; a device may have fixed some */
uint32_t pp_xdp_features_on(struct pp_xdp_end *e);
/* 0 or -errno */
int pp_xdp_features_set(struct pp_xdp_end *e, uint32_t mask, bool on);
/* those of the interface, or of its far end */
uint32_t pp_xdp_features_side(bool far);

#endif /* PP_AF_XDP_FEATURES_H */
