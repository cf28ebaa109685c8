/* SPDX-License-Identifier: BSD-3-Clause */
/* mac.c - give packets the outgoing port's address as source, a fixed one as destination */
#include <string.h>

#include "engines/engine.h"
#include "engines/packet.h"

static unsigned int mac_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned char *eth;
	unsigned int i;

	for (i = 0; i < n; i++) {
		packet_prefetch(pages, i, n);
		if (unlikely(pages[i]->len < ETH_LEN))
			continue;
		eth = pp_page_data(pages[i]);
		memcpy(eth, d->dst, 6);
		memcpy(eth + 6, d->src, 6);
	}
	return n;
}

const struct engine engine_mac = {
	.name = "mac",
	.help = "set source to the port's address, destination to 02:00:00:00:00:PORT",
	.paired = true,
	.chains = true,
	.burst = mac_burst,
};
