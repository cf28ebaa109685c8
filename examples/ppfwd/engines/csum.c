/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * csum.c - compute IPv4, TCP and UDP checksums in software, and count the wrong ones
 *
 * Fragments, packets cut short and packets with a source route that is not used up yet
 * keep their transport checksum: it covers bytes that are not there.
 */
#include "engines/engine.h"
#include "engines/packet.h"

static void check_packet(struct dir *d, struct pp_page *page)
{
	struct pp_packet p;

	if (!packet_parse(&p, page) || !p.ip)
		return;
	if (p.ip == 4 && pp_packet_fix_ip(&p))
		counter_add(&d->bad_ip, 1);
	if (pp_packet_fix_l4(&p))
		counter_add(&d->bad_l4, 1);
}

static unsigned int csum_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		packet_prefetch(pages, i, n);
		check_packet(d, pages[i]);
	}
	return n;
}

const struct engine engine_csum = {
	.name = "csum",
	.help = "compute IPv4, TCP and UDP checksums, count the wrong ones",
	.paired = true,
	.sums = true,
	.burst = csum_burst,
};
