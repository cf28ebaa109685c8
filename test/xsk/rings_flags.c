/* SPDX-License-Identifier: BSD-3-Clause */
/* rings_flags.c - packets of several pages, copies, checksums and times at a socket of a program */
#include "xsk/uapi.h"

#include "fake_rings.h"

static void open_with(uint32_t flags, uint32_t metadata)
{
	struct pp_xsk_params p = params();

	p.flags = flags;
	p.tx_metadata_len = metadata;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	pp_xsk_refill(xsk);
}

/* a packet of @n pages with 60 bytes in each */
static struct pp_page *chain(unsigned int n)
{
	struct pp_page *pages[RING];
	unsigned int i;

	packets(pages, n);
	for (i = 0; i < n; i++)
		pages[i]->next = i + 1 < n ? pages[i + 1] : NULL;
	return pages[0];
}

static unsigned int chain_len(const struct pp_page *page)
{
	unsigned int n = 0;

	for (; page; page = page->next)
		n++;
	return n;
}

static struct xdp_desc *sent_desc(unsigned int back)
{
	return &tx.slots[(tx.producer - back) % RING];
}

static void complete_all(unsigned int n)
{
	for (; n; n--)
		comp_give(sent_desc(n)->addr);
}

static void refused(uint32_t flags, uint32_t metadata, const char *why)
{
	struct pp_xsk_params p = params();

	p.flags = flags;
	p.tx_metadata_len = metadata;
	assert_null(pp_xsk_create(&p));
	assert_int_equal(errno, EINVAL);
	if (!strstr(pp_error(), why))
		fail_msg("\"%s\" does not say \"%s\"", pp_error(), why);
}

static void parameters(void **state)
{
	struct pp_xsk_params p = params();

	refused(PP_XSK_TX_CSUM | PP_XSK_TX_CSUM_SW, 16, "take one of");
	refused(PP_XSK_TX_CSUM, 0, "tx_metadata_len 0");
	refused(PP_XSK_TX_TSTAMP, 8, "tx_metadata_len 8");
	refused(PP_XSK_TX_LAUNCH, 16, "from 24 on");
	refused(0, 20, "tx_metadata_len 20");
	refused(0, 256, "tx_metadata_len 256");
	p.flags = PP_XSK_COPY, p.zone = zone, p.pool = NULL, p.rx.size = 0;
	assert_null(pp_xsk_create(&p));
	assert_non_null(strstr(pp_error(), "no pool to copy into"));
}

/* whole packets, with a long one between them that the burst cuts */
static void receive_chains(void **state)
{
	struct pp_page *pages[4];
	unsigned int i;

	open_with(PP_XSK_SG, 0);
	for (i = 0; i < 5; i++)
		rx_give(fill_take() + 256, 100 + i, i == 1 || i == 2 ? XDP_PKT_CONTD : 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, 2), 2);
	assert_int_equal(chain_len(pages[0]), 1);
	assert_int_equal(chain_len(pages[1]), 3);
	assert_int_equal(pages[1]->len + pages[1]->next->len + pages[1]->next->next->len, 306);
	assert_int_equal(pages[1]->next->data_off, 256);
	assert_int_equal(pp_xsk_rx(xsk, pages + 2, 2), 1);
	assert_int_equal(stats().rx_packets, 3);
	assert_int_equal(stats().rx_bytes, 510);
	assert_int_equal(stats().posted, RING / 2 - 5);
	/* they go out again as they came */
	assert_int_equal(pp_xsk_tx(xsk, pages, 3), 3);
	assert_int_equal(stats().tx_out, 5);
}

/* one piece too many; a wrong address in the middle; a piece longer than its page */
static void receive_wrong(void **state)
{
	struct pp_page *pages[4];
	unsigned int i;

	open_with(PP_XSK_SG, 0);
	for (i = 0; i <= PP_XSK_PAGES_MAX; i++)
		rx_give(fill_take(), 100, i < PP_XSK_PAGES_MAX ? XDP_PKT_CONTD : 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, 4), 0);
	assert_int_equal(stats().rx_dropped, 1);
	rx_give(fill_take(), 100, XDP_PKT_CONTD);
	rx_give(UINT64_MAX, 100, XDP_PKT_CONTD);
	rx_give(fill_take(), 100, 0);
	rx_give(fill_take() + 256, PAGE, XDP_PKT_CONTD);
	rx_give(fill_take(), 100, 0);
	rx_give(fill_take(), 77, 0);
	assert_int_equal(pp_xsk_rx(xsk, pages, 4), 1);
	assert_int_equal(pages[0]->len, 77);
	page_pool_put_bulk(pages, 1);
	assert_int_equal(stats().rx_dropped, 3);
	assert_int_equal(stats().rx_bad, 1);
	/* a packet that the end of the socket cuts comes home with the rings */
	pp_xsk_refill(xsk);
	rx_give(fill_take(), 100, XDP_PKT_CONTD);
	assert_int_equal(pp_xsk_rx(xsk, pages, 4), 0);
}

static void send_chains(void **state)
{
	struct pp_page *pages[2] = { NULL };

	open_with(PP_XSK_SG, 0);
	pages[0] = chain(3);
	pages[1] = chain(1);
	assert_int_equal(pp_xsk_tx(xsk, pages, 2), 2);
	assert_int_equal(stats().tx_out, 4);
	assert_int_equal(sent_desc(4)->options, XDP_PKT_CONTD);
	assert_int_equal(sent_desc(3)->options, XDP_PKT_CONTD);
	assert_int_equal(sent_desc(2)->options, 0);
	assert_int_equal(sent_desc(1)->options, 0);
	complete_all(4);
	assert_int_equal(pp_xsk_complete(xsk), 4);
	assert_int_equal(stats().tx_packets, 2);
	assert_int_equal(stats().tx_bytes, 240);
}

/* more pages than there may be; an empty one; one with two users; one that is on its way */
static void send_wrong(void **state)
{
	struct pp_page *pages[4], *shared;

	open_with(PP_XSK_SG | PP_XSK_COPY, 0);
	pages[0] = chain(PP_XSK_PAGES_MAX + 1);
	pages[1] = chain(3);
	pages[1]->next->len = 0;
	pages[2] = chain(2);
	shared = pages[2]->next;
	page_pool_fragment_page(shared, 2);
	assert_int_equal(pp_xsk_tx(xsk, pages, 3), 3);
	assert_int_equal(stats().tx_dropped, 3);
	assert_int_equal(stats().tx_out, 0);
	page_pool_put_page(pool, shared, false);
	pages[0] = chain(1);
	assert_int_equal(pp_xsk_tx(xsk, pages, 1), 1);
	pages[1] = chain(1);
	pages[1]->next = pages[0];
	assert_int_equal(pp_xsk_tx(xsk, pages + 1, 1), 1);
	assert_int_equal(stats().tx_bad, 1);
	assert_int_equal(stats().tx_out, 1);
}

/* of another zone, and with another user: their bytes go out in pages of the pool */
static void send_copies(void **state)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 8, .page_size = PAGE };
	struct pp_zone *other = pp_zone_create(&zp);
	struct pp_page *pages[2], *held[PAGES], *shared;
	unsigned int n;

	open_with(PP_XSK_COPY, 0);
	assert_int_equal(pp_zone_alloc_bulk(other, pages, 1), 1);
	pages[0]->len = 60;
	packets(pages + 1, 1);
	shared = pages[1];
	page_pool_fragment_page(shared, 2);
	memset(pp_page_data(pages[0]), 1, 60);
	memset(pp_page_data(shared), 2, 60);
	assert_int_equal(pp_xsk_tx(xsk, pages, 2), 2);
	assert_int_equal(stats().tx_out, 2);
	assert_int_equal(*((char *)pp_zone_base(zone) + sent_desc(2)->addr), 1);
	assert_int_equal(*((char *)pp_zone_base(zone) + sent_desc(1)->addr), 2);
	assert_int_equal(pp_zone_destroy(other), 0);
	/* without a page to copy into it stays the caller's */
	for (n = 0; n < PAGES && page_pool_alloc_bulk(pool, held + n, 1); n++)
		;
	page_pool_fragment_page(shared, 2);
	assert_int_equal(pp_xsk_tx(xsk, &shared, 1), 0);
	assert_int_equal(stats().tx_nombuf, 1);
	page_pool_put_page(pool, shared, false);
	page_pool_put_page(pool, shared, false);
	while (n)
		page_pool_put_bulk(held + --n, 1);
}

/* the request stands in front of the packet, which moves up to make room for it */
static void send_metadata(void **state)
{
	struct pp_page *page;
	struct xdp_tx_meta meta;
	uint64_t when = 0;

	open_with(PP_XSK_TX_TSTAMP, sizeof(meta));
	packets(&page, 1);
	page->data_off = 3;
	memset(pp_page_data(page), 7, 60);
	assert_int_equal(pp_xsk_tx(xsk, &page, 1), 1);
	assert_int_equal(page->data_off, sizeof(meta));
	assert_int_equal(*(char *)pp_page_data(page), 7);
	assert_int_equal(sent_desc(1)->options, XDP_TX_METADATA);
	memcpy(&meta, page->addr, sizeof(meta));
	assert_int_equal(meta.flags, XDP_TXMD_FLAGS_TIMESTAMP);
	when = page->tstamp + 1234;
	meta.completion.tx_timestamp = when;
	memcpy(page->addr, &meta, sizeof(meta));
	complete_all(1);
	assert_int_equal(pp_xsk_complete(xsk), 1);
	assert_int_equal(stats().tx_tstamps, 1);
	assert_int_equal(stats().tx_latency_sum_ns, 1234);
	assert_int_equal(stats().tx_latency_max_ns, 1234);
	assert_true(stats().tx_tstamp_last == when);
	/* no room for it beside the packet */
	packets(&page, 1);
	page->data_off = 0;
	page->len = PAGE - 15;
	assert_int_equal(pp_xsk_tx(xsk, &page, 1), 1);
	assert_int_equal(stats().tx_dropped, 1);
}

/* to the caller, each with its time; one that the kernel dropped, and one that has none */
static void send_completed(void **state)
{
	struct pp_page *pages[5], *back[8];
	struct xdp_tx_meta meta;
	unsigned int i;

	open_with(PP_XSK_TX_TSTAMP | PP_XSK_SG, 16);
	packets(pages, 4);
	pages[4] = chain(3);
	kick_errno[0] = EBUSY;
	assert_int_equal(pp_xsk_tx(xsk, pages, 5), 5);
	assert_int_equal(stats().tx_out, 7);
	for (i = 0; i < 5; i++) {
		memcpy(&meta, (char *)pp_page_data(pages[i]) - sizeof(meta), sizeof(meta));
		meta.completion.tx_timestamp = i == 3 ? 0 : (1ull << 40) + i;
		memcpy((char *)pp_page_data(pages[i]) - sizeof(meta), &meta, sizeof(meta));
	}
	complete_all(7);
	assert_int_equal(pp_xsk_completed(xsk, back, 2), 2);
	assert_int_equal(stats().tx_out, 5);
	assert_int_equal(pp_xsk_completed(xsk, back + 2, 6), 3);
	assert_int_equal(pp_xsk_completed(xsk, back + 5, 3), 0);
	for (i = 0; i < 5; i++) {
		assert_ptr_equal(back[i], pages[i]);
		assert_int_equal(back[i]->owner, 0);
		assert_true(back[i]->tstamp ==
			    (i == 0 || i == 3 ? PP_TSTAMP_NONE : (1ull << 40) + i));
	}
	assert_int_equal(stats().tx_packets, 4);
	assert_int_equal(stats().tx_dropped, 1);
	assert_int_equal(stats().tx_tstamps, 3);
	assert_int_equal(stats().tx_out, 0);
	assert_int_equal(stats().comp_bad, 0);
	page_pool_put_bulk(back, 5);
}

/* pp_xsk_completed() alone takes them back */
static void keeps(uint32_t flags, uint32_t metadata)
{
	struct pp_page *pages[2 * RING], *back[RING];
	struct pp_xsk_params p = params();
	unsigned int i;

	p.flags = flags | PP_XSK_TX_KEEP;
	p.tx_metadata_len = metadata;
	p.tx_wait_ms = 10000;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	packets(pages, 2 * RING);
	memcpy(back, pages, sizeof(back));
	for (i = 0; i < RING; i++)
		pages[i]->tstamp = 1000 + i; /* when it was received */
	assert_int_equal(pp_xsk_tx(xsk, pages, RING), RING);
	complete_all(RING);
	/* a wait would not help */
	assert_int_equal(pp_xsk_tx(xsk, pages + RING, RING), 0);
	assert_int_equal(pp_xsk_complete(xsk), 0);
	assert_int_equal(stats().tx_out, RING);
	memset(pages, 0, RING * sizeof(*pages));
	assert_int_equal(pp_xsk_completed(xsk, pages, 10), 10);
	assert_int_equal(pp_xsk_completed(xsk, pages + 10, RING), RING - 10);
	assert_memory_equal(pages, back, sizeof(back));
	for (i = 0; i < RING; i++)
		assert_true(pages[i]->tstamp == PP_TSTAMP_NONE); /* the device has told no time */
	assert_int_equal(stats().tx_packets, RING);
	assert_int_equal(pp_xsk_tx(xsk, pages + RING, RING), RING);
	assert_int_equal(polls, 0);
	page_pool_put_bulk(pages, RING);
}

static void keep_plain(void **state)
{
	keeps(0, 0);
}

static void keep_times(void **state)
{
	keeps(PP_XSK_SG | PP_XSK_TX_TSTAMP, 16);
}

/* the completion ring has room for two of three pages, and no wait makes more */
static void keep_chains(void **state)
{
	struct pp_page *pages[RING - 2], *last;
	struct pp_xsk_params p = params();

	p.flags = PP_XSK_SG | PP_XSK_TX_KEEP;
	p.tx_wait_ms = 10000;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	packets(pages, RING - 2);
	assert_int_equal(pp_xsk_tx(xsk, pages, RING - 2), RING - 2);
	complete_all(RING - 2);
	last = chain(3);
	assert_int_equal(pp_xsk_tx(xsk, &last, 1), 0);
	assert_int_equal(polls, 0);
	assert_int_equal(pp_xsk_completed(xsk, pages, 1), 1);
	page_pool_put_bulk(pages, 1);
	assert_int_equal(pp_xsk_tx(xsk, &last, 1), 1);
}

/* in the short loop and, of packets of several pages, in the other */
static void receive_metadata(uint32_t flags)
{
	/* the last two begin too low to have any: the first page has nothing below it */
	static const unsigned int offs[] = { 24, 256, 1000, 23, 0 };
	struct pp_rx_meta meta = { .hash = 1 };
	struct pp_page *page;
	unsigned int i, round;
	uint64_t addr;

	open_with(PP_XSK_RX_META | flags, 0);
	for (round = 0; round < PAGES; round++) {
		i = round % 5;
		addr = fill_take();
		meta.tstamp = 1000 + round;
		page = pp_xsk_page(pp_xsk_get_umem(xsk), addr, NULL);
		if (i < 3)
			memcpy(page->addr + offs[i] - sizeof(meta), &meta, sizeof(meta));
		rx_give(addr + offs[i], i == 2 ? PAGE - 1000 : 60, 0);
		assert_int_equal(pp_xsk_rx(xsk, &page, 1), 1);
		assert_int_equal(page->data_off, offs[i]);
		assert_true(page->tstamp == (i < 3 ? 1000 + round : PP_TSTAMP_NONE));
		page_pool_put_bulk(&page, 1);
		pp_xsk_refill(xsk);
	}
	/* past the end of the page */
	rx_give(fill_take() + 256, PAGE - 255, 0);
	assert_int_equal(pp_xsk_rx(xsk, &page, 1), 0);
	assert_int_equal(stats().rx_dropped, 1);
	assert_int_equal(stats().rx_bad, 0);
}

static void receive_metadata_plain(void **state)
{
	receive_metadata(0);
}

static void receive_metadata_careful(void **state)
{
	receive_metadata(PP_XSK_SG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(parameters, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(receive_chains, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(receive_wrong, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(send_chains, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(send_wrong, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(send_copies, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(send_metadata, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(send_completed, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(keep_plain, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(keep_times, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(keep_chains, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(receive_metadata_plain, setup_bare, teardown_bare),
		cmocka_unit_test_setup_teardown(receive_metadata_careful, setup_bare,
						teardown_bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
