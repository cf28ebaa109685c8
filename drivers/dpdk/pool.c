/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/pool.c - a mempool over each queue's page_pool
 *
 * PMDs allocate from and free to a struct rte_mempool. This one has no objects of its own: a
 * dequeue allocates from the queue's page_pool, and an enqueue returns pages to the pools that
 * they came from, whatever mempool the mbuf names. The mempool's list of objects stays empty, too:
 * it would lie inside the pages, and rte_mempool_free() takes as many objects as the list has.
 */
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "dpdk/pool.h"

#define OPS_NAME "pagepool_port"

/* af_xdp tags its pages too, with small numbers */
#define TAG_BASE ((uint32_t)1 << 30)

__thread struct dpdk_queue *dpdk_sending;

static __rte_noinline void enqueue_bulk(const struct dpdk_queue *dq, void *const *objs,
					unsigned int n)
{
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int i, k;

	for (; n; n -= k, objs += k) {
		k = RTE_MIN(n, PP_BULK_MAX);
		for (i = 0; i < k; i++) {
			pages[i] = dpdk_page_of(dq, objs[i]);
			dpdk_page_tag(pages[i], 0);
		}
		page_pool_put_bulk(pages, k);
	}
}

static __rte_noinline int short_dequeue(struct dpdk_queue *dq, void **objs, unsigned int want,
					unsigned int got)
{
	pp_stat_add(&dq->q.stats.rx_nombuf, want - got);
	enqueue_bulk(dq, objs, got);
	return -ENOBUFS;
}

static int pool_dequeue(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct dpdk_queue *dq = mp->pool_data;
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int i, got, want, done = 0;
	uintptr_t number;

	for (; done < n; done += got) {
		want = RTE_MIN(n - done, PP_BULK_MAX);
		got = page_pool_alloc_bulk(dq->q.pool, pages, want);
		for (i = 0; i < got; i++) {
			dpdk_page_tag(pages[i], dq->tag);
			number = (uintptr_t)(pages[i] - dq->table);
			objs[done + i] = dpdk_mbuf_at(dq, number, dpdk_color(dq, number));
			dpdk_mbuf_fill(objs[done + i], &dq->received, dq->front);
		}
		if (unlikely(got < want))
			return short_dequeue(dq, objs, n, done + got);
	}
	return 0;
}

/* by any thread, and for a page of any pool of the zone; most PMDs free one mbuf at a time */
static int pool_enqueue(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct dpdk_queue *dq = mp->pool_data;
	struct pp_page *page;

	if (unlikely(n != 1)) {
		enqueue_bulk(dq, objs, n);
		return 0;
	}
	page = dpdk_page_of(dq, objs[0]);
	dpdk_page_tag(page, 0);
	if (likely(dpdk_sending == dq && dq->nfreed < DPDK_FREED))
		dq->freed[dq->nfreed++] = page;
	else
		page_pool_put_bulk(&page, 1);
	return 0;
}

/* a gauge: free in the zone's cores, in the zone, and in this queue's pool */
static unsigned int pool_get_count(const struct rte_mempool *mp)
{
	const struct dpdk_queue *dq = mp->pool_data;
	struct pp_zone_stats zone = { .sz = sizeof(zone) };
	struct page_pool_stats pool = { .sz = sizeof(pool) };

	pp_zone_get_stats(dq->q.dev->params.zone, &zone);
	page_pool_get_stats(dq->q.pool, &pool);
	return (unsigned int)(zone.free + zone.cached + pool.cache + pool.ring);
}

static int pool_alloc(struct rte_mempool *mp)
{
	mp->pool_data = mp->pool_config;
	return 0;
}

static void pool_free(struct rte_mempool *mp)
{
}

static int pool_populate(struct rte_mempool *mp, unsigned int max, void *vaddr, rte_iova_t iova,
			 size_t len, rte_mempool_populate_obj_cb_t *obj_cb, void *arg)
{
	const struct dpdk_queue *dq = mp->pool_config;
	unsigned int n = (unsigned int)RTE_MIN(len >> dq->shift, (size_t)max);

	mp->populated_size += n; /* not by obj_cb, which writes into the objects */
	return (int)n;
}

static const struct rte_mempool_ops pool_ops = {
	.name = OPS_NAME,
	.alloc = pool_alloc,
	.free = pool_free,
	.enqueue = pool_enqueue,
	.dequeue = pool_dequeue,
	.get_count = pool_get_count,
	.populate = pool_populate,
};

/* before EAL loads its plugins, which may fill the table */
int dpdk_ops_register(void)
{
	static bool registered;

	if (!registered && rte_mempool_register_ops(&pool_ops) < 0)
		return pp_set_error(ENOSPC, "dpdk: no room for a mempool handler in DPDK's table; "
					    "load fewer plugins");
	registered = true;
	return 0;
}

/* PMDs read sizes here, and some take the one chunk as memory to map: see net_af_xdp */
static int pool_build(struct dpdk_queue *dq, struct rte_mempool *mp)
{
	size_t size = (size_t)1 << dq->shift;
	struct rte_pktmbuf_pool_private priv = {
		.mbuf_data_room_size = (uint16_t)(size - dq->front - dpdk_color(dq, dq->colors)),
		.mbuf_priv_size = (uint16_t)(dq->front - DPDK_FRONT),
	};
	int n;

	if (rte_mempool_set_ops_byname(mp, OPS_NAME, dq))
		return -EINVAL;
	rte_pktmbuf_pool_init(mp, &priv);
	n = rte_mempool_populate_iova(mp, (char *)dq->base, (rte_iova_t)dq->base,
				      (size_t)mp->size << dq->shift, NULL, NULL);
	if (n < 0)
		return n;
	if ((uint32_t)n != mp->size || mp->header_size != DPDK_OBJ_HEADER || mp->trailer_size)
		return -EINVAL;
	return 0;
}

static void fill_templates(struct dpdk_queue *dq)
{
	struct rte_mbuf *m = &dq->received;

	memset(m, 0, sizeof(*m));
	m->data_off = RTE_PKTMBUF_HEADROOM;
	rte_mbuf_refcnt_set(m, 1);
	m->nb_segs = 1;
	m->port = RTE_MBUF_PORT_INVALID;
	m->pool = dq->mp;
	dq->sent = *m;
	m->priv_size = (uint16_t)(dq->front - DPDK_FRONT);
	m->buf_len =
		(uint16_t)(((uint32_t)1 << dq->shift) - dq->front - dpdk_color(dq, dq->colors));
	dq->sent.buf_len = (uint16_t)(((uint32_t)1 << dq->shift) - DPDK_FRONT);
}

int dpdk_pool_create(struct dpdk_queue *dq)
{
	static unsigned int serial; /* under the lock of dpdk_enter() */
	char name[RTE_MEMPOOL_NAMESIZE];
	unsigned int size = 1u << dq->shift;
	struct rte_mempool *mp;
	int err;

	snprintf(name, sizeof(name), OPS_NAME "%u", serial);
	dq->tag = TAG_BASE + serial++ % TAG_BASE;
	mp = rte_mempool_create_empty(name, (unsigned int)pp_zone_pages(dq->q.dev->params.zone),
				      size - DPDK_OBJ_HEADER, 0,
				      sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY,
				      RTE_MEMPOOL_F_NO_SPREAD);
	if (!mp)
		return pp_set_error(rte_errno,
				    "dpdk: no mempool for queue %u: %s; give EAL more "
				    "memory with --eal '-m MIB ...'",
				    dq->q.index, rte_strerror(rte_errno));
	err = pool_build(dq, mp);
	if (err) {
		rte_mempool_free(mp);
		return pp_set_error(-err,
				    "dpdk: DPDK lays the mempool of queue %u out in another "
				    "way than expected: %s",
				    dq->q.index, rte_strerror(-err));
	}
	dq->mp = mp;
	fill_templates(dq);
	return 0;
}

void dpdk_pool_free(struct dpdk_queue *dq)
{
	rte_mempool_free(dq->mp);
	dq->mp = NULL;
}

/* net_af_xdp, for one, does not return the pages of its fill ring */
unsigned long dpdk_pool_reclaim(struct dpdk_queue *dq)
{
	uint64_t i, n = pp_zone_pages(dq->q.dev->params.zone);
	unsigned long found = 0;
	struct pp_page *page;

	for (i = 0; i < n; i++) {
		page = dq->table + i;
		if (__atomic_load_n(&page->owner, __ATOMIC_RELAXED) != dq->tag)
			continue;
		dpdk_page_tag(page, 0);
		page_pool_put_bulk(&page, 1);
		found++;
	}
	return found;
}
