/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page.h - struct pp_page, one cache line of metadata for each packet buffer
 *
 * A page is one buffer of a zone. The buffer itself is never written by the
 * library; everything it must remember is here, so that a page costs its user
 * one metadata line and the lines of the packet.
 */
#ifndef PAGEPOOL_PAGE_H
#define PAGEPOOL_PAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pp_zone;
struct page_pool;

/**
 * PP_BULK_MAX - pages that the library moves at once: the most that a batch, a refill or a reserve
 * may be. Bulk calls take any count, and work in parts where they must.
 */
#define PP_BULK_MAX 512u

/** PP_DATA_OFF_MAX - the last byte of a page at which a packet can begin: data_off has 16 bits */
#define PP_DATA_OFF_MAX 65535u

/** PP_TSTAMP_NONE - pp_page.tstamp of a packet without a known time; 0 is a time, of 1970 */
#define PP_TSTAMP_NONE UINT64_MAX

/**
 * struct pp_page - a packet buffer's metadata, exactly 64 bytes
 * @next:     free for the page's user: chains pages of a list (see struct pp_list). Bit 0 is the
 *            library's: it must be 0 when the page is given back
 * @len:      bytes of packet, counted from @data_off
 * @data_off: first byte of packet, counted from @addr; at most PP_DATA_OFF_MAX
 * @port:     free for the page's user; drivers store the port that received it
 * @addr:     first byte of the buffer; constant for the life of the zone
 * @tstamp:   receive time, ns since the epoch, PP_TSTAMP_NONE if the driver has none; stale until
 *            rx, or the program that fills the page by itself, sets it
 * @pool:     the page_pool that the page belongs to; NULL if it was taken from the zone directly
 * @zone:     the zone that the memory belongs to; constant
 * @refs:     references to the buffer; 1 while the library has it (the kernel's _refcount)
 * @pp_refs:  references handed out by the pool; 1 in cache and ring (the kernel's pp_ref_count)
 * @owner:    for the driver that holds the page: which of its rings it is in; 0 otherwise
 * @shift:    log2 of the buffer's size in bytes
 * @flags:    private
 * @node:     NUMA node of the memory
 *
 * The first 16 bytes are what an allocation resets, with one store.
 * Invariant: while a page is in a zone, a core's cache, or a pool's cache or ring,
 * refs == 1, pp_refs == 1 and owner == 0.
 */
struct pp_page {
	struct pp_page *next;
	uint32_t len;
	uint16_t data_off;
	uint16_t port;
	unsigned char *addr;
	uint64_t tstamp;
	struct page_pool *pool;
	struct pp_zone *zone;
	uint32_t refs;
	int32_t pp_refs;
	uint32_t owner;
	uint8_t shift;
	uint8_t flags;
	uint16_t node;
} __attribute__((aligned(64)));

/**
 * struct pp_list - pages chained through pp_page.next
 * @head: first page or NULL
 * @tail: last page; undefined while @head is NULL
 * @n:    number of pages
 *
 * Declare one with ``struct pp_list l = PP_LIST_INIT;``. Not thread safe.
 */
struct pp_list {
	struct pp_page *head;
	struct pp_page *tail;
	size_t n;
};

/** PP_LIST_INIT - initialiser of an empty list; C assigns (struct pp_list)PP_LIST_INIT */
#define PP_LIST_INIT          \
	{                     \
		NULL, NULL, 0 \
	}

/**
 * pp_list_add_tail() - append a page to a list
 * @list: list
 * @page: page that is in no list
 *
 * Context: one thread at a time.
 * Cost:    a few stores, to the page and to the one before.
 * Source:  list_add_tail(). Differs: linked one way.
 */
static inline void pp_list_add_tail(struct pp_list *list, struct pp_page *page)
{
	page->next = NULL;
	if (list->head)
		list->tail->next = page;
	else
		list->head = page;
	list->tail = page;
	list->n++;
}

/**
 * pp_list_pop() - take the first page off a list
 * @list: list
 *
 * Context: one thread at a time.
 * Cost:    a load and a store of the page.
 * Return:  the page, with next = NULL; NULL if the list is empty.
 * Source:  list_first_entry() and list_del().
 */
static inline struct pp_page *pp_list_pop(struct pp_list *list)
{
	struct pp_page *page = list->head;

	if (page) {
		list->head = page->next;
		list->n--;
		page->next = NULL;
	}
	return page;
}

/**
 * pp_page_init() - begin a page of memory that is no zone's, for a page pool's provider
 * @page: page without users
 * @addr: first byte of its buffer
 * @log2: log2 of the buffer's size in bytes, 0 .. 31
 *
 * Context: one thread, before the page is given to a pool.
 * Cost:    writes the page's metadata, 64 bytes.
 * Source:  page_pool_set_pp_info() and net_mp_niov_set_dma_addr(), in spirit.
 */
static inline void pp_page_init(struct pp_page *page, void *addr, unsigned int log2)
{
	__builtin_memset(page, 0, sizeof(*page));
	page->addr = (unsigned char *)addr;
	page->refs = 1;
	page->pp_refs = 1;
	page->shift = (uint8_t)log2;
}

/**
 * pp_page_size() - size of a page's buffer in bytes
 * @page: page
 *
 * Context: any thread that has the page.
 * Cost:    a load.
 * Return:  bytes; of a run's first page those of the run.
 * Source:  page_size().
 */
static inline uint32_t pp_page_size(const struct pp_page *page)
{
	return (uint32_t)1 << page->shift;
}

/**
 * pp_page_data() - first byte of the packet in a page
 * @page: page
 *
 * Context: any thread that has the page.
 * Cost:    two loads.
 * Return:  its address.
 * Source:  skb->data.
 */
static inline void *pp_page_data(const struct pp_page *page)
{
	return page->addr + page->data_off;
}

/**
 * pp_page_headroom() - bytes before the packet, for pp_page_push()
 * @page: page
 *
 * Context: any thread that has the page.
 * Cost:    a load.
 * Return:  bytes.
 * Source:  skb_headroom().
 */
static inline uint32_t pp_page_headroom(const struct pp_page *page)
{
	return page->data_off;
}

/**
 * pp_page_tailroom() - bytes behind the packet, for pp_page_put_tail()
 * @page: page
 *
 * Context: any thread that has the page.
 * Cost:    three loads.
 * Return:  bytes; 0 if the packet, as its fields have it, ends behind the buffer.
 * Source:  skb_tailroom().
 */
static inline uint32_t pp_page_tailroom(const struct pp_page *page)
{
	uint64_t end = (uint64_t)page->data_off + page->len, size = pp_page_size(page);

	return end < size ? (uint32_t)(size - end) : 0;
}

/**
 * pp_page_push() - put a header in front of the packet
 * @page: page that the caller owns
 * @n:    bytes to add
 *
 * Context: the page's owner.
 * Cost:    two stores.
 * Return:  the new first byte, or NULL, with @page unchanged, if the headroom is less than @n.
 * Source:  skb_push(). Differs: a full headroom is an answer, not a panic.
 */
static inline void *pp_page_push(struct pp_page *page, uint32_t n)
{
	if (n > page->data_off)
		return NULL;
	page->data_off = (uint16_t)(page->data_off - n);
	page->len += n;
	return pp_page_data(page);
}

/**
 * pp_page_pull() - take a header off the front of the packet
 * @page: page that the caller owns
 * @n:    bytes to remove
 *
 * Context: the page's owner.
 * Cost:    two stores.
 * Return:  the new first byte, or NULL, with @page unchanged, if the packet is shorter than @n, or
 *          would begin behind PP_DATA_OFF_MAX, which only runs of pages are long enough for.
 * Source:  skb_pull().
 */
static inline void *pp_page_pull(struct pp_page *page, uint32_t n)
{
	if (n > page->len || n > PP_DATA_OFF_MAX - page->data_off)
		return NULL;
	page->data_off = (uint16_t)(page->data_off + n);
	page->len -= n;
	return pp_page_data(page);
}

/**
 * pp_page_put_tail() - grow the packet at its end
 * @page: page that the caller owns
 * @n:    bytes to add
 *
 * Context: the page's owner.
 * Cost:    one store.
 * Return:  the first of the new bytes, not initialised, or NULL, with @page unchanged, if the
 *          tailroom is less than @n.
 * Source:  skb_put().
 */
static inline void *pp_page_put_tail(struct pp_page *page, uint32_t n)
{
	unsigned char *tail = page->addr + page->data_off + page->len;

	if (n > pp_page_tailroom(page))
		return NULL;
	page->len += n;
	return tail;
}

/**
 * pp_page_get() - take one more reference to a page, so that it outlives its return to the pool
 * @page: page on which the caller holds a reference
 *
 * A pool that gets such a page back does not recycle it (stats.recycle_released_ref); the last
 * pp_page_put() gives it to the zone.
 *
 * Context: any thread that holds a reference.
 * Cost:    one atomic increment.
 * Source:  get_page().
 */
static inline void pp_page_get(struct pp_page *page)
{
	__atomic_fetch_add(&page->refs, 1, __ATOMIC_RELAXED);
}

/**
 * pp_page_put() - drop one reference taken by pp_page_get() or by a zone allocation
 * @page: page; not to be touched by the caller afterwards
 *
 * The last reference gives the page to its zone, past any pool: a page that belongs to a pool
 * goes back with page_pool_put_page() instead, once for each reference of the pool.
 *
 * A page that is at home already is counted (pp_zone_stats.double_puts), aborts in debug builds,
 * and is left alone. A release build does not see the second put if the first was
 * pp_zone_free_bulk(), if the zone is PP_ZONE_NO_PREP, if both run at the same time, or if the
 * page was handed out again between them. A debug build sees all of these but the last.
 *
 * Context: any thread; from signal handlers only in a PP_ZONE_SIGNAL_SAFE zone. May take the zone's
 *          lock (see pp_zone_free_bulk()).
 * Cost:    one atomic decrement, none for the only reference; then one page freed.
 * Source:  put_page().
 */
void pp_page_put(struct pp_page *page);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_PAGE_H */
