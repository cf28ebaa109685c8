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

unsigned int free_area_refill(struct free_area *area, unsigned int most)
{
	unsigned int n;

	most = (unsigned int)min((uint64_t)most, area->capacity);
	if (!area->buddy || area->count >= most)
		return 0;
	n = buddy_take(area->buddy, area->obj + area->count, most - (unsigned int)area->count);
	WRITE_ONCE(area->count, area->count + n);
	count_add(area->refills, !!n);
	return n;
}

unsigned int free_area_spill(struct free_area *area, unsigned int n)
{
	unsigned int i;

	n = (unsigned int)min((uint64_t)n, area->count);
	for (i = 0; i < n; i++) {
		WRITE_ONCE(area->count, area->count - 1);
		buddy_free(area->buddy, area->obj[area->count], 0);
	}
	return n;
}

bool free_area_sweep(struct free_area *area, uint64_t *from, unsigned int n)
{
	for (; n && *from < area->count; n--) {
		if (!page_isolated(area->buddy, area->obj[*from])) {
			++*from;
			continue;
		}
		buddy_free(area->buddy, area->obj[*from], 0);
		/* the top fills the hole, and is looked at next */
		WRITE_ONCE(area->count, area->count - 1);
		area->obj[*from] = area->obj[area->count];
	}
	return *from >= area->count;
}

void __coldpath free_area_push_filtered(struct free_area *area, void *const *objs, unsigned int n)
{
	unsigned int i;

	if (!area->buddy) {
		free_area_pass_on(area, objs, n);
		return;
	}
	for (i = 0; i < n; i++) {
		if (page_isolated(area->buddy, objs[i])) {
			buddy_free(area->buddy, objs[i], 0);
		} else if (unlikely(area->count == area->capacity)) {
			area->refused++;
		} else {
			area->obj[area->count] = objs[i];
			WRITE_ONCE(area->count, area->count + 1);
		}
	}
}

unsigned int __coldpath free_area_pop_filtered(struct free_area *area, void **objs, unsigned int n)
{
	unsigned int got = 0;
	void *page;

	/* an inner zone's was emptied when it began to filter */
	while (got < n && area->count) {
		WRITE_ONCE(area->count, area->count - 1);
		page = area->obj[area->count];
		if (page_isolated(area->buddy, page))
			buddy_free(area->buddy, page, 0);
		else
			objs[got++] = page;
	}
	return got;
}

void free_area_fini(struct free_area *area)
{
	if (area->obj)
		munmap(area->obj, area->capacity * sizeof(*area->obj));
}
