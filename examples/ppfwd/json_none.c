/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json_none.c - in the place of json.c where json-c is missing
 */
#include <errno.h>

#include "ppfwd.h"

const bool json_available;

int json_write(const struct report *rep, FILE *out)
{
	(void)rep;
	(void)out;
	return -ENOTSUP;
}
