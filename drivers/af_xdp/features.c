/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/features.c - ethtool's ioctl(), and features of interfaces that cost a packet something */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "af_xdp/priv.h"

#define FEATURES_MAX 256u

const struct pp_xdp_feature pp_xdp_features[XDP_FEATURES] = {
	{ "rx-vlan-hw-parse", "rxvlan off" },
	{ "rx-vlan-stag-hw-parse", "rx-vlan-stag-hw-parse off" },
	{ "rx-lro", "lro off" },
	{ "rx-gro-hw", "rx-gro-hw off" },
	{ "tx-vlan-hw-insert", "txvlan off" },
	{ "tx-vlan-stag-hw-insert", "tx-vlan-stag-hw-insert off" },
	{ "tx-checksum-ip-generic", "tx off" },
	{ "tx-checksum-sctp", "" } /* part of "tx off" */,
};

int pp_xdp_ethtool(struct pp_xdp_end *e, void *data)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_ifindex = e->index;
	if (ioctl(e->ctl, SIOCGIFNAME, &ifr))
		return -errno;
	memcpy(e->name, ifr.ifr_name, sizeof(e->name));
	ifr.ifr_data = data;
	return ioctl(e->ctl, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

/* the kernel's number of each of our features, or -1 */
static int feature_bits(struct pp_xdp_end *e, int bit[XDP_FEATURES])
{
	union {
		struct ethtool_gstrings head;
		char room[sizeof(struct ethtool_gstrings) + FEATURES_MAX * ETH_GSTRING_LEN];
	} s = { .head = { .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES } };
	union {
		struct ethtool_sset_info head;
		char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} n = { .head = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES } };
	unsigned int i, k, count;
	int err;

	err = pp_xdp_ethtool(e, &n);
	count = n.head.data[0];
	if (!err && (!n.head.sset_mask || count > FEATURES_MAX))
		err = -EOPNOTSUPP;
	if (err)
		return err;
	s.head.len = count;
	err = pp_xdp_ethtool(e, &s);
	if (err)
		return err;
	for (i = 0; i < XDP_FEATURES; i++) {
		bit[i] = -1;
		for (k = 0; k < count; k++)
			if (!strncmp((char *)s.head.data + k * ETH_GSTRING_LEN,
				     pp_xdp_features[i].name, ETH_GSTRING_LEN))
				bit[i] = (int)k;
	}
	return (int)count;
}

uint32_t pp_xdp_features_on(struct pp_xdp_end *e)
{
	union {
		struct ethtool_gfeatures head;
		char room[sizeof(struct ethtool_gfeatures) +
			  FEATURES_MAX / 32 * sizeof(struct ethtool_get_features_block)];
	} g = { .head = { .cmd = ETHTOOL_GFEATURES } };
	int bit[XDP_FEATURES], count;
	uint32_t on = 0, word;
	unsigned int i;

	count = feature_bits(e, bit);
	if (count < 0)
		return 0;
	g.head.size = ((uint32_t)count + 31) / 32;
	if (pp_xdp_ethtool(e, &g))
		return 0;
	for (i = 0; i < XDP_FEATURES; i++) {
		if (bit[i] < 0)
			continue;
		word = 1u << bit[i] % 32;
		if (g.head.features[bit[i] / 32].active & word)
			on |= 1u << i;
	}
	return on;
}

int pp_xdp_features_set(struct pp_xdp_end *e, uint32_t mask, bool on)
{
	union {
		struct ethtool_sfeatures head;
		char room[sizeof(struct ethtool_sfeatures) +
			  FEATURES_MAX / 32 * sizeof(struct ethtool_set_features_block)];
	} s = { .room = { 0 } };
	int bit[XDP_FEATURES], count;
	unsigned int i;

	count = feature_bits(e, bit);
	if (count < 0)
		return count;
	s.head.cmd = ETHTOOL_SFEATURES;
	s.head.size = ((uint32_t)count + 31) / 32;
	for (i = 0; i < XDP_FEATURES; i++) {
		if (!(mask >> i & 1) || bit[i] < 0)
			continue;
		s.head.features[bit[i] / 32].valid |= 1u << bit[i] % 32;
		if (on)
			s.head.features[bit[i] / 32].requested |= 1u << bit[i] % 32;
	}
	return pp_xdp_ethtool(e, &s);
}
