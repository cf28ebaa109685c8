/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_pool.c - bytes as calls on two pools and their zone, against a model
 *
 * The operations and the model are test/lib/pool/pool_ops.c.
 */
#include "pool/pool_ops.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model m;

	if (!size)
		return 0;
	model_init(&m, data, size, 0);
	while (model_step(&m))
		;
	model_fini(&m);
	return 0;
}
