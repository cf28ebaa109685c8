/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poison.h - memory of pages at home is out of bounds for AddressSanitizer and valgrind
 *
 * A page's memory is poisoned where its user gives it back, and usable again where it is handed
 * out; in between the library moves pointers only. Each zone has a table beside its
 * pages: the place and the thread of the first put, for the report. Meson option poison; without
 * it everything here is empty.
 *
 * The pages of a provider are left alone: their addresses need not be memory.
 */
#ifndef PP_POISON_H
#define PP_POISON_H

#include "base/internal.h"

struct pp_zone;

/* Where the page was given back; NULL: it is out, or was never handed out. */
struct put_place {
	const void *site;
	uint32_t thread;
	uint32_t block; /* valgrind's: memcheck reports the stack of its beginning */
};

/* The return address of the outermost call that gives pages back; NULL: none. */
extern __thread const void *put_site __attribute__((__visibility__("hidden")));

int poison_init_on(struct pp_zone *zone);
void poison_fini_on(struct pp_zone *zone);
void poison_range_on(struct pp_zone *zone, uint64_t offset, size_t len);
void unpoison_range_on(struct pp_zone *zone, uint64_t offset, size_t len);
void poison_pages_on(struct pp_page *const *pages, unsigned int n);
void unpoison_pages_on(struct pp_page *const *pages, unsigned int n);
void poison_fragments_on(const struct pp_page *page);
void unpoison_fragment_on(const struct pp_page *page, uint32_t offset, uint32_t len);
const char *put_place_text(const struct pp_page *page, char *buffer, size_t size);

#define IF_POISON(call) (PP_POISON ? (call) : (void)0)

/* The table; 0 or -ENOMEM with pp_error(). */
#define poison_init(zone) (PP_POISON ? poison_init_on(zone) : 0)
/* All memory of the zone is usable again, before the zone's ops are told that it goes. */
#define poison_fini(zone) IF_POISON(poison_fini_on(zone))
/* Memory that was accepted; memory that is about to be given back. */
#define poison_range(zone, offset, len)	  IF_POISON(poison_range_on(zone, offset, len))
#define unpoison_range(zone, offset, len) IF_POISON(unpoison_range_on(zone, offset, len))
/* @pages come home, before others can take them; @pages are about to be handed out. */
#define poison_pages(pages, n)	 IF_POISON(poison_pages_on(pages, n))
#define unpoison_pages(pages, n) IF_POISON(unpoison_pages_on(pages, n))
/* A page is out to be cut: its parts are usable as far as they are cut. */
#define poison_fragments(page)		     IF_POISON(poison_fragments_on(page))
#define unpoison_fragment(page, offset, len) IF_POISON(unpoison_fragment_on(page, offset, len))

/* ---- the place of a put ---------------------------------------------------------------------- */

static __always_inline const void *put_site_enter(const void *site)
{
	const void *before = NULL;

	if (PP_POISON) {
		before = put_site;
		put_site = before ? before : site;
	}
	return before;
}

static __always_inline void put_site_leave(const void *const *before)
{
	if (PP_POISON)
		put_site = *before;
}

/* In a public call that gives pages back, among the declarations. */
#define PUT_FROM_HERE                                                                          \
	const void *put_site_before __attribute__((__cleanup__(put_site_leave), __unused__)) = \
		put_site_enter(__builtin_return_address(0))

#endif /* PP_POISON_H */
