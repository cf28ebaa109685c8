/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot.c - a zone of adopted objects, in one block of memory that processes share
 *
 * The block is the zone, then the cores' caches, then the free area. Pointers in it are
 * good in every process, because all map it at the same address; code is looked up by
 * number. A lock's word names its holder, so that whoever waits too long can see that
 * it died. What it leaves is consistent after every single store, with one exception: a
 * list that is being moved to the free area may stand in both, and is dropped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pagepool/depot.h>

#include "base/barrier.h"
#include "zone/zone.h"

/* "dept", and the version of the layout */
#define DEPOT_MAGIC 0x64657004u
/* How long a lock may stay taken before somebody looks who took it. */
#define SUSPECT_US 20000u

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

/* The parameters with their defaults; the policy's number, or -1 with errno and pp_error(). */
static int prepare(struct pp_depot_params *p, const struct pp_depot_params *params,
		   unsigned int *cores)
{
	*cores = (unsigned int)max(sysconf(_SC_NPROCESSORS_CONF), 1l);
	if (params_copy(p, sizeof(*p), params))
		return -1;
	set_defaults(p, *cores);
	if (p->objects < 1 || p->objects > UINT32_MAX) {
		pp_set_error(EINVAL, "objects: %llu is not in 1 .. 4294967295",
			     (unsigned long long)p->objects);
		return -1;
	}
	if (zone_check_cache(p->high, p->high, p->batch))
		return -1;
	if (!strcmp(p->policy, "auto"))
		p->policy = pp_policy_check("rseq") ? "trylock" : "rseq";
	return zone_find_policy(p->policy, PCP_SHAREABLE);
}

size_t pp_depot_size(const struct pp_depot_params *params)
{
	struct pp_depot_params p;
	unsigned int cores;

	if (prepare(&p, params, &cores) < 0)
		return 0;
	return round_up(sizeof(struct pp_zone)) + cores * pcp_stride_of(p.high) +
	       p.objects * sizeof(void *);
}

struct pp_zone *pp_depot_init(const struct pp_depot_params *params, void *memory)
{
	struct pp_zone *zone = memory;
	struct pcp_config config = { 0 };
	struct pp_depot_params p;
	unsigned int cores, i;
	int policy = prepare(&p, params, &cores);

	if (policy < 0)
		return NULL;
	if (!memory || (uintptr_t)memory % PP_LINES) {
		pp_set_error(EINVAL, "memory: %p is not aligned to %u", memory, PP_LINES);
		return NULL;
	}
	config.high_min = config.high_max = config.capacity = p.high;
	config.batch = p.batch;
	zone->policy = (uint8_t)policy;
	zone->cores = cores;
	zone->batch = p.batch;
	zone->drain_us = p.drain_us;
	zone->region.fd = -1;
	zone->region.node = -1;
	zone->shared = zone->lock.shared = zone->control.shared = true;
	zone->space = process_space();
	snprintf(zone->name, sizeof(zone->name), "%s", p.name);
	zone->pcps = (struct pcp *)((char *)memory + round_up(sizeof(*zone)));
	zone->pcp_stride = pcp_stride_of(p.high);
	pcp_init(zone->pcps, cores, &config, zone);
	for (i = 0; i < cores; i++)
		pcp_at(zone->pcps, zone->pcp_stride, i)->drain.shared = true;
	zone->area.obj = (void **)((char *)zone->pcps + cores * zone->pcp_stride);
	zone->area.capacity = p.objects;
	/* release: pairs with the acquire in pp_depot_attach() */
	store_release(&zone->magic, DEPOT_MAGIC);
	return pp_depot_attach(zone) ? NULL : zone;
}

void pp_depot_fini(struct pp_zone *zone)
{
	if (zone)
		store_release(&zone->magic, 0);
}

/* ---- processes ------------------------------------------------------------------------------- */

static bool is_listed(const struct pp_zone *zone, process_id id)
{
	unsigned int i;

	for (i = 0; i < PP_DEPOT_PROCESSES; i++) {
		if (READ_ONCE(zone->procs[i]) == id)
			return true;
	}
	return false;
}

static bool list_process(struct pp_zone *zone, process_id id)
{
	process_id none;
	unsigned int i;

	for (i = 0; i < PP_DEPOT_PROCESSES; i++) {
		none = 0;
		/* seq_cst: pairs with the fence in depot_fence(); before our first sequence */
		if (__atomic_compare_exchange_n(&zone->procs[i], &none, id, false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

int pp_depot_attach(struct pp_zone *zone)
{
	const char *outside;
	process_id self;

	if (!zone || load_acquire(&zone->magic) != DEPOT_MAGIC)
		return pp_set_error(EINVAL, "%p is no depot of this version", (void *)zone);
	if (zone_policy(zone)->probe && zone_policy(zone)->probe())
		return -ENOTSUP;
	outside = process_outside(&zone->space);
	if (outside)
		return pp_set_error(EXDEV,
				    "depot %s was built in another %s namespace: its "
				    "processes look dead from here; attach inside of it",
				    zone->name, outside);
	self = process_self();
	if (!self)
		return -errno;
	/*
	 * Listed first: a lock that is taken over names us, and if we died before we were listed
	 * nobody would look for it.
	 */
	if (is_listed(zone, self) || list_process(zone, self)) {
		pp_depot_recover(zone, NULL);
		return 0;
	}
	pp_depot_recover(zone, NULL);
	if (list_process(zone, self))
		return 0;
	return pp_set_error(ENOSPC,
			    "depot %s: %u processes are attached, which is all there may be",
			    zone->name, PP_DEPOT_PROCESSES);
}

void pp_depot_detach(struct pp_zone *zone)
{
	process_id self = process_self();
	unsigned int i;

	for (i = 0; zone && i < PP_DEPOT_PROCESSES; i++) {
		if (READ_ONCE(zone->procs[i]) == self)
			store_release(&zone->procs[i], 0);
	}
}

unsigned int pp_depot_processes(const struct pp_zone *zone)
{
	unsigned int n = 0, i;

	for (i = 0; i < PP_DEPOT_PROCESSES; i++)
		n += READ_ONCE(zone->procs[i]) != 0;
	return n;
}

/* Take over a lock that a dead process holds; only one of us succeeds. */
static bool inherit(uint32_t *word, process_id dead)
{
	uint32_t w = READ_ONCE(*word);

	return w && LOCK_PID(w) == process_pid(dead) &&
	       __atomic_compare_exchange_n(word, &w, lock_word | (w & LOCK_SLEEPERS), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void drop_list(struct pp_zone *zone, struct pcp_list *list)
{
	count_add_shared(zone->dropped, list->count);
	WRITE_ONCE(list->count, 0);
}

/* What a dead process held of one core's cache. */
static void recover_cache(struct pp_zone *zone, struct pcp *pcp, process_id dead)
{
	if (inherit(&pcp->lock, dead)) {
		drop_list(zone, pcp->list);
		WRITE_ONCE(pcp->want, 0);
		store_release(&pcp->lock, 0);
	}
	if (inherit(&pcp->drain.word, dead)) {
		/* before the barrier nobody moved anything out, and others may still be in it */
		if (pcp->old == pcp->list)
			WRITE_ONCE(pcp->old, NULL); /* it was not even switched */
		else if (pcp->old && pcp->fenced)
			drop_list(zone, pcp->old);
		pp_unlock(&pcp->drain);
	}
}

unsigned int pp_depot_recover(struct pp_zone *zone, uint64_t *dropped)
{
	unsigned int i, k;
	process_id dead;

	for (i = 0; i < PP_DEPOT_PROCESSES; i++) {
		dead = READ_ONCE(zone->procs[i]);
		if (likely(!dead) || !process_is_dead(dead) || process_outside(&zone->space))
			continue;
		if (inherit(&zone->lock.word, dead))
			pp_unlock(&zone->lock);
		if (inherit(&zone->control.word, dead))
			pp_unlock(&zone->control);
		for (k = 0; k < zone->cores; k++)
			recover_cache(zone, pcp_at(zone->pcps, zone->pcp_stride, k), dead);
		/* last: as long as it is listed, somebody will look for its locks */
		if (__atomic_compare_exchange_n(&zone->procs[i], &dead, 0, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			count_add_shared(zone->died, 1);
	}
	if (dropped)
		*dropped = READ_ONCE(zone->dropped);
	return READ_ONCE(zone->died);
}

void __coldpath zone_lock_slow(struct pp_zone *zone)
{
	if (!zone->shared) {
		pp_lock_slow(&zone->lock);
		return;
	}
	while (!pp_lock_timed(&zone->lock, SUSPECT_US))
		pp_depot_recover(zone, NULL);
}

static bool is_alone(struct pp_zone *zone)
{
	unsigned int i;
	process_id id;

	pp_depot_recover(zone, NULL);
	for (i = 0; i < PP_DEPOT_PROCESSES; i++) {
		id = READ_ONCE(zone->procs[i]);
		if (id && process_pid(id) != LOCK_PID(lock_word))
			return false;
	}
	return true;
}

bool depot_fence(struct pp_zone *zone, unsigned int cpu)
{
	/*
	 * Pairs with the exchange in pp_depot_attach(): either we see that process, or it
	 * sees the list that we switched to.
	 */
	full_barrier();
	return is_alone(zone) ? barrier_rseq(cpu) : barrier_visit(cpu);
}

/* ---- objects --------------------------------------------------------------------------------- */

int pp_depot_adopt(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	int err = 0;

	zone_lock(zone);
	if (zone->managed + n > zone->area.capacity) {
		err = pp_set_error(ENOSPC,
				   "depot %s: more than the %llu objects that were announced",
				   zone->name, (unsigned long long)zone->area.capacity);
	} else {
		free_area_push(&zone->area, objs, n);
		WRITE_ONCE(zone->managed, zone->managed + n);
	}
	zone_unlock(zone);
	return err;
}

/*
 * Two that come up short may each hold what the other lacks: so they put it back, and
 * as long as there is enough for one, try again.
 */
int __coldpath depot_get_slow(struct pp_zone *zone, void **objs, unsigned int n, unsigned int got)
{
	unsigned int tries;

	for (tries = 0;; tries++) {
		if (got < n)
			got += zone_take_area(zone, objs + got, n - got);
		if (got < n)
			got += zone_take_slow(zone, objs + got, n - got);
		if (got == n)
			return 0;
		if (got)
			zone_give_area(zone, objs, got);
		if (tries == 4 || pp_depot_count(zone) < n)
			return -ENOBUFS;
		got = 0;
	}
}

int __coldpath depot_put_slow(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	if (n)
		zone_give_area(zone, objs, n);
	return 0;
}

int pp_depot_get_bulk(struct pp_zone *zone, void **objs, unsigned int n)
{
	return zone_ops(zone)->depot.get(zone, objs, n);
}

int pp_depot_put_bulk(struct pp_zone *zone, void *const *objs, unsigned int n)
{
	return zone_ops(zone)->depot.put(zone, objs, n);
}

const struct pp_depot_calls *pp_depot_calls(const struct pp_zone *zone)
{
	return &zone_ops(zone)->depot;
}

uint64_t pp_depot_count(const struct pp_zone *zone)
{
	uint64_t n = READ_ONCE(zone->area.count);
	unsigned int i;

	for (i = 0; i < zone->cores; i++)
		n += pcp_count(pcp_at(zone->pcps, zone->pcp_stride, i));
	return min(n, READ_ONCE(zone->managed));
}

/* ---- the ledger ------------------------------------------------------------------------------ */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t collect(void **all, uint64_t n, uint64_t most, const struct pcp_list *list)
{
	uint64_t k = list ? min((uint64_t)list->count, most - n) : 0;

	if (k)
		memcpy(all + n, list->obj, k * sizeof(*all));
	return n + k;
}

int pp_depot_audit(struct pp_zone *zone, struct pp_zone_audit *audit)
{
	struct pp_zone_audit a = { .managed = zone->managed, .double_free = zone->area.refused };
	uint64_t most = zone->area.count + zone->cores * 2ull * zone->pcps->capacity, n, i;
	void **all = calloc(most + 1, sizeof(*all));
	const struct pcp *pcp;

	if (!all)
		return pp_set_error(ENOMEM, "no memory for an audit of %llu objects",
				    (unsigned long long)most);
	n = zone->area.count;
	memcpy(all, zone->area.obj, n * sizeof(*all));
	for (i = 0; i < zone->cores; i++) {
		pcp = pcp_at(zone->pcps, zone->pcp_stride, (unsigned int)i);
		n = collect(all, n, most, pcp->list);
		n = collect(all, n, most, pcp->old);
	}
	qsort(all, n, sizeof(*all), by_address);
	for (i = 0; i < n; i++) {
		if (i && all[i] == all[i - 1])
			a.double_free++;
		else
			a.home++;
	}
	free(all);
	a.leaked = a.managed - min(a.home, a.managed);
	return stats_copy(audit, &a, sizeof(a));
}
