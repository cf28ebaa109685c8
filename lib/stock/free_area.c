/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/mman.h>

#include "stock/free_area.h"

int free_area_init(struct free_area *area, uint64_t capacity)
{
	/* mmap, not calloc: as long as the pages are not accepted, this is not touched */
	void *obj = mmap(NULL, capacity * sizeof(*area->obj), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (obj == MAP_FAILED)
		return pp_set_error(ENOMEM, "no memory for a free area of %llu pages",
				    (unsigned long long)capacity);
	area->obj = obj;
	area->capacity = capacity;
	area->count = 0;
	return 0;
}

void free_area_fini(struct free_area *area)
{
	if (area->obj)
		munmap(area->obj, area->capacity * sizeof(*area->obj));
}
