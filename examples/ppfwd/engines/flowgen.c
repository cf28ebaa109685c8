/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flowgen.c - send UDP packets of many flows, free what comes in
 */
#include "engines/engine.h"
#include "engines/udp_frame.h"

static void flowgen_setup(struct dir *d)
{
	udp_frame_init(d->frame, d->dst, d->src);
}

static unsigned int flowgen_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	(void)d;
	page_pool_put_bulk(pages, n);
	return 0;
}

static unsigned int flowgen_generate(struct dir *d, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	n = page_pool_alloc_bulk(d->out->pool, pages, n);
	for (i = 0; i < n; i++) {
		udp_frame_flow(d->frame, d->flow);
		udp_frame_copy(pages[i], d->frame);
		d->flow = (d->flow + 1) % UDP_FRAME_FLOWS;
	}
	return n;
}

const struct engine engine_flowgen = {
	.name = "flowgen",
	.help = "send 64-byte UDP packets of 1024 flows, free what is received",
	.setup = flowgen_setup,
	.burst = flowgen_burst,
	.generate = flowgen_generate,
};
