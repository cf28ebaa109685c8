/* SPDX-License-Identifier: BSD-3-Clause */
/* porting.c - a kernel driver's page_pool calls as they are here: the code of doc/porting.md */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <pagepool/page_pool.h>
#include <pagepool/zone.h>
#include <pagepool/zone_set.h>

#define RING   256u /* descriptors; a power of two */
#define BUDGET 64u /* packets a poll */
#define ROUNDS 20000u

/* The device is an array here. It writes a frame into each buffer that it gets. */
struct nic {
	struct pp_zone_set *set;
	size_t mapped;
	unsigned int seq;
};

struct rx_queue {
	struct nic *nic;
	struct page_pool *pool;
	struct pp_page *posted[RING];
	unsigned int head, tail;
	struct pp_page *kept; /* by the application */
};

/* Packets on their way to the core that sends them. */
static struct {
	pthread_mutex_t lock;
	struct pp_list list;
	int end;
} redirected = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- memory that a device knows -------------------------------------------------------------- */

static int dma_map(void *arg, void *base, size_t len)
{
	struct nic *nic = arg;

	(void)base; /* an ioctl of vfio, or of your device */
	__atomic_fetch_add(&nic->mapped, len, __ATOMIC_RELAXED);
	return 0;
}

static void dma_unmap(void *arg, void *base, size_t len)
{
	struct nic *nic = arg;

	(void)base;
	__atomic_fetch_sub(&nic->mapped, len, __ATOMIC_RELAXED);
}

static const struct pp_zone_ops dma_ops = { .accept = dma_map, .unaccept = dma_unmap };

static int nic_probe(struct nic *nic)
{
	struct pp_zone_params zone = {
		.sz = sizeof(zone),
		.pages = 4096,
		.page_size = 4096,
		.headroom = 256, /* XDP_PACKET_HEADROOM */
		.ops = &dma_ops,
		.ops_arg = nic,
	};
	struct pp_zone_set_params params = { .sz = sizeof(params), .zone = &zone };

	nic->set = pp_zone_set_create(&params);
	return nic->set ? 0 : -1;
}

/* ---- a queue --------------------------------------------------------------------------------- */

static int queue_open(struct rx_queue *q)
{
	struct page_pool_params params = {
		.sz = sizeof(params),
		.name = "rx0",
		.set = q->nic->set,
		.pool_size = 1024,
		.node = pp_node_param(PP_NODE_ANY),
		.flags = PAGE_POOL_HOLDERS,
	};

	q->pool = page_pool_create(&params); /* this thread is its NAPI now */
	return q->pool ? 0 : -1;
}

static void queue_refill(struct rx_queue *q)
{
	struct pp_page *pages[BUDGET];
	unsigned int i, n = RING - (q->tail - q->head);

	n = page_pool_alloc_bulk(q->pool, pages, n < BUDGET ? n : BUDGET);
	for (i = 0; i < n; i++) /* its address for the device: pp_page_data(pages[i]) */
		q->posted[q->tail++ % RING] = pages[i];
}

/* Copies a small packet for the application, so that the whole page is recycled at once. */
static void pass_small(struct rx_queue *q, const struct pp_page *from)
{
	unsigned int offset, size = from->len;
	struct pp_page *part = page_pool_alloc(q->pool, &offset, &size);

	if (!part)
		return;
	memcpy(part->addr + offset, pp_page_data(from), from->len);
	if (q->kept) /* the application is done with the last one */
		page_pool_put_page(q->pool, q->kept, false);
	q->kept = part;
}

/* The capture and the stack both have the page; the last one lets it go home. */
static void pass_to_two(struct rx_queue *q, struct pp_page *page)
{
	page_pool_fragment_page(page, 2);
	page_pool_put_page(q->pool, page, false); /* the capture */
	page_pool_put_page(q->pool, page, false); /* the stack */
}

static void redirect(struct pp_page *page)
{
	pthread_mutex_lock(&redirected.lock);
	pp_list_add_tail(&redirected.list, page);
	pthread_mutex_unlock(&redirected.lock);
}

static void rx_one(struct rx_queue *q, struct pp_page *page)
{
	switch (*(unsigned char *)pp_page_data(page) % 4) {
	case 0: /* XDP_PASS */
		pass_small(q, page);
		page_pool_recycle_direct(q->pool, page);
		break;
	case 1: /* XDP_PASS, and a program listens */
		pass_to_two(q, page);
		break;
	case 2: /* XDP_REDIRECT, behind a header of ours */
		memset(pp_page_push(page, 8), 0, 8);
		redirect(page);
		break;
	default: /* XDP_DROP */
		page_pool_recycle_direct(q->pool, page);
	}
}

static void queue_poll(struct rx_queue *q)
{
	struct pp_page *page;
	unsigned int n;

	page_pool_nid_changed(q->pool, pp_zone_set_this_node(q->nic->set));
	for (n = 0; n < BUDGET && q->head != q->tail; n++) {
		page = q->posted[q->head++ % RING];
		page->len = 60;
		memset(pp_page_data(page), (int)(q->nic->seq++ & 0xff), page->len);
		rx_one(q, page);
	}
	queue_refill(q);
}

/* ---- another core ---------------------------------------------------------------------------- */

/* Mirrors xdp_return_frame_bulk(): after sending, pages of any pools, in any order. */
static unsigned int return_sent(void)
{
	struct pp_page *pages[BUDGET];
	unsigned int n = 0;

	pthread_mutex_lock(&redirected.lock);
	while (n < BUDGET && (pages[n] = pp_list_pop(&redirected.list)))
		n++;
	pthread_mutex_unlock(&redirected.lock);
	page_pool_put_bulk(pages, n);
	return n;
}

static void *sender(void *arg)
{
	int end;

	do {
		/* read before the list, which then is complete */
		end = __atomic_load_n(&redirected.end, __ATOMIC_ACQUIRE);
	} while (return_sent() || !end);
	return arg;
}

/* ---- what ethtool -S shows ------------------------------------------------------------------- */

static void queue_stats(struct rx_queue *q)
{
	struct page_pool_stats s = { .sz = sizeof(s) };

	page_pool_get_stats(q->pool, &s);
	printf("rx_pp_alloc_fast: %llu\n", (unsigned long long)s.alloc_fast);
	printf("rx_pp_alloc_slow: %llu\n", (unsigned long long)s.alloc_slow);
	printf("rx_pp_alloc_refill: %llu\n", (unsigned long long)s.alloc_refill);
	printf("rx_pp_recycle_cached: %llu\n", (unsigned long long)s.recycle_cached);
	printf("rx_pp_recycle_ring: %llu\n", (unsigned long long)s.recycle_ring);
	printf("outstanding: %llu\n", (unsigned long long)s.outstanding);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void stalled(void *arg, const struct page_pool_report *r)
{
	char site[128] = "no known caller";

	(void)arg;
	if (r->nholders)
		pp_holder_site(&r->holders[0], site, sizeof(site));
	printf("%s: %llu pages out, %llu in drivers; the oldest: %s\n", r->name,
	       (unsigned long long)r->outstanding, (unsigned long long)r->in_drivers, site);
}

static int queue_close(struct rx_queue *q)
{
	struct page_pool_end end = { .sz = sizeof(end), .timeout_ms = 20, .report = stalled };

	while (q->head != q->tail) /* what the device has not filled */
		page_pool_recycle_direct(q->pool, q->posted[q->head++ % RING]);
	return page_pool_destroy_wait(q->pool, &end);
}

/* Did every page come home, once? */
static int all_home(struct pp_zone_set *set)
{
	struct pp_audit audit = { .sz = sizeof(audit) };
	unsigned int node, bad = 0;

	for (node = 0; node < PP_NODES_MAX; node++) {
		if (!(pp_zone_set_nodes(set) >> node & 1))
			continue;
		if (pp_zone_audit(pp_zone_set_zone(set, (int)node), &audit))
			return 0;
		bad |= audit.leaked || audit.double_free;
		printf("node %u: %llu of %llu pages home\n", node, (unsigned long long)audit.home,
		       (unsigned long long)audit.managed);
	}
	return !bad;
}

int main(void)
{
	struct nic nic = { 0 };
	struct rx_queue q = { .nic = &nic };
	pthread_t other;
	unsigned int i;
	int err, home;

	if (nic_probe(&nic) || queue_open(&q) || pthread_create(&other, NULL, sender, NULL)) {
		fprintf(stderr, "porting: %s\n", pp_error());
		return 1;
	}
	queue_refill(&q);
	for (i = 0; i < ROUNDS; i++)
		queue_poll(&q);
	__atomic_store_n(&redirected.end, 1, __ATOMIC_RELEASE);
	pthread_join(other, NULL);
	queue_stats(&q);
	err = queue_close(&q); /* the application still has a part of a page */
	page_pool_put_bulk(&q.kept, 1); /* and gives it back to a pool that has ended */
	home = all_home(nic.set);
	pp_zone_set_destroy(nic.set);
	return err == -ETIMEDOUT && home && !nic.mapped ? 0 : 1;
}
