/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * txonly.c - send the same 64-byte UDP packet for ever
 */
#include "engines/engine.h"
#include "engines/udp_frame.h"

static void txonly_setup(struct dir *d)
{
	udp_frame_init(d->frame, d->dst, d->src);
	udp_frame_flow(d->frame, 0);
}

static unsigned int txonly_generate(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	n = page_pool_alloc_bulk(d->out->pool, pages, n);
	for (i = 0; i < n; i++)
		udp_frame_copy(pages[i], d->frame);
	return n;
}

const struct engine engine_txonly = {
	.name = "txonly",
	.help = "send 64-byte UDP packets, receive nothing",
	.setup = txonly_setup,
	.generate = txonly_generate,
};
