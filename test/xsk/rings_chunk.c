/* SPDX-License-Identifier: BSD-3-Clause */
/* rings_chunk.c - chunks smaller than pages: refills and reception */
#include "xsk/priv.h"

#include "fake_rings.h"

#define POSTED (RING / 2)

static struct pp_page *page_of(uint64_t addr)
{
	return pp_xsk_page(pp_xsk_get_umem(xsk), addr, NULL);
}

/* ---- parameters -------------------------------------------------------------------------------*/

static int init(uint32_t page_size, uint32_t chunk, uint32_t flags)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 8, .page_size = page_size };
	struct page_pool_params pp = { .sz = sizeof(pp), .zone = pp_zone_create(&zp) };
	struct pp_xsk_params p = params();
	struct pp_xsk_chunk c[4];
	struct pp_page *pages[4];
	int err;

	p.pool = page_pool_create(&pp);
	p.chunk_size = chunk;
	p.flags = flags;
	xsk = pp_xsk_create(&p);
	err = xsk ? 0 : -errno;
	if (!err && chunk < page_size && !flags) {
		assert_int_equal(pp_xsk_rx(xsk, pages, 4), 0);
		assert_int_equal(pp_xsk_tx(xsk, pages, 4), 0);
	} else if (!err) {
		assert_int_equal(pp_xsk_rx_chunks(xsk, c, 4), 0);
		assert_int_equal(pp_xsk_tx_chunks(xsk, c, 4), 0);
	}
	if (!err)
		assert_int_equal(pp_xsk_reclaim(xsk), 0);
	else if (!strstr(pp_error(), "aligned chunks are pages"))
		fail_msg("\"%s\" does not say what may be", pp_error());
	pp_xsk_destroy(xsk);
	xsk = NULL;
	page_pool_destroy(p.pool);
	/* pinned once, and not any more */
	assert_int_equal(pp_zone_destroy(pp.zone), 0);
	return err;
}

static void sizes(void **state)
{
	assert_int_equal(init(4096, 2048, 0), 0);
	assert_int_equal(init(4096, 4096, 0), 0);
	assert_int_equal(init(4096, 1024, 0), -EINVAL);
	assert_int_equal(init(4096, 3072, 0), -EINVAL);
	assert_int_equal(init(4096, 8192, 0), -EINVAL);
	assert_int_equal(init(65536, 4096, 0), 0);
	assert_int_equal(init(65536, 2048, 0), -EINVAL);
	/* unaligned ones are whole pages, whatever their size */
	assert_int_equal(init(4096, 3072, PP_XSK_UNALIGNED), 0);
}

/* ---- reception --------------------------------------------------------------------------------*/

static void assert_posted(unsigned int n)
{
	unsigned char seen[PAGES] = { 0 };
	unsigned int i;
	uint64_t addr;

	for (i = 0; i < n; i++) {
		addr = fill_take();
		assert_int_equal(addr % PAGE, 0);
		assert_true(addr / PAGE < PAGES);
		assert_int_equal(seen[addr / PAGE]++, 0);
		assert_int_not_equal(page_of(addr)->owner, 0);
	}
	assert_int_equal(fill.producer, fill.consumer);
}

static void refill(void **state)
{
	struct page_pool_stats ps = { .sz = sizeof(ps) };

	assert_int_equal(pp_xsk_refill(xsk), POSTED);
	assert_int_equal(pp_xsk_refill(xsk), 0);
	assert_int_equal(pp_xsk_debt(xsk), 0);
	assert_int_equal(stats().posted, POSTED);
	assert_int_equal(stats().rx_nombuf, 0);
	assert_posted(POSTED);
	/* two a page */
	assert_int_equal(page_pool_get_stats(pool, &ps), 0);
	assert_int_equal(ps.outstanding, POSTED * PAGE >> pp_xsk_get_umem(xsk)->shift);
}

/* With other fragments taken from the pool meanwhile, chunks begin at chunks all the same. */
static void refill_between(void **state)
{
	struct pp_page *other[POSTED / 8];
	struct pp_xsk_chunk chunks[8];
	unsigned int i, j, off;

	for (i = 0; i < POSTED / 8; i++) {
		other[i] = page_pool_alloc_frag(pool, &off, 100 + i);
		xsk->frames = 8 * (i + 1);
		assert_int_equal(pp_xsk_refill(xsk), 8);
	}
	assert_posted(POSTED);
	for (i = 0; i < POSTED; i += 8) {
		for (j = 0; j < 8; j++)
			rx_give(((uint64_t *)fill.slots)[(fill.consumer - POSTED + i + j) % RING],
				60, 0);
		assert_int_equal(pp_xsk_rx_chunks(xsk, chunks, 8), 8);
		pp_xsk_put_chunks(chunks, 8);
	}
	for (i = 0; i < POSTED / 8; i++)
		page_pool_put_page(pool, other[i], true);
}

static void refill_short(void **state)
{
	struct pp_xsk_chunk held[12];
	unsigned int i;

	for (i = 0; i < 12; i++)
		held[i] = part();
	assert_int_equal(pp_xsk_refill(xsk), 8);
	assert_int_equal(pp_xsk_debt(xsk), POSTED - 8);
	assert_int_equal(stats().rx_nombuf, 8);
	pp_xsk_put_chunks(held, 12);
	usleep(1000);
	assert_int_equal(pp_xsk_refill(xsk), 12);
	assert_posted(20);
}

/* Runs of pages are no pages of the UMEM: none is posted. */
static void refill_runs(void **state)
{
	struct page_pool_params pp = { .sz = sizeof(pp), .zone = zone, .order = 1 };
	struct pp_xsk_params p = params();

	pp_xsk_destroy(xsk);
	p.pool = page_pool_create(&pp);
	p.chunk_size = PAGE;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	assert_int_equal(pp_xsk_refill(xsk), 0);
	assert_int_equal(fill.producer, fill.consumer);
	assert_true(stats().rx_nombuf > 0);
	assert_int_equal(pp_xsk_reclaim(xsk), 0);
	page_pool_destroy(p.pool);
}

static void receive(void **state)
{
	struct pp_xsk_chunk chunks[8];
	struct pp_page *pages[8];
	uint64_t addr[4];
	unsigned int i;

	pp_xsk_refill(xsk);
	for (i = 0; i < 4; i++) {
		addr[i] = fill_take();
		page_of(addr[i])->len = 4711;
		rx_give(addr[i] + 256 + i, 60 + i, 0);
	}
	assert_int_equal(pp_xsk_rx(xsk, pages, 8), 0); /* these are none */
	assert_int_equal(pp_xsk_rx_chunks(xsk, chunks, 3), 3);
	assert_int_equal(pp_xsk_rx_chunks(xsk, chunks + 3, 3), 1);
	assert_int_equal(rx.consumer, rx.producer);
	for (i = 0; i < 4; i++) {
		assert_ptr_equal(chunks[i].page, page_of(addr[i]));
		assert_int_equal(chunks[i].len, 60 + i);
		assert_ptr_equal(pp_xsk_chunk_data(&chunks[i]),
				 (char *)pp_zone_base(zone) + addr[i] + 256 + i);
		assert_int_equal(chunks[i].page->len, 4711);
	}
	/* both halves of two pages, which no ring has any more */
	assert_ptr_equal(chunks[0].page, chunks[1].page);
	assert_ptr_not_equal(chunks[1].page, chunks[2].page);
	assert_int_equal(chunks[0].page->owner, 0);
	assert_int_equal(chunks[2].page->owner, 0);
	pp_xsk_put_chunks(chunks + 1, 3);
	page_pool_put_page(pool, chunks[0].page, true);
	assert_int_equal(stats().rx_packets, 4);
	assert_int_equal(stats().rx_bytes, 246);
	assert_int_equal(stats().posted, POSTED - 4);
}

/* outside, repeated, never posted: the other half of a page, and longer than a chunk */
static void receive_wrong(void **state)
{
	struct pp_xsk_chunk chunks[8], mine = part();
	uint64_t addr;

	pp_xsk_refill(xsk);
	/* the first one has the other half of our page */
	addr = fill_take();
	assert_ptr_equal(page_of(addr), mine.page);
	rx_give(addr + 256, 60, 0);
	rx_give(addr + 256, 60, 0);
	rx_give(addr, 60, 0);
	rx_give(addr_of(&mine), 60, 0);
	rx_give((uint64_t)PAGES * PAGE, 60, 0);
	rx_give(UINT64_MAX, 60, 0);
	assert_int_equal(pp_xsk_rx_chunks(xsk, chunks, 8), 1);
	assert_int_equal(stats().rx_bad, 5);
	assert_int_equal(stats().posted, POSTED - 1);
	/* both halves still have one reference each */
	pp_xsk_put_chunks(chunks, 1);
	pp_xsk_put_chunks(&mine, 1);
	addr = fill_take();
	assert_int_equal(addr % (2 * PAGE), 0);
	rx_give(addr + 256, PAGE - 255, 0);
	rx_give(fill_take() + 256, PAGE - 256, 0);
	assert_int_equal(pp_xsk_rx_chunks(xsk, chunks, 8), 1);
	assert_int_equal(chunks[0].len, PAGE - 256);
	pp_xsk_put_chunks(chunks, 1);
	assert_int_equal(stats().rx_dropped, 1);
	assert_int_equal(stats().rx_bad, 5);
	assert_int_equal(stats().posted, POSTED - 3);
}

static void receive_multi(void **state)
{
	struct pp_xsk_chunk chunks[8];
	unsigned int i;

	pp_xsk_refill(xsk);
	for (i = 0; i < 5; i++)
		rx_give(fill_take(), 100 + i, i == 1 || i == 2);
	assert_int_equal(pp_xsk_rx_chunks(xsk, chunks, 2), 1);
	assert_int_equal(chunks[0].len, 100);
	assert_int_equal(pp_xsk_rx_chunks(xsk, chunks + 1, 8), 1);
	assert_int_equal(chunks[1].len, 104);
	pp_xsk_put_chunks(chunks, 2);
	assert_int_equal(stats().rx_dropped, 1);
	assert_int_equal(stats().posted, POSTED - 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sizes, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(refill, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(refill, setup_chunks_quarter, teardown),
		cmocka_unit_test_setup_teardown(refill_between, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(refill_between, setup_chunks_quarter, teardown),
		cmocka_unit_test_setup_teardown(refill_short, setup_chunks_short, teardown),
		cmocka_unit_test_setup_teardown(refill_runs, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(receive, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(receive_wrong, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(receive_multi, setup_chunks, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
