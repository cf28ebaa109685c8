/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h - the region under a zone */
#ifndef PP_MEMORY_H
#define PP_MEMORY_H

#include <stdbool.h>

#include <pagepool/zone.h>

struct region {
	unsigned char *base;
	size_t len;
	enum pp_mem mem;
	int fd;
	int node;
};

/*
 * Map, bind and populate @params->pages * @params->page_size bytes; with PP_ZONE_LAZY
 * only reserve the addresses. @params is checked already but for memory, region and
 * node. 0 or -errno with pp_error().
 */
int region_map(struct region *region, const struct pp_zone_params *params);
void region_unmap(struct region *region);

/*
 * Make @len bytes from @offset on usable: bind, populate, and lock if asked. 0 or -errno
 * with pp_error(), and nothing of it is kept.
 */
int region_accept(struct region *region, uint64_t offset, size_t len, bool lock);
/* Give them back to the system, and keep the addresses. 0 or -errno with pp_error(). */
int region_release(struct region *region, uint64_t offset, size_t len);

/*
 * The memory of a zone that processes share: a memfd of @size bytes, all of which is populated, at
 * an address that is likely to be free in other processes. 0 or -errno with pp_error().
 */
int region_map_shared(struct region *region, const struct pp_zone_params *params, size_t size);
void region_unmap_shared(struct region *region, size_t size);
/* Another process's mapping of it: locked if @flags, PP_ZONE_*, say so. 0 or -errno. */
int region_lock_shared(struct region *region, uint32_t flags);

#endif /* PP_MEMORY_H */
