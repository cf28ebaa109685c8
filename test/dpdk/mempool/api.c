/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * api.c - mistakes, and threads that EAL does not know: api EAL_ARGUMENTS -- CASE
 *
 * Against DPDK only, as a user's program would be; what the plugin logs is looked for by
 * badinput.py.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memzone.h>
#include <rte_mempool.h>

#include "require.h"

#define OBJECTS 500u

static struct rte_mempool *pool_new(const char *name, const char *ops, unsigned int n)
{
	struct rte_mempool *mp = rte_mempool_create_empty(name, n, 256, 0, 0, SOCKET_ID_ANY, 0);

	require(mp);
	require(rte_mempool_set_ops_byname(mp, ops, NULL) == 0);
	require(rte_mempool_populate_default(mp) == (int)n);
	require(rte_mempool_avail_count(mp) == n);
	return mp;
}

static void case_double_free(void)
{
	struct rte_mempool *mp = pool_new("twice", "pagepool_debug", OBJECTS);
	void *obj[4], *all[OBJECTS];

	require(rte_mempool_get_bulk(mp, obj, 4) == 0);
	rte_mempool_put_bulk(mp, obj, 4);
	rte_errno = 0;
	rte_mempool_put(mp, obj[2]);
	require(rte_errno == EINVAL);
	require(rte_mempool_avail_count(mp) == OBJECTS);
	require(rte_mempool_get_bulk(mp, all, OBJECTS) == 0); /* each of them once */
	require(rte_mempool_get(mp, &obj[0]) == -ENOENT || rte_mempool_get(mp, &obj[0]) < 0);
	rte_mempool_put_bulk(mp, all, OBJECTS);
	rte_mempool_free(mp);
}

static void case_foreign(void)
{
	struct rte_mempool *mp = pool_new("mine", "pagepool_debug", OBJECTS);
	struct rte_mempool *other = pool_new("other", "pagepool_debug", OBJECTS);
	static char bytes[256];
	void *obj[2], *all[OBJECTS];

	require(rte_mempool_get(other, &obj[0]) == 0);
	require(rte_mempool_get(mp, &obj[1]) == 0);
	rte_errno = 0;
	rte_mempool_put(mp, obj[0]);
	require(rte_errno == EINVAL);
	rte_mempool_put(mp, bytes);
	rte_mempool_put(mp, (char *)obj[1] + 8); /* inside an object of its own */
	rte_mempool_put(mp, NULL);
	require(rte_mempool_avail_count(mp) == OBJECTS - 1);
	rte_mempool_put(mp, obj[1]);
	rte_mempool_put(other, obj[0]);
	require(rte_mempool_get_bulk(mp, all, OBJECTS) == 0);
	rte_mempool_put_bulk(mp, all, OBJECTS);
	rte_mempool_free(mp);
	rte_mempool_free(other);
}

/* 7 of one, 1 of another, none of a third; all of the fourth */
static void case_out(void)
{
	static const unsigned int out[] = { 7, 1, 0, OBJECTS };
	const char *ops[] = { "pagepool", "pagepool_debug", "pagepool", "pagepool" };
	void *obj[OBJECTS];
	char name[16];
	unsigned int i;
	struct rte_mempool *mp;

	for (i = 0; i < RTE_DIM(out); i++) {
		snprintf(name, sizeof(name), "out%u", i);
		mp = pool_new(name, ops[i], OBJECTS);
		if (out[i])
			require(rte_mempool_get_bulk(mp, obj, out[i]) == 0);
		rte_mempool_free(mp);
	}
}

static void case_never_populated(void)
{
	struct rte_mempool *mp;

	mp = rte_mempool_create_empty("never", 64, 64, 0, 0, SOCKET_ID_ANY, 0);
	require(mp && rte_mempool_set_ops_byname(mp, "pagepool", NULL) == 0);
	rte_mempool_free(mp);
	mp = rte_mempool_create_empty("never", 64, 64, 0, 0, SOCKET_ID_ANY, 0);
	require(mp && rte_mempool_set_ops_byname(mp, "pagepool_debug", NULL) == 0);
	rte_mempool_free(mp);
}

/* DPDK says ENOBUFS where the last chunk of memory holds no object. */
static bool is_no_memory(int err)
{
	return err == ENOMEM || err == ENOBUFS;
}

/* the table of the objects fits, the objects do not: populate fails half way */
static void case_no_memory(void)
{
	struct rte_mempool *mp;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		rte_errno = 0;
		mp = rte_pktmbuf_pool_create_by_ops("huge", 200000, 0, 0, 2176, SOCKET_ID_ANY,
						    "pagepool");
		require(!mp);
		require(is_no_memory(rte_errno));
	}
	rte_errno = 0;
	require(!rte_pktmbuf_pool_create_by_ops("vast", 200000000, 0, 0, 64, SOCKET_ID_ANY,
						"pagepool"));
	require(is_no_memory(rte_errno));
	rte_mempool_free(pool_new("small", "pagepool", OBJECTS));
}

/* ---- pools that grow ------------------------------------------------------------------------- */

#define PART 200u

/* Memory for @n objects of @mp, of which whole numbers fit into a page. */
static const struct rte_memzone *part_memory(struct rte_mempool *mp, const char *name,
					     unsigned int n)
{
	size_t size = mp->header_size + mp->elt_size + mp->trailer_size;
	const struct rte_memzone *mz;

	mz = rte_memzone_reserve_aligned(name, n * size, SOCKET_ID_ANY, 0, 4096);
	require(mz);
	return mz;
}

static unsigned int add_part(struct rte_mempool *mp, const struct rte_memzone *mz)
{
	int n = rte_mempool_populate_iova(mp, mz->addr, mz->iova, mz->len, NULL, NULL);

	require(n > 0);
	return (unsigned int)n;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

/* Exactly @n are there, each once. */
static void get_all_of(struct rte_mempool *mp, void **all, unsigned int n)
{
	unsigned int i;

	require(rte_mempool_avail_count(mp) == n);
	for (i = 0; i < n; i++)
		require(rte_mempool_get(mp, &all[i]) == 0);
	require(rte_mempool_get(mp, &all[n]) < 0);
	qsort(all, n, sizeof(*all), by_address);
	for (i = 1; i < n; i++)
		require(all[i] != all[i - 1]);
}

/* It runs dry, takes more while all is out, and is whole; the parts come in no order. */
static void grow(const char *ops)
{
	const struct rte_memzone *mz[3];
	void *all[3 * PART + 1];
	struct rte_mempool *mp;
	char name[16];
	unsigned int i;

	mp = rte_mempool_create_empty("grow", 3 * PART, 192, 0, 0, SOCKET_ID_ANY,
				      RTE_MEMPOOL_F_NO_SPREAD);
	require(mp && !rte_mempool_set_ops_byname(mp, ops, NULL));
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "part%u", i);
		mz[i] = part_memory(mp, name, PART);
	}
	if (mz[0]->addr < mz[1]->addr)
		RTE_SWAP(mz[0], mz[1]);
	require(add_part(mp, mz[0]) == PART);
	get_all_of(mp, all, PART);
	require(add_part(mp, mz[1]) == PART);
	get_all_of(mp, all + PART, PART);
	rte_mempool_put_bulk(mp, all, 2 * PART);
	get_all_of(mp, all, 2 * PART);
	rte_mempool_put_bulk(mp, all, 2 * PART);
	require(rte_mempool_populate_virt(mp, mz[2]->addr, mz[2]->len, mz[2]->hugepage_sz, NULL,
					  NULL) == (int)PART);
	require(mp->populated_size == mp->size);
	get_all_of(mp, all, 3 * PART);
	rte_mempool_put_bulk(mp, all, 3 * PART);
	rte_mempool_free(mp);
	for (i = 0; i < 3; i++)
		rte_memzone_free(mz[i]);
}

static void case_grow(void)
{
	grow("pagepool");
	grow("pagepool_debug");
}

static bool growing;

static void *churn(void *arg)
{
	struct rte_mempool *mp = arg;
	void *obj[4];

	while (__atomic_load_n(&growing, __ATOMIC_RELAXED)) {
		if (!rte_mempool_get_bulk(mp, obj, 4))
			rte_mempool_put_bulk(mp, obj, 4);
	}
	return NULL;
}

/* Objects arrive one part at a time, beside puts of those that are in use. */
static void grow_in_use(const char *ops)
{
	struct rte_mempool *mp = rte_mempool_create_empty("busy", 20 * PART, 64, 0, 0,
							  SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_SPREAD);
	size_t size = mp->header_size + mp->elt_size + mp->trailer_size;
	const struct rte_memzone *mz = part_memory(mp, "parts", 20 * PART);
	static void *all[20 * PART + 1];
	pthread_t t[2];
	unsigned int i;

	require(!rte_mempool_set_ops_byname(mp, ops, NULL));
	growing = true;
	for (i = 0; i < 20 * PART; i++) {
		require(rte_mempool_populate_iova(mp, (char *)mz->addr + i * size,
						  mz->iova + i * size, size, NULL, NULL) == 1);
		if (i == PART)
			require(!pthread_create(&t[0], NULL, churn, mp) &&
				!pthread_create(&t[1], NULL, churn, mp));
	}
	__atomic_store_n(&growing, false, __ATOMIC_RELAXED);
	require(!pthread_join(t[0], NULL) && !pthread_join(t[1], NULL));
	get_all_of(mp, all, 20 * PART);
	rte_mempool_put_bulk(mp, all, 20 * PART);
	rte_mempool_free(mp);
	rte_memzone_free(mz);
}

static void case_grow_in_use(void)
{
	grow_in_use("pagepool");
	grow_in_use("pagepool_debug");
}

/* Memory for all of them there is not; then a part of the same pool is populated. */
static void grow_again(const char *ops)
{
	struct rte_mempool *mp =
		rte_mempool_create_empty("again", 3 * PART, 1 << 20, 0, 0, SOCKET_ID_ANY, 0);
	const struct rte_memzone *mz;
	void *all[3 * PART + 1];

	require(mp && !rte_mempool_set_ops_byname(mp, ops, NULL));
	require(rte_mempool_populate_default(mp) < 0);
	require(!mp->populated_size && !mp->nb_mem_chunks);
	mz = part_memory(mp, "again", 5);
	require(add_part(mp, mz) == 5);
	get_all_of(mp, all, 5);
	rte_mempool_put_bulk(mp, all, 5);
	get_all_of(mp, all, 5);
	rte_mempool_put_bulk(mp, all, 5);
	rte_mempool_free(mp);
	rte_memzone_free(mz);
}

static void case_grow_again(void)
{
	grow_again("pagepool");
	grow_again("pagepool_debug");
}

/* a pool with parameters from the environment that can not be */
static void case_refused(void)
{
	struct rte_mempool *mp;

	rte_errno = 0;
	mp = rte_pktmbuf_pool_create_by_ops("refused", 511, 0, 0, 2176, SOCKET_ID_ANY, "pagepool");
	require(!mp);
	require(rte_errno == EINVAL || rte_errno == ENOTSUP);
	printf("rte_errno %d\n", rte_errno);
}

/* Both names are in the table, once each; their numbers. */
static void case_ops(void)
{
	const char *names[2] = { "pagepool", "pagepool_debug" };
	unsigned int i, k, found[2] = { 0, 0 }, index[2] = { 0, 0 };

	for (i = 0; i < rte_mempool_ops_table.num_ops; i++) {
		for (k = 0; k < 2; k++) {
			if (strcmp(rte_mempool_ops_table.ops[i].name, names[k]))
				continue;
			found[k]++;
			index[k] = i;
		}
	}
	require(found[0] == 1 && found[1] == 1);
	printf("index %u and %u\n", index[0], index[1]);
	rte_mempool_free(pool_new("one", names[0], OBJECTS));
	rte_mempool_free(pool_new("other", names[1], OBJECTS));
}

/* ---- threads that are not lcores ------------------------------------------------------------- */

static void *thread_main(void *arg)
{
	struct rte_mempool *mp = arg;
	void *obj[32];
	unsigned int i;

	require(rte_lcore_id() == LCORE_ID_ANY);
	for (i = 0; i < 20000; i++) {
		require(rte_mempool_get_bulk(mp, obj, 32) == 0);
		rte_mempool_put_bulk(mp, obj, 32);
	}
	return NULL;
}

/* four of them; then it waits, and threads.py looks how often they went past a cache */
static void case_threads(void)
{
	struct rte_mempool *mp = pool_new("threads", "pagepool", 4096);
	pthread_t t[4];
	void *all[4096];
	unsigned int i;

	for (i = 0; i < RTE_DIM(t); i++)
		require(!pthread_create(&t[i], NULL, thread_main, mp));
	for (i = 0; i < RTE_DIM(t); i++)
		require(!pthread_join(t[i], NULL));
	require(rte_mempool_avail_count(mp) == 4096);
	printf("done\n");
	fflush(stdout);
	getchar();
	require(rte_mempool_get_bulk(mp, all, 4096) == 0);
	rte_mempool_put_bulk(mp, all, 4096);
	rte_mempool_free(mp);
}

static void *take_three(void *arg)
{
	void *obj[3];

	require(rte_mempool_get_bulk(arg, obj, 3) == 0);
	return NULL;
}

/* lcore 0 has 5, a thread that is no lcore took 3; then it waits, and badinput.py asks */
static void case_holders(void)
{
	struct rte_mempool *mp = pool_new("holders", "pagepool_debug", OBJECTS);
	pthread_t t;
	void *obj[9];

	require(rte_mempool_get_bulk(mp, obj, 9) == 0);
	rte_mempool_put_bulk(mp, obj + 5, 4);
	require(!pthread_create(&t, NULL, take_three, mp) && !pthread_join(t, NULL));
	rte_mempool_free(pool_new("plain", "pagepool", OBJECTS));
	printf("first %p\n", obj[0]);
	printf("done\n");
	fflush(stdout);
	getchar();
	rte_mempool_put(mp, obj[5]);
	rte_mempool_free(mp);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "double_free", case_double_free },
	{ "foreign", case_foreign },
	{ "out", case_out },
	{ "never_populated", case_never_populated },
	{ "no_memory", case_no_memory },
	{ "refused", case_refused },
	{ "ops", case_ops },
	{ "threads", case_threads },
	{ "grow", case_grow },
	{ "grow_in_use", case_grow_in_use },
	{ "grow_again", case_grow_again },
	{ "holders", case_holders },
};

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv);
	unsigned int i;

	require(used >= 0 && used + 1 < argc);
	for (i = 0; i < RTE_DIM(cases); i++) {
		if (strcmp(cases[i].name, argv[used + 1]))
			continue;
		cases[i].run();
		rte_eal_cleanup();
		return 0;
	}
	fprintf(stderr, "api: no case %s\n", argv[used + 1]);
	return 2;
}
