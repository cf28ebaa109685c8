/* SPDX-License-Identifier: BSD-3-Clause */
/* nojson.c - for builds without json-c; options.c refuses --json before anything is measured */
#include "bench.h"

bool bench_has_json(void)
{
	return false;
}

int bench_print_json(const struct bench *b)
{
	(void)b;
	return -1;
}
