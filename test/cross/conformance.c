/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conformance.c - every policy that this machine can run, from several threads, and the ledger
 *
 * Needs libc and pthreads only, so that it can be built for another architecture and run under
 * qemu-user. usage: conformance [SEED [REFUSED ...]], where the policies named after the seed
 * must be refused, and all others must run; with "any" there, any may be refused.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pagepool/error.h>
#include <pagepool/zone.h>

#define PAGES	1024u
#define THREADS 3u
#define ROUNDS	20000u
#define HELD	96u
#define BULK	32u

struct worker {
	pthread_t thread;
	struct pp_zone *zone;
	uint64_t random;
	uint64_t allocs;
	uint64_t doubles;
};

static unsigned char taken[PAGES];

static uint32_t random_below(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

static size_t index_of(const struct pp_zone *zone, const struct pp_page *page)
{
	return (size_t)(page - pp_zone_page_table(zone));
}

static unsigned int take(struct worker *w, struct pp_page **held, unsigned int n)
{
	unsigned int got = pp_zone_alloc_bulk(w->zone, held, n), i;

	for (i = 0; i < got; i++)
		w->doubles += __atomic_exchange_n(&taken[index_of(w->zone, held[i])], 1,
						  __ATOMIC_RELAXED);
	w->allocs += got;
	return got;
}

static void give(struct worker *w, struct pp_page **held, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		w->doubles += !__atomic_exchange_n(&taken[index_of(w->zone, held[i])], 0,
						   __ATOMIC_RELAXED);
	pp_zone_free_bulk(w->zone, held, n);
}

static void *work(void *arg)
{
	struct pp_page *held[HELD];
	unsigned int n = 0, k, i;
	struct worker *w = arg;

	for (i = 0; i < ROUNDS; i++) {
		k = 1 + random_below(&w->random, BULK);
		if (n + k <= HELD && random_below(&w->random, 2)) {
			n += take(w, held + n, k);
		} else {
			k = k < n ? k : n;
			n -= k;
			give(w, held + n, k);
		}
		if (i % 64 == 0)
			pp_zone_drain(w->zone, random_below(&w->random, pp_zone_cores(w->zone)),
				      50);
	}
	give(w, held, n);
	return NULL;
}

/* Disables, looks and enables while the others run; in how many caches it found pages. */
static int disable_some(struct pp_zone *zone, unsigned int *done)
{
	unsigned int i, core;
	int found = 0;

	for (i = 0; i < 20; i++) {
		pp_zone_maintain(zone);
		if (pp_zone_pcp_disable(zone, 200000))
			continue;
		*done += 1;
		/* not stats.cached, in which llist's pages on their way count, too */
		for (core = 0; core < pp_zone_cores(zone); core++)
			found += !!pp_zone_cached(zone, core);
		pp_zone_pcp_enable(zone);
	}
	return found;
}

static bool audit(struct pp_zone *zone, struct pp_audit *a)
{
	memset(a, 0, sizeof(*a));
	a->sz = sizeof(*a);
	return !pp_zone_audit(zone, a) && a->home == a->managed && !a->leaked && !a->double_free;
}

static bool run_policy(const char *name, uint64_t seed)
{
	const struct pp_zone_params params = {
		.sz = sizeof(params), .pages = PAGES, .high = 64, .batch = 32, .policy = name
	};
	struct pp_zone *zone = pp_zone_create(&params);
	struct worker w[THREADS] = { { 0 } };
	uint64_t doubles = 0, allocs = 0;
	unsigned int i, disables = 0;
	struct pp_audit a;
	bool home;
	int found;

	if (!zone) {
		printf("%-9s FAILED: no zone: %s\n", name, pp_error());
		return false;
	}
	memset(taken, 0, sizeof(taken));
	for (i = 0; i < THREADS; i++) {
		w[i].zone = zone;
		w[i].random = seed + i;
		if (pthread_create(&w[i].thread, NULL, work, &w[i])) {
			printf("%-9s FAILED: no thread\n", name);
			exit(1);
		}
	}
	found = disable_some(zone, &disables);
	for (i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		doubles += w[i].doubles;
		allocs += w[i].allocs;
	}
	/* once more with nobody there, so that each policy is disabled at least once */
	found += disable_some(zone, &disables);
	home = audit(zone, &a);
	printf("%-9s %s: %" PRIu64 " allocations, %u disables, %" PRIu64 " of %" PRIu64
	       " pages home, %" PRIu64 " taken twice, %d found in a disabled cache\n",
	       name, home && !doubles && !found && disables && allocs ? "ok" : "FAILED", allocs,
	       disables, a.home, a.managed, doubles, found);
	if (pp_zone_destroy(zone)) {
		printf("%-9s FAILED: %s\n", name, pp_error());
		return false;
	}
	return home && !doubles && !found && disables && allocs;
}

static bool is_named(char **names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!strcmp(names[i], name))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	const char *const *names = pp_policy_names();
	bool must_refuse, may_refuse, good = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %" PRIu64 "\n", seed);
	may_refuse = argc > 2 && is_named(argv + 2, argc - 2, "any");
	for (; *names; names++) {
		must_refuse = argc > 2 && is_named(argv + 2, argc - 2, *names);
		if (pp_policy_check(*names)) {
			printf("%-9s refused%s: %s\n", *names,
			       must_refuse || may_refuse ? "" : ", FAILED", pp_error());
			good &= must_refuse || may_refuse;
			continue;
		}
		if (must_refuse) {
			printf("%-9s FAILED: should have been refused\n", *names);
			good = false;
		}
		good &= run_policy(*names, seed);
	}
	return !good;
}
