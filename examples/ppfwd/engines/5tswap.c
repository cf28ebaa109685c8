/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 5tswap.c - exchange source and destination of every layer
 *
 * Checksums stay right: a sum does not depend on the order of its terms. The sum of a
 * packet with a source route that is not used up, or with a Home Address option, is over
 * an address of that; there only the Ethernet addresses change places.
 */
#include "engines/engine.h"
#include "engines/packet.h"

static void swap_ports(const struct pp_packet *p)
{
	unsigned char *l4 = p->data + p->l4;

	if (p->proto != PROTO_TCP && p->proto != PROTO_UDP)
		return;
	if (p->l4 && p->l4 + 4 <= p->end)
		swap_bytes(l4, l4 + 2, 2);
}

static void swap_packet(struct pp_page *page)
{
	struct pp_packet p;

	if (!packet_parse(&p, page))
		return;
	eth_swap(p.data);
	if (p.flags & PP_PACKET_ROUTED)
		return;
	if (p.ip == 4)
		swap_bytes(p.data + p.l3 + 12, p.data + p.l3 + 16, 4);
	else if (p.ip == 6)
		swap_bytes(p.data + p.l3 + 8, p.data + p.l3 + 24, 16);
	else
		return;
	swap_ports(&p);
}

static unsigned int fivetswap_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	(void)d;
	for (i = 0; i < n; i++) {
		packet_prefetch(pages, i, n);
		swap_packet(pages[i]);
	}
	return n;
}

const struct engine engine_5tswap = {
	.name = "5tswap",
	.help = "exchange Ethernet and IP addresses and TCP and UDP ports",
	.paired = true,
	.burst = fivetswap_burst,
};
