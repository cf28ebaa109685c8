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

#include <rte_errno.h>

#include <pagepool/share.h>

#include "dpdk/pool.h"

#define OPS_NAME "pagepool_port"

/* af_xdp tags its pages too, with small numbers */
#define TAG_BASE ((uint32_t)1 << 30)

void dpdk_put(const struct dpdk_queue *dq, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; dq->inside && i < n; i++)
		dpdk_page_tag(pages[i], 0);
	page_pool_put_bulk(pages, n);
}

static __rte_noinline int enqueue_bulk(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	const struct dpdk_queue *dq = mp->pool_data;
	const struct dpdk_map map = dq->map;
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int i, k;

	for (; n; n -= k, objs += k) {
		k = RTE_MIN(n, PP_BULK_MAX);
		for (i = 0; i < k; i++)
			pages[i] = dpdk_page_of(&map, objs[i]);
		dpdk_put(dq, pages, k);
	}
	return 0;
}

/* called by any thread, for a page of any pool of the zone; most PMDs free one mbuf at a time */
static int pool_enqueue(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct dpdk_queue *dq = mp->pool_data;

	if (unlikely(n != 1 ||
		     __atomic_load_n(&dq->sender, __ATOMIC_RELAXED) != __builtin_thread_pointer() ||
		     dq->nfreed == DPDK_FREED))
		return enqueue_bulk(mp, objs, n);
	dq->freed[dq->nfreed++] = dpdk_page_of(&dq->map, objs[0]);
	return 0;
}

void dpdk_mbuf_lay(const struct dpdk_queue *dq, struct rte_mbuf *m, const struct pp_page *page,
		   uint32_t front)
{
	*m = dq->blank;
	m->buf_addr = page->addr + front;
	rte_mbuf_iova_set(m, (rte_iova_t)(uintptr_t)m->buf_addr);
	m->buf_len = (uint16_t)(dq->map.room - front);
}

/* takes up to @n pages, as mbufs with the fields that rte_mbuf_raw_alloc() promises; how many */
static __rte_always_inline unsigned int take_mbufs(struct dpdk_queue *dq, bool inside, void **objs,
						   unsigned int n)
{
	const struct dpdk_map map = dq->map;
	struct pp_page *pages[PP_BULK_MAX];
	struct rte_mempool *mp = dq->mp;
	struct rte_mbuf *m;
	uint32_t front;
	unsigned int i;

	n = page_pool_alloc_bulk(dq->q.pool, pages, n);
	for (i = 0; i < n; i++) {
		objs[i] = m = dpdk_mbuf_of(&map, inside, pages[i]);
		front = dpdk_front(&map, pages[i]);
		if (inside || unlikely((unsigned char *)m->buf_addr != pages[i]->addr + front))
			dpdk_mbuf_lay(dq, m, pages[i], front);
		m->pool = mp;
		if (inside)
			dpdk_page_tag(pages[i], map.tag);
	}
	return n;
}

static int pool_dequeue(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct dpdk_queue *dq = mp->pool_data;
	unsigned int got, want, done = 0;

	for (; done < n; done += got) {
		want = RTE_MIN(n - done, PP_BULK_MAX);
		got = dq->inside ? take_mbufs(dq, true, objs + done, want)
				 : take_mbufs(dq, false, objs + done, want);
		if (unlikely(got < want)) {
			pp_stat_add(&dq->q.stats.rx_nombuf, n - done - got);
			enqueue_bulk(mp, objs, done + got);
			return -ENOBUFS;
		}
	}
	return 0;
}

/* a gauge: free pages in the zone, its cores' caches and this queue's pool */
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
	struct pp_zone *zone = dq->q.dev->params.zone;
	struct rte_pktmbuf_pool_private priv = {
		.mbuf_data_room_size = (uint16_t)(dq->map.room - dq->map.front - dq->map.colors),
		.mbuf_priv_size = (uint16_t)(dq->map.least ? dq->map.front - dq->map.least : 0),
	};
	void *base = pp_zone_base(zone);
	int n;

	if (rte_mempool_set_ops_byname(mp, OPS_NAME, dq))
		return -EINVAL;
	rte_pktmbuf_pool_init(mp, &priv);
	n = rte_mempool_populate_iova(mp, base, (rte_iova_t)(uintptr_t)base,
				      (size_t)mp->size << dq->shift, NULL, NULL);
	if (n < 0)
		return n;
	if ((uint32_t)n != mp->size || mp->header_size != DPDK_OBJ_HEADER || mp->trailer_size)
		return -EINVAL;
	dq->blank.data_off = RTE_PKTMBUF_HEADROOM;
	rte_mbuf_refcnt_set(&dq->blank, 1);
	dq->blank.nb_segs = 1;
	dq->blank.port = RTE_MBUF_PORT_INVALID;
	dq->blank.pool = mp;
	dq->blank.priv_size = priv.mbuf_priv_size;
	dq->mp = mp;
	return 0;
}

int dpdk_pool_create(struct dpdk_queue *dq)
{
	static unsigned int serial; /* under the lock of dpdk_enter() */
	char name[RTE_MEMPOOL_NAMESIZE];
	unsigned int size = 1u << dq->shift;
	struct rte_mempool *mp;
	int err;

	snprintf(name, sizeof(name), OPS_NAME "%u", serial);
	dq->map.tag = TAG_BASE + serial++ % TAG_BASE;
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
	return 0;
}

void dpdk_pool_free(struct dpdk_queue *dq)
{
	rte_mempool_free(dq->mp);
	dq->mp = NULL;
}

/* net_af_xdp, for one, does not return the pages of its fill ring */
void dpdk_pool_reclaim(struct dpdk_queue *dq)
{
	uint64_t i, n = pp_zone_pages(dq->q.dev->params.zone);
	struct pp_page *page, *table = pp_zone_page_table(dq->q.dev->params.zone);
	uint32_t self = pp_zone_self(dq->q.dev->params.zone);

	for (i = 0; dq->inside && i < n; i++) {
		page = table + i;
		if (self && pp_zone_holder(dq->q.dev->params.zone, page) != self)
			continue; /* tags of another process look the same */
		if (__atomic_load_n(&page->owner, __ATOMIC_RELAXED) != dq->map.tag)
			continue;
		dpdk_page_tag(page, 0);
		page_pool_put_bulk(&page, 1);
	}
}
