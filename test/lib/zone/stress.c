/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stress.c - everything at random from many threads; arguments as in variant.h, then THREADS
 *
 * Each page has an owner word outside the library, set and cleared by atomic exchange: a page
 * that two threads are given at once is caught at the moment it happens. A small zone keeps the
 * threads on the out-of-memory path half of the time.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "variant.h"

#define PAGES	    700
#define SLOTS	    64
#define MAX_THREADS 8
#define HELD	    256

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
	uint64_t disabled;
	uint64_t forks;
	uint64_t handlers;
};

static __thread struct worker *self;

static void got(struct worker *w, struct pp_page *page)
{
	uint64_t i = page_index(zone, page);

	require(__atomic_exchange_n(&owners[i], w->id + 1, __ATOMIC_ACQ_REL) == 0);
	require(page->refs == 1 && page->pp_refs == 1);
	memcpy(page->addr, &i, sizeof(i));
	w->held[w->n++] = page;
	w->pages++;
}

/* about to be given away by its holder */
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

/* closed for a few operations of ours, and whatever the others do meanwhile */
static void op_disable(struct worker *w)
{
	struct pp_page *pages[8];
	unsigned int n;

	if (!drain_done(pp_zone_pcp_disable(zone, 2000)))
		return;
	w->disabled++;
	require(cached_pages(zone) == 0);
	n = pp_zone_alloc_bulk(zone, pages, 8);
	pp_zone_free_bulk(zone, pages, n);
	require(cached_pages(zone) == 0);
	pp_zone_pcp_enable(zone);
}

/* the child has our memory and none of our threads: it leaves the zone alone */
static void op_fork(struct worker *w)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	require(pid > 0);
	child_ends_well(pid);
	w->forks++;
}

static void op_set(struct worker *w)
{
	unsigned int high = 16 + rng_below(&w->rng, 49);
	int err = pp_zone_pcp_set(zone, high, 1 + rng_below(&w->rng, 16));

	require(!err || err == -EBUSY);
}

static void op_control(struct worker *w)
{
	switch (rng_below(&w->rng, 8)) {
	case 0:
		drain_done(pp_zone_drain(zone, rng_below(&w->rng, pp_zone_cores(zone)), 100));
		break;
	case 1:
		drain_done(pp_zone_drain_all(zone, 1000));
		break;
	case 2:
		pin_to(test_cpu(rng_below(&w->rng, test_cpus())));
		break;
	case 3:
		unpin();
		break;
	case 4:
		op_disable(w);
		break;
	case 5:
		op_set(w);
		break;
	case 6:
		pp_zone_maintain(zone);
		break;
	default:
		if (rng_below(&w->rng, 64) == 0)
			op_fork(w);
		if (variant_is_signal_safe())
			raise(SIGUSR1);
		break;
	}
}

/* wherever the thread is: takes pages, and gives them back */
static void handler(int sig)
{
	struct pp_page *pages[16];
	unsigned int i, n;
	uint64_t k;
	int err = errno;

	if (!self)
		return;
	n = pp_zone_alloc_bulk(zone, pages, 1 + self->handlers % 16);
	for (i = 0; i < n; i++) {
		k = page_index(zone, pages[i]);
		require(__atomic_exchange_n(&owners[k], 99, __ATOMIC_ACQ_REL) == 0);
		require(__atomic_exchange_n(&owners[k], 0, __ATOMIC_ACQ_REL) == 99);
	}
	pp_zone_free_bulk(zone, pages, n);
	self->handlers++;
	errno = err;
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

	self = w;
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
	struct pp_zone_params p = variant_params(PAGES, 16, 64);
	static struct worker workers[MAX_THREADS];
	struct pinned threads[MAX_THREADS];
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	uint64_t ops = 0, pages = 0, short_answers = 0, lives = 0;
	uint64_t disabled = 0, forks = 0, handlers = 0;
	unsigned int i;

	sigaction(SIGUSR1, &sa, NULL);

	p.headroom = 64;
	p.drain_us = 2000;
	zone = zone_new(&p);
	end = now_s() + test_seconds("PP_STRESS_SECONDS", 1, 60);
	for (i = 0; i < nthreads; i++) {
		workers[i].rng = rng_init(i);
		workers[i].id = i;
		pinned_start(&threads[i], i & 1 ? -1 : (int)test_cpu(i / 2 % test_cpus()), work,
			     &workers[i]);
	}
	for (i = 0; now_s() < end; i = (i + 1) % nthreads) {
		pinned_join(&threads[i]);
		lives++;
		if (variant_is_signal_safe())
			pthread_kill(threads[(i + 1) % nthreads].thread, SIGUSR1);
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
		disabled += workers[i].disabled;
		forks += workers[i].forks;
		handlers += workers[i].handlers;
	}
	print_message("# %u threads, %llu lives, %llu operations, %llu pages, %llu short, "
		      "%llu drains, %llu fallbacks\n",
		      nthreads, (unsigned long long)lives + nthreads, (unsigned long long)ops,
		      (unsigned long long)pages, (unsigned long long)short_answers,
		      (unsigned long long)zone_stats(zone).drains,
		      (unsigned long long)zone_stats(zone).fallbacks);
	print_message("# disabled %llu times, %llu forks, %llu handlers\n",
		      (unsigned long long)disabled, (unsigned long long)forks,
		      (unsigned long long)handlers);
	assert_true(ops > 0 && pages > 0);
	assert_true(!variant_is_signal_safe() || handlers > 0);
	for (i = 0; i < PAGES; i++)
		require(owners[i] == 0);
	/* what a wait that ended early, or a lower high, left in a cache */
	pp_zone_drain_all(zone, 1000000);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(everything) };
	int refused;

	nthreads = variant_parse(argc, argv);
	if (!nthreads)
		nthreads = 4;
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	if (nthreads < 1 || nthreads > MAX_THREADS)
		return 2;
	return test_main(variant.policy, tests, ARRAY_LEN(tests),
			 60 + (unsigned int)test_seconds("PP_STRESS_SECONDS", 1, 60) * 2);
}
