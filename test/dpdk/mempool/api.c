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
#include <rte_mempool.h>

#define require(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: require(%s) failed\n", __FILE__, __LINE__, #cond); \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

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
