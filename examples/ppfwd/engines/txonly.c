/* SPDX-License-Identifier: BSD-3-Clause */
/* txonly.c - send UDP packets of one flow, receive nothing */
#include "engines/engine.h"

const struct engine engine_txonly = {
	.name = "txonly",
	.help = "send UDP packets, receive nothing",
	.flows = 1,
	.generate = traffic_generate,
};
