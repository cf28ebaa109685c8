/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot.c - a stock of adopted objects, in one block of memory that processes share
 *
 * The block is the depot, then the cores' caches, then the free area. Pointers in it are good in
 * every process, because all map it at the same address; code is looked up by number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "depot/depot.h"
#include "depot_layout.h" /* made by base/layout.py */
#include "stock/hold.h"

/* "dept", the version of the layout, and the layout */
#define DEPOT_MAGIC (0x64657000u + STOCK_LAYOUT + DEPOT_LAYOUT)

_Static_assert(PP_DEPOT_PROCESSES == SHARE_PROCESSES, "the header's limit is the list's");
/* a policy's table has the calls of depots (pcp_impl.h) */
_Static_assert(offsetof(struct pp_depot, stock) == 0, "a depot begins with its stock");

static void set_defaults(struct pp_depot_params *p, unsigned int cores)
{
	unsigned int users = p->users ? min(p->users, cores) : cores;

	if (!p->high) {
		p->high = (uint32_t)min(p->objects / (4 * users), (uint64_t)1024);
		p->high = max(p->high, 4u);
		p->high = max(p->high, min(p->batch, PP_BULK_MAX));
	}
	if (!p->batch)
		p->batch = min(max(p->high / 2, 1u), PP_BULK_MAX);
	if (!p->drain_us)
		p->drain_us = 20000;
	if (!p->name)
		p->name = "depot";
	if (!p->policy)
		p->policy = "auto";
}

static size_t round_up(size_t size)
{
	return (size + PP_LINES - 1) & ~(size_t)(PP_LINES - 1);
}

/* The parameters with their defaults; the policy's number, or -errno with pp_error(). */
static int prepare_params(struct pp_depot_params *p, const struct pp_depot_params *params,
			  unsigned int *cores)
{
	int err;

	*cores = (unsigned int)max(sysconf(_SC_NPROCESSORS_CONF), 1l);
	err = params_copy(p, sizeof(*p), params);
	if (err)
		return err;
	set_defaults(p, *cores);
	if (p->objects < 1 || p->objects > UINT32_MAX)
		return pp_set_error(EINVAL, "objects: %llu is not in 1 .. 4294967295",
				    (unsigned long long)p->objects);
	err = stock_check_cache(p->high, p->high, p->batch);
	if (err)
		return err;
	if (!strcmp(p->policy, "auto"))
		p->policy = pp_policy_check("rseq") ? "trylock" : "rseq";
	return stock_find_policy(p->policy, PCP_SHAREABLE);
}

size_t pp_depot_size(const struct pp_depot_params *params)
{
	struct pp_depot_params p;
	unsigned int cores;

	if (prepare_params(&p, params, &cores) < 0)
		return 0;
	return round_up(sizeof(struct pp_depot)) + cores * pcp_stride_of(p.high) +
	       p.objects * sizeof(void *);
}

struct pp_depot *pp_depot_init(const struct pp_depot_params *params, void *memory)
{
	struct pp_depot *depot = memory;
	struct pcp_config config = { 0 };
	struct pp_depot_params p;
	struct stock *stock;
	unsigned int cores;
	int policy = prepare_params(&p, params, &cores);

	if (policy < 0)
		return NULL;
	if (!memory || (uintptr_t)memory % PP_LINES) {
		pp_set_error(EINVAL, "memory: %p is not aligned to %u", memory, PP_LINES);
		return NULL;
	}
	config.high_min = config.high_max = config.capacity = p.high;
	config.batch = p.batch;
	stock = &depot->stock;
	stock->policy = (uint8_t)policy;
	stock->cores = cores;
	stock->batch = stock->batch_max = p.batch;
	stock->drain_us = p.drain_us;
	snprintf(stock->name, sizeof(stock->name), "%s", p.name);
	stock->pcps = (struct pcp *)((char *)memory + round_up(sizeof(*depot)));
	stock->stride = pcp_stride_of(p.high);
	pcp_init(stock->pcps, cores, &config, stock);
	stock->area.obj = (void **)((char *)stock->pcps + cores * stock->stride);
	stock->area.capacity = p.objects;
	share_init(stock, &depot->share);
	/* release: pairs with the acquire in pp_depot_attach() */
	store_release(&depot->magic, DEPOT_MAGIC);
	return pp_depot_attach(depot) ? NULL : depot;
}

void pp_depot_fini(struct pp_depot *depot)
{
	if (depot)
		store_release(&depot->magic, 0);
}

/* ---- processes ------------------------------------------------------------------------------- */

int pp_depot_attach(struct pp_depot *depot)
{
	if (!depot || load_acquire(&depot->magic) != DEPOT_MAGIC)
		return pp_set_error(EINVAL, "%p is no depot of this version", (void *)depot);
	return share_attach(&depot->stock);
}

void pp_depot_detach(struct pp_depot *depot)
{
	if (depot)
		share_detach(&depot->stock);
}

unsigned int pp_depot_processes(const struct pp_depot *depot)
{
	return share_processes(&depot->stock);
}

unsigned int pp_depot_recover(struct pp_depot *depot, uint64_t *dropped)
{
	unsigned int died = share_recover(&depot->stock);

	if (dropped)
		*dropped = READ_ONCE(depot->share.dropped);
	return died;
}

/* ---- objects --------------------------------------------------------------------------------- */

int pp_depot_adopt(struct pp_depot *depot, void *const *objs, unsigned int n)
{
	int err = 0;

	stock_lock(&depot->stock);
	if (depot->managed + n > depot->stock.area.capacity) {
		err = pp_set_error(ENOSPC,
				   "depot %s: more than the %llu objects that were announced",
				   depot->stock.name,
				   (unsigned long long)depot->stock.area.capacity);
	} else {
		free_area_push(&depot->stock.area, objs, n);
		WRITE_ONCE(depot->managed, depot->managed + n);
	}
	stock_unlock(&depot->stock);
	return err;
}

int pp_depot_disown(struct pp_depot *depot, uint64_t n)
{
	uint64_t out;
	int err = 0;

	stock_lock(&depot->stock);
	out = depot->managed - min(stock_seen(&depot->stock), depot->managed);
	if (n <= out)
		WRITE_ONCE(depot->managed, depot->managed - n);
	else
		err = pp_set_error(EINVAL, "depot %s: %llu objects are out, fewer than %llu",
				   depot->stock.name, (unsigned long long)out,
				   (unsigned long long)n);
	stock_unlock(&depot->stock);
	return err;
}

int pp_depot_get_bulk(struct pp_depot *depot, void **objs, unsigned int n)
{
	return stock_ops(&depot->stock)->depot.get(depot, objs, n);
}

int pp_depot_put_bulk(struct pp_depot *depot, void *const *objs, unsigned int n)
{
	return stock_ops(&depot->stock)->depot.put(depot, objs, n);
}

const struct pp_depot_calls *pp_depot_get_calls(const struct pp_depot *depot)
{
	return &stock_ops(&depot->stock)->depot;
}

/* ---- caches ---------------------------------------------------------------------------------- */

int pp_depot_pcp_set(struct pp_depot *depot, uint32_t high, uint32_t batch)
{
	return stock_set(&depot->stock, high, batch);
}

int pp_depot_pcp_disable(struct pp_depot *depot, unsigned int timeout_us)
{
	return stock_disable(&depot->stock, timeout_us);
}

void pp_depot_pcp_enable(struct pp_depot *depot)
{
	stock_enable(&depot->stock);
}

long pp_depot_drain(struct pp_depot *depot, unsigned int core, unsigned int timeout_us)
{
	return stock_drain_one(&depot->stock, core, timeout_us);
}

long pp_depot_drain_all(struct pp_depot *depot, unsigned int timeout_us)
{
	bool timeout = false;
	long moved = stock_drain(&depot->stock, timeout_us, &timeout);

	if (timeout)
		return pp_set_error(ETIMEDOUT, "a core's cache was held for more than %u us",
				    timeout_us);
	return moved;
}

/* ---- looking inside -------------------------------------------------------------------------- */

unsigned int pp_depot_cores(const struct pp_depot *depot)
{
	return depot->stock.cores;
}

unsigned int pp_depot_cached(const struct pp_depot *depot, unsigned int core)
{
	return core < depot->stock.cores ? pcp_count(stock_pcp(&depot->stock, core)) : 0;
}

const char *pp_depot_policy(const struct pp_depot *depot)
{
	return stock_policy(&depot->stock)->name;
}

uint64_t pp_depot_objects(const struct pp_depot *depot)
{
	return depot->managed;
}

uint64_t pp_depot_count(const struct pp_depot *depot)
{
	return min(stock_seen(&depot->stock), READ_ONCE(depot->managed));
}

int pp_depot_get_stats(struct pp_depot *depot, struct pp_zone_stats *stats)
{
	struct pp_zone_stats s = { .managed = depot->managed };

	stock_lock(&depot->stock);
	stock_stats(&depot->stock, &s);
	stock_unlock(&depot->stock);
	/* objects in motion may be seen twice: never more than there are */
	s.cached = min(s.cached, s.managed - s.free);
	s.in_flight = s.managed - s.free - s.cached;
	return stats_copy(stats, &s, sizeof(s));
}

/* ---- the ledger ------------------------------------------------------------------------------ */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

struct collected {
	void **all;
	uint64_t n;
	uint64_t most;
};

static void collect_objs(void *arg, void *const *objs, uint64_t n)
{
	struct collected *c = arg;

	n = min(n, c->most - c->n);
	if (n)
		memcpy(c->all + c->n, objs, n * sizeof(*objs));
	c->n += n;
}

int pp_depot_audit(struct pp_depot *depot, struct pp_audit *audit)
{
	struct pp_audit a = { .managed = depot->managed, .double_free = depot->stock.area.refused };
	struct collected c = { .most = depot->stock.area.count +
				       depot->stock.cores * 2ull * depot->stock.pcps->capacity };
	void **all = calloc(c.most + 1, sizeof(*all));
	uint64_t i;

	if (!all)
		return pp_set_error(ENOMEM, "no memory for an audit of %llu objects",
				    (unsigned long long)c.most);
	c.all = all;
	stock_walk(&depot->stock, collect_objs, &c);
	qsort(all, c.n, sizeof(*all), by_address);
	for (i = 0; i < c.n; i++) {
		if (i && all[i] == all[i - 1])
			a.double_free++;
		else
			a.home++;
	}
	free(all);
	a.leaked = a.managed - min(a.home, a.managed);
	return stats_copy(audit, &a, sizeof(a));
}
