/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pair.c - a primary and secondaries that all get from one pool and put into it
 *
 * pair EAL_ARGUMENTS -- SLOT [PARTS]: slot 0 is the primary, which obeys lines on stdin: "bury
 * SLOT" puts back the objects of a killed secondary, "check" stops and counts, "grow" populates
 * one more part, "quit". Each process first populates so many of the pool's four parts: the
 * primary all, a secondary none, unless told. Each logs in a memzone the objects that it holds,
 * and before a call their number: at most so many are unknown if it dies.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memzone.h>
#include <rte_mempool.h>

#define SLOTS	4u
#define OBJECTS 4000u
#define HELD	512u
#define PARTS	4u

#define require(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: require(%s) failed\n", __FILE__, __LINE__, #cond); \
			_Exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define WRITE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
#define READ(x)	    __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

struct log {
	unsigned int doing; /* objects that the call is about; 0: none */
	unsigned int puts; /* it is a put */
	unsigned int held;
	unsigned int paused;
	uint64_t calls;
	void *obj[HELD];
};

struct shared {
	unsigned int pause;
	uint64_t unknown; /* of dead processes' last calls */
	struct log log[SLOTS];
};

static struct shared *shared;
static struct rte_mempool *mp;

static void one_call(struct log *l, unsigned int *seed)
{
	unsigned int n = 1 + (unsigned int)rand_r(seed) % 64;

	if (rand_r(seed) % 2 && l->held + n <= HELD) {
		WRITE(l->puts, 0);
		WRITE(l->doing, n);
		if (!rte_mempool_get_bulk(mp, l->obj + l->held, n))
			WRITE(l->held, l->held + n);
	} else if (l->held >= n) {
		WRITE(l->puts, 1);
		WRITE(l->doing, n);
		rte_mempool_put_bulk(mp, l->obj + l->held - n, n);
		WRITE(l->held, l->held - n);
	}
	WRITE(l->doing, 0);
	WRITE(l->calls, l->calls + 1);
}

static void *traffic(void *arg)
{
	struct log *l = arg;
	unsigned int seed = (unsigned int)rte_rdtsc();

	for (;;) {
		if (READ(shared->pause)) {
			WRITE(l->paused, 1);
			rte_delay_us_sleep(200);
		} else {
			WRITE(l->paused, 0);
			one_call(l, &seed);
		}
	}
	return NULL;
}

static void bury(unsigned int slot)
{
	struct log *l = &shared->log[slot];
	unsigned int unknown = l->doing, held = l->held;

	if (unknown && l->puts)
		held -= RTE_MIN(unknown, held);
	if (held)
		rte_mempool_put_bulk(mp, l->obj, held);
	shared->unknown += unknown;
	memset(l, 0, sizeof(*l));
	printf("buried, %u home, %u unknown\n", held, unknown);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

/* All at rest: what can be got, and what is held, is there once. */
static void check(void)
{
	static void *all[OBJECTS + SLOTS * HELD];
	unsigned int n = 0, i, home, most;

	WRITE(shared->pause, 1);
	for (i = 0; i < SLOTS; i++)
		while (shared->log[i].calls && !READ(shared->log[i].paused))
			rte_delay_us_sleep(200);
	/* once for the dead: what they had in hand is dropped by the first get that runs short */
	while (n < OBJECTS && !rte_mempool_get(mp, &all[n]))
		n++;
	most = mp->populated_size;
	for (i = 0; i < n; i += 100)
		rte_mempool_put_bulk(mp, all + i, RTE_MIN(n - i, 100u));
	n = 0;
	home = rte_mempool_avail_count(mp);
	while (n < OBJECTS && !rte_mempool_get(mp, &all[n]))
		n++;
	require(n == home);
	require(!n || rte_mempool_avail_count(mp) == 0);
	for (i = 0; i < SLOTS; i++) {
		memcpy(all + n, shared->log[i].obj, shared->log[i].held * sizeof(*all));
		n += shared->log[i].held;
	}
	for (i = 0; i < home; i += 100)
		rte_mempool_put_bulk(mp, all + i, RTE_MIN(home - i, 100u));
	qsort(all, n, sizeof(*all), by_address);
	for (i = 1; i < n; i++)
		require(all[i] != all[i - 1]);
	require(n <= most);
	printf("checked, %u of %u lost, %lu unknown, %lu calls\n", most - n, most,
	       (unsigned long)shared->unknown, (unsigned long)shared->log[0].calls);
	WRITE(shared->pause, 0);
}

/* The next parts of the pool; each process can. */
static void grow(unsigned int parts)
{
	size_t size = mp->header_size + mp->elt_size + mp->trailer_size;
	const struct rte_memzone *mz;
	char name[16];

	for (; parts; parts--) {
		snprintf(name, sizeof(name), "part%u", mp->nb_mem_chunks);
		mz = rte_memzone_reserve_aligned(name, OBJECTS / PARTS * size, SOCKET_ID_ANY,
						 RTE_MEMZONE_IOVA_CONTIG, RTE_CACHE_LINE_SIZE);
		require(mz);
		require(rte_mempool_populate_iova(mp, mz->addr, mz->iova, mz->len, NULL, NULL) ==
			(int)(OBJECTS / PARTS));
	}
	printf("grown to %u\n", mp->populated_size);
}

static void obey(void)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4)) {
		if (!strncmp(line, "bury", 4))
			bury((unsigned int)atoi(line + 4));
		else if (!strncmp(line, "grow", 4))
			grow(1);
		else
			check();
		fflush(stdout);
	}
}

static void primary(unsigned int parts)
{
	const struct rte_memzone *mz =
		rte_memzone_reserve("pair", sizeof(*shared), SOCKET_ID_ANY, 0);
	pthread_t t;

	require(mz);
	shared = mz->addr;
	memset(shared, 0, sizeof(*shared));
	mp = rte_mempool_create_empty("pair", OBJECTS, 64, 0, 0, SOCKET_ID_ANY,
				      RTE_MEMPOOL_F_NO_SPREAD);
	require(mp && !rte_mempool_set_ops_byname(mp, "pagepool", NULL));
	grow(parts);
	require(!pthread_create(&t, NULL, traffic, &shared->log[0]));
	obey();
	_Exit(0);
}

static void secondary(unsigned int slot, unsigned int parts)
{
	const struct rte_memzone *mz = rte_memzone_lookup("pair");

	require(mz && slot < SLOTS);
	shared = mz->addr;
	mp = rte_mempool_lookup("pair");
	require(mp);
	grow(parts);
	printf("ready\n");
	fflush(stdout);
	traffic(&shared->log[slot]);
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv), parts = -1;

	require(used >= 0 && used + 1 < argc);
	if (used + 2 < argc)
		parts = atoi(argv[used + 2]);
	if (rte_eal_process_type() == RTE_PROC_PRIMARY)
		primary(parts < 0 ? PARTS : (unsigned int)parts);
	else
		secondary((unsigned int)atoi(argv[used + 1]), (unsigned int)RTE_MAX(parts, 0));
	return 0;
}
