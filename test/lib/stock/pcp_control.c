/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcp_control.c - set, disable and enable the caches while everybody is busy with them
 *
 * A preempted owner is made, not waited for: a signal handler holds a thread wherever it
 * happens to be, inside a cache or not, until the test lets it go.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "variant.h"

static void set_ranges(void **state)
{
	struct pp_zone_params p = variant_params(1024, 16, 64);
	struct pp_zone *zone;

	p.high_max = 600;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_pcp_set(zone, 0, 1), -EINVAL);
	assert_non_null(strstr(pp_error(), "high"));
	assert_int_equal(pp_zone_pcp_set(zone, 601, 16), -EINVAL);
	assert_int_equal(pp_zone_pcp_set(zone, UINT32_MAX, 16), -EINVAL);
	assert_int_equal(pp_zone_pcp_set(zone, 64, 0), -EINVAL);
	assert_non_null(strstr(pp_error(), "batch"));
	assert_int_equal(pp_zone_pcp_set(zone, 64, 65), -EINVAL);
	assert_int_equal(pp_zone_pcp_set(zone, 600, 513), -EINVAL);
	assert_int_equal(zone_stats(zone).high, 64);
	assert_int_equal(zone_stats(zone).batch, 16);
	assert_int_equal(pp_zone_pcp_set(zone, 600, 512), 0);
	assert_int_equal(zone_stats(zone).high, 600);
	assert_int_equal(zone_stats(zone).batch, 512);
	assert_int_equal(pp_zone_pcp_set(zone, 1, 1), 0);
	assert_int_equal(zone_stats(zone).high, 1);
	assert_int_equal(zone_stats(zone).batch, 1);
	zone_end(zone);
}

/* the highest that this thread's cache gets, while 256 pages come home one by one */
static unsigned int highest(struct pp_zone *zone)
{
	unsigned int i, most = 0, core = pp_zone_this_core(zone), n;
	struct pp_page *pages[256];

	require(pp_zone_alloc_bulk(zone, pages, 256) == 256);
	for (i = 0; i < 256; i++) {
		pp_zone_free_bulk(zone, &pages[i], 1);
		n = pp_zone_cached(zone, core);
		most = n > most ? n : most;
	}
	return most;
}

static void set_lowers_and_raises(void **state)
{
	struct pp_zone_params p = variant_params(1024, 16, 64);
	unsigned int core;
	struct pp_zone *zone;

	p.high_max = 200;
	pin_to(test_cpu(0));
	zone = zone_new(&p);
	core = pp_zone_this_core(zone);
	assert_int_equal(pp_zone_pcp_set(zone, 64, 16), 0);
	assert_int_equal(highest(zone), 64);
	assert_int_equal(pp_zone_pcp_set(zone, 200, 16), 0);
	assert_int_equal(highest(zone), 200);
	/* what is too much now goes with the tick */
	assert_int_equal(pp_zone_pcp_set(zone, 24, 8), 0);
	while (pp_zone_maintain(zone) > 0)
		;
	assert_true(pp_zone_cached(zone, core) <= 24);
	assert_int_equal(highest(zone), 24);
	assert_int_equal(zone_stats(zone).high, 24);
	unpin();
	zone_end(zone);
}

static void disable_nests(void **state)
{
	struct pp_zone *zone = variant_zone(1024, 16, 64);
	struct pp_page *pages[256];
	unsigned int i;

	pin_to(test_cpu(0));
	require(pp_zone_alloc_bulk(zone, pages, 256) == 256);
	pp_zone_free_bulk(zone, pages, 256);
	assert_true(cached_pages(zone) > 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pp_zone_pcp_disable(zone, 1000000), 0);
		assert_int_equal(cached_pages(zone), 0);
	}
	assert_int_equal(zone_stats(zone).free, 1024);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pp_zone_pcp_set(zone, 32, 8), -EBUSY);
		assert_int_equal(highest(zone), 0);
		assert_int_equal(pp_zone_maintain(zone), 0);
		pp_zone_pcp_enable(zone);
	}
	/* as before, and once more than disabled is no harm */
	assert_int_equal(zone_stats(zone).high, 64);
	assert_int_equal(zone_stats(zone).batch, 16);
	assert_true(highest(zone) >= 64);
	pp_zone_pcp_enable(zone);
	assert_int_equal(pp_zone_pcp_disable(zone, 1000000), 0);
	assert_int_equal(highest(zone), 0);
	pp_zone_pcp_enable(zone);
	assert_int_equal(pp_zone_pcp_set(zone, 32, 8), 0);
	assert_int_equal(highest(zone), 32);
	unpin();
	zone_end(zone);
}

/* ---- races */

struct churner {
	struct pp_zone *zone;
	unsigned int id;
	unsigned int stop;
	uint64_t rounds;
};

static void churn(void *arg)
{
	struct churner *c = arg;
	struct rng r = rng_init(30 + c->id);
	struct pp_page *pages[64];
	unsigned int n;

	while (!c->rounds || !__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		n = 1 + rng_below(&r, 64);
		require(pp_zone_alloc_bulk(c->zone, pages, n) == n);
		if (rng_below(&r, 8))
			pp_zone_free_bulk(c->zone, pages, n);
		else
			while (n)
				pp_zone_free_bulk(c->zone, &pages[--n], 1);
		__atomic_store_n(&c->rounds, c->rounds + 1, __ATOMIC_RELAXED);
	}
}

struct disabler {
	struct pp_zone *zone;
	struct churner *churners;
	unsigned int nchurners;
	unsigned int id;
	double end;
	unsigned int *done;
	uint64_t closed;
	uint64_t timeouts;
};

static uint64_t rounds_of(struct disabler *d)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < d->nchurners; i++)
		sum += __atomic_load_n(&d->churners[i].rounds, __ATOMIC_RELAXED);
	return sum;
}

/* closed, and the others go on: nothing may enter */
static void watch_closed(struct disabler *d, struct rng *r)
{
	uint64_t until = rounds_of(d) + rng_below(r, 50);
	double end = now_s() + 0.003;

	do
		require(cached_pages(d->zone) == 0);
	while (rounds_of(d) < until && now_s() < end);
}

static void disable_often(void *arg)
{
	struct disabler *d = arg;
	struct rng r = rng_init(40 + d->id);
	unsigned int depth = 0;
	int err;

	/* on a busy machine an owner may take its time to come by (request) */
	while (now_s() < d->end || (!d->closed && now_s() < d->end + 5)) {
		if (!depth || (depth < 3 && !rng_below(&r, 4))) {
			err = pp_zone_pcp_disable(d->zone, 200000);
			if (drain_done(err))
				depth++;
			d->closed += !err;
			d->timeouts += err != 0;
		} else if (depth) {
			depth--;
			pp_zone_pcp_enable(d->zone);
		}
		if (depth)
			watch_closed(d, &r);
		else
			pp_zone_maintain(d->zone);
	}
	while (depth--)
		pp_zone_pcp_enable(d->zone);
	__atomic_fetch_add(d->done, 1, __ATOMIC_RELAXED);
}

/* Our own cache is one of those to be closed: policy request needs us to come by. */
static void come_by(struct pp_zone *zone, unsigned int *done, unsigned int disablers)
{
	struct pp_page *page;

	while (__atomic_load_n(done, __ATOMIC_RELAXED) < disablers) {
		require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
		pp_zone_free_bulk(zone, &page, 1);
		sleep_us(100);
	}
}

static void check_usable(void *arg)
{
	struct pp_zone *zone = arg;
	unsigned int core = pp_zone_this_core(zone), most = highest(zone);

	if (most < 64)
		print_message("# cache %u holds %u pages at most, not 64\n", core, most);
	require(most >= 64);
}

/* every cache is as good as before; a thread's number is lost and found, so several at once */
static void all_usable(struct pp_zone *zone)
{
	struct puppet p[6];
	unsigned int i;

	for (i = 0; i < 6; i++)
		puppet_start(&p[i], (int)test_cpu(i % test_cpus()));
	for (i = 0; i < 6; i++)
		puppet_do(&p[i], check_usable, zone);
	for (i = 0; i < 6; i++)
		puppet_end(&p[i]);
}

static void disable_races_with(unsigned int disablers, double seconds)
{
	struct pp_zone *zone = variant_zone(8192, 16, 64);
	struct churner c[3] = { { .zone = zone }, { .zone = zone }, { .zone = zone } };
	struct pinned threads[3], others[2];
	struct disabler d[2];
	uint64_t closed = 0, timeouts = 0, rounds = 0;
	unsigned int i, done = 0;

	for (i = 0; i < 3; i++) {
		c[i].id = i;
		pinned_start(&threads[i], i < 2 ? (int)test_cpu(i % test_cpus()) : -1, churn,
			     &c[i]);
	}
	for (i = 0; i < disablers; i++) {
		d[i] = (struct disabler){ .zone = zone, .churners = c, .nchurners = 3, .id = i };
		d[i].end = now_s() + seconds;
		d[i].done = &done;
		pinned_start(&others[i], -1, disable_often, &d[i]);
	}
	come_by(zone, &done, disablers);
	for (i = 0; i < disablers; i++) {
		pinned_join(&others[i]);
		closed += d[i].closed;
		timeouts += d[i].timeouts;
	}
	for (i = 0; i < 3; i++) {
		__atomic_store_n(&c[i].stop, 1, __ATOMIC_RELAXED);
		pinned_join(&threads[i]);
		rounds += c[i].rounds;
		require(c[i].rounds > 0);
	}
	print_message("# disabled %llu times, %llu timeouts, beside %llu rounds\n",
		      (unsigned long long)closed, (unsigned long long)timeouts,
		      (unsigned long long)rounds);
	/* request: a disabler that waits for another one is an idle owner */
	assert_true(closed > 0 || (policy_is("request") && disablers > 1 && timeouts > 0));
	all_usable(zone);
	pp_zone_drain_all(zone, 1000000);
	zone_end(zone);
}

/* of each race; PP_CONTROL_SECONDS, or with PP_FULL=1 */
static double race_seconds(void)
{
	return test_seconds("PP_CONTROL_SECONDS", 0.5, 5);
}

/* kernel-semantics, invariant 12 */
static void disable_guarantee(void **state)
{
	disable_races_with(1, race_seconds());
}

static void disablers_in_parallel(void **state)
{
	disable_races_with(2, race_seconds());
}

/* ---- a preempted owner */

static unsigned int held; /* 1: the handler shall wait; 2: it does */

static void hold_here(int sig)
{
	int err = errno;
	double end = now_s() + 0.02; /* if the zone's lock is held here, the test waits for us */

	__atomic_store_n(&held, 2, __ATOMIC_RELEASE);
	while (__atomic_load_n(&held, __ATOMIC_ACQUIRE) == 2 && now_s() < end)
		sleep_us(20);
	errno = err;
}

static void hold_thread(pthread_t thread)
{
	__atomic_store_n(&held, 1, __ATOMIC_RELEASE);
	require(!pthread_kill(thread, SIGUSR1));
	while (__atomic_load_n(&held, __ATOMIC_ACQUIRE) == 1)
		sleep_us(5);
}

static void let_go(struct churner *c)
{
	uint64_t before = __atomic_load_n(&c->rounds, __ATOMIC_RELAXED);

	__atomic_store_n(&held, 0, __ATOMIC_RELEASE);
	while (__atomic_load_n(&c->rounds, __ATOMIC_RELAXED) < before + 3)
		sleep_us(5);
}

/* a churner that lives within its cache, so that it is seldom in the zone */
static void churn_inside(void *arg)
{
	struct churner *c = arg;
	struct pp_page *pages[32];

	while (!c->rounds || !__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		require(pp_zone_alloc_bulk(c->zone, pages, 32) == 32);
		pp_zone_free_bulk(c->zone, pages, 16);
		pp_zone_free_bulk(c->zone, pages + 16, 16);
		__atomic_store_n(&c->rounds, c->rounds + 1, __ATOMIC_RELAXED);
	}
}

static void closed_or_as_before(struct pp_zone *zone, struct churner *c, int err)
{
	unsigned int i;

	if (drain_done(err)) {
		for (i = 0; i < 20; i++)
			require(cached_pages(zone) == 0);
		pp_zone_pcp_enable(zone);
	}
	require(zone_stats(zone).high >= 64);
	require(zone_stats(zone).batch == 16);
}

static void disable_beside_held_owner(void **state)
{
	struct pp_zone *zone = variant_zone(1024, 16, 64);
	struct sigaction sa = { .sa_handler = hold_here }, old;
	struct churner c = { .zone = zone };
	unsigned int closed = 0, timeouts = 0, rounds;
	double end = now_s() + 1.5 * race_seconds();
	struct pinned thread;
	int err;

	sigaction(SIGUSR1, &sa, &old);
	pinned_start(&thread, (int)test_cpu(0), churn_inside, &c);
	for (rounds = 0; now_s() < end; rounds++) {
		let_go(&c);
		hold_thread(thread.thread);
		err = pp_zone_pcp_disable(zone, 300);
		closed += !err;
		timeouts += err != 0;
		let_go(&c);
		closed_or_as_before(zone, &c, err);
	}
	__atomic_store_n(&c.stop, 1, __ATOMIC_RELAXED);
	pinned_join(&thread);
	sigaction(SIGUSR1, &old, NULL);
	print_message("# owner held %u times: disabled %u, timed out %u\n", rounds, closed,
		      timeouts);
	assert_true(rounds > 0);
	all_usable(zone);
	pp_zone_drain_all(zone, 1000000);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_ranges),
		cmocka_unit_test(set_lowers_and_raises),
		cmocka_unit_test(disable_nests),
		cmocka_unit_test(disable_guarantee),
		cmocka_unit_test(disablers_in_parallel),
		cmocka_unit_test(disable_beside_held_owner),
	};
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	return test_main(variant.policy, tests, ARRAY_LEN(tests),
			 120 + (unsigned int)race_seconds() * 8);
}
