/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stress.c - everything at random from many threads: stress POLICY [THREADS]
 *
 * Each page has an owner word outside the library, set and cleared by atomic exchange: a page
 * that two threads are given at once is caught at the moment it happens. A small zone keeps the
 * threads on the out-of-memory path half of the time.
 */
#include <string.h>

#include "harness.h"

#define PAGES	    700
#define SLOTS	    64
#define MAX_THREADS 8
#define HELD	    256

static const char *policy;
static unsigned int nthreads = 4;
static struct pp_zone *zone;
static unsigned int owners[PAGES];
static struct pp_page *slots[SLOTS];
static double end;

struct worker {
	struct rng rng;
	struct page_pool *pool;
	struct pp_page *held[HELD];
	unsigned int n;
	unsigned int id;
	uint64_t ops;
	uint64_t pages;
	uint64_t short_answers;
};

static void got(struct worker *w, struct pp_page *page)
{
	uint64_t i = page_index(zone, page);

	require(__atomic_exchange_n(&owners[i], w->id + 1, __ATOMIC_ACQ_REL) == 0);
	require(page->refs == 1 && page->pp_refs == 1);
	memcpy(page->addr, &i, sizeof(i));
	w->held[w->n++] = page;
	w->pages++;
}

/* about to be given away by whoever has it now */
static void lose(struct pp_page *page)
{
	uint64_t i = page_index(zone, page), seen;

	memcpy(&seen, page->addr, sizeof(seen));
	require(seen == i);
	require(__atomic_exchange_n(&owners[i], 0, __ATOMIC_ACQ_REL) != 0);
}

static void op_alloc(struct worker *w, unsigned int n)
{
	struct pp_page *pages[HELD];
	unsigned int i, k;

	k = pp_zone_alloc_bulk(zone, pages, n);
	w->short_answers += k < n;
	for (i = 0; i < k; i++)
		got(w, pages[i]);
}

static void op_alloc_fill(struct worker *w, unsigned int n)
{
	struct pp_page *pages[HELD] = { NULL };
	unsigned int i, k = pp_zone_alloc_bulk_fill(zone, pages, n);

	for (i = 0; i < k; i++)
		got(w, pages[i]);
	for (; i < n; i++)
		require(!pages[i]);
}

static void op_alloc_list(struct worker *w, unsigned int n)
{
	struct pp_list list = PP_LIST_INIT;
	struct pp_page *page;

	pp_zone_alloc_bulk_list(zone, n, &list);
	while ((page = pp_list_pop(&list)))
		got(w, page);
	require(list.n == 0);
}

static void op_alloc_pool(struct worker *w, unsigned int n)
{
	struct pp_page *pages[HELD];
	unsigned int i, k;

	k = page_pool_alloc_bulk(w->pool, pages, n);
	for (i = 0; i < k; i++) {
		require(pages[i]->pool == w->pool);
		got(w, pages[i]);
	}
}

static void op_put(struct worker *w, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		lose(w->held[w->n - n + i]);
	w->n -= n;
	page_pool_put_bulk(w->held + w->n, n);
}

static void op_put_each(struct worker *w, unsigned int n)
{
	struct pp_page *page;

	while (n--) {
		page = w->held[--w->n];
		lose(page);
		if (!page->pool)
			pp_page_put(page);
		else
			page_pool_put_page(page->pool, page, page->pool == w->pool);
	}
}

/* a second reference that goes after the pool's own */
static void op_put_elevated(struct worker *w)
{
	struct pp_page *page;

	if (!w->n || !w->held[w->n - 1]->pool)
		return;
	page = w->held[--w->n];
	pp_page_get(page);
	page_pool_put_page(page->pool, page, false);
	lose(page);
	pp_page_put(page);
}

static void op_free_list(struct worker *w, unsigned int n)
{
	struct pp_list list = PP_LIST_INIT;

	while (n-- && !w->held[w->n - 1]->pool) {
		lose(w->held[--w->n]);
		pp_list_add_tail(&list, w->held[w->n]);
	}
	pp_zone_free_bulk_list(zone, &list);
}

/* swap one of ours for what another thread left: returns then come from elsewhere */
static void op_swap(struct worker *w)
{
	unsigned int s = rng_below(&w->rng, SLOTS);
	struct pp_page *page = w->n ? w->held[--w->n] : NULL;

	page = __atomic_exchange_n(&slots[s], page, __ATOMIC_ACQ_REL);
	if (page)
		w->held[w->n++] = page;
}

static void op_control(struct worker *w)
{
	switch (rng_below(&w->rng, 4)) {
	case 0:
		drain_done(pp_zone_drain(zone, rng_below(&w->rng, pp_zone_cores(zone)), 100));
		break;
	case 1:
		drain_done(pp_zone_drain_all(zone, 1000));
		break;
	case 2:
		pin_to(test_cpu(rng_below(&w->rng, test_cpus())));
		break;
	default:
		unpin();
		break;
	}
}

static void step(struct worker *w)
{
	unsigned int room = HELD - w->n;
	unsigned int most = rng_below(&w->rng, 4) ? 16 : 128;
	unsigned int want, back;

	if (room > most)
		room = most;
	want = room ? 1 + rng_below(&w->rng, room) : 0;
	back = w->n ? 1 + rng_below(&w->rng, w->n) : 0;
	switch (rng_below(&w->rng, 16)) {
	case 0 ... 1:
		if (want)
			op_alloc(w, want);
		break;
	case 2:
		if (want)
			op_alloc_fill(w, want);
		break;
	case 3:
		op_alloc_list(w, want);
		break;
	case 4 ... 6:
		if (want)
			op_alloc_pool(w, want);
		break;
	case 7 ... 8:
		op_put(w, back);
		break;
	case 9 ... 10:
		op_put_each(w, back);
		break;
	case 11:
		op_put_elevated(w);
		break;
	case 12:
		op_free_list(w, back);
		break;
	case 13 ... 14:
		op_swap(w);
		break;
	default:
		if (rng_below(&w->rng, 16) == 0)
			op_control(w);
		break;
	}
	w->ops++;
}

/* a generation of a thread: it ends with pages cached on whatever core it ran on last */
static void work(void *arg)
{
	struct worker *w = arg;
	struct page_pool_params p = { .sz = sizeof(p), .zone = zone };
	unsigned int i;

	p.pool_size = 2u << rng_below(&w->rng, 7);
	p.cache_size = 1 + rng_below(&w->rng, 64);
	p.refill = 1 + rng_below(&w->rng, p.cache_size);
	w->pool = page_pool_create(&p);
	require(w->pool);
	for (i = 0; i < 20000 && now_s() < end; i++)
		step(w);
	/* some go home late, from other threads, after their pool is gone */
	for (i = 0; i < 8; i++)
		op_swap(w);
	op_put(w, w->n);
	page_pool_destroy(w->pool);
}

static void put_slots(void)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (slots[i]) {
			lose(slots[i]);
			page_pool_put_bulk(&slots[i], 1);
			slots[i] = NULL;
		}
}

static void everything(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	static struct worker workers[MAX_THREADS];
	struct pinned threads[MAX_THREADS];
	uint64_t ops = 0, pages = 0, short_answers = 0, lives = 0;
	unsigned int i;

	p.policy = policy;
	p.high = 64;
	p.batch = 16;
	p.headroom = 64;
	zone = zone_new(&p);
	end = now_s() + test_seconds("PP_STRESS_SECONDS", 5, 5);
	for (i = 0; i < nthreads; i++) {
		workers[i].rng = rng_init(i);
		workers[i].id = i;
		pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(i / 2 % test_cpus()), work,
			     &workers[i]);
	}
	for (i = 0; now_s() < end; i = (i + 1) % nthreads) {
		pinned_join(&threads[i]);
		lives++;
		pinned_start(&threads[i], lives & 1 ? (int)test_cpu(0) : -1, work, &workers[i]);
	}
	for (i = 0; i < nthreads; i++)
		pinned_join(&threads[i]);
	put_slots();
	for (i = 0; i < nthreads; i++) {
		require(workers[i].n == 0);
		ops += workers[i].ops;
		pages += workers[i].pages;
		short_answers += workers[i].short_answers;
	}
	print_message("# %u threads, %llu lives, %llu operations, %llu pages, %llu short, "
		      "%llu drains, %llu fallbacks\n",
		      nthreads, (unsigned long long)lives + nthreads, (unsigned long long)ops,
		      (unsigned long long)pages, (unsigned long long)short_answers,
		      (unsigned long long)zone_stats(zone).drains,
		      (unsigned long long)zone_stats(zone).fallbacks);
	assert_true(ops > 0 && pages > 0);
	for (i = 0; i < PAGES; i++)
		require(owners[i] == 0);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(everything) };

	if (argc < 2) {
		fprintf(stderr, "usage: stress POLICY [THREADS]\n");
		return 2;
	}
	policy = argv[1];
	if (argc > 2)
		nthreads = (unsigned int)atoi(argv[2]);
	if (nthreads < 1 || nthreads > MAX_THREADS)
		return 2;
	return test_main(policy, tests, ARRAY_LEN(tests),
			 60 + (unsigned int)test_seconds("PP_STRESS_SECONDS", 5, 5) * 2);
}
