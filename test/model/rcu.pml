/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rcu.pml - the drainer switches the owner's list, and waits for its one reader
 *
 * Stands for lib/stock/sync/rcu.c over lib/stock/pcp_impl.h:
 *   Owner     pcp_enter(): inside becomes odd by a plain store, then the live list is read;
 *             one page is allocated (refilling from the zone) or freed; pcp_exit()
 *   seize     pcp_seize(): switch to the spare, membarrier, read inside, wait; a wait that
 *             gives up leaves the list in old
 *   Drainer   do_drain() twice in a row, each of which may give up; pcp_release()
 *   Disabler  close_caches() in lib/stock/control.c: high_max = 0, then drains until one moves
 *             nothing. The drain lock keeps the two apart.
 *
 * Weak memory: the owner's stores of inside pass through a store buffer of one entry, which
 * empties when it likes, before the owner's next store (so stores stay in order, as on x86,
 * and as the release in pcp_exit() demands elsewhere), and at a membarrier. The owner reads
 * past it. That is what the plain stores of this policy may do, and what the membarrier is
 * for. Not modelled: loads that the owner's CPU makes early, which a membarrier orders too;
 * drainers' buffers, which are empty after the system call; the wrap of inside.
 *
 * Properties: pages are conserved (counts are read and written in two steps); after a disable
 * has returned no page is in either list and none enters; -DCOUNTED: an allocation that finds
 * the zone empty and every gauge (pcp_count()) at 0 while nobody uses pages is wrong.
 *
 * Variants that must fail:
 *   -DNO_FENCE      no membarrier
 *   -DFENCE_FIRST   the membarrier before the switch
 *   -DLATE_INSIDE   the owner reads the list, then says that it is inside
 *   -DOLD_ONLY      what an earlier drain left is taken for all that there is: an empty old
 *                   list ends the drain, without a look at the live one
 *   -DCOUNTED -DOLD_LATE  old is set after the switch: for a while its pages are nowhere
 */
#define PAGES 2
#define OPS   3

byte count[2];
byte live, spare = 1, old = 2; /* 2: none */
byte inside, old_inside;
byte area = 1, used;
byte high_max = 2;
byte drain_lock;
bool closed;
byte finished;

/* the owner's store buffer */
bool buffered;
byte buffer, mine_inside;

inline drain_buffer()
{
	atomic {
		if
		:: buffered -> inside = buffer; buffered = false; buffer = 0
		:: else
		fi
	}
}

inline store_inside(v)
{
	atomic {
		if
		:: buffered -> inside = buffer
		:: else
		fi;
		buffer = v;
		buffered = true
	}
}

inline membarrier()
{
#ifdef NO_FENCE
	skip
#else
	drain_buffer()
#endif
}

/* its own next store, of a count or of a page, pushes the buffer out */
#define PUSH_BUFFER                                                                                \
	if                                                                                         \
	:: buffered -> inside = buffer; buffered = false; buffer = 0                               \
	:: else                                                                                    \
	fi

inline use_list()
{
	if
	:: c = count[l];
		if
		:: c > 0 -> atomic { PUSH_BUFFER; count[l] = c - 1; used++; c = 0 }
		:: else -> atomic {
			PUSH_BUFFER;
			c = 0;
			if
			:: area > 0 -> area--; used++
			:: else
			fi }
		fi
	:: used > 0 ->
		limit = high_max;
		c = count[l];
		if
		:: c + 1 <= limit -> atomic {
			PUSH_BUFFER;
			count[l] = c + 1;
			used--;
			assert(!closed);
			c = 0;
			limit = 0 }
		:: else -> atomic { PUSH_BUFFER; used--; area++; c = 0; limit = 0 }
		fi
	fi
}

proctype Owner()
{
	byte c, l, limit, ops;

	do
	:: ops < OPS ->
		ops++;
#ifdef LATE_INSIDE
		l = live;
		mine_inside++;
		store_inside(mine_inside);
#else
		mine_inside++;
		store_inside(mine_inside);
		l = live;
#endif
		use_list();
		mine_inside++;
		store_inside(mine_inside);
		l = 0
	:: ops == OPS -> break
	od;
	finished++
}

/* The store buffer empties in its own time. */
active proctype Buffer()
{
end_idle:
	do
	:: buffered -> drain_buffer()
	od
}

#define READER_LEFT (!(old_inside & 1) || inside != old_inside)

inline await_reader(patient)
{
	if
	:: READER_LEFT -> ok = true
	:: !patient -> ok = false
	fi
}

inline release()
{
	if
	:: count[old] == 0 -> atomic { spare = old; old = 2 }
	:: else
	fi
}

/* moved: pages of the live list that went to the zone, 255 if it gave up */
inline one_drain(patient)
{
	atomic { drain_lock == 0 -> drain_lock = 1 };
	ok = true;
	moved = 0;
#ifndef OLD_ONLY
	/* what an earlier drain left behind comes first */
	if
	:: old != 2 ->
		await_reader(patient);
		if
		:: ok -> move_old(); release(); moved = 0
		:: else
		fi
	:: old == 2
	fi;
#endif
	if
	:: ok && old == 2 -> switch_list()
	:: else
	fi;
	if
	:: ok -> await_reader(patient)
	:: else
	fi;
	if
	:: ok -> move_old(); release()
	:: else -> moved = 255
	fi;
	atomic { drain_lock = 0; ok = false; d = 0; n = 0 }
}

inline switch_list()
{
	d = live;
#ifndef OLD_LATE
	old = d;
#endif
#ifdef FENCE_FIRST
	membarrier();
	live = spare;
#else
	live = spare;
	membarrier();
#endif
	old_inside = inside;
#ifdef OLD_LATE
	old = d
#endif
}

/* list_to_area(): the zone has them before the list has not */
inline move_old()
{
	n = count[old];
	atomic { area = area + n };
	atomic { count[old] = 0; moved = moved + n }
}

proctype Drainer()
{
	byte d, n, moved;
	bool ok;

	one_drain(false);
	one_drain(false);
	moved = 0;
	finished++
}

proctype Disabler()
{
	byte d, n, moved;
	bool ok;

	high_max = 0;
	do
	:: one_drain(true);
		if
		:: moved == 0 -> break
		:: else
		fi
	od;
	atomic {
		closed = true;
		assert(count[live] == 0 && (old == 2 || count[old] == 0))
	};
	finished++
}

#ifdef COUNTED
/*
 * The end of alloc_slow(): the gauge says that this cache has nothing, then the zone has
 * nothing. All pages are in the cache, and their owner does not move.
 */
bool ready;

active proctype Allocator()
{
	byte l, o, sum;

	ready;
	l = live;
	sum = count[l];
	o = old;
	if
	:: o != 2 -> sum = sum + count[o]
	:: else
	fi;
	if
	:: sum == 0 -> assert(area > 0)
	:: else
	fi
}
#endif

init {
	atomic {
#ifdef COUNTED
		count[0] = PAGES;
		area = 0;
		run Drainer();
		ready = true;
#else
		count[0] = 1;
		run Owner();
		run Drainer();
		run Disabler();
#endif
	};
#ifndef COUNTED
	finished == 3;
	assert(area + count[0] + count[1] + used == PAGES)
#endif
}
