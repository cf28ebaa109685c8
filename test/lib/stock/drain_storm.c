/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drain_storm.c - 64 pages, two threads pinned apart, 1,000 drains a second: drain_storm POLICY
 *
 * 3 s, or 30 s with PP_FULL=1, or PP_DRAIN_SECONDS. One thread idles every now and then with its
 * cache full, so that the other lives on what the drains bring home.
 */
#include <string.h>

#include "harness.h"

#define DRAINS_HZ 1000

static const char *policy;
static struct pp_zone *zone;
static unsigned int owners[64];
static double end;

struct churner {
	unsigned int id;
	uint64_t rounds;
	uint64_t pages;
	uint64_t short_answers;
};

static void churn_once(struct churner *c, struct rng *r)
{
	struct pp_page *pages[64];
	unsigned int i, n = 1 + rng_below(r, 64), got = pp_zone_alloc_bulk(zone, pages, n);
	uint64_t k;

	for (i = 0; i < got; i++) {
		k = page_index(zone, pages[i]);
		require(__atomic_exchange_n(&owners[k], c->id + 1, __ATOMIC_ACQ_REL) == 0);
	}
	for (i = 0; i < got; i++) {
		k = page_index(zone, pages[i]);
		require(__atomic_exchange_n(&owners[k], 0, __ATOMIC_ACQ_REL) == c->id + 1);
	}
	pp_zone_free_bulk(zone, pages, got);
	c->rounds++;
	c->pages += got;
	c->short_answers += got < n;
}

static void churn(void *arg)
{
	struct churner *c = arg;
	struct rng r = rng_init(c->id);

	while (now_s() < end) {
		churn_once(c, &r);
		if (c->id == 1 && rng_below(&r, 1000) == 0)
			sleep_us(2000);
	}
}

static void storm(void **state)
{
	double start = now_s(), seconds = test_seconds("PP_DRAIN_SECONDS", 3, 30);
	struct churner c[2] = { { .id = 0 }, { .id = 1 } };
	struct pp_zone_params p = zone_params(64);
	uint64_t drains = 0, moved = 0, timeouts = 0;
	struct pinned threads[2];
	unsigned int i;
	long err;

	need_two_cpus();
	p.policy = policy;
	p.high = 64;
	p.batch = 16;
	zone = zone_new(&p);
	end = start + seconds;
	for (i = 0; i < 2; i++)
		pinned_start(&threads[i], (int)test_cpu(i), churn, &c[i]);
	while (now_s() < end) {
		if ((double)drains > (now_s() - start) * DRAINS_HZ) {
			sleep_us(1000000 / DRAINS_HZ / 4);
			continue;
		}
		err = pp_zone_drain(zone, test_cpu(drains & 1), 20000);
		drain_done(err);
		moved += err > 0 ? (uint64_t)err : 0;
		timeouts += err < 0;
		drains++;
	}
	for (i = 0; i < 2; i++)
		pinned_join(&threads[i]);
	print_message(
		"# %.1f s: %llu drains moved %llu pages, %llu timeouts; rounds %llu and %llu, "
		"short %llu and %llu\n",
		seconds, (unsigned long long)drains, (unsigned long long)moved,
		(unsigned long long)timeouts, (unsigned long long)c[0].rounds,
		(unsigned long long)c[1].rounds, (unsigned long long)c[0].short_answers,
		(unsigned long long)c[1].short_answers);
	/* a machine that is slow, or under a sanitizer, drains less often; half is still a storm */
	assert_true((double)drains > 0.5 * DRAINS_HZ * seconds);
	assert_true(moved > 0);
	assert_true(c[0].pages > 0 && c[1].pages > 0);
	assert_true(zone_stats(zone).drained_pages >= moved);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(storm) };

	if (argc != 2) {
		fprintf(stderr, "usage: drain_storm POLICY\n");
		return 2;
	}
	policy = argv[1];
	return test_main(policy, tests, ARRAY_LEN(tests),
			 60 + (unsigned int)test_seconds("PP_DRAIN_SECONDS", 3, 30) * 2);
}
