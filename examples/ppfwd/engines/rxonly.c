/* SPDX-License-Identifier: BSD-3-Clause */
/* rxonly.c - receive and free */
#include "engines/engine.h"

static unsigned int rxonly_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	(void)d;
	page_pool_put_bulk(pages, n);
	return 0;
}

const struct engine engine_rxonly = {
	.name = "rxonly",
	.help = "receive packets and free them",
	.sink = true,
	.burst = rxonly_burst,
};
