/* SPDX-License-Identifier: BSD-3-Clause */
/* io.c - pass packets on without looking at them */
#include "engines/engine.h"

const struct engine engine_io = {
	.name = "io",
	.help = "pass packets on untouched",
	.paired = true,
	.chains = true,
};
