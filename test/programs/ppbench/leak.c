/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * leak.c - preloaded, it makes the pool lose a page
 *
 * After some frees, of zones and of pools, one page is kept back for good, or given twice
 * with PP_LEAK=double: a benchmark that does not notice proves nothing with its ledger.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/page_pool.h>
#include <pagepool/zone.h>

#define AFTER 1000u

void pp_zone_free_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n)
{
	static void (*next)(struct pp_zone * zone, struct pp_page *const *pages, unsigned int n);
	static unsigned int calls;
	const char *mode = getenv("PP_LEAK");
	void *symbol;

	if (!next) {
		symbol = dlsym(RTLD_NEXT, "pp_zone_free_bulk");
		memcpy(&next, &symbol, sizeof(next));
	}
	if (++calls == AFTER && n && mode && !strcmp(mode, "double"))
		next(zone, pages, 1);
	next(zone, pages, calls == AFTER && n && !mode ? n - 1 : n);
}

void page_pool_put_bulk(struct pp_page **pages, unsigned int n)
{
	static void (*next)(struct pp_page * *pages, unsigned int n);
	static unsigned int calls;
	const char *mode = getenv("PP_LEAK");
	struct pp_page *twice;
	void *symbol;

	if (!next) {
		symbol = dlsym(RTLD_NEXT, "page_pool_put_bulk");
		memcpy(&next, &symbol, sizeof(next));
	}
	if (++calls == AFTER && n && mode && !strcmp(mode, "double")) {
		twice = pages[0]; /* the call leaves garbage */
		next(&twice, 1);
	}
	next(pages, calls == AFTER && n && !mode ? n - 1 : n);
}
