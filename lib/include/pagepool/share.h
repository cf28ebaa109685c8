/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.h - one zone, several processes, each of which may be killed at any time
 *
 * A zone that was created with PP_ZONE_SHARED lies in one memfd: pages, metadata, cores' caches and
 * free area. Each process maps it at the same address, so that pointers to pages mean the same in
 * all of them. Pools are private to a process. Each page that is out belongs to one process. When
 * that process dies, its pages go back to the zone.
 */
#ifndef PAGEPOOL_SHARE_H
#define PAGEPOOL_SHARE_H

#include <pagepool/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PP_ZONE_PROCESSES - as many may be attached to a zone at a time */
#define PP_ZONE_PROCESSES 64

/**
 * pp_zone_attach() - use a zone that another process created with PP_ZONE_SHARED
 * @fd: pp_zone_fd() of that process: inherited, received by SCM_RIGHTS, or opened by /proc/PID/fd;
 *      the caller's to close afterwards
 *
 * Maps the zone at the address that it has in the other processes. pp_zone_destroy() ends the
 * attachment; pages that other processes give during that call go home. The zone lives as long as a
 * process is attached, also without its creator.
 *
 * A child of fork() has its parent's mapping and is not attached: it calls pp_zone_attach() before
 * it uses the zone, and uses no pool of its parent. In a child that did not attach,
 * pp_zone_destroy() unmaps the zone, and no more. A process calls pp_zone_destroy() before exec().
 *
 * Context: any thread; not from signal handlers. Sleeps. Settles what dead processes left, as
 *          pp_zone_recover().
 * Cost:    mapping the zone, and as pp_zone_recover() for at most 20 ms.
 * Return:  the zone, or NULL with errno and a sentence in pp_error():
 *          EINVAL: @fd is no shared zone, or one of another version or build of the library;
 *          EBADF: @fd is no descriptor;
 *          EADDRINUSE: the zone's addresses are taken in this process;
 *          EEXIST: this process is attached already;
 *          ENOSPC: PP_ZONE_PROCESSES are attached, or died less than 200 ms ago with pages in
 *          rings of drivers;
 *          EXDEV: created in another PID or time namespace;
 *          ENOTSUP: this process can not run the zone's policy;
 *          EACCES: @fd was not opened for reading and writing;
 *          EMFILE: no descriptor is left for the zone's own;
 *          ENOMEM, EPERM: the mapping, or with PP_ZONE_LOCK the limit of locked memory;
 *          ENOENT, EIO: /proc can not be read.
 * Source:  rte_eal_init() of a secondary process, in spirit.
 */
struct pp_zone *pp_zone_attach(int fd);

/**
 * pp_zone_self() - the number of this process in a shared zone
 * @zone: zone
 *
 * Other processes give pages to it by this number. No other process had it, or will have it.
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  the number; 0: the zone is not shared.
 * Source:  none.
 */
uint32_t pp_zone_self(const struct pp_zone *zone);

/**
 * pp_zone_give_bulk() - pages of this process become pages of another one
 * @zone:    shared zone
 * @pages:   array of @n pages that this process has; of any of its pools, or of none
 * @n:       pages, any number
 * @process: pp_zone_self() of the process that gets them
 *
 * Call it before @process can see the pages, for instance before they go into a ring that it reads.
 * They leave their pools, which count them in recycle_released_ref. The other process frees them as
 * pages of no pool, sends them, or gives them on. From this call on the death of this
 * process does not touch them, and the death of @process frees them, also if it never saw them. If
 * this process dies before its message, @process finds them by pp_zone_claim_bulk().
 *
 * Each page must be sole (one reference), and in no ring of a driver.
 *
 * Context: any thread, as page_pool_put_bulk().
 * Cost:    a store and a load a page; two atomic instructions for a page of a pool.
 * Return:  0; or, with all pages still the caller's and a sentence in pp_error(): -ESRCH: no such
 *          process is attached; -EBUSY: a page is in a driver's ring, or has other references;
 *          -EINVAL: the zone is not shared, or a page is not of this zone, or not of this process.
 * Source:  none.
 */
int pp_zone_give_bulk(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		      uint32_t process);

/**
 * pp_zone_receive_bulk() - the pages of a message or a ring are known to this process
 * @zone:  shared zone
 * @pages: in: @n pointers to pages, as the message has them; out: the first RETURN of them are the
 *         pages received, in the same order
 * @n:     pages, any number
 *
 * The other half of pp_zone_give_bulk(). It leaves out entries that were meant for an earlier
 * process, or came twice, or were claimed meanwhile. A process that does not call
 * pp_zone_claim_bulk() need not call it: it may use a page as soon as it sees it.
 *
 * Context: any thread. Does not sleep.
 * Cost:    one atomic exchange a page.
 * Return:  pages received, 0 .. @n; 0 if the zone is not shared. The other pages are not the
 *          caller's.
 * Source:  recvmsg() of SCM_RIGHTS, which installs each descriptor once, in spirit.
 */
unsigned int pp_zone_receive_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n);

/**
 * pp_zone_claim_bulk() - claim the pages that a process gave and will not announce
 * @zone:  shared zone
 * @pages: out: array of @n pointers; the first RETURN of them are written
 * @n:     pages wanted, any number; call again while the answer is @n
 *
 * A process that dies, or leaves the zone, between pp_zone_give_bulk() and its message leaves pages
 * with this process, which does not know them and could not end. This call finds the pages that
 * were given to this process by one that is not attached any more, and that
 * pp_zone_receive_bulk() has not received. First receive what the giver's ring or socket still has;
 * the entry of a page that was claimed before is left out there.
 *
 * A program that calls it receives all its pages by pp_zone_receive_bulk(). Otherwise the
 * call also returns pages that the program got and still has. Of each page the packet is as its
 * giver left it.
 *
 * Context: any thread, not from signal handlers; may sleep. Finds that givers died, and frees
 *          their pages, as pp_zone_maintain().
 * Cost:    a look at 8 bytes for each page of the zone, until @n are found; a system call and a
 *          read of /proc for each process that uses the zone.
 * Return:  pages claimed, 0 .. @n; 0 if the zone is not shared. While another process settles
 *          deaths, those of their givers may not be seen yet: pp_zone_recover() waits for it.
 * Source:  none: the kernel is one address space. XCLAIM of Redis streams is for the same case.
 */
unsigned int pp_zone_claim_bulk(struct pp_zone *zone, struct pp_page **pages, unsigned int n);

/**
 * pp_zone_processes() - number of processes that use a zone
 * @zone: zone
 *
 * Context: any thread; a gauge.
 * Cost:    a look at the list of processes.
 * Return:  1 .. PP_ZONE_PROCESSES; 1 if the zone is not shared.
 * Source:  none.
 */
unsigned int pp_zone_processes(const struct pp_zone *zone);

/**
 * pp_zone_holder() - the process that has a page
 * @zone: shared zone
 * @page: page of it
 *
 * Context: any thread; a gauge.
 * Cost:    a few loads.
 * Return:  its pp_zone_self(); 0: the page is at home, or on its way, or the zone is not shared.
 * Source:  none.
 */
uint32_t pp_zone_holder(const struct pp_zone *zone, const struct pp_page *page);

/**
 * pp_zone_held() - pages that are out with a process
 * @zone:    shared zone
 * @process: pp_zone_self() of that process; 0: pages of no process: at home, or on their way
 *
 * In its pools, rings and hands.
 *
 * Context: any thread; a gauge.
 * Cost:    a load for each page of the zone.
 * Return:  pages; 0 if the zone is not shared.
 * Source:  none.
 */
uint64_t pp_zone_held(const struct pp_zone *zone, uint32_t process);

/**
 * pp_zone_recover() - settle what dead processes left
 * @zone:       shared zone
 * @timeout_us: how long to wait for the calls of living processes, and for the kernel, us
 *
 * Frees the pages of processes that died. A page in a ring of a driver comes back 200 ms after the
 * death was seen, when the kernel has closed the sockets of the dead. Then, if any process died
 * since the last time, closes the cores' caches for a moment, and finds the pages that a process
 * had half taken or half given back when it was killed. Allocations that run short and
 * pp_zone_maintain() free the pages of dead processes, too, but find no half taken ones.
 *
 * Context: any thread, not from signal handlers; sleeps.
 * Cost:    a system call and a read of /proc for each process that uses the zone; a walk of all
 *          pages for each that died, and some more for half taken ones. Allocates two bits a page.
 *          A hold of the zone's lock looks at 1024 pages, so that other calls wait for no whole
 *          walk.
 * Return:  pages that came home in this call, 0 if the zone is not shared; with a sentence in
 *          pp_error(): -ETIMEDOUT: some are left, call again; -ENOMEM.
 * Source:  none: exit_files() frees what a process had.
 */
long pp_zone_recover(struct pp_zone *zone, unsigned int timeout_us);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_SHARE_H */
