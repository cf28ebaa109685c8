/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h - the region under a zone */
#ifndef PP_MEMORY_H
#define PP_MEMORY_H

#include <pagepool/zone.h>

struct region {
	unsigned char *base;
	size_t len;
	enum pp_mem mem;
	int fd;
	int node;
};

/*
 * Map, bind and populate @params->pages * @params->page_size bytes; @params is
 * checked already but for memory, region and node. 0 or -errno with pp_error().
 */
int region_map(struct region *region, const struct pp_zone_params *params);
void region_unmap(struct region *region);

#endif /* PP_MEMORY_H */
