/* SPDX-License-Identifier: BSD-3-Clause */
/* rings_rx.c - addresses, refills and reception against a kernel that misbehaves */
#include "fake_rings.h"

/* ---- addresses --------------------------------------------------------------------------------*/

static void addresses(void **state)
{
	static const uint32_t flags[] = { 0, PP_XSK_UNALIGNED };
	struct pp_page *table = pp_zone_page_table(zone);
	char *base = pp_zone_base(zone);
	struct pp_xsk_umem umem;
	uint64_t at = 3 * PAGE, addr;
	unsigned int f, i;
	uint32_t off = 0;

	for (f = 0; f < 2; f++) {
		assert_int_equal(pp_xsk_umem_init(&umem, zone, base - at, flags[f]), 0);
		for (i = 0; i < PAGES; i++) {
			addr = pp_xsk_addr(&umem, table + i, 300);
			assert_true(addr ==
				    (f ? (at + i * PAGE) | 300ull << 48 : at + i * PAGE + 300));
			assert_ptr_equal(pp_xsk_page(&umem, addr, &off), table + i);
			assert_int_equal(off, 300);
			/* the kernel adds its headroom to either part */
			assert_ptr_equal(pp_xsk_page(&umem, at + i * PAGE + PAGE - 1, &off),
					 table + i);
			assert_int_equal(off, PAGE - 1);
		}
		off = 77;
		assert_null(pp_xsk_page(&umem, at - 1, &off));
		assert_null(pp_xsk_page(&umem, 0, &off));
		assert_null(pp_xsk_page(&umem, at + PAGES * PAGE, &off));
		assert_null(pp_xsk_page(&umem, UINT64_MAX, &off));
		assert_null(pp_xsk_page(&umem, (uint64_t)INT64_MAX + 1, &off));
		assert_int_equal(off, 77);
	}
	/* unaligned: the last byte and one more; aligned: the upper bits are no offset */
	addr = at + (PAGES - 1) * PAGE;
	assert_ptr_equal(pp_xsk_page(&umem, addr | (PAGE - 1ull) << 48, NULL), table + PAGES - 1);
	assert_null(pp_xsk_page(&umem, addr | (uint64_t)PAGE << 48, NULL));
	assert_null(pp_xsk_page(&umem, at | (uint64_t)PAGE << 48, NULL));
	assert_null(pp_xsk_page(&umem, (at + 1) | (PAGE - 1ull) << 48, NULL));
	assert_int_equal(pp_xsk_umem_init(&umem, zone, NULL, 0), 0);
	assert_int_equal(umem.offset, 0);
	assert_null(pp_xsk_page(&umem, PAGE | 1ull << 48, NULL));
}

static void assert_refused(int err, const struct pp_xsk_params *p, const char *why)
{
	assert_null(pp_xsk_create(p));
	assert_int_equal(errno, err);
	if (!strstr(pp_error(), why))
		fail_msg("\"%s\" does not say \"%s\"", pp_error(), why);
}

static void refused(void **state)
{
	struct {
		struct pp_xsk_params p;
		uint64_t more;
	} newer = { params(), 1 };
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 8, .page_size = PAGE };
	struct pp_zone *other = pp_zone_create(&zp);
	struct pp_xsk_params p;
	struct pp_xsk_umem umem;

	newer.p.sz = sizeof(newer);
	assert_refused(E2BIG, &newer.p, "parameters of");
	p = params(), p.pool = NULL;
	assert_refused(EINVAL, &p, "neither pool nor zone");
	p = params(), p.pool = NULL, p.zone = zone;
	assert_refused(EINVAL, &p, "no pool to fill");
	p = params(), p.zone = other;
	assert_refused(EINVAL, &p, "from elsewhere");
	p = params(), p.fill.size = 0;
	assert_refused(EINVAL, &p, "no fill ring");
	p = params(), p.comp.size = 0;
	assert_refused(EINVAL, &p, "no completion ring");
	p = params(), p.rx.size = p.tx.size = 0;
	assert_refused(EINVAL, &p, "neither RX nor TX");
	p = params(), p.tx.size = 48;
	assert_refused(EINVAL, &p, "TX ring of 48");
	p = params(), p.rx.ring = NULL;
	assert_refused(EINVAL, &p, "RX ring");
	p = params(), p.flags = 1u << 30;
	assert_refused(EINVAL, &p, "unknown flags");
	p = params(), p.frames = RING + 1;
	assert_refused(EINVAL, &p, "65 frames in a fill ring of 64");
	p = params(), p.batch = PP_BULK_MAX + 1;
	assert_refused(EINVAL, &p, "batch 513");
	p = params(), p.umem = (char *)pp_zone_base(zone) + PAGE;
	assert_refused(EINVAL, &p, "begins behind");
	p = params(), p.umem = (char *)pp_zone_base(zone) - 100;
	assert_refused(EINVAL, &p, "no multiple");
	p = params(), p.chunk_size = PAGE - 1;
	assert_refused(EINVAL, &p, "chunks of 2047 in pages of 2048");
	p.chunk_size = PAGE + 1, p.flags = ALL_FLAGS;
	assert_refused(EINVAL, &p, "chunks of 2049");
	p = params(), p.umem = (char *)pp_zone_base(zone) - 100;
	p.flags = ALL_FLAGS;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	assert_int_equal(pp_xsk_reclaim(xsk), 0);
	assert_int_equal(pp_xsk_reclaim(xsk), 0);
	fill.producer++;
	p = params();
	assert_refused(EINVAL, &p, "1 entries are in the fill ring");
	assert_int_equal(pp_xsk_umem_init(&umem, zone, NULL, ALL_FLAGS), -EINVAL);
	assert_int_equal(pp_zone_destroy(other), 0);
}

/* ---- reception --------------------------------------------------------------------------------*/

static void refill(void **state)
{
	unsigned char seen[PAGES] = { 0 };
	unsigned int i;
	uint64_t addr;

	assert_int_equal(pp_xsk_debt(xsk), RING / 2);
	assert_int_equal(pp_xsk_refill(xsk), RING / 2);
	assert_int_equal(pp_xsk_refill(xsk), 0);
	assert_int_equal(pp_xsk_debt(xsk), 0);
	assert_int_equal(fill.producer - fill.consumer, RING / 2);
	for (i = 0; i < RING / 2; i++) {
		addr = fill_take();
		assert_int_equal(addr % PAGE, 0);
		assert_true(addr / PAGE < PAGES);
		assert_int_equal(seen[addr / PAGE]++, 0);
	}
	assert_int_equal(stats().refilled, RING / 2);
	assert_int_equal(stats().rx_nombuf, 0);
	/* the kernel has them still */
	assert_int_equal(stats().posted, RING / 2);
}

/* What a short pool gives is posted, no slot is left stale, and the rest stays owed. */
static void refill_short(void **state)
{
	struct pp_page *held[12];

	assert_int_equal(page_pool_alloc_bulk(pool, held, 12), 12);
	assert_int_equal(pp_xsk_refill(xsk), 8);
	assert_int_equal(fill.producer - fill.consumer, 8);
	assert_int_equal(pp_xsk_debt(xsk), RING / 2 - 8);
	assert_int_equal(stats().rx_nombuf, 8);
	assert_int_equal(stats().debt, RING / 2 - 8);
	page_pool_put_bulk(held, 6);
	usleep(1000);
	assert_int_equal(pp_xsk_refill(xsk), 6);
	assert_int_equal(fill.producer - fill.consumer, 14);
	/* the pool is not asked again at once */
	page_pool_put_bulk(held + 6, 6);
	assert_int_equal(pp_xsk_refill(xsk), 0);
	usleep(1000);
	assert_int_equal(pp_xsk_refill(xsk), 6);
	assert_int_equal(stats().posted, 20);
}

/* Runs of pages are no chunks: none is posted. */
static void refill_runs(void **state)
{
	struct page_pool_params pp = { .sz = sizeof(pp), .zone = zone, .order = 1 };
	struct pp_xsk_params p = params();

	p.pool = page_pool_create(&pp);
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	assert_int_equal(pp_xsk_refill(xsk), 0);
	assert_int_equal(fill.producer, fill.consumer);
	assert_true(stats().rx_nombuf > 0);
	assert_int_equal(pp_xsk_reclaim(xsk), 0);
	page_pool_destroy(p.pool);
}

/* A fill ring with slots that the kernel has not given back takes what fits. */
static void refill_full(void **state)
{
	struct pp_page *pages[RING];
	unsigned int i;

	pp_xsk_refill(xsk);
	for (i = 0; i < RING / 2; i++)
		rx_give(((uint64_t *)fill.slots)[(fill.consumer + i) % RING], 60, 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, RING), RING / 2);
	page_pool_put_bulk(pages, RING / 2);
	assert_int_equal(pp_xsk_refill(xsk), RING / 2);
	assert_int_equal(fill.producer - fill.consumer, RING);
	for (i = 0; i < RING / 2; i++)
		rx_give(((uint64_t *)fill.slots)[(fill.consumer + RING / 2 + i) % RING], 60, 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, RING), RING / 2);
	page_pool_put_bulk(pages, RING / 2);
	assert_int_equal(pp_xsk_refill(xsk), 0);
	fill.consumer += 3;
	assert_int_equal(pp_xsk_refill(xsk), 3);
	assert_int_equal(stats().rx_nombuf, 0);
}

static void receive(void **state)
{
	struct pp_page *pages[8];
	uint64_t addr[4];
	unsigned int i;

	pp_xsk_refill(xsk);
	for (i = 0; i < 4; i++) {
		addr[i] = fill_take();
		rx_give(addr[i] + 256 + i, 60 + i, 0);
	}
	assert_int_equal(pp_xsk_rx(xsk, pages, 3), 3);
	assert_int_equal(pp_xsk_rx(xsk, pages + 3, 3), 1);
	assert_int_equal(rx.consumer, rx.producer);
	for (i = 0; i < 4; i++) {
		assert_ptr_equal(pages[i], pp_zone_page_table(zone) + addr[i] / PAGE);
		assert_int_equal(pages[i]->data_off, 256 + i);
		assert_int_equal(pages[i]->len, 60 + i);
		assert_int_equal(pages[i]->port, 7);
		assert_int_equal(pages[i]->owner, 0);
	}
	page_pool_put_bulk(pages, 4);
	assert_int_equal(stats().rx_packets, 4);
	assert_int_equal(stats().rx_bytes, 246);
	assert_int_equal(stats().posted, RING / 2 - 4);
	assert_int_equal(pp_xsk_rx(xsk, pages, 8), 0);
}

/* outside, repeated, never posted, of a page that the program has, longer than the page */
static void receive_wrong(void **state)
{
	struct pp_page *pages[8], *mine;
	uint64_t addr;

	packets(&mine, 1);
	pp_xsk_refill(xsk);
	addr = fill_take();
	rx_give(addr + 256, 60, 0);
	rx_give(addr + 256, 60, 0);
	rx_give((uint64_t)PAGES * PAGE, 60, 0);
	rx_give(UINT64_MAX, 60, 0);
	rx_give(pp_xsk_addr(pp_xsk_get_umem(xsk), mine, 256), 60, 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, 8), 1);
	page_pool_put_bulk(pages, 1);
	assert_int_equal(stats().rx_bad, 4);
	assert_int_equal(stats().posted, RING / 2 - 1);
	rx_give(fill_take() + 256, PAGE - 255, 0);
	rx_give(fill_take() + 256, PAGE - 256, 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, 8), 1);
	assert_int_equal(pp_page_tailroom(pages[0]), 0);
	page_pool_put_bulk(pages, 1);
	page_pool_put_bulk(&mine, 1);
	assert_int_equal(stats().rx_dropped, 1);
	assert_int_equal(stats().rx_bad, 4);
}

/* a packet in three buffers, cut by the burst, between two whole ones */
static void receive_multi(void **state)
{
	struct pp_page *pages[8];
	unsigned int i;

	pp_xsk_refill(xsk);
	for (i = 0; i < 5; i++)
		rx_give(fill_take(), 100 + i, i == 1 || i == 2);
	assert_int_equal(pp_xsk_rx(xsk, pages, 2), 2);
	assert_int_equal(pages[0]->len, 100);
	assert_int_equal(pages[1]->len, 104);
	page_pool_put_bulk(pages, 2);
	assert_int_equal(stats().rx_dropped, 1);
	assert_int_equal(stats().posted, RING / 2 - 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(refused, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(refill, setup, teardown),
		cmocka_unit_test_setup_teardown(refill_short, setup_short, teardown),
		cmocka_unit_test_setup_teardown(refill_runs, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(refill_full, setup, teardown),
		cmocka_unit_test_setup_teardown(receive, setup, teardown),
		cmocka_unit_test_setup_teardown(receive_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(receive_multi, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
