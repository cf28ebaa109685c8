/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_rings.c - see fake_rings.h */
#include <poll.h>
#include <sys/socket.h>

#include "fake_rings.h"

struct wire rx, fill, tx, comp;
struct pp_zone *zone;
struct page_pool *pool;
struct pp_xsk *xsk;

/* ---- the kernel -------------------------------------------------------------------------------*/

unsigned int kicks;
unsigned int polls;
int kick_errno[8];

/* instead of libc's: sends up to 32 packets; their completions are the test's business */
ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	int answer = kick_errno[kicks < 8 ? kicks : 7];
	uint32_t waiting = tx.producer - tx.consumer;
	uint32_t most = answer == EBUSY ? 1 : 32;

	kicks++;
	if (answer && answer != EBUSY && answer != EAGAIN) {
		errno = answer;
		return -1;
	}
	__atomic_store_n(&tx.consumer, tx.consumer + (waiting < most ? waiting : most),
			 __ATOMIC_RELEASE);
	errno = answer ? answer : EAGAIN;
	return answer || waiting > most ? -1 : 0;
}

/* instead of libc's */
int poll(struct pollfd *fds, nfds_t n, int ms)
{
	polls++;
	fds->revents = POLLERR;
	return 1;
}

uint64_t fill_take(void)
{
	uint64_t *addrs = (uint64_t *)fill.slots;

	assert_int_not_equal(fill.producer, fill.consumer);
	return addrs[fill.consumer++ % RING];
}

void rx_give(uint64_t addr, uint32_t len, uint32_t options)
{
	rx.slots[rx.producer++ % RING] = (struct xdp_desc){ addr, len, options };
}

void comp_give(uint64_t addr)
{
	((uint64_t *)comp.slots)[comp.producer++ % RING] = addr;
}

/* ---- before and after -------------------------------------------------------------------------*/

struct pp_xsk_ring wire(struct wire *w)
{
	return (struct pp_xsk_ring){ &w->producer, &w->consumer, &w->flags, w->slots, RING };
}

struct pp_xsk_params params(void)
{
	return (struct pp_xsk_params){
		.sz = sizeof(struct pp_xsk_params),
		.pool = pool,
		.fd = -1,
		.port = 7,
		.batch = 8,
		.rx = wire(&rx),
		.fill = wire(&fill),
		.tx = wire(&tx),
		.comp = wire(&comp),
	};
}

static void wires_reset(void)
{
	memset(&rx, 0, sizeof(rx));
	memset(&fill, 0, sizeof(fill));
	memset(&tx, 0, sizeof(tx));
	memset(&comp, 0, sizeof(comp));
	/* indices that overflow within the test */
	rx.producer = rx.consumer = fill.producer = fill.consumer = UINT32_MAX - 20;
	tx.producer = tx.consumer = comp.producer = comp.consumer = UINT32_MAX - 30;
	memset(kick_errno, 0, sizeof(kick_errno));
	kicks = polls = 0;
}

static int open_pages(uint64_t pages, uint32_t page_size)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = pages, .page_size = page_size };
	struct page_pool_params pp = { .sz = sizeof(pp), .cache_size = 16, .refill = 8 };

	wires_reset();
	zone = pp_zone_create(&zp);
	pp.zone = zone;
	pool = page_pool_create(&pp);
	return zone && pool ? 0 : -1;
}

int setup(void **state)
{
	struct pp_xsk_params p;

	if (open_pages(PAGES, PAGE))
		return -1;
	p = params();
	xsk = pp_xsk_create(&p);
	return xsk ? 0 : -1;
}

int setup_bare(void **state)
{
	return open_pages(PAGES, PAGE);
}

int setup_short(void **state)
{
	struct pp_xsk_params p;

	if (open_pages(20, PAGE))
		return -1;
	p = params();
	xsk = pp_xsk_create(&p);
	return xsk ? 0 : -1;
}

static int open_chunks(uint64_t pages, uint32_t page_size, uint64_t before)
{
	struct pp_xsk_params p;

	if (open_pages(pages, page_size))
		return -1;
	p = params();
	p.chunk_size = PAGE;
	p.umem = (char *)pp_zone_base(zone) - before;
	xsk = pp_xsk_create(&p);
	return xsk ? 0 : -1;
}

int setup_chunks(void **state)
{
	return open_chunks(PAGES / 2, 2 * PAGE, 0);
}

int setup_chunks_inside(void **state)
{
	return open_chunks(PAGES / 2, 2 * PAGE, PAGES * PAGE);
}

int setup_chunks_quarter(void **state)
{
	return open_chunks(PAGES / 4, 4 * PAGE, 0);
}

int setup_chunks_short(void **state)
{
	return open_chunks(10, 2 * PAGE, 0);
}

static void assert_home(void)
{
	struct pp_audit audit = { .sz = sizeof(audit) };

	page_pool_destroy(pool);
	pool = NULL;
	assert_int_equal(pp_zone_audit(zone, &audit), 0);
	assert_int_equal(audit.double_free, 0);
	assert_int_equal(audit.leaked, 0);
	assert_int_equal(audit.home, audit.managed);
	assert_int_equal(pp_zone_destroy(zone), 0);
	zone = NULL;
}

int teardown(void **state)
{
	pp_xsk_destroy(xsk);
	xsk = NULL;
	assert_home();
	return 0;
}

int teardown_bare(void **state)
{
	pp_xsk_destroy(xsk);
	xsk = NULL;
	assert_home();
	return 0;
}

struct pp_xsk_stats stats(void)
{
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	assert_int_equal(pp_xsk_get_stats(xsk, &st), 0);
	return st;
}

void packets(struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	assert_int_equal(page_pool_alloc_bulk(pool, pages, n), n);
	for (i = 0; i < n; i++) {
		pages[i]->data_off = 64;
		pages[i]->len = 60;
	}
}

struct pp_xsk_chunk part(void)
{
	struct pp_xsk_chunk c;
	unsigned int off;

	c.page = page_pool_alloc_frag(pool, &off, PAGE);
	assert_non_null(c.page);
	c.off = off + 100;
	c.len = 60;
	return c;
}

uint64_t addr_of(const struct pp_xsk_chunk *c)
{
	return pp_xsk_addr(pp_xsk_get_umem(xsk), c->page, c->off);
}
