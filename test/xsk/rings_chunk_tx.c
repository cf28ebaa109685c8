/* SPDX-License-Identifier: BSD-3-Clause */
/* rings_chunk_tx.c - chunks smaller than pages: sending, the end, threads */
#include <pthread.h>

#include "fake_rings.h"

#define POSTED (RING / 2)

/* ---- transmission -----------------------------------------------------------------------------*/

static void send_complete(void **state)
{
	struct pp_xsk_chunk c[3] = { part(), part(), part() };
	unsigned int i;

	c[1].len = 70;
	c[2].off += PAGE - 200, c[2].len = 100; /* to the end of its chunk */
	assert_int_equal(pp_xsk_tx_chunks(xsk, c, 3), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(tx.slots[(tx.producer - 3 + i) % RING].addr, addr_of(&c[i]));
		assert_int_equal(tx.slots[(tx.producer - 3 + i) % RING].len, c[i].len);
	}
	assert_int_equal(kicks, 1);
	comp_give(addr_of(&c[1]));
	comp_give(addr_of(&c[1]));
	comp_give(addr_of(&c[0]) + 1); /* the other half of its page; anywhere in it */
	comp_give(UINT64_MAX);
	comp_give(addr_of(&c[2]) + 4096 * 8); /* never sent */
	assert_int_equal(pp_xsk_complete(xsk), 2);
	assert_int_equal(stats().comp_bad, 3);
	assert_int_equal(stats().tx_packets, 2);
	assert_int_equal(stats().tx_bytes, 130);
	assert_int_equal(stats().tx_out, 1);
	comp_give(addr_of(&c[0])); /* again */
	comp_give(addr_of(&c[2]));
	assert_int_equal(pp_xsk_complete(xsk), 1);
	assert_int_equal(stats().comp_bad, 4);
	assert_int_equal(stats().tx_bytes, 230);
	assert_int_equal(c[0].page->owner, 0);
}

#define BATCH 8

static unsigned int reflected;

static void reflect(unsigned char *packet)
{
	reflected += packet[0] == 0x42;
}

static void guides_round(void)
{
	struct pp_xsk_chunk chunks[BATCH];
	uint32_t i, k, n = pp_xsk_rx_chunks(xsk, chunks, BATCH);

	for (i = 0; i < n; i++)
		reflect(pp_xsk_chunk_data(&chunks[i]));
	k = pp_xsk_tx_chunks(xsk, chunks, n);
	pp_xsk_put_chunks(chunks + k, n - k);
	pp_xsk_complete(xsk);
	pp_xsk_refill(xsk);
}

/* what doc/xdp.md shows */
static void guide(void **state)
{
	unsigned int i, sent = 0;
	uint64_t addr;

	pp_xsk_refill(xsk);
	for (i = 0; i < 10 * RING; i++) {
		addr = fill_take() + 256;
		*((unsigned char *)pp_zone_base(zone) + addr) = 0x42;
		rx_give(addr, 60, 0);
		if (i % BATCH == BATCH - 1)
			guides_round();
		while (sent != tx.consumer - (UINT32_MAX - 30) && i % 3)
			comp_give(tx.slots[(UINT32_MAX - 30 + sent++) % RING].addr);
	}
	assert_int_equal(reflected, 10 * RING);
	assert_int_equal(stats().rx_packets, 10 * RING);
	assert_int_equal(stats().rx_bad + stats().comp_bad + stats().tx_bad, 0);
	assert_int_equal(stats().tx_packets + stats().tx_out, 10 * RING);
}

/* in the fill ring, in the TX ring, in the same burst again; with the other half in a ring: sent */
static void send_in_ring(void **state)
{
	struct pp_xsk_chunk c[2], posted;

	c[0] = part();
	pp_xsk_refill(xsk);
	posted = (struct pp_xsk_chunk){ c[0].page, (uint32_t)(fill_take() % (2 * PAGE)), 60 };
	assert_int_equal(posted.off, PAGE);
	c[1] = c[0];
	assert_int_equal(pp_xsk_tx_chunks(xsk, &posted, 1), 1);
	assert_int_equal(stats().tx_bad, 1);
	assert_int_equal(pp_xsk_tx_chunks(xsk, c, 2), 2);
	assert_int_equal(stats().tx_bad, 2);
	assert_int_equal(stats().tx_out, 1);
	c[1].len = 0;
	assert_int_equal(pp_xsk_tx_chunks(xsk, c + 1, 1), 1);
	assert_int_equal(stats().tx_bad, 3);
	assert_int_equal(stats().tx_dropped, 0);
	comp_give(addr_of(c));
	assert_int_equal(pp_xsk_complete(xsk), 1);
	assert_int_equal(stats().posted, POSTED);
}

/* empty, out of its chunk, out of the page, of another zone, or of a page that a driver has */
static void send_never(void **state)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = 8, .page_size = 2 * PAGE };
	struct pp_zone *other = pp_zone_create(&zp);
	struct pp_xsk_chunk c[7] = { part(), part(), part(), part(), part() };
	struct pp_page *page, *foreign;

	c[0].len = 0;
	c[1].len = PAGE - 99;
	c[2].off = PAGE - 1, c[2].len = 2;
	c[3].off = 2 * PAGE;
	assert_int_equal(pp_zone_alloc_bulk(other, &foreign, 1), 1);
	c[5] = (struct pp_xsk_chunk){ foreign, 0, 60 };
	page = c[4].page;
	page->owner = 4;
	c[6] = (struct pp_xsk_chunk){ page, c[4].off, 0 };
	/* a ring of another socket has a chunk of its page, which may be another one than ours */
	foreign->owner = (uint32_t)3 << 30 | 1;
	pp_page_get(foreign);
	assert_int_equal(pp_xsk_tx_chunks(xsk, c, 7), 7);
	assert_int_equal(stats().tx_dropped, 5);
	assert_int_equal(stats().tx_bad, 2);
	assert_int_equal(stats().tx_out, 0);
	assert_int_equal(page->owner, 4);
	page->owner = 0;
	page_pool_put_page(pool, page, true);
	assert_int_equal(foreign->refs, 1);
	foreign->owner = 0;
	pp_page_put(foreign);
	assert_int_equal(pp_zone_destroy(other), 0);
}

/* a page that nobody else uses is a chunk as well */
static void send_page(void **state)
{
	struct pp_xsk_chunk c = { .off = PAGE + 10, .len = 60 };

	assert_int_equal(page_pool_alloc_bulk(pool, &c.page, 1), 1);
	assert_int_equal(pp_xsk_tx_chunks(xsk, &c, 1), 1);
	comp_give(addr_of(&c));
	assert_int_equal(pp_xsk_complete(xsk), 1);
}

static void send_full(void **state)
{
	struct pp_xsk_chunk c[RING + 4];
	unsigned int i;

	for (i = 0; i < RING + 4; i++)
		c[i] = part();
	kick_errno[0] = kick_errno[7] = ENOBUFS;
	assert_int_equal(pp_xsk_tx_chunks(xsk, c, RING + 4), RING);
	assert_int_equal(stats().tx_out, RING);
	assert_int_equal(pp_xsk_tx_chunks(xsk, c + RING, 4), 0);
	tx.consumer += 2;
	comp_give(addr_of(&c[0]));
	comp_give(addr_of(&c[1]));
	assert_int_equal(pp_xsk_tx_chunks(xsk, c + RING, 4), 2);
	pp_xsk_put_chunks(c + RING + 2, 2);
	assert_int_equal(stats().tx_bad, 0);
}

/* ---- the end ----------------------------------------------------------------------------------*/

/* in every ring and with the program; also after the pool is gone */
static void reclaim(void **state)
{
	struct pp_xsk_chunk c[4], mine = part();

	pp_xsk_refill(xsk);
	rx_give(fill_take(), 60, 0);
	rx_give(fill_take(), 60, 0);
	rx_give(fill_take(), 60, 0);
	assert_int_equal(pp_xsk_rx_chunks(xsk, c, 2), 2);
	assert_int_equal(pp_xsk_tx_chunks(xsk, c, 1), 1);
	page_pool_destroy(pool);
	pool = NULL;
	assert_int_equal(pp_xsk_reclaim(xsk), POSTED - 2 + 1);
	assert_int_equal(pp_xsk_reclaim(xsk), 0);
	assert_int_equal(stats().reclaimed, POSTED - 1);
	assert_int_equal(stats().tx_dropped, 1);
	assert_int_equal(stats().posted, 0);
	assert_int_equal(stats().tx_out, 0);
	pp_xsk_put_chunks(c + 1, 1);
	pp_xsk_put_chunks(&mine, 1);
}

/* A program that puts a chunk which is not its own any more harms nobody else. */
static void put_too_early(void **state)
{
	struct pp_xsk_chunk c = part(), rest = part();

	assert_int_equal(c.off, 100);
	assert_int_equal(pp_xsk_tx_chunks(xsk, &c, 1), 1);
	pp_xsk_put_chunks(&c, 1);
	pp_xsk_put_chunks(&rest, 1);
	/* the pool begins with that page again, and its first half is in the TX ring */
	assert_int_equal(pp_xsk_refill(xsk), POSTED);
	while (fill.consumer != fill.producer)
		assert_int_not_equal(fill_take() + 100, addr_of(&c));
	comp_give(addr_of(&c));
	assert_int_equal(pp_xsk_complete(xsk), 1);
}

/* ---- threads ----------------------------------------------------------------------------------*/

#define HANDED 20000u

/* received by one thread, sent by the other at a socket of its own, half a page each */
static struct pp_xsk *sender;
static struct pp_xsk_chunk handed[RING];
static uint32_t handed_in, handed_out;

/* the end of a socket that has sent @n packets, and nothing wrong */
static void assert_sent(struct pp_xsk *socket, uint64_t n)
{
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	assert_int_equal(pp_xsk_get_stats(socket, &st), 0);
	assert_int_equal(st.tx_bad + st.comp_bad, 0);
	assert_int_equal(st.tx_packets, n);
	assert_int_equal(pp_xsk_reclaim(socket), 0);
	pp_xsk_destroy(socket);
}

static void *sending(void *arg)
{
	const char **answer = arg;
	struct pp_xsk_chunk c;
	uint32_t done;

	for (done = 0; done < HANDED; done++) {
		while (__atomic_load_n(&handed_in, __ATOMIC_ACQUIRE) == done)
			usleep(10);
		c = handed[done % RING];
		__atomic_store_n(&handed_out, done + 1, __ATOMIC_RELEASE);
		if (pp_xsk_tx_chunks(sender, &c, 1) != 1)
			*answer = "a chunk was not taken";
		comp_give(addr_of(&c));
		if (pp_xsk_complete(sender) != 1)
			*answer = "a chunk did not come home";
	}
	return NULL;
}

static void threads(void **state)
{
	struct pp_xsk_params p = params();
	pthread_t thread;
	const char *answer = NULL;
	uint32_t done;

	pp_xsk_destroy(xsk);
	p.chunk_size = PAGE;
	p.tx.size = 0;
	xsk = pp_xsk_create(&p);
	assert_non_null(xsk);
	p = params(), p.chunk_size = PAGE, p.zone = zone, p.pool = NULL, p.rx.size = 0;
	sender = pp_xsk_create(&p);
	assert_non_null(sender);
	handed_in = handed_out = 0;
	assert_int_equal(pthread_create(&thread, NULL, sending, &answer), 0);
	for (done = 0; done < HANDED; done++) {
		while (done - __atomic_load_n(&handed_out, __ATOMIC_ACQUIRE) == RING)
			usleep(10);
		pp_xsk_refill(xsk);
		rx_give(fill_take() + 256, 60, 0);
		if (pp_xsk_rx_chunks(xsk, &handed[done % RING], 1) != 1)
			fail_msg("packet %u was not received", done);
		__atomic_store_n(&handed_in, done + 1, __ATOMIC_RELEASE);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (answer)
		fail_msg("%s", answer);
	assert_sent(sender, HANDED);
	assert_int_equal(stats().rx_bad, 0);
}

#define ROUNDS 500000u

/* a socket that only sends, without a system call, and half of a page for it */
struct half {
	struct pp_xsk *xsk;
	struct wire tx, comp;
	struct pp_xsk_chunk c;
};

static pthread_barrier_t both;

static void *half_rounds(void *arg)
{
	struct half *half = arg;
	unsigned int i;

	pthread_barrier_wait(&both);
	for (i = 0; i < ROUNDS; i++) {
		pp_xsk_tx_chunks(half->xsk, &half->c, 1);
		half->tx.consumer = half->tx.producer;
		((uint64_t *)half->comp.slots)[half->comp.producer++ % RING] = addr_of(&half->c);
		pp_xsk_complete(half->xsk);
	}
	return NULL;
}

/* Two threads on two halves of one page: neither undoes what the other records. */
static void halves(void **state)
{
	static struct half half[2];
	struct pp_xsk_params p;
	pthread_t thread[2];
	struct pp_page *page;
	unsigned int i;

	assert_int_equal(page_pool_alloc_bulk(pool, &page, 1), 1);
	page_pool_fragment_page(page, 2 * ROUNDS + 1);
	memset(half, 0, sizeof(half));
	pthread_barrier_init(&both, NULL, 2);
	for (i = 0; i < 2; i++) {
		p = params(), p.chunk_size = PAGE, p.rx.size = 0;
		p.flags = PP_XSK_NEED_WAKEUP, p.tx = wire(&half[i].tx);
		p.comp = wire(&half[i].comp);
		half[i].xsk = pp_xsk_create(&p);
		assert_non_null(half[i].xsk);
		half[i].c = (struct pp_xsk_chunk){ page, i * PAGE, 60 };
	}
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, half_rounds, &half[i]), 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_sent(half[i].xsk, ROUNDS);
	}
	assert_int_equal(page->owner, 0);
	assert_int_equal(page->pp_refs, 1);
	page_pool_put_page(pool, page, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(send_complete, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(send_complete, setup_chunks_inside, teardown),
		cmocka_unit_test_setup_teardown(guide, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(send_in_ring, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(send_never, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(send_page, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(send_full, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(reclaim, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(reclaim, setup_chunks_inside, teardown),
		cmocka_unit_test_setup_teardown(put_too_early, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(threads, setup_chunks, teardown),
		cmocka_unit_test_setup_teardown(halves, setup_chunks, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
