/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/channels.h - channels and RSS table of an interface, and asking the kernel for them
 */
#ifndef PP_AF_XDP_CHANNELS_H
#define PP_AF_XDP_CHANNELS_H

#include <linux/ethtool.h>

#include "af_xdp/priv.h"
#include "xsk/genl.h"

#define TABLE_MAX 4096u

/* counts of the three kinds of channels */
enum {
	RX,
	TX,
	COMBINED,
	KINDS
};

/* @head.size: entries; 0: the device's default */
union table {
	struct ethtool_rxfh_indir head;
	char room[sizeof(struct ethtool_rxfh_indir) + TABLE_MAX * sizeof(uint32_t)];
};

/*
 * struct pp_spread - shared by the ports of the process on the interface
 * @channels, @rss: as asked for; 0: not set
 * @before, @set:   channels, while @channels is not 0
 * @table:          the RSS table from before, while @rss is not 0
 * @last:           the option that the kernel was asked for last
 * @reason:         why it refused; "": it gave no sentence
 */
struct pp_spread {
	struct pp_spread *next;
	unsigned int refs;
	struct pp_net net;
	struct pp_xdp_end end;
	struct pp_genl genl;
	struct pp_record record;
	uint32_t channels;
	uint32_t rss;
	uint32_t before[KINDS];
	uint32_t set[KINDS];
	const char *last;
	char reason[128];
	union table table; /* the last: its size is open */
};

/*
 * af_xdp/channels.c: each int is 0 or -errno, or else as told. A driver without channels has none
 * of each kind.
 */
int pp_channels_get(struct pp_spread *sp, uint32_t now[KINDS], uint32_t max[KINDS]);
int pp_channels_set(struct pp_spread *sp, const uint32_t now[KINDS], const uint32_t to[KINDS]);

/* the number of queues that the table may name, or -errno */
int pp_rss_queues(struct pp_spread *sp);
int pp_rss_get(struct pp_spread *sp, union table *t);
int pp_rss_set(struct pp_spread *sp, union table *t);
/* over the first @queues in turn: make it so; is it? */
void pp_rss_spread(union table *t, uint32_t queues);
bool pp_rss_is_even(const union table *t, uint32_t queues);

#endif /* PP_AF_XDP_CHANNELS_H */
