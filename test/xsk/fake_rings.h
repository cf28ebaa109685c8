/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_rings.h - rings in plain memory, and the test is the kernel at their other end
 *
 * Each test has a zone, a pool and a pp_xsk, and ends with the ledger: did every page come
 * home, once?
 */
#ifndef PP_TEST_XSK_FAKE_RINGS_H
#define PP_TEST_XSK_FAKE_RINGS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_xdp.h>

#include <cmocka.h>

#include <pagepool/memory.h>
#include <pagepool/xsk.h>
#include <pagepool/zone.h>

#define RING	  64u
#define PAGE	  2048u
#define PAGES	  256u
#define ALL_FLAGS (PP_XSK_UNALIGNED | PP_XSK_NEED_WAKEUP)

/* a ring, and where the kernel's end of it is */
struct wire {
	uint32_t producer, consumer, flags;
	struct xdp_desc slots[RING];
};

extern struct wire rx, fill, tx, comp;
extern struct pp_zone *zone;
extern struct page_pool *pool;
extern struct pp_xsk *xsk;

extern unsigned int kicks;
extern unsigned int polls; /* calls of poll(), which says that the socket is at its end */
extern int kick_errno[8]; /* what the next calls of sendto() answer; 0: all is sent */

/* the kernel takes a frame to receive into, has received, has sent */
uint64_t fill_take(void);
void rx_give(uint64_t addr, uint32_t len, uint32_t options);
void comp_give(uint64_t addr);

struct pp_xsk_ring wire(struct wire *w);
struct pp_xsk_params params(void);
struct pp_xsk_stats stats(void);
/* @n pages that could be sent */
void packets(struct pp_page **pages, unsigned int n);

/* a chunk of the pool with a packet that could be sent, where pages have several; its address */
struct pp_xsk_chunk part(void);
uint64_t addr_of(const struct pp_xsk_chunk *c);

/* with 256 pages; the same without pp_xsk_create(); with 20 pages */
int setup(void **state);
int setup_bare(void **state);
int setup_short(void **state);
/* as setup(), in chunks of PAGE: halves, halves in a larger UMEM, quarters of pages; 20 halves */
int setup_chunks(void **state);
int setup_chunks_inside(void **state);
int setup_chunks_quarter(void **state);
int setup_chunks_short(void **state);
int teardown(void **state);
int teardown_bare(void **state);

#endif /* PP_TEST_XSK_FAKE_RINGS_H */
