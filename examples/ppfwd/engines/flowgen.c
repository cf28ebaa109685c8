/* SPDX-License-Identifier: BSD-3-Clause */
/* flowgen.c - send UDP packets of many flows, free what comes in */
#include "engines/engine.h"

static unsigned int flowgen_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	(void)d;
	page_pool_put_bulk(pages, n);
	return 0;
}

const struct engine engine_flowgen = {
	.name = "flowgen",
	.help = "send UDP packets of 1024 flows, free what is received",
	.flows = 1024,
	.burst = flowgen_burst,
	.generate = traffic_generate,
};
