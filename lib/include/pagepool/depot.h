/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot.h - core caches for objects that the caller laid out, also across processes
 *
 * The caches, policies, drains and statistics of a zone, over opaque pointers: a depot stores
 * nothing in an object. All of it lives in one block of the caller's memory, which several
 * processes may share if they map it at the same address. Then each of them attaches, and one that
 * dies, however suddenly, leaves the depot working.
 */
#ifndef PAGEPOOL_DEPOT_H
#define PAGEPOOL_DEPOT_H

#include <pagepool/error.h>
#include <pagepool/page.h>
#include <pagepool/policy.h>
#include <pagepool/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PP_DEPOT_PROCESSES - as many may be attached at a time */
#define PP_DEPOT_PROCESSES 64

/** struct pp_depot - one depot; opaque, at the beginning of its memory */
struct pp_depot;

/**
 * struct pp_depot_params - how to build a depot; zero means the default everywhere
 * @sz:       sizeof(struct pp_depot_params)
 * @name:     shown in reports; copied; NULL: "depot"
 * @objects:  most objects that it will ever have, 1 .. 2^32 - 1; no default
 * @policy:   "rseq", "trylock", or "auto" (NULL): rseq where it works, else trylock; the others do
 *            not work across processes
 * @users:    cores that are expected to use it at the same time, which sizes the caches; 0: all
 * @high:     most objects in a core's cache, at most 65536; 0: a quarter of the objects over
 *            @users, 4 .. 1024
 * @batch:    objects moved between a core's cache and the free area at once, at most @high and
 *            512; 0: half of @high
 * @drain_us: how long a get that drains all caches waits for one preempted holder, us; 0: 20000
 */
struct pp_depot_params {
	size_t sz;
	const char *name;
	uint64_t objects;
	const char *policy;
	uint32_t users;
	uint32_t high;
	uint32_t batch;
	uint32_t drain_us;
};

/**
 * pp_depot_size() - memory that a depot needs
 * @params: what is wanted
 *
 * Context: any thread.
 * Cost:    looking whether the policy can run here; no memory is touched.
 * Return:  bytes, to be aligned to 128; 0 with errno and a sentence in pp_error():
 *          EINVAL: a parameter out of range, or an unknown policy;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          ENOTSUP: a policy that can not run here, or not across processes.
 * Source:  none.
 */
size_t pp_depot_size(const struct pp_depot_params *params);

/**
 * pp_depot_init() - build an empty depot
 * @params: as for pp_depot_size()
 * @memory: so many bytes, aligned to 128, all zero; the caller's
 *
 * The calling process is attached.
 *
 * Context: any thread; sleeps.
 * Cost:    some stores to each core's cache, and pp_depot_attach().
 * Return:  the depot, at @memory; NULL with errno and a sentence in pp_error(): as pp_depot_size(),
 *          or as pp_depot_attach(); EINVAL also: @memory is NULL or not aligned.
 * Source:  rte_mempool_create_empty(). Differs: the memory is the caller's.
 */
struct pp_depot *pp_depot_init(const struct pp_depot_params *params, void *memory);

/**
 * pp_depot_attach() - use a depot that another process built
 * @depot: at the address where that process has it
 *
 * Each process makes this call before any other; a repeated one does no harm. The caches
 * serve the threads of all attached processes; as long as there are several, a drain costs
 * a visit to the core that it empties (policy rseq), which can not succeed where this
 * thread may not run.
 *
 * Context: any thread; sleeps.
 * Cost:    reading /proc/PID/stat of this process and of the attached ones.
 * Return:  0; with a sentence in pp_error(): -EINVAL: there is no depot, or of another version of
 *          the library; -ENOTSUP: its policy does not work in this process; -EXDEV: built in
 *          another PID namespace or another time namespace, where the processes of one side look
 *          dead to the other; -ENOSPC: PP_DEPOT_PROCESSES are attached; -ENOENT, -EIO: /proc can
 *          not be read.
 * Source:  rte_mempool_lookup() of a secondary process, in spirit.
 */
int pp_depot_attach(struct pp_depot *depot);

/**
 * pp_depot_detach() - this process will not use the depot any more
 * @depot: depot, or NULL; its threads have left all calls
 *
 * Context: any thread; no other call of this process runs in the depot.
 * Cost:    a look at the list of processes.
 * Source:  none.
 */
void pp_depot_detach(struct pp_depot *depot);

/**
 * pp_depot_fini() - the end: the memory is the caller's again
 * @depot: depot that no process uses any more, or NULL; what it holds is forgotten
 *
 * Context: any thread; nothing else may run in the depot.
 * Cost:    a store.
 * Source:  rte_mempool_free(). Differs: the memory is the caller's.
 */
void pp_depot_fini(struct pp_depot *depot);

/**
 * pp_depot_adopt() - objects become the depot's, and free
 * @depot: depot
 * @objs:  objects; not NULL
 * @n:     how many
 *
 * They go past the caches, so that none of them stays on the core that sets the depot up.
 *
 * Context: any thread of an attached process; takes the depot's lock.
 * Cost:    one lock, and a copy of @n pointers.
 * Return:  0; -ENOSPC with a sentence in pp_error(), and none was taken: beyond
 *          pp_depot_params.objects.
 * Source:  rte_mempool_populate_iova(), in spirit.
 */
int pp_depot_adopt(struct pp_depot *depot, void *const *objs, unsigned int n);

/**
 * pp_depot_disown() - objects that are out will not come back
 * @depot: depot
 * @n:     how many
 *
 * As many others may be adopted in their place.
 *
 * Context: any thread of an attached process; takes the depot's lock.
 * Cost:    a look at every cache, under the lock.
 * Return:  0; -EINVAL with a sentence in pp_error(), and all stay: fewer are out.
 * Source:  none.
 */
int pp_depot_disown(struct pp_depot *depot, uint64_t n);

/**
 * pp_depot_get_bulk() - take objects
 * @depot: depot
 * @objs:  receives them
 * @n:     how many
 *
 * Looks in this core's cache, then in the free area, then in every core's cache, wherever they are.
 *
 * Context: any thread of an attached process; not a signal handler.
 * Cost:    about a cycle an object at 64 from the cache; one lock when it is empty; a
 *          drain of every cache in the last resort.
 * Return:  0: @objs has @n; -ENOBUFS: there are not so many in all, and it has none.
 * Source:  rte_mempool_get_bulk(). Differs: finds what other cores' caches keep.
 */
int pp_depot_get_bulk(struct pp_depot *depot, void **objs, unsigned int n);

/**
 * pp_depot_put_bulk() - give objects back
 * @depot: depot
 * @objs:  objects of this depot, each of them out
 * @n:     how many
 *
 * Context: as pp_depot_get_bulk().
 * Cost:    as pp_depot_get_bulk() from the cache; one lock when it is full.
 * Return:  0; it never fails, and returns that for the sake of callers that must return it, too.
 * Source:  rte_mempool_put_bulk().
 */
int pp_depot_put_bulk(struct pp_depot *depot, void *const *objs, unsigned int n);

/**
 * pp_depot_get_calls() - the same two without the look-up of the policy
 * @depot: depot
 *
 * For callers that count cycles: it saves about two a call. Good in this process only.
 *
 * Context: any thread of an attached process.
 * Cost:    three loads.
 * Return:  the calls, for as long as the library is loaded.
 * Source:  rte_mempool_get_ops(), in spirit.
 */
const struct pp_depot_calls *pp_depot_get_calls(const struct pp_depot *depot);

/**
 * pp_depot_pcp_set() - how much the cores' caches may hold, from now on
 * @depot: depot
 * @high:  most objects in a core's cache, 1 .. pp_depot_params.high
 * @batch: objects moved at once, 1 .. @high, at most 512
 *
 * A cache that has more shrinks when it is next used or drained.
 *
 * Context: any thread of an attached process. Waits for a thread that closes or sets the caches.
 * Cost:    some stores to each cache.
 * Return:  0; -EINVAL: out of range; -EBUSY: the caches are disabled; both with a sentence in
 *          pp_error().
 * Source:  as pp_zone_pcp_set().
 */
int pp_depot_pcp_set(struct pp_depot *depot, uint32_t high, uint32_t batch);

/**
 * pp_depot_pcp_disable() - empty the caches, and keep them empty until pp_depot_pcp_enable()
 * @depot:      depot
 * @timeout_us: longest wait for each preempted holder, and first for another thread that closes or
 *              sets the caches, us
 *
 * Calls nest. Gets and puts go on, to and from the free area.
 *
 * Context: any thread of an attached process; may wait.
 * Cost:    a drain of every cache; afterwards each call takes the depot's lock.
 * Return:  0; -ETIMEDOUT with a sentence in pp_error(), and nothing is disabled: a cache was held
 *          for longer, or another thread still closes them.
 * Source:  as pp_zone_pcp_disable().
 */
int pp_depot_pcp_disable(struct pp_depot *depot, unsigned int timeout_us);

/**
 * pp_depot_pcp_enable() - undo one pp_depot_pcp_disable()
 * @depot: depot; one that is not disabled stays as it is
 *
 * Context: any thread of an attached process. Waits for a thread that closes or sets the caches.
 * Cost:    some stores to each cache, for the last disabler.
 * Source:  as pp_zone_pcp_enable().
 */
void pp_depot_pcp_enable(struct pp_depot *depot);

/**
 * pp_depot_drain() - move one core's cache to the free area
 * @depot:      depot
 * @core:       0 .. pp_depot_cores() - 1
 * @timeout_us: longest wait for a preempted holder, us
 *
 * Context: any thread of an attached process; may wait.
 * Cost:    as pp_zone_drain() of the same policy.
 * Return:  objects moved; with a sentence in pp_error(): -EINVAL: there is no such core;
 *          -ETIMEDOUT: the cache was held for longer.
 * Source:  as pp_zone_drain().
 */
long pp_depot_drain(struct pp_depot *depot, unsigned int core, unsigned int timeout_us);

/**
 * pp_depot_drain_all() - move every core's cache to the free area
 * @depot:      depot
 * @timeout_us: longest wait for each preempted holder, us
 *
 * Context: as pp_depot_drain().
 * Cost:    pp_depot_drain() of each cache that has objects; a load for each of the others.
 * Return:  objects moved; -ETIMEDOUT with a sentence in pp_error(): a cache was held for longer,
 *          the others are empty.
 * Source:  as pp_zone_drain_all().
 */
long pp_depot_drain_all(struct pp_depot *depot, unsigned int timeout_us);

/**
 * pp_depot_cores() - how many caches there are: one for each core of the machine
 * @depot: depot
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the number.
 * Source:  nr_cpu_ids.
 */
unsigned int pp_depot_cores(const struct pp_depot *depot);

/**
 * pp_depot_cached() - objects in one core's cache
 * @depot: depot
 * @core:  core; one that has no cache has 0
 *
 * Context: any thread of an attached process; a gauge, stale when it returns.
 * Cost:    a few loads.
 * Return:  objects.
 * Source:  rte_mempool_cache.len.
 */
unsigned int pp_depot_cached(const struct pp_depot *depot, unsigned int core);

/**
 * pp_depot_policy() - name of the policy
 * @depot: depot
 *
 * Context: any thread.
 * Cost:    two loads.
 * Return:  one of pp_policy_names(), also where "auto" chose it.
 * Source:  none.
 */
const char *pp_depot_policy(const struct pp_depot *depot);

/**
 * pp_depot_objects() - objects that were adopted
 * @depot: depot
 *
 * Context: any thread; a gauge while others adopt or disown.
 * Cost:    a load.
 * Return:  objects, without those that were disowned.
 * Source:  rte_mempool.populated_size.
 */
uint64_t pp_depot_objects(const struct pp_depot *depot);

/**
 * pp_depot_get_stats() - counters and gauges
 * @depot: depot
 * @stats: receives them; @sz set by the caller; what is of pages and blocks alone is 0
 *
 * Context: any thread of an attached process; takes the depot's lock.
 * Cost:    a look at every cache, under the lock.
 * Return:  0; -E2BIG with a sentence in pp_error(): @sz is larger than the library's, or was not
 *          set.
 * Source:  as pp_zone_get_stats().
 */
int pp_depot_get_stats(struct pp_depot *depot, struct pp_zone_stats *stats);

/**
 * pp_depot_count() - objects that are free, wherever they are
 * @depot: depot
 *
 * Exact whenever no call is running in the depot.
 *
 * Context: any thread of an attached process.
 * Cost:    a look at every cache.
 * Return:  objects.
 * Source:  rte_mempool_avail_count().
 */
uint64_t pp_depot_count(const struct pp_depot *depot);

/**
 * pp_depot_recover() - look for attached processes that died, and free what they held
 * @depot:   depot
 * @dropped: receives the objects of caches that were lost with them, at most, since the depot
 *           was built; NULL: not asked for
 *
 * What such a process had taken is out for good. One that died while it drained a core's
 * cache takes that cache's content along; with trylock so does one that died inside a cache
 * (some ten nanoseconds of each call). With policy rseq there is nothing else.
 *
 * Done by itself when a lock can not be had, when a drain times out and when a process
 * attaches. A process that has left the depot's PID or time namespace since it attached
 * finds no process dead.
 *
 * Context: any thread of an attached process; may wait.
 * Cost:    a system call for each attached process, and reading its /proc/PID/stat.
 * Return:  processes found dead since the depot was built.
 * Source:  none: DPDK's processes must not die.
 */
unsigned int pp_depot_recover(struct pp_depot *depot, uint64_t *dropped);

/**
 * pp_depot_processes() - attached processes
 * @depot: depot
 *
 * Context: any thread; a gauge. A dead process counts until pp_depot_recover() has seen it.
 * Cost:    a look at the list of processes.
 * Return:  processes, 0 .. PP_DEPOT_PROCESSES.
 * Source:  none.
 */
unsigned int pp_depot_processes(const struct pp_depot *depot);

/**
 * pp_depot_audit() - the ledger: every object is in one place only
 * @depot: depot
 * @audit: receives the result; @sz set by the caller
 *
 * Context: nothing else may run in the depot. Sleeps.
 * Cost:    sorting all objects that are home; allocates 8 bytes for each, and for each slot of the
 *          caches.
 * Return:  0; with a sentence in pp_error(): -ENOMEM; -E2BIG: @sz is larger than the library's, or
 *          was not set.
 * Source:  rte_mempool_audit(). Differs: returns what it found.
 */
int pp_depot_audit(struct pp_depot *depot, struct pp_audit *audit);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_DEPOT_H */
