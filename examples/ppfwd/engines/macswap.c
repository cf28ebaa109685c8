/* SPDX-License-Identifier: BSD-3-Clause */
/* macswap.c - exchange Ethernet source and destination */
#include "engines/engine.h"
#include "engines/packet.h"

static unsigned int macswap_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	(void)d;
	for (i = 0; i < n; i++) {
		packet_prefetch(pages, i, n);
		if (likely(pages[i]->len >= ETH_LEN))
			eth_swap(pp_page_data(pages[i]));
	}
	return n;
}

const struct engine engine_macswap = {
	.name = "macswap",
	.help = "exchange Ethernet source and destination",
	.paired = true,
	.chains = true,
	.burst = macswap_burst,
};
