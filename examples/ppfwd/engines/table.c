/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c - the table of engines */
#include <string.h>

#include "engines/engine.h"

const struct engine *const engines[] = {
	&engine_io,	 &engine_mac,	   &engine_macswap, &engine_5tswap,
	&engine_csum,	 &engine_icmpecho, &engine_rxonly,  &engine_txonly,
	&engine_flowgen, &engine_noisy,	   &engine_recycle, NULL,
};

const struct engine *engine_find(const char *name)
{
	unsigned int i;

	for (i = 0; engines[i]; i++) {
		if (!strcmp(engines[i]->name, name))
			return engines[i];
	}
	return NULL;
}
