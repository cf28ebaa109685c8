/* SPDX-License-Identifier: BSD-3-Clause */
/* flowgen.c - send UDP packets of many flows, free received packets */
#include "engines/engine.h"

const struct engine engine_flowgen = {
	.name = "flowgen",
	.help = "send UDP packets of 1024 flows, free what is received",
	.flows = 1024,
	.burst = engine_drop,
	.generate = traffic_generate,
};
