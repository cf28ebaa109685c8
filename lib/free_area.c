/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "free_area.h"

int free_area_init(struct free_area *area, uint64_t capacity)
{
	area->obj = calloc(capacity, sizeof(*area->obj));
	if (!area->obj)
		return pp_set_error(ENOMEM, "no memory for a free area of %llu pages",
				    (unsigned long long)capacity);
	area->capacity = capacity;
	area->count = 0;
	return 0;
}

void free_area_fini(struct free_area *area)
{
	free(area->obj);
}
