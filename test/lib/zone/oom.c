/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * oom.c - the path on which everybody runs when memory is out; arguments as in variant.h
 *
 * Two kernel bugs lived there because nothing else walked it: a drain of all zones that used
 * the wrong variable, and a drain that took a lock of its own before the remote one.
 */
#include <string.h>

#include "variant.h"

#define ZONES	3
#define THREADS 4
#define PAGES	96

struct hog {
	struct pp_zone *zones[ZONES];
	struct pp_page *pages[ZONES][PAGES];
	unsigned int got[ZONES];
	pthread_barrier_t *barrier;
	unsigned int id;
};

/* take everything of every zone, drain them all, hold it until the others saw nothing too */
static void hog_round(struct hog *h)
{
	unsigned int z, n;

	for (z = 0; z < ZONES; z++) {
		h->got[z] = 0;
		while (h->got[z] < PAGES) {
			n = 1 + (h->id + h->got[z]) % 7;
			if (n > PAGES - h->got[z])
				n = PAGES - h->got[z];
			n = pp_zone_alloc_bulk(h->zones[z], h->pages[z] + h->got[z], n);
			if (!n)
				break;
			h->got[z] += n;
		}
		drain_done(pp_zone_drain_all(h->zones[z], 100000));
	}
}

static void hog_main(void *arg)
{
	struct pp_page *none;
	struct hog *h = arg;
	unsigned int round, z;

	for (round = 0; round < 100; round++) {
		hog_round(h);
		pthread_barrier_wait(h->barrier);
		/* nobody gives anything back now: what is home must be reachable, until none is */
		for (z = 0; z < ZONES; z++)
			while (h->got[z] < PAGES && pp_zone_alloc_bulk(h->zones[z], &none, 1))
				h->pages[z][h->got[z]++] = none;
		pthread_barrier_wait(h->barrier);
		for (z = 0; z < ZONES; z++) {
			require(pp_zone_alloc_bulk(h->zones[z], &none, 1) == 0);
			drain_done(pp_zone_drain_all(h->zones[z], 100000));
		}
		pthread_barrier_wait(h->barrier);
		for (z = 0; z < ZONES; z++)
			pp_zone_free_bulk(h->zones[z], h->pages[z], h->got[z]);
	}
}

/* the crash of mail 004 */
static void mail_004_all_zones(void **state)
{
	struct pp_zone_params p = variant_params(PAGES, 12, 48);
	struct pp_zone *zones[ZONES];
	static struct hog hogs[THREADS];
	pthread_barrier_t barrier;
	struct pinned threads[THREADS];
	unsigned int i, z;

	p.drain_us = 2000000;
	for (z = 0; z < ZONES; z++)
		zones[z] = zone_new(&p);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++) {
		hogs[i].barrier = &barrier;
		hogs[i].id = i;
		memcpy(hogs[i].zones, zones, sizeof(zones));
		pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), hog_main, &hogs[i]);
	}
	for (i = 0; i < THREADS; i++)
		pinned_join(&threads[i]);
	pthread_barrier_destroy(&barrier);
	for (z = 0; z < ZONES; z++) {
		assert_true(zone_stats(zones[z]).alloc_failures >= THREADS * 100);
		zone_end(zones[z]);
	}
}

struct presser {
	struct pp_zone *zone;
	unsigned int id;
	unsigned int most;
	bool drains;
	double end;
	uint64_t ops;
	uint64_t short_answers;
};

static void press(void *arg)
{
	struct presser *p = arg;
	struct rng r = rng_init(100 + p->id);
	struct pp_page *pages[64];
	unsigned int got, n;

	while (now_s() < p->end || !p->ops) {
		if (p->drains) {
			p->ops += drain_done(pp_zone_drain_all(p->zone, 100000));
			continue;
		}
		n = 1 + rng_below(&r, p->most);
		got = pp_zone_alloc_bulk(p->zone, pages, n);
		p->short_answers += got < n;
		p->ops++;
		pp_zone_free_bulk(p->zone, pages, got);
	}
}

static uint64_t pressure_run(struct pp_zone *zone, unsigned int most, bool drains, double seconds)
{
	struct presser p[THREADS + 1];
	struct pinned threads[THREADS + 1];
	uint64_t ops = 0, short_answers = 0;
	unsigned int i, n = THREADS + (drains ? 1 : 0);

	memset(p, 0, sizeof(p));
	for (i = 0; i < n; i++) {
		p[i].zone = zone;
		p[i].id = i;
		p[i].most = most;
		p[i].drains = i == THREADS;
		p[i].end = now_s() + seconds;
		pinned_start(&threads[i], (int)test_cpu(i % test_cpus()), press, &p[i]);
	}
	for (i = 0; i < n; i++) {
		pinned_join(&threads[i]);
		require(p[i].ops > 0);
		if (!p[i].drains)
			ops += p[i].ops;
		short_answers += p[i].short_answers;
	}
	print_message("# %llu allocations, %llu short, %llu drains, %llu fallbacks\n",
		      (unsigned long long)ops, (unsigned long long)short_answers,
		      (unsigned long long)zone_stats(zone).drains,
		      (unsigned long long)zone_stats(zone).fallbacks);
	require(zone_stats(zone).alloc_failures == short_answers);
	zone_check(zone, 0);
	return short_answers;
}

/* of the longest; PP_OOM_SECONDS, or with PP_FULL=1 */
static double press_seconds(void)
{
	return test_seconds("PP_OOM_SECONDS", 0.5, 5);
}

/* the lock-up of mail 000: 4 threads want up to 64 of 32 pages, a fifth drains without pause */
static void mail_000_severe_pressure(void **state)
{
	struct pp_zone *zone = variant_zone(32, 8, 32);

	assert_true(pressure_run(zone, 64, true, press_seconds()) > 0);
	zone_end(zone);
}

/* more is free than all caches could hold: then no allocation may fail, drained or not */
static void enough_in_the_zone(void **state)
{
	struct pp_zone_params p = variant_params(256 + 128 * (cores_of_machine() + THREADS), 8, 16);
	struct pp_zone *zone;

	p.drain_us = 2000000;
	zone = zone_new(&p);
	assert_int_equal(pressure_run(zone, 32, false, press_seconds() / 2), 0);
	assert_int_equal(pressure_run(zone, 32, true, press_seconds() / 2), 0);
	zone_end(zone);
}

/*
 * The caches could hold everything that is free, so that threads live on draining each other.
 * An allocation fails only if no page is free anywhere: here 128 always are.
 */
static void enough_in_the_caches(void **state)
{
	struct pp_zone_params p = variant_params(THREADS * 32 + 128, 64, 256);
	struct pp_zone *zone;

	p.drain_us = 2000000;
	zone = zone_new(&p);
	assert_int_equal(pressure_run(zone, 32, false, press_seconds()), 0);
	zone_end(zone);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_004_all_zones),
		cmocka_unit_test(mail_000_severe_pressure),
		cmocka_unit_test(enough_in_the_zone),
		cmocka_unit_test(enough_in_the_caches),
	};
	unsigned int limit = 120 + (unsigned int)press_seconds() * 6;
	int refused;

	variant_parse(argc, argv);
	refused = variant_refused();
	if (refused >= 0)
		return refused;
	if (!variant_drains_idle()) {
		printf("%s promises no drain of an idle owner: no allocation is promised either\n",
		       variant.policy);
		return test_main("oom", tests + 1, 2, limit);
	}
	return test_main("oom", tests, ARRAY_LEN(tests), limit);
}
