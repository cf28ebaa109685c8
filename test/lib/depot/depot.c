/* SPDX-License-Identifier: BSD-3-Clause */
/* depot.c - a stock of adopted objects, from its header, in one process: depot [rseq|trylock] */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "depot/depot_fixture.h"

#define OBJECTS 4096u

static void *objs[OBJECTS + 1];

/* ---- parameters ------------------------------------------------------------------------------ */

static void refused(const struct pp_depot_params *p, int err, const char *says)
{
	static char memory[1 << 16] __attribute__((aligned(128)));

	errno = 0;
	require(pp_depot_size(p) == 0);
	require(errno == err);
	if (!strstr(pp_error(), says))
		fprintf(stderr, "\"%s\" does not say \"%s\"\n", pp_error(), says);
	require(strstr(pp_error(), says));
	errno = 0;
	require(!pp_depot_init(p, memory));
	require(errno == err);
	require(strstr(pp_error(), says));
}

static void test_parameters_refused(void **state)
{
	static const char *const local[] = { "spin", "irqsave", "softmask",
					     "rcu",  "request", "llist" };
	struct {
		struct pp_depot_params p;
		uint64_t unknown;
	} longer = { .p = depot_params(64, 0, 0), .unknown = 1 };
	struct pp_depot_params p;
	unsigned int i;

	p = depot_params(0, 0, 0);
	refused(&p, EINVAL, "objects: 0 is not in 1 .. 4294967295");
	p.objects = 1ull << 32;
	refused(&p, EINVAL, "objects: 4294967296 is not in");
	p = depot_params(64, 65537, 0);
	refused(&p, EINVAL, "high: 65537");
	p = depot_params(64, 8, 9);
	refused(&p, EINVAL, "batch: 9");
	p = depot_params(64, 1024, 513);
	refused(&p, EINVAL, "batch: 513");
	p = depot_params(64, 0, 0);
	p.policy = "mutex";
	refused(&p, EINVAL, "\"mutex\" is not known");
	for (i = 0; i < ARRAY_LEN(local); i++) {
		p.policy = local[i];
		refused(&p, ENOTSUP, "does not work across processes");
	}
	longer.p.sz = sizeof(longer);
	errno = 0;
	require(pp_depot_size(&longer.p) == 0);
	require(errno == E2BIG);
	longer.unknown = 0;
	require(pp_depot_size(&longer.p) != 0);
}

static void test_memory_refused(void **state)
{
	static char memory[1 << 16] __attribute__((aligned(128)));
	struct pp_depot_params p = depot_params(64, 0, 0);

	require(pp_depot_size(&p) <= sizeof(memory));
	errno = 0;
	require(!pp_depot_init(&p, NULL));
	require(errno == EINVAL);
	errno = 0;
	require(!pp_depot_init(&p, memory + 64));
	require(errno == EINVAL && strstr(pp_error(), "not aligned to 128"));
}

static void test_sizes(void **state)
{
	static const unsigned int counts[] = { 1, 2, 3, 63, 64, 1000, 4095, 4096, 200000 };
	struct pp_depot_params p;
	struct depot_fixture f;
	size_t size, before = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(counts); i++) {
		p = depot_params(counts[i], 0, 0);
		size = pp_depot_size(&p);
		require(size >= counts[i] * sizeof(void *) && size > before);
		require(size < counts[i] * sizeof(void *) + 16384u * (cores_of_machine() + 1));
		before = size;
		depot_new(&f, &p); /* guard pages around exactly so much */
		depot_check(&f, 0);
		require(pp_depot_adopt(f.depot, (void **)&f.objects, 1) == -ENOSPC);
		require(strstr(pp_error(), "depot test: "));
		depot_end(&f);
	}
}

static void test_caches_sized(void **state)
{
	struct pp_depot_params p = depot_params(4096, 0, 0);
	struct pp_zone_stats s;
	struct depot_fixture f;

	p.users = 1;
	depot_new(&f, &p);
	s = depot_stats(f.depot);
	require(s.high == 1024 && s.batch == 512);
	depot_end(&f);
	p.users = 4 * cores_of_machine(); /* no more than there are */
	p.objects = 64 * cores_of_machine();
	depot_new(&f, &p);
	s = depot_stats(f.depot);
	require(s.high == 16 && s.batch == 8);
	depot_end(&f);
	p = depot_params(64, 0, 48);
	depot_new(&f, &p);
	s = depot_stats(f.depot);
	require(s.high == 48 && s.batch == 48);
	depot_end(&f);
	p = depot_params(1, 0, 0);
	depot_new(&f, &p);
	s = depot_stats(f.depot);
	require(s.high == 4 && s.batch == 2);
	depot_end(&f);
}

/* ---- attaching ------------------------------------------------------------------------------- */

static void test_attach(void **state)
{
	static char memory[4096] __attribute__((aligned(128)));
	struct pp_depot_params p = depot_params(64, 0, 0);
	struct depot_fixture f;

	require(pp_depot_attach(NULL) == -EINVAL);
	require(pp_depot_attach((struct pp_depot *)memory) == -EINVAL);
	require(strstr(pp_error(), "no depot of this version"));
	depot_new(&f, &p);
	require(pp_depot_processes(f.depot) == 1);
	require(pp_depot_attach(f.depot) == 0 && pp_depot_attach(f.depot) == 0);
	require(pp_depot_processes(f.depot) == 1);
	pp_depot_detach(f.depot);
	require(pp_depot_processes(f.depot) == 0);
	require(pp_depot_recover(f.depot, NULL) == 0); /* leaving is not dying */
	pp_depot_detach(NULL);
	pp_depot_fini(NULL);
	require(pp_depot_attach(f.depot) == 0);
	depot_check(&f, 0);
	pp_depot_fini(f.depot);
	require(pp_depot_attach(f.depot) == -EINVAL);
	depot_again(&f);
	depot_end(&f);
}

/* ---- get and put ----------------------------------------------------------------------------- */

static void test_adopt(void **state)
{
	struct pp_depot_params p = depot_params(600, 0, 0);
	struct depot_fixture f;
	unsigned int i;

	depot_new(&f, &p);
	for (i = 0; i < pp_depot_cores(f.depot); i++)
		require(pp_depot_cached(f.depot, i) == 0);
	require(pp_depot_adopt(f.depot, objs, 1) == -ENOSPC);
	require(strstr(pp_error(), "600"));
	depot_check(&f, 0);
	memset(f.memory, 0, f.size);
	require(pp_depot_init(&p, f.memory) == f.depot);
	require(pp_depot_count(f.depot) == 0 && depot_take(f.depot, objs, 1) == 0);
	for (i = 0; i < 599; i++)
		objs[i] = f.objects + i * 4096ul;
	require(pp_depot_adopt(f.depot, objs, 599) == 0);
	require(pp_depot_adopt(f.depot, objs + 597, 2) == -ENOSPC); /* one would have fitted */
	require(pp_depot_count(f.depot) == 599 && pp_depot_objects(f.depot) == 599);
	objs[0] = f.objects + 599 * 4096ul;
	require(pp_depot_adopt(f.depot, objs, 1) == 0);
	depot_end(&f);
}

/* What is out may be disowned, no more than that, and others adopted in its place. */
static void test_disown(void **state)
{
	struct pp_depot_params p = depot_params(600, 0, 0);
	struct pp_zone_stats s = { .sz = sizeof(s) };
	struct depot_fixture f;

	depot_new(&f, &p);
	require(pp_depot_disown(f.depot, 1) == -EINVAL && strstr(pp_error(), "0 objects are out"));
	require(pp_depot_disown(f.depot, 0) == 0);
	require(pp_depot_get_bulk(f.depot, objs, 64) == 0);
	require(pp_depot_disown(f.depot, 65) == -EINVAL && pp_depot_objects(f.depot) == 600);
	require(pp_depot_disown(f.depot, 40) == 0);
	require(pp_depot_objects(f.depot) == 560 && pp_depot_count(f.depot) == 536);
	require(pp_depot_get_stats(f.depot, &s) == 0 && s.in_flight == 24);
	require(pp_depot_put_bulk(f.depot, objs, 24) == 0);
	require(pp_depot_disown(f.depot, 1) == -EINVAL);
	require(pp_depot_adopt(f.depot, objs + 24, 40) == 0);
	depot_end(&f);
}

/* every size, from an empty, a half full and a full cache */
static void test_bulk_sizes(void **state)
{
	struct pp_depot_params p = depot_params(2048, 256, 64);
	struct depot_fixture f;
	unsigned int n;

	depot_new(&f, &p);
	for (n = 1; n <= 512; n++) {
		objs[n] = objs; /* canary: exactly n are written */
		require(depot_take(f.depot, objs, n) == n);
		require(objs[n] == objs);
		depot_distinct(&f, objs, n);
		depot_check(&f, n);
		pp_depot_put_bulk(f.depot, objs, n);
		depot_check(&f, 0);
		if (n % 3 == 0)
			require(pp_depot_drain_all(f.depot, 100000) >= 0);
	}
	depot_end(&f);
}

static void test_all_or_nothing(void **state)
{
	struct pp_depot_params p = depot_params(1000, 64, 16);
	struct depot_fixture f;
	unsigned int n;

	depot_new(&f, &p);
	require(depot_take(f.depot, objs, 1001) == 0);
	depot_check(&f, 0);
	require(depot_take(f.depot, objs, 1000) == 1000);
	depot_distinct(&f, objs, 1000);
	depot_check(&f, 1000);
	require(depot_take(f.depot, objs, 1) == 0);
	for (n = 1; n < 200; n += 7) { /* part in the cache, part in the free area */
		pp_depot_put_bulk(f.depot, objs + 1000 - n, n);
		require(depot_take(f.depot, objs + 1000 - n, n + 1) == 0);
		depot_check(&f, 1000 - n);
		require(depot_take(f.depot, objs + 1000 - n, n) == n);
	}
	require(depot_stats(f.depot).alloc_failures > 0);
	pp_depot_put_bulk(f.depot, objs, 1000);
	depot_end(&f);
}

static void test_one_by_one(void **state)
{
	struct pp_depot_params p = depot_params(777, 0, 0);
	struct depot_fixture f;
	unsigned int i;

	depot_new(&f, &p);
	for (i = 0; i < 777; i++)
		require(depot_take(f.depot, objs + i, 1) == 1);
	require(depot_take(f.depot, objs + i, 1) == 0);
	depot_distinct(&f, objs, 777);
	for (i = 0; i < 777; i++) {
		pp_depot_put_bulk(f.depot, objs + i, 1);
		require(pp_depot_count(f.depot) == i + 1);
	}
	depot_end(&f);
}

/* a cache keeps what was put, so that the lock of the free area is not needed */
static void test_cache_is_used(void **state)
{
	struct pp_depot_params p = depot_params(1024, 128, 32);
	struct depot_fixture f;
	struct pp_zone_stats a, b;
	unsigned int i;

	pin_to(test_cpu(0));
	depot_new(&f, &p);
	require(depot_take(f.depot, objs, 32) == 32);
	pp_depot_put_bulk(f.depot, objs, 32);
	require(pp_depot_cached(f.depot, test_cpu(0)) >= 32);
	a = depot_stats(f.depot);
	for (i = 0; i < 1000; i++) {
		require(depot_take(f.depot, objs, 32) == 32);
		pp_depot_put_bulk(f.depot, objs, 32);
	}
	b = depot_stats(f.depot);
	require(b.refills == a.refills && b.flushes == a.flushes && b.fallbacks == a.fallbacks);
	require(b.drains == a.drains);
	depot_end(&f);
	unpin();
}

/* ---- the promise ----------------------------------------------------------------------------- */

static unsigned int this_core(void)
{
	return (unsigned int)sched_getcpu();
}

/* takes what there is, and leaves in its core's cache what that holds */
static void fill_cache(void *arg)
{
	struct depot_fixture *f = arg;
	struct pp_zone_stats s = depot_stats(f->depot);
	unsigned int n = (unsigned int)s.high, batch = (unsigned int)s.batch, i;
	void *mine[512];

	for (i = 0; i + batch <= n; i += batch) /* more at a time may go past it */
		require(depot_take(f->depot, mine + i, batch) == batch);
	while (i) {
		i -= batch;
		pp_depot_put_bulk(f->depot, mine + i, batch);
	}
	require(pp_depot_cached(f->depot, this_core()) >= n / 2);
}

static void test_idle_caches(void **state)
{
	struct pp_depot_params p = depot_params(OBJECTS, 512, 128);
	struct depot_fixture f;
	unsigned int n, i;

	need_two_cpus();
	depot_new(&f, &p);
	for (n = 1; n <= 512; n = n * 3 + 1) {
		run_on((int)test_cpu(1), fill_cache, &f); /* and that thread has ended */
		require(pp_depot_cached(f.depot, test_cpu(1)) >= 256);
		pin_to(test_cpu(0));
		for (i = 0; i + n <= OBJECTS; i += n)
			require(depot_take(f.depot, objs + i, n) == n);
		require(i == OBJECTS / n * n);
		depot_distinct(&f, objs, i);
		require(pp_depot_cached(f.depot, test_cpu(1)) <= OBJECTS - i);
		pp_depot_put_bulk(f.depot, objs, i);
		unpin();
		depot_check(&f, 0);
	}
	require(depot_stats(f.depot).drained_pages > 0);
	depot_end(&f);
}

struct pair {
	struct depot_fixture *f;
	unsigned int n;
	unsigned int arrived;
	unsigned int failures[2];
};

struct getter {
	struct pair *pair;
	unsigned int id;
};

/* and puts it back, at the same time as the other one */
static void get_and_put(void *arg)
{
	struct getter *g = arg;
	void **mine = calloc(g->pair->n, sizeof(*mine));
	unsigned int i;

	require(mine);
	for (i = 0; i < 300; i++) {
		meet(&g->pair->arrived, i);
		if (!depot_take(g->pair->f->depot, mine, g->pair->n)) {
			g->pair->failures[g->id]++;
			continue;
		}
		depot_distinct(g->pair->f, mine, g->pair->n);
		pp_depot_put_bulk(g->pair->f->depot, mine, g->pair->n);
	}
	free(mine);
}

static void two_getters(unsigned int objects, unsigned int n, unsigned int *failed)
{
	struct pp_depot_params p = depot_params(objects, 64, 16);
	struct depot_fixture f;
	struct pair pair = { .f = &f, .n = n };
	struct getter g[2] = { { &pair, 0 }, { &pair, 1 } };
	struct pinned t[2];
	unsigned int i;

	depot_new(&f, &p);
	for (i = 0; i < 2; i++)
		pinned_start(&t[i], (int)test_cpu(i), get_and_put, &g[i]);
	for (i = 0; i < 2; i++)
		pinned_join(&t[i]);
	require(depot_take(f.depot, objs, objects) == objects);
	pp_depot_put_bulk(f.depot, objs, objects);
	depot_end(&f);
	*failed = pair.failures[0] + pair.failures[1];
	printf("# two getters of %u in %u: %u of 600 went without\n", n, objects, *failed);
}

static void test_two_getters(void **state)
{
	unsigned int failed;

	need_two_cpus();
	/* both together fit: neither may go without, however the other one holds parts of it */
	two_getters(256, 128, &failed);
	require(failed == 0);
	two_getters(64, 32, &failed);
	require(failed == 0);
	/* only one can have it; but both never fail */
	two_getters(256, 192, &failed);
	require(failed < 600);
}

/* ---- control --------------------------------------------------------------------------------- */

static void test_closed_caches(void **state)
{
	struct pp_depot_params p = depot_params(1024, 128, 32);
	struct depot_fixture f;
	unsigned int i;

	depot_new(&f, &p);
	fill_cache(&f);
	require(pp_depot_pcp_disable(f.depot, 100000) == 0);
	require(depot_stats(f.depot).cached == 0);
	for (i = 1; i <= 512; i += 17) {
		require(depot_take(f.depot, objs, i) == i);
		pp_depot_put_bulk(f.depot, objs, i);
		require(depot_stats(f.depot).cached == 0);
	}
	require(pp_depot_pcp_set(f.depot, 16, 4) == -EBUSY);
	pp_depot_pcp_enable(f.depot);
	fill_cache(&f);
	require(depot_stats(f.depot).cached > 0);
	require(pp_depot_pcp_set(f.depot, 0, 1) == -EINVAL);
	require(pp_depot_pcp_set(f.depot, 129, 1) == -EINVAL);
	require(pp_depot_pcp_set(f.depot, 16, 17) == -EINVAL);
	require(pp_depot_pcp_set(f.depot, 16, 4) == 0);
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	fill_cache(&f);
	for (i = 0; i < pp_depot_cores(f.depot); i++)
		require(pp_depot_cached(f.depot, i) <= 16);
	depot_end(&f);
}

static void test_drain(void **state)
{
	struct pp_depot_params p = depot_params(1024, 128, 32);
	struct depot_fixture f;
	unsigned int cached;

	pin_to(test_cpu(0));
	depot_new(&f, &p);
	require(pp_depot_drain(f.depot, pp_depot_cores(f.depot), 0) == -EINVAL);
	fill_cache(&f);
	cached = pp_depot_cached(f.depot, test_cpu(0));
	require(pp_depot_drain(f.depot, test_cpu(0), 100000) == (long)cached);
	require(pp_depot_cached(f.depot, test_cpu(0)) == 0);
	fill_cache(&f);
	cached = pp_depot_cached(f.depot, test_cpu(0));
	require(pp_depot_drain_all(f.depot, 100000) == (long)cached);
	require(depot_stats(f.depot).free == 1024);
	depot_end(&f);
	unpin();
}

/* ---- mistakes of the caller ------------------------------------------------------------------ */

static void test_double_put(void **state)
{
	struct pp_depot_params p = depot_params(256, 32, 8);
	struct pp_audit a;
	struct depot_fixture f;

	depot_new(&f, &p);
	require(depot_take(f.depot, objs, 8) == 8);
	pp_depot_put_bulk(f.depot, objs, 8);
	pp_depot_put_bulk(f.depot, objs, 1);
	a = depot_audit(&f);
	require(a.double_free == 1 && a.home == 256 && a.leaked == 0);
	require(pp_depot_count(f.depot) == 256); /* no more than there are */
	/* far more than there is room for: refused, not written behind the end */
	memset(f.memory, 0, f.size);
	f.depot = pp_depot_init(&p, f.memory);
	depot_adopt(&f);
	require(depot_take(f.depot, objs, 200) == 200);
	pp_depot_put_bulk(f.depot, objs, 200);
	pp_depot_put_bulk(f.depot, objs, 200);
	pp_depot_put_bulk(f.depot, objs, 200);
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	a = depot_audit(&f);
	require(a.double_free == 400);
	require(pp_depot_count(f.depot) == 256);
	depot_again(&f);
	depot_end(&f);
}

/* ---- all at once ----------------------------------------------------------------------------- */

struct storm {
	struct depot_fixture *f;
	uint64_t id;
	double until;
};

static void storm_thread(void *arg)
{
	struct storm *s = arg;
	struct rng r = rng_init(s->id);
	unsigned int held = 0, n;
	void *mine[1024];

	while (now_s() < s->until) {
		n = 1 + rng_below(&r, rng_below(&r, 4) ? 64 : 512);
		if (held + n <= 1024 && rng_below(&r, 2)) {
			if (depot_take(s->f->depot, mine + held, n))
				held += n;
		} else if (held >= n) {
			pp_depot_put_bulk(s->f->depot, mine + held - n, n);
			held -= n;
		}
		if (!rng_below(&r, 64))
			drain_done(pp_depot_drain_all(s->f->depot, 1000));
		if (!rng_below(&r, 256))
			require(!pp_depot_pcp_set(s->f->depot, 16 + rng_below(&r, 240), 16));
		if (!rng_below(&r, 32) && held)
			depot_distinct(s->f, mine, held);
	}
	while (held) {
		n = held < 512 ? held : 512;
		held -= n;
		pp_depot_put_bulk(s->f->depot, mine + held, n);
	}
}

static void test_storm(void **state)
{
	struct pp_depot_params p = depot_params(2500, 256, 64);
	struct depot_fixture f;
	struct storm s[4];
	struct pinned t[4];
	unsigned int i;

	depot_new(&f, &p);
	for (i = 0; i < 4; i++) {
		s[i] = (struct storm){ &f, i, now_s() + test_seconds("PP_DEPOT_SECONDS", 1.5, 20) };
		pinned_start(&t[i], -1, storm_thread, &s[i]);
	}
	for (i = 0; i < 4; i++)
		pinned_join(&t[i]);
	depot_check(&f, 0);
	require(depot_take(f.depot, objs, 2500) == 2500);
	depot_distinct(&f, objs, 2500);
	pp_depot_put_bulk(f.depot, objs, 2500);
	depot_end(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parameters_refused),
		cmocka_unit_test(test_memory_refused),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_caches_sized),
		cmocka_unit_test(test_attach),
		cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_disown),
		cmocka_unit_test(test_bulk_sizes),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_cache_is_used),
		cmocka_unit_test(test_idle_caches),
		cmocka_unit_test(test_two_getters),
		cmocka_unit_test(test_closed_caches),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_double_put),
		cmocka_unit_test(test_storm),
	};

	depot_policy_parse(argc, argv);
	return test_main("depot", tests, ARRAY_LEN(tests), 120);
}
