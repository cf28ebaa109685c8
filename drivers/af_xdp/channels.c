/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/channels.c - get and set channels and the RSS table of an interface
 *
 * Channels by the ethtool family of netlink, which says why it refuses. RSS by ethtool's ioctl(),
 * because netlink sets it from Linux 6.17 on only.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/ethtool_netlink.h>

#include "af_xdp/channels.h"

static const struct {
	uint16_t count;
	uint16_t max;
} kinds[KINDS] = {
	[RX] = { ETHTOOL_A_CHANNELS_RX_COUNT, ETHTOOL_A_CHANNELS_RX_MAX },
	[TX] = { ETHTOOL_A_CHANNELS_TX_COUNT, ETHTOOL_A_CHANNELS_TX_MAX },
	[COMBINED] = { ETHTOOL_A_CHANNELS_COMBINED_COUNT, ETHTOOL_A_CHANNELS_COMBINED_MAX },
};

static struct pp_genl_attr header_of(const struct pp_spread *sp, char room[8])
{
	const struct nlattr attr = { NLA_HDRLEN + sizeof(uint32_t), ETHTOOL_A_HEADER_DEV_INDEX };

	memcpy(room, &attr, sizeof(attr));
	memcpy(room + NLA_HDRLEN, &sp->end.index, sizeof(uint32_t));
	return (struct pp_genl_attr){ ETHTOOL_A_CHANNELS_HEADER | NLA_F_NESTED, 8, room };
}

int pp_channels_get(struct pp_spread *sp, uint32_t now[KINDS], uint32_t max[KINDS])
{
	struct pp_genl_answer answer;
	struct pp_genl_attr attr;
	unsigned int i;
	char room[8];
	int err;

	memset(now, 0, KINDS * sizeof(*now));
	memset(max, 0, KINDS * sizeof(*max));
	attr = header_of(sp, room);
	err = pp_genl_ask(&sp->genl, ETHTOOL_MSG_CHANNELS_GET, 0, &attr, 1, &answer);
	for (i = 0; !err && i < KINDS; i++) {
		(void)pp_genl_get(&answer.nl, kinds[i].count, &now[i], sizeof(now[i]));
		(void)pp_genl_get(&answer.nl, kinds[i].max, &max[i], sizeof(max[i]));
	}
	return err == -EOPNOTSUPP ? 0 : err;
}

int pp_channels_set(struct pp_spread *sp, const uint32_t now[KINDS], const uint32_t to[KINDS])
{
	struct pp_genl_attr attrs[1 + KINDS];
	struct pp_genl_answer answer;
	unsigned int i, n = 1;
	char room[8];
	int err;

	attrs[0] = header_of(sp, room);
	for (i = 0; i < KINDS; i++)
		if (now[i] != to[i])
			attrs[n++] = (struct pp_genl_attr){ kinds[i].count, sizeof(to[i]), &to[i] };
	if (n == 1)
		return 0;
	answer.nl.nlmsg_type = 0;
	sp->last = "channels";
	err = pp_genl_ask(&sp->genl, ETHTOOL_MSG_CHANNELS_SET, NLM_F_ACK, attrs, n, &answer);
	snprintf(sp->reason, sizeof(sp->reason), "%s", err ? pp_genl_reason(&answer) : "");
	return err;
}

int pp_rss_queues(struct pp_spread *sp)
{
	struct ethtool_rxnfc nfc = { .cmd = ETHTOOL_GRXRINGS };
	int err = pp_xdp_ethtool(&sp->end, &nfc);

	return err ? err : (int)nfc.data;
}

int pp_rss_get(struct pp_spread *sp, union table *t)
{
	int err;

	t->head.cmd = ETHTOOL_GRXFHINDIR;
	t->head.size = TABLE_MAX;
	err = pp_xdp_ethtool(&sp->end, t);
	return err ? err : t->head.size && t->head.size <= TABLE_MAX ? 0 : -EOPNOTSUPP;
}

int pp_rss_set(struct pp_spread *sp, union table *t)
{
	t->head.cmd = ETHTOOL_SRXFHINDIR;
	sp->last = "rss";
	sp->reason[0] = '\0';
	return pp_xdp_ethtool(&sp->end, t);
}

void pp_rss_spread(union table *t, uint32_t queues)
{
	uint32_t i;

	for (i = 0; i < t->head.size; i++)
		t->head.ring_index[i] = i % queues;
}

bool pp_rss_is_even(const union table *t, uint32_t queues)
{
	uint32_t i;

	for (i = 0; i < t->head.size && t->head.ring_index[i] == i % queues; i++)
		;
	return i == t->head.size;
}
