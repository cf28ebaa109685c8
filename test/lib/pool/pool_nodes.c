/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_nodes.c - pools over zones of several nodes: what becomes of pages of another node
 */
#include "fake_nodes.h"

#include "pool/page_pool.h"

#define PAGES  1024u
#define RING   256u
#define CACHE  64u
#define REFILL 32u

static struct page_pool *pool_on(struct pp_zone_set *set, int node, enum pp_numa numa)
{
	struct page_pool_params p = { .sz = sizeof(p), .set = set, .node = pp_node_param(node) };
	struct page_pool *pool;

	p.pool_size = RING;
	p.cache_size = CACHE;
	p.refill = REFILL;
	p.numa = numa;
	pool = page_pool_create(&p);
	require(pool);
	return pool;
}

static void put_main(void *arg)
{
	struct pp_page **pages = arg;

	page_pool_put_bulk(pages, RING);
}

/* A pool with a ring full of pages of @node and an empty cache, which prefers node 1. */
static struct page_pool *moved(struct pp_zone_set *set, enum pp_numa numa)
{
	struct page_pool *pool = pool_on(set, 0, numa);
	struct pp_page *pages[RING];

	require(page_pool_alloc_bulk(pool, pages, RING) == RING);
	require(pages_on(pages, RING, 0) == RING);
	run_on(-1, put_main, pages);
	require(pool_stats(pool).ring == RING && pool_stats(pool).cache == 0);
	require(!page_pool_update_nid(pool, 1));
	require(page_pool_nid(pool) == 1);
	return pool;
}

static void end(struct page_pool *pool, struct pp_zone_set *set)
{
	pool_check(pool, 0);
	page_pool_destroy(pool);
	set_end(set);
}

static void parameters(void **state)
{
	struct page_pool_params p = { .sz = sizeof(p) };
	struct pp_zone_set *set;
	struct page_pool *pool;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	assert_null(page_pool_create(&p));
	assert_int_equal(errno, EINVAL);
	p.set = set;
	p.zone = pp_zone_set_zone(set, 0);
	assert_null(page_pool_create(&p));
	p.zone = NULL;
	p.numa = (enum pp_numa)3;
	assert_null(page_pool_create(&p));
	assert_non_null(strstr(pp_error(), "numa"));
	p.numa = PP_NUMA_WAIVE;
	p.node = pp_node_param(2);
	assert_null(page_pool_create(&p));
	assert_non_null(strstr(pp_error(), "node"));
	p.node = -1;
	assert_null(page_pool_create(&p));
	p.node = 0;
	pool = page_pool_create(&p);
	assert_non_null(pool);
	assert_ptr_equal(page_pool_zone_set(pool), set);
	assert_non_null(page_pool_zone(pool));
	assert_int_equal(page_pool_nid(pool), PP_NODE_ANY);
	assert_int_equal(page_pool_update_nid(pool, 2), -EINVAL);
	assert_int_equal(page_pool_update_nid(pool, -2), -EINVAL);
	assert_int_equal(page_pool_nid(pool), PP_NODE_ANY);
	end(pool, set);
}

/* one zone: nothing to choose, nothing to give up */
static void one_zone(void **state)
{
	struct pp_zone_params zp = zone_params(PAGES);
	struct pp_page *page;
	struct page_pool *pool;
	struct pp_zone *zone;

	fake_nodes(2);
	zone = zone_new(&zp);
	pool = pool_new(zone, RING, CACHE, REFILL);
	assert_null(page_pool_zone_set(pool));
	page = page_pool_alloc_pages(pool);
	assert_int_equal(page_pool_update_nid(pool, 0), 0);
	assert_int_equal(page_pool_update_nid(pool, PP_NODE_ANY), 0);
	assert_int_equal(page_pool_update_nid(pool, 1), -EINVAL);
	page_pool_nid_changed(pool, 1);
	assert_int_equal(pool_stats(pool).cache, REFILL - 1);
	page_pool_put_page(pool, page, true);
	pool_check(pool, 0);
	page_pool_destroy(pool);
	zone_end(zone);
}

static void update_empties_the_cache(void **state)
{
	struct pp_zone_set *set;
	struct page_pool *pool;
	struct pp_page *page;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	pool = pool_on(set, 0, PP_NUMA_WAIVE);
	page = page_pool_alloc_pages(pool);
	assert_int_equal(pool_stats(pool).cache, REFILL - 1);
	page_pool_nid_changed(pool, 0);
	assert_int_equal(pool_stats(pool).cache, REFILL - 1);
	page_pool_nid_changed(pool, 1);
	assert_int_equal(pool_stats(pool).cache, 0);
	assert_int_equal(pool_stats(pool).alloc_waive, 0); /* as the kernel counts */
	page_pool_put_page(pool, page, true); /* a return is not asked where it is from */
	assert_int_equal(pool_stats(pool).cache, 1);
	end(pool, set);
}

/* one a refill, the others stay in the ring, and in time all are replaced */
static void waive(void **state)
{
	struct pp_page *pages[REFILL];
	struct page_pool_stats s;
	struct pp_zone_set *set;
	struct page_pool *pool;
	unsigned int i;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	pool = moved(set, PP_NUMA_WAIVE);
	for (i = 1; i <= RING; i++) {
		assert_int_equal(page_pool_alloc_bulk(pool, pages, REFILL), REFILL);
		assert_int_equal(pages_on(pages, REFILL, 1), REFILL);
		s = pool_stats(pool);
		assert_int_equal(s.alloc_waive, i);
		assert_int_equal(s.ring, RING - i);
		assert_int_equal(s.alloc_empty, RING / REFILL);
		page_pool_put_bulk(pages, REFILL);
		assert_int_equal(page_pool_update_nid(pool, 1), 0); /* the next refills, too */
	}
	assert_int_equal(zone_stats(pp_zone_set_zone(set, 0)).in_flight, 0);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, REFILL), REFILL);
	assert_int_equal(pool_stats(pool).alloc_waive, RING);
	assert_int_equal(pool_stats(pool).alloc_empty, RING / REFILL + 1);
	page_pool_put_bulk(pages, REFILL);
	end(pool, set);
}

/* own pages in front of a foreign one: the refill has these, and that one is waived */
static void waive_behind_own(void **state)
{
	struct pp_page *pages[RING];
	struct pp_zone_set *set;
	struct page_pool *pool;
	unsigned int n;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	pool = pool_on(set, 1, PP_NUMA_WAIVE);
	require(page_pool_alloc_bulk(pool, pages, 5) == 5);
	require(!page_pool_update_nid(pool, 0));
	require(page_pool_alloc_bulk(pool, pages + 5, RING - 5) == RING - 5);
	require(!page_pool_update_nid(pool, 1));
	run_on(-1, put_main, pages);
	for (n = 0; n < 5; n++)
		assert_int_equal(page_pool_alloc_pages(pool)->node, 1);
	assert_int_equal(pool_stats(pool).alloc_refill, 1);
	assert_int_equal(pool_stats(pool).alloc_waive, 1);
	assert_int_equal(pool_stats(pool).ring, RING - 6);
	assert_int_equal(pool_stats(pool).cache, 0);
	page_pool_put_bulk(pages, 5);
	end(pool, set);
}

static void keep(void **state)
{
	struct pp_page *pages[RING];
	struct pp_zone_set *set;
	struct page_pool *pool;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	pool = moved(set, PP_NUMA_KEEP);
	assert_int_equal(page_pool_alloc_bulk(pool, pages, RING), RING);
	assert_int_equal(pages_on(pages, RING, 0), RING);
	assert_int_equal(pool_stats(pool).alloc_waive, 0);
	page_pool_put_bulk(pages, CACHE);
	assert_int_equal(page_pool_update_nid(pool, 0), 0);
	assert_int_equal(pool_stats(pool).cache, CACHE);
	page_pool_put_bulk(pages + CACHE, RING - CACHE);
	end(pool, set);
}

static void flush(void **state)
{
	struct pp_zone_set *set;
	struct page_pool *pool;
	struct pp_page *page;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	pool = moved(set, PP_NUMA_FLUSH);
	page = page_pool_alloc_pages(pool);
	assert_int_equal(page->node, 1);
	assert_int_equal(pool_stats(pool).alloc_waive, RING);
	assert_int_equal(pool_stats(pool).ring, 0);
	assert_int_equal(zone_stats(pp_zone_set_zone(set, 0)).in_flight, 0);
	page_pool_put_page(pool, page, true);
	end(pool, set);
}

static unsigned int hog_node(struct pp_zone_set *set, int node, struct pp_page **pages,
			     unsigned int max)
{
	unsigned int n = 0, k;

	do {
		k = max - n < 64 ? max - n : 64;
		k = k ? pp_zone_set_alloc_bulk_node(set, node, pages + n, k) : 0;
		n += k;
	} while (k);
	return n;
}

/* nobody has a page left but the ring, and these are foreign: all can be had, none is lost */
static void exhausted(uint32_t flags, enum pp_numa numa)
{
	unsigned int n = 0, k, want = flags & PP_ZONE_SET_STRICT ? 0 : RING;
	struct pp_page *hog[2 * PAGES], *pages[RING];
	struct pp_zone_set *set;
	struct page_pool *pool;

	fake_nodes(2);
	set = set_new(PAGES, flags, 0);
	pool = moved(set, numa);
	/* no more than that: the last resort would be the ring */
	n = hog_node(set, 1, hog, 2 * PAGES - RING);
	n += hog_node(set, 0, hog + n, 2 * PAGES - RING - n);
	require(n == 2 * PAGES - RING);
	k = page_pool_alloc_bulk(pool, pages, RING);
	assert_int_equal(k, want);
	assert_int_equal(pool_stats(pool).alloc_failures, want < RING);
	page_pool_put_bulk(pages, k);
	for (; n; n -= k) {
		k = n < 64 ? n : 64;
		pp_zone_set_free_bulk(set, hog + n - k, k);
	}
	end(pool, set);
}

static void nothing_elsewhere(void **state)
{
	exhausted(0, PP_NUMA_WAIVE);
	exhausted(0, PP_NUMA_FLUSH);
	exhausted(0, PP_NUMA_KEEP);
	exhausted(PP_ZONE_SET_STRICT, PP_NUMA_WAIVE);
}

struct thief {
	struct pp_zone_set *set;
	struct pp_page *loot[2 * PAGES];
	unsigned int n;
	bool stop; /* atomic */
};

static void thief_main(void *arg)
{
	struct thief *t = arg;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED))
		t->n += pp_zone_set_alloc_bulk_node(t->set, 0, t->loot + t->n, 1);
}

/* what a refill waives is stolen before it can have it back: the ring still has others */
static void stolen(void **state)
{
	static struct thief t;
	struct pp_page *page;
	struct page_pool *pool;
	struct pp_zone_set *set;
	struct pinned thread;
	unsigned int round, out;

	need_two_cpus();
	for (round = 0; round < 20; round++) {
		fake_nodes(2);
		set = set_new(RING, 0, 0);
		pool = moved(set, PP_NUMA_WAIVE);
		t = (struct thief){ .set = set };
		t.n = pp_zone_set_alloc_bulk_node(set, 1, t.loot, RING);
		require(t.n == RING);
		pinned_start(&thread, (int)test_cpu(1), thief_main, &t);
		pin_to(test_cpu(0));
		for (out = 0; (page = page_pool_alloc_pages(pool)); out++)
			t.loot[2 * PAGES - 1 - out] = page;
		assert_int_equal(pool_stats(pool).ring, 0);
		__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
		pinned_join(&thread);
		unpin();
		page_pool_put_bulk(t.loot + 2 * PAGES - out, out);
		pp_zone_set_free_bulk(set, t.loot, t.n);
		end(pool, set);
	}
}

/* the default follows its owner from CPU to CPU without being told */
static void follows_owner(void **state)
{
	struct pp_zone_set *set;
	struct page_pool *pool;
	struct pp_page *pages[4][REFILL];
	unsigned int i;

	need_two_cpus();
	fake_nodes(2);
	fake.of_cpu[test_cpu(1)] = 1;
	set = set_new(PAGES, 0, 0);
	pool = pool_on(set, PP_NODE_ANY, PP_NUMA_WAIVE);
	for (i = 0; i < 4; i++) {
		pin_to(test_cpu(i % 2));
		assert_int_equal(page_pool_alloc_bulk(pool, pages[i], REFILL), REFILL);
		assert_int_equal(pages_on(pages[i], REFILL, (int)(i % 2)), REFILL);
	}
	for (i = 0; i < 4; i++)
		page_pool_put_bulk(pages[i], REFILL);
	unpin();
	end(pool, set);
}

/* owners that change their mind, and pages that come back from elsewhere, mixed */
struct mover {
	struct page_pool *pool;
	struct pp_page **mail; /* slots that both threads exchange pages through */
	uint64_t stream;
};

#define MAIL 512u

static void mover_main(void *arg)
{
	struct mover *m = arg;
	struct rng r = rng_init(m->stream);
	struct pp_page *pages[64];
	unsigned int round, i, n, k;

	page_pool_enable_direct_recycling(m->pool);
	for (round = 0; round < 20000; round++) {
		if (rng_below(&r, 8) == 0)
			page_pool_nid_changed(m->pool, (int)rng_below(&r, 4) - 1);
		n = page_pool_alloc_bulk(m->pool, pages, 1 + rng_below(&r, 64));
		for (i = k = 0; i < n; i++) {
			pages[k] = __atomic_exchange_n(m->mail + rng_below(&r, MAIL), pages[i],
						       __ATOMIC_ACQ_REL);
			k += !!pages[k];
		}
		page_pool_put_bulk(pages, k);
	}
}

static void movers(enum pp_numa numa)
{
	static struct pp_page *mail[MAIL];
	struct mover m[2];
	struct pinned t[2];
	struct pp_zone_set *set;
	unsigned int i, n = 0;

	fake_nodes(3);
	set = set_new(300, 0, 32);
	for (i = 0; i < 2; i++) {
		m[i] = (struct mover){ pool_on(set, PP_NODE_ANY, numa), mail, i };
		pinned_start(&t[i], -1, mover_main, &m[i]);
	}
	for (i = 0; i < 2; i++)
		pinned_join(&t[i]);
	for (i = 0; i < MAIL; i++)
		if (mail[i])
			mail[n++] = mail[i];
	page_pool_put_bulk(mail, n);
	memset(mail, 0, sizeof(mail));
	for (i = 0; i < 2; i++) {
		pool_check(m[i].pool, 0);
		page_pool_destroy(m[i].pool);
	}
	set_end(set);
}

static void moving_owners(void **state)
{
	movers(PP_NUMA_WAIVE);
	movers(PP_NUMA_KEEP);
	movers(PP_NUMA_FLUSH);
}

/* what pools hold of the zone that is short counts, not what they hold of others */
static void trim_for_the_short_zone(void **state)
{
	struct page_pool *far, *near;
	struct pp_page *pages[RING], *rest[PAGES];
	struct pp_zone_set *set;
	unsigned int n = 0, k;

	fake_nodes(2);
	set = set_new(PAGES, 0, 0);
	far = pool_on(set, 1, PP_NUMA_WAIVE);
	near = pool_on(set, 0, PP_NUMA_WAIVE);
	require(page_pool_alloc_bulk(far, pages, RING) == RING);
	run_on(-1, put_main, pages);
	require(page_pool_alloc_bulk(near, pages, RING) == RING);
	run_on(-1, put_main, pages);
	while (n < PAGES - RING)
		n += pp_zone_alloc_bulk(pp_zone_set_zone(set, 0), rest + n, 32);
	assert_int_equal(pool_stats(near).ring, RING);
	k = pp_zone_alloc_bulk(pp_zone_set_zone(set, 0), rest + n, 32);
	assert_int_equal(k, 32);
	pp_zone_free_bulk(pp_zone_set_zone(set, 0), rest + n, k);
	while (n) {
		k = n < 32 ? n : 32;
		n -= k;
		pp_zone_free_bulk(pp_zone_set_zone(set, 0), rest + n, k);
	}
	page_pool_destroy(far);
	page_pool_destroy(near);
	set_end(set);
}

/* A pool of a strict set takes from one node now, and from another when it is told to. */
static void strict_set(void **state)
{
	struct pp_zone_set *set;
	struct page_pool *pool;
	struct pp_page *pages[REFILL];
	struct pp_holder holders[REFILL];
	int node;

	fake_nodes(2);
	set = set_new(PAGES, PP_ZONE_SET_STRICT, 0);
	for (node = 0; node < 2; node++) {
		pool = pool_on(set, node, PP_NUMA_WAIVE);
		require(!page_pool_holders_enable(pool, true));
		require(page_pool_alloc_bulk(pool, pages, REFILL) == REFILL);
		require(pages_on(pages, REFILL, node) == REFILL);
		assert_int_equal(page_pool_holders(pool, holders, REFILL, NULL), REFILL);
		page_pool_put_bulk(pages, REFILL);
		/* whatever CPU the mover is on, each zone of the set learns of it */
		pool_move_begin(pool);
		assert_int_equal(pp_zone_set_zone(set, 0)->moving, 1);
		assert_int_equal(pp_zone_set_zone(set, 1)->moving, 1);
		pool_move_end(pool);
		page_pool_destroy(pool);
	}
	assert_int_equal(pp_zone_set_zone(set, 0)->moving, 0);
	assert_int_equal(pp_zone_set_zone(set, 1)->moving, 0);
	set_end(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trim_for_the_short_zone),
		cmocka_unit_test(parameters),
		cmocka_unit_test(one_zone),
		cmocka_unit_test(update_empties_the_cache),
		cmocka_unit_test(waive),
		cmocka_unit_test(waive_behind_own),
		cmocka_unit_test(keep),
		cmocka_unit_test(flush),
		cmocka_unit_test(nothing_elsewhere),
		cmocka_unit_test(stolen),
		cmocka_unit_test(follows_owner),
		cmocka_unit_test(moving_owners),
		cmocka_unit_test(strict_set),
	};

	return test_main("pool_nodes", tests, ARRAY_LEN(tests), 120);
}
