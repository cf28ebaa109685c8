/* SPDX-License-Identifier: BSD-3-Clause */
/* rings_tx.c - sending, completions and the end against a kernel that misbehaves */
#include "fake_rings.h"

/* ---- transmission -----------------------------------------------------------------------------*/

static void transmit(void **state)
{
	struct pp_page *pages[RING];
	uint64_t addr;
	unsigned int i;

	packets(pages, 40);
	assert_int_equal(pp_xsk_tx(xsk, pages, 40), 40);
	/* one call sends 32: the other eight had a second one */
	assert_int_equal(kicks, 2);
	assert_int_equal(tx.consumer, tx.producer);
	assert_int_equal(stats().tx_out, 40);
	assert_int_equal(pp_xsk_complete(xsk), 0);
	for (i = 0; i < 40; i++) {
		addr = tx.slots[(tx.consumer - 40 + i) % RING].addr;
		assert_int_equal(addr % PAGE, 64);
		comp_give(addr);
	}
	assert_int_equal(pp_xsk_complete(xsk), 40);
	assert_int_equal(stats().tx_packets, 40);
	assert_int_equal(stats().tx_bytes, 2400);
	assert_int_equal(stats().tx_out, 0);
	assert_int_equal(stats().kick_errors, 0);
}

/* the first k: what does not fit stays the caller's */
static void transmit_full(void **state)
{
	struct pp_page *pages[RING + 6];
	unsigned int i;

	packets(pages, RING + 6);
	kick_errno[0] = ENETDOWN; /* and not asked again at once */
	assert_int_equal(pp_xsk_tx(xsk, pages, 60), 60);
	assert_int_equal(pp_xsk_tx(xsk, pages + 60, 10), 4);
	assert_int_equal(stats().kick_errors, 0);
	assert_int_equal(kicks, 1);
	assert_int_equal(tx.producer - tx.consumer, RING);
	/* sent, and the completion ring has no room for more until it is read */
	assert_int_equal(pp_xsk_kick(xsk), 0);
	assert_int_equal(pp_xsk_tx(xsk, pages + RING, 6), 0);
	for (i = 0; i < 5; i++)
		comp_give(tx.slots[(tx.consumer - RING + i) % RING].addr);
	assert_int_equal(pp_xsk_tx(xsk, pages + RING, 6), 5);
	page_pool_put_bulk(pages + RING + 5, 1);
	assert_int_equal(stats().tx_out, RING);
}

/* empty, too long, shared, of another zone, on its way already */
static void offer_wrong(uint32_t transmit_len)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 8, .page_size = PAGE };
	struct pp_zone *other = pp_zone_create(&zp);
	struct pp_page *pages[6], *again[2], *shared;

	packets(pages, 5);
	pages[0]->len = 0;
	pages[1]->data_off = 100, pages[1]->len = transmit_len;
	page_pool_fragment_page(pages[2], 2);
	shared = pages[2];
	page_pool_put_bulk(pages + 3, 1);
	assert_int_equal(pp_zone_alloc_bulk(other, pages + 3, 1), 1);
	pages[3]->len = 60;
	again[0] = again[1] = pages[4];
	assert_int_equal(pp_xsk_tx(xsk, pages, 5), 5);
	assert_int_equal(stats().tx_dropped, 4);
	assert_int_equal(stats().tx_out, 1);
	assert_int_equal(pp_xsk_tx(xsk, again, 2), 2);
	assert_int_equal(stats().tx_bad, 2);
	assert_int_equal(stats().tx_out, 1);
	page_pool_put_page(pool, shared, false);
	assert_int_equal(pp_zone_destroy(other), 0);
}

static void transmit_wrong(void **state)
{
	offer_wrong(PAGE - 99);
}

static void transmit_overflow(void **state)
{
	offer_wrong(UINT32_MAX - 50);
}

/* what the kernel would call invalid, and might never complete */
static void transmit_chunk(void **state)
{
	struct pp_xsk_params p = params();
	struct pp_page *pages[2];

	p.flags = PP_XSK_UNALIGNED;
	p.chunk_size = 1500;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	packets(pages, 2);
	pages[0]->len = 1500;
	pages[1]->len = 1501;
	assert_int_equal(pp_xsk_tx(xsk, pages, 2), 2);
	assert_int_equal(stats().tx_out, 1);
	assert_int_equal(stats().tx_dropped, 1);
	assert_int_equal(pp_xsk_reclaim(xsk), 1);
}

/* one frame completed four times, and addresses that were never sent */
static void complete_wrong(void **state)
{
	struct pp_page *pages[3], *mine;
	uint64_t addr;
	unsigned int i;

	pp_xsk_refill(xsk);
	packets(pages, 3);
	packets(&mine, 1);
	assert_int_equal(pp_xsk_tx(xsk, pages, 3), 3);
	addr = tx.slots[(tx.consumer - 3) % RING].addr;
	for (i = 0; i < 4; i++)
		comp_give(addr);
	comp_give(fill_take());
	comp_give(pp_xsk_addr(pp_xsk_get_umem(xsk), mine, 64));
	comp_give((uint64_t)PAGES * PAGE);
	comp_give(UINT64_MAX);
	assert_int_equal(pp_xsk_complete(xsk), 1);
	assert_int_equal(stats().comp_bad, 7);
	assert_int_equal(stats().tx_out, 2);
	assert_int_equal(stats().posted, RING / 2);
	page_pool_put_bulk(&mine, 1);
	/* with nothing out they are read as well */
	comp_give(tx.slots[(tx.consumer - 2) % RING].addr);
	comp_give(tx.slots[(tx.consumer - 1) % RING].addr);
	assert_int_equal(pp_xsk_complete(xsk), 2);
	for (i = 0; i < 4; i++)
		comp_give(addr);
	assert_int_equal(pp_xsk_complete(xsk), 0);
	assert_int_equal(stats().comp_bad, 11);
	assert_int_equal(comp.consumer, comp.producer);
}

/* EBUSY: one was dropped, the others wait for another call, and all are completed */
static void kick_busy(void **state)
{
	struct pp_page *pages[4];
	unsigned int i;

	packets(pages, 4);
	kick_errno[0] = kick_errno[1] = EBUSY;
	assert_int_equal(pp_xsk_tx(xsk, pages, 4), 4);
	assert_int_equal(kicks, 3);
	for (i = 0; i < 4; i++)
		comp_give(tx.slots[(tx.consumer - 4 + i) % RING].addr);
	assert_int_equal(pp_xsk_complete(xsk), 4);
	assert_int_equal(stats().tx_packets, 2);
	assert_int_equal(stats().tx_dropped, 2);
}

static void kick_gone(void **state)
{
	struct pp_page *pages[8];

	packets(pages, 8);
	kick_errno[0] = ENXIO;
	assert_int_equal(pp_xsk_tx(xsk, pages, 4), 4);
	assert_int_equal(stats().gone, 1);
	assert_int_equal(stats().kick_errors, 1);
	assert_int_equal(pp_xsk_tx(xsk, pages + 4, 4), 4);
	assert_int_equal(pp_xsk_complete(xsk), 0);
	assert_int_equal(kicks, 1);
	assert_int_equal(pp_xsk_reclaim(xsk), 8);
	assert_int_equal(stats().tx_dropped, 8);
	assert_int_equal(stats().tx_packets, 0);
}

static void kick_not_needed(void **state)
{
	struct pp_xsk_params p = params();
	struct pp_page *pages[4];

	p.flags = PP_XSK_NEED_WAKEUP;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	packets(pages, 4);
	assert_int_equal(pp_xsk_tx(xsk, pages, 2), 2);
	assert_int_equal(kicks, 0);
	tx.flags = XDP_RING_NEED_WAKEUP;
	assert_int_equal(pp_xsk_tx(xsk, pages + 2, 2), 2);
	assert_int_equal(kicks, 1);
	assert_int_equal(pp_xsk_reclaim(xsk), 4);
}

/* ---- the end ----------------------------------------------------------------------------------*/

/* frames in every ring and with the kernel, of two sockets: each takes its own */
static void reclaim(void **state)
{
	static struct wire rx2, fill2;
	struct pp_page *pages[20];
	struct pp_xsk_params p = params();
	struct pp_xsk_stats st = { .sz = offsetof(struct pp_xsk_stats, rx_bytes) };
	struct pp_xsk *second;
	unsigned int i;

	memset(&rx2, 0, sizeof(rx2));
	memset(&fill2, 0, sizeof(fill2));
	p.rx = wire(&rx2), p.fill = wire(&fill2), p.tx.size = p.comp.size = 0;
	second = pp_xsk_create(&p);
	assert_non_null(second);
	assert_int_equal(pp_xsk_refill(second), RING / 2);
	pp_xsk_refill(xsk);
	for (i = 0; i < 10; i++)
		rx_give(fill_take(), 60, 0);
	packets(pages, 20);
	kick_errno[0] = ENETDOWN;
	assert_int_equal(pp_xsk_tx(xsk, pages, 20), 20);
	comp_give(tx.slots[tx.consumer % RING].addr);
	assert_int_equal(pp_xsk_reclaim(xsk), RING / 2 + 20);
	assert_int_equal(stats().reclaimed, RING / 2 + 20);
	assert_int_equal(stats().posted + stats().tx_out + stats().debt, 0);
	assert_int_equal(stats().tx_dropped, 20);
	/* the memory is a device's until the last one is done */
	assert_int_equal(pp_zone_shrink(zone, UINT64_MAX), -EBUSY);
	assert_int_equal(pp_xsk_reclaim(second), RING / 2);
	assert_int_equal(pp_zone_shrink(zone, UINT64_MAX), 0);
	/* a shorter struct is filled as far as it goes, a longer one refused */
	st.rx_bytes = 99;
	assert_int_equal(pp_xsk_get_stats(xsk, &st), 0);
	assert_int_equal(st.rx_bytes, 99);
	st.sz = sizeof(st) + 8;
	assert_int_equal(pp_xsk_get_stats(xsk, &st), -E2BIG);
	pp_xsk_destroy(second);
}

/* the ends of a pool and of a socket may come in either order */
static void reclaim_late(void **state)
{
	pp_xsk_refill(xsk);
	page_pool_destroy(pool);
	pool = NULL;
	assert_int_equal(pp_xsk_reclaim(xsk), RING / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(transmit, setup, teardown),
		cmocka_unit_test_setup_teardown(transmit_full, setup, teardown),
		cmocka_unit_test_setup_teardown(transmit_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(transmit_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(transmit_chunk, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(complete_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(kick_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(kick_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(kick_not_needed, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(reclaim, setup, teardown),
		cmocka_unit_test_setup_teardown(reclaim_late, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
