/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * softmask.pml - a flag for the owner, a flag for the drainer, and a handler between
 *
 * Stands for lib/stock/sync/softmask.c over lib/stock/pcp_impl.h:
 *   Owner     pcp_enter(): leave if inside; inside = 1 by a plain store; read keep_out; then one
 *             page is allocated or freed; pcp_exit(). Between any two steps a signal handler
 *             may do the same, which is what handler() stands for: same thread, same store
 *             buffer, and all of it happens before the interrupted code goes on.
 *   Drainer   pcp_seize(): keep_out = 1, membarrier, wait for inside to fall, or give up;
 *             do_drain(); let_owner_in()
 *   Disabler  close_caches(): high_max = 0, then drains until one moves nothing
 *
 * Weak memory: the owner's stores of inside wait in a store buffer of one entry, which empties
 * when it likes, before the owner's next store, and at a membarrier; the owner (and its
 * handler) reads its own store from there. Not modelled: early loads, which a membarrier
 * orders too; the drainer's buffer, which is empty after the system call; more than one
 * handler inside another.
 *
 * Properties: pages are conserved, counts being read and written in two steps; a cache is and
 * stays empty after a disable.
 *
 * Variants that must fail:
 *   -DNO_FENCE      no membarrier
 *   -DFENCE_FIRST   membarrier, then keep_out = 1
 *   -DLATE_INSIDE   the owner reads keep_out, then says that it is inside
 *   -DBLIND_HANDLER the handler does not look at inside
 *   -DLATE_GIVE_UP  a drainer that gave up uses the list all the same
 */
#define PAGES 2
#define OPS   2

byte count = 1, area = 1, used;
byte high_max = 2;
bool inside, keep_out;
bool drain_lock;
bool closed;
byte finished;
bool handled; /* one handler a run */

bool buffered, buffer;

#define PUSH_BUFFER                                                                                \
	if                                                                                         \
	:: buffered -> inside = buffer; buffered = false; buffer = 0                               \
	:: else                                                                                    \
	fi

/* what the owner's thread itself reads */
#define MY_INSIDE ((buffered && buffer) || (!buffered && inside))

inline store_inside(v)
{
	atomic { PUSH_BUFFER; buffer = v; buffered = true }
}

inline membarrier()
{
#ifdef NO_FENCE
	skip
#else
	atomic { PUSH_BUFFER }
#endif
}

inline zone_path()
{
	atomic {
		PUSH_BUFFER;
		if
		:: area > 0 -> area--; used++
		:: used > 0 -> used--; area++
		:: else
		fi
	}
}

/* one operation; gap() is where a handler may come */
#define OPERATION(gap, looks)                                                                      \
	gap;                                                                                       \
	if                                                                                         \
	:: looks && MY_INSIDE -> zone_path()                                                       \
	:: else ->                                                                                 \
		gap;                                                                               \
		ENTER(gap);                                                                        \
		if                                                                                 \
		:: w -> store_inside(0); zone_path()                                               \
		:: else ->                                                                         \
			gap;                                                                       \
			USE(gap);                                                                  \
			gap;                                                                       \
			store_inside(0)                                                            \
		fi                                                                                 \
	fi

#ifdef LATE_INSIDE
#define ENTER(gap) w = keep_out; gap; store_inside(1)
#else
#define ENTER(gap) store_inside(1); gap; w = keep_out
#endif

#define USE(gap)                                                                                   \
	if                                                                                         \
	:: c = count;                                                                              \
		gap;                                                                               \
		if                                                                                 \
		:: c > 0 -> atomic { PUSH_BUFFER; count = c - 1; used++ }                          \
		:: else -> zone_path()                                                             \
		fi                                                                                 \
	:: used > 0 ->                                                                             \
		limit = high_max;                                                                  \
		c = count;                                                                         \
		gap;                                                                               \
		if                                                                                 \
		:: used == 0 /* the handler took it */                                             \
		:: used > 0 && c + 1 <= limit ->                                                   \
			atomic { PUSH_BUFFER; count = c + 1; used--; assert(!closed) }             \
		:: used > 0 && c + 1 > limit -> atomic { PUSH_BUFFER; used--; area++ }             \
		fi                                                                                 \
	fi

/* the handler's: others' locals */
bool in_handler;

proctype Handler()
{
	byte c, limit;
	bool w;

#ifdef BLIND_HANDLER
	OPERATION(skip, false);
#else
	OPERATION(skip, true);
#endif
	in_handler = false
}

inline handler()
{
	if
	:: true
	:: atomic { !handled -> handled = true; in_handler = true; run Handler() };
		!in_handler
	fi
}

proctype Owner()
{
	byte c, limit, ops;
	bool w;

	do
	:: ops < OPS ->
		ops++;
		OPERATION(handler(), true);
		atomic { c = 0; limit = 0; w = 0 }
	:: ops == OPS -> break
	od;
	finished++
}

active proctype Buffer()
{
end_idle:
	do
	:: atomic { buffered -> PUSH_BUFFER }
	od
}

inline one_drain(patient)
{
	atomic { !drain_lock -> drain_lock = true };
#ifdef FENCE_FIRST
	membarrier();
	keep_out = 1;
#else
	keep_out = 1;
	membarrier();
#endif
	moved = 255;
	if
	:: !inside -> drain_list()
	:: !patient ->
#ifdef LATE_GIVE_UP
		drain_list()
#else
		skip
#endif
	fi;
	keep_out = 0;
	drain_lock = false
}

inline drain_list()
{
	n = count;
	area = area + n;
	count = 0;
	moved = n;
	n = 0
}

proctype Drainer()
{
	byte n, moved;

	one_drain(false);
	moved = 0;
	one_drain(false);
	moved = 0;
	finished++
}

proctype Disabler()
{
	byte n, moved;

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
		assert(count == 0)
	};
	finished++
}

init {
	atomic {
		run Owner();
		run Drainer();
		run Disabler()
	};
	finished == 3;
	assert(area + count + used == PAGES)
}
