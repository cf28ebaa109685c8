/* SPDX-License-Identifier: BSD-3-Clause */
/* rxonly.c - receive and free */
#include "engines/engine.h"

const struct engine engine_rxonly = {
	.name = "rxonly",
	.help = "receive packets and free them",
	.sink = true,
	.burst = engine_drop,
};
