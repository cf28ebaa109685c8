/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone/share.h - a zone in memory that several processes map at one address
 *
 * The memory is one memfd: the pages, struct pp_zone, struct zone_share, the cores' caches, the
 * free area, the page table, the holders, and a trailer by which others find all that. The second
 * half of struct pp_zone, from region on, is each process's own: a private page lies over the file
 * there.
 *
 * holder[i] is the number of the process that has page i. A process writes it after a page has left
 * the stock, and clears it before a page goes back, so that a death is settled by a walk. Its upper
 * half is the number of the process that gave the page, until the holder receives it (receive.c).
 */
#ifndef PP_ZONE_SHARE_H
#define PP_ZONE_SHARE_H

#include <unistd.h>

#include <pagepool/share.h>

#include "zone/zone.h"

/* In place of a holder: a page that recover.c looks for; as none to all others. */
#define HOLDER_SUSPECT ((uint64_t)UINT32_MAX)

/* The low bits of a process's number are its place in the list. */
#define PLACE_BITS 6u

_Static_assert(PP_ZONE_PROCESSES == SHARE_PROCESSES, "the header's limit is the list's");
_Static_assert(PP_ZONE_PROCESSES == 1u << PLACE_BITS, "a number has room for the place");

struct zone_process {
	process_id id; /* 0: the place is free; first set, and last cleared */
	uint32_t number; /* of pp_zone_self(); 0: not yet */
	uint32_t dead; /* its pages are being freed: give none to it */
	uint64_t died_ns; /* when that was seen */
	uint32_t closed; /* what it has of pp_zone_pcp_disable() */
	/* threads inside of a call, by the parity of phase at its beginning */
	uint32_t inside[2] __line_aligned;
} __line_aligned;

struct zone_share {
	struct share share; /* of the stock */
	uint64_t *holder; /* of each page: giver << 32 | process; atomic */
	uint32_t flags; /* PP_ZONE_* */
	struct region region; /* without fd */
	size_t size; /* of all that is mapped */
	uint32_t last_number;
	uint32_t phase; /* see settle.c */
	bool unsettled; /* a process died, and what it was moving is still to be found */
	uint64_t looked_ns; /* for dead processes, by an allocation */
	uint64_t recovered; /* pages */
	struct zone_process process[SHARE_PROCESSES];
};

/* "pgs", and the version of the layout; a debug build marks pages for itself. */
#define SHARE_MAGIC (0x70677300u + STOCK_LAYOUT + ((uint64_t)PP_DEBUG << 32))

/* The last page of the file. */
struct zone_trailer {
	uint64_t magic;
	uint64_t layout; /* zone_layout() */
	void *base;
	size_t size;
	struct pp_zone *zone;
};

static inline size_t zone_system_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static inline uint64_t page_number(const struct pp_zone *zone, const struct pp_page *page)
{
	return (uint64_t)(page - zone->pages);
}

/* False: no page of the zone, for instance from a message of a process that is not trusted. */
static inline bool page_of_zone(const struct pp_zone *zone, const struct pp_page *page,
				uint64_t *number)
{
	*number = ((uintptr_t)page - (uintptr_t)zone->pages) / sizeof(*page);
	return *number < zone->managed && page == &zone->pages[*number];
}

static inline uint32_t holder_process(uint64_t word)
{
	return (uint32_t)word;
}

/* 0: the holder received the page, or took it from the zone. */
static inline uint32_t holder_giver(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

static inline struct zone_process *zone_own_entry(const struct pp_zone *zone)
{
	return &zone->shared->process[zone->self % SHARE_PROCESSES];
}

/* ---- share.c --------------------------------------------------------------------------------- */

/* 0 or -errno with pp_error(): what a shared zone can not have. */
int zone_share_check(const struct pp_zone_params *params);
/* All of a zone's memory, all zero but for what says where things are; NULL with pp_error(). */
struct pp_zone *zone_share_map(const struct pp_zone_params *params, unsigned int cores,
			       uint32_t capacity);
/* This process uses the zone, which is whole, from now on. 0 or -errno with pp_error(). */
int zone_share_begin(struct pp_zone *zone);
void zone_share_unmap(struct pp_zone *zone);
/* The second half of the zone becomes this process's own, and is all zero. 0 or -errno. */
int zone_map_own_half(struct pp_zone *zone);
/* Differs between builds of the library with other structs in this memory, or other policies. */
uint64_t zone_layout(void);

/* The list's entry of a process that can be given pages; NULL: none. */
struct zone_process *zone_process(const struct pp_zone *zone, uint32_t number);

/* It is alive, or its death is not settled yet. */
static inline bool zone_listed(const struct pp_zone *zone, uint32_t number)
{
	/* pairs with the stores in zone_forget(), and with the release that lists a process */
	return load_acquire(&zone->shared->process[number % SHARE_PROCESSES].number) == number;
}

/* A process that is gone leaves its place in the list. */
static inline void zone_forget(struct zone_process *entry)
{
	WRITE_ONCE(entry->inside[0], 0);
	WRITE_ONCE(entry->inside[1], 0);
	WRITE_ONCE(entry->closed, 0);
	WRITE_ONCE(entry->died_ns, 0);
	WRITE_ONCE(entry->number, 0);
	store_release(&entry->dead, 0); /* after number: pairs with the load in zone_process() */
	store_release(&entry->id, 0);
}

/* As process_is_dead(); false where the processes of the zone look dead from here. */
static inline bool zone_process_is_dead(const struct pp_zone *zone, process_id id)
{
	return process_is_dead(id) && !process_outside(&zone->shared->share.space);
}

/* ---- create.c -------------------------------------------------------------------------------- */

/* What a process that attaches has of its own: 0 or -errno with pp_error(). */
int zone_make_own_half(struct pp_zone *zone);
void zone_register(struct pp_zone *zone);
/* Of a shared zone: all of this process's. */
void zone_free(struct pp_zone *zone);

/* ---- a call: calls.c ------------------------------------------------------------------------- */

/* Of a zone that is shared: the thread is inside; what to leave with. */
unsigned int zone_enter(struct pp_zone *zone);
void zone_leave(struct pp_zone *zone, unsigned int phase);
/* Pages that have left the stock are this process's. */
void zone_hold(struct pp_zone *zone, void *const *objs, unsigned int n);
/* Pages that are about to go to the stock are none's; those of this process, which go to @mine. */
unsigned int zone_let_go(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
			 struct pp_page **mine);

/* ---- the dead: recover.c --------------------------------------------------------------------- */

/* Free the pages of processes that died: how many; 0 if another process is at it for so long. */
uint64_t zone_bury(struct pp_zone *zone, unsigned int timeout_us);
/* The same for an allocation that runs short, which comes often. */
uint64_t zone_bury_seldom(struct pp_zone *zone);
/* The lock share.settling, also if a dead process has it. False: the time is over. */
bool zone_settling_lock(struct pp_zone *zone, uint64_t deadline_ns);
void zone_settling_unlock(struct pp_zone *zone);
/* Under it. *@left: some dead process's rings have pages still. */
uint64_t zone_bury_all(struct pp_zone *zone, bool *left);
int zone_close_counted(struct pp_zone *zone, unsigned int timeout_us);
void zone_open_counted(struct pp_zone *zone, struct zone_process *entry);
/* Pages that no user has any more go to the stock, fresh. */
void zone_take_home(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n);

/* 0: this process does not use the zone any more; or the pages that it has. */
uint64_t zone_share_end(struct pp_zone *zone);
/* pp_zone_pcp_disable() and pp_zone_pcp_enable(), which the death of this process undoes. */
int zone_close(struct pp_zone *zone, unsigned int timeout_us);
void zone_open(struct pp_zone *zone);
/* Give these pages away; see pp_zone_give_bulk(). They are this process's, and sole. */
void zone_hand_over(struct pp_zone *zone, struct pp_page *const *pages, unsigned int n,
		    uint32_t process);

#endif /* PP_ZONE_SHARE_H */
