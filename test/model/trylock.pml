/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trylock.pml - the owner's try lock, and the request that it serves for a drainer
 *
 * Stands for lib/stock/sync/trylock.c and lib/stock/sync/pcp_serve.h over lib/stock/pcp_impl.h:
 *   Owner     do_alloc_bulk(), do_free_bulk(): pcp_enter() is the exchange, pcp_exit() reads
 *             want, may serve_drainer(), and unlocks
 *   seize     pcp_seize(), with ask_owner() in its loop
 *   Drainer   do_drain() by any thread: seize, one batch (1 page) to the zone, pcp_release()
 *   Disabler  close_caches() in lib/stock/control.c: high_max = 0, then forced drains of the
 *             cache until one returns 0
 * A page count is read and written in two steps, so that two holders at once would lose a
 * page. Moves under the zone's lock are one step.
 *
 * Properties: pages are conserved; a cache is empty, and stays empty, when the disabler has
 * returned; nobody is stuck at the end. With -DLIVE (ltl drained): a drainer without a
 * timeout ends against an owner that never pauses. With -DFREEZE: the owner gets through
 * although a drainer stops for ever inside its hold.
 *
 * Not modelled: weak memory (all stores are seen at once); time, but that a drainer may give
 * up at any look; the zone's lock, for which the owner may wait; arrays' contents.
 *
 * Variants that must fail:
 *   -DTRUST_WANT    the drainer takes want == 0 for the owner's answer, though another drainer
 *                   may have cleared it
 *   -DDROP_UNMOVED  an owner that could not lock the zone (in a signal handler) takes the
 *                   request off all the same
 *   -DNO_REQUEST    nobody asks (ltl): the drainer starves
 *   -DLATE_SERVE    the owner unlocks, then serves
 *   -DOWNER_WAITS   the owner waits for the lock (with FREEZE)
 */
#define PAGES 3
#define CAP   2
#define WRAP  7

#ifdef LIVE
#define DISABLERS 0
#else
#ifdef FREEZE
#define DISABLERS 0
#else
#define DISABLERS 1
#endif
#endif
#ifndef OPS
#define OPS 2
#endif

byte lock, want, served, answers;
byte count = 1; /* in the cache */
byte area = PAGES - 1, high_max = CAP, used;
byte finished;
bool closed;
bool drain_ended;

#define LEDGER (area + count + used == PAGES)

inline exchange(got)
{
	atomic {
		got = (lock == 0);
		lock = 1;
	}
}

inline zone_path()
{
	atomic {
		if
		:: area > 0 -> area--; used++
		:: used > 0 -> used--; area++
		:: else
		fi
	}
}

/* the owner's hold, n = 1 */
inline use_cache()
{
	if
	:: true -> /* alloc */
		c = count;
		if
		:: c > 0 -> atomic { count = c - 1; used++ }
		:: else -> /* cache_refill(): one for the caller, one for the cache if there are enough */
			limit = high_max;
			atomic {
				if
				:: area > 0 -> area--; used++
				:: else
				fi;
				if
				:: area > 1 && limit > 0 -> area--; count = 1; assert(!closed)
				:: else
				fi
			}
		fi
	:: atomic { used > 0 -> used--; mine = 1 }; /* free */
		limit = high_max;
		c = count;
		if
		:: c + 1 <= limit -> atomic { count = c + 1; mine = 0; assert(!closed) }
		:: else -> /* cache_flush(), then past the cache */
			atomic {
				if
				:: c > 0 -> area++
				:: else
				fi
			};
			if
			:: c > 0 -> count = c - 1
			:: else
			fi;
			atomic { area++; mine = 0 }
		fi
	fi
}

inline serve()
{
	w = want;
	if
	:: w > 0 ->
		c = count;
		k = (c > 0 -> 1 : 0);
#ifdef HANDLER
		if
		:: k = 0 /* in a handler that interrupted a holder of the zone's lock */
		:: skip
		fi;
#endif
		if
		:: k > 0 -> area++; count = c - 1; served = (served + 1) & WRAP
		:: else
		fi;
#ifndef DROP_UNMOVED
		if
		:: k == 0 && c > 0 -> goto served_nothing
		:: else
		fi;
#endif
		if
		:: k > 0 && count > 0 -> want = w - 1
		:: else ->
			answers = (answers + 1) & WRAP;
			want = 0
		fi
	:: else
	fi;
served_nothing:
	skip
}

proctype Owner()
{
	byte c, k, w, limit, ops, mine;
	bool got;

	do
	:: ops < OPS ->
#ifndef LIVE
		ops++;
#endif
#ifdef OWNER_WAITS
		atomic { lock == 0 -> lock = 1; got = true };
#else
		exchange(got);
#endif
		if
		:: !got -> zone_path()
		:: else ->
			use_cache();
#ifdef LATE_SERVE
			lock = 0;
			serve()
#else
			serve();
			lock = 0
#endif
		fi;
		atomic { c = 0; k = 0; w = 0; limit = 0; got = false }
	:: ops == OPS -> break
	od;
	finished++
}

/* result: 1 the list is ours, 2 the owner moved k pages, 0 gave up */
inline seize(result, patient)
{
	s0 = served;
	a0 = answers;
	result = 0;
	if
	:: lock == 0 -> exchange(got); result = (got -> 1 : 0)
	:: lock != 0
	fi;
#ifndef NO_REQUEST
	if
	:: result == 0 -> want = CAP
	:: else
	fi;
#endif
	do
	:: result != 0 -> break
	:: result == 0 ->
		if
		:: lock == 0 -> exchange(got)
		:: lock != 0 -> got = false
		fi;
		if
		:: got -> want = 0; result = 1
		:: else ->
#ifdef NO_REQUEST
			skip
#else
			if
			:: want == 0 ->
				k = (served - s0) & WRAP;
#ifdef TRUST_WANT
				result = 2
#else
				if
				:: k > 0 || answers != a0 -> result = 2
				:: else -> want = CAP /* another drainer cleared it */
				fi
#endif
			:: want != 0
			fi
#endif
		fi;
		if
		:: result == 0 && !patient -> break
		:: true
		fi
	od
}

inline one_drain(patient)
{
	seize(result, patient);
	if
	:: result == 1 ->
#ifdef FREEZE
		finished++;
end_frozen:
		false;
#endif
		c = count;
		k = (c > 0 -> 1 : 0);
		area = area + k;
		count = c - k;
		lock = 0
	:: result == 0 -> k = 255
	:: else
	fi;
	atomic { c = 0; s0 = 0; a0 = 0; result = 0; got = false }
}

proctype Drainer()
{
	byte c, k, s0, a0, result;
	bool got;

#ifdef LIVE
	one_drain(true);
	drain_ended = true;
#else
	one_drain(false);
#endif
	finished++
}

proctype Disabler()
{
	byte c, k, s0, a0, result;
	bool got;

	high_max = 0;
	do
	:: one_drain(true);
		if
		:: k == 0 -> break
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
#if DISABLERS
		run Disabler()
#endif
	};
#ifndef LIVE
	finished == 2 + DISABLERS;
	assert(LEDGER)
#endif
}

#ifdef LIVE
ltl drained { <> drain_ended }
#endif
