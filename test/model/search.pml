/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * search.pml - an allocation that finds nothing, while free pages move between the places
 *
 * Stands for search_everywhere() in lib/stock/take.c with page_moves(), for clients_trim(), and for a pool's
 * refill (pool_take() and what follows it):
 *   Taker     wants one page: drains each core's cache into the free area, trims the pool into its
 *             own core's cache, drains again, looks at the free area; fails, or looks again
 *   Refiller  the owner of the pool: takes two pages for a user that wants one, and puts the
 *             surplus into the pool's cache; uses one page for a while
 *   Trimmer   trims the pool as any thread may
 * There are as many pages as threads want at once. So a page is free for a Taker all the time, and
 * a short answer is wrong.
 *
 * Moves under the zone's lock are one step, as the search takes that lock itself. A trim and a
 * refill hold pages in hand between two steps.
 *
 * Variants that must fail:
 *   -DNO_COMPARE  as before: a search that found nothing fails
 *   -DNO_MOVING   a trim counts when its pages have come, but does not announce them
 *   -DNO_MOVED    it announces them, but does not count
 *   -DNO_TAKING   a refill does not announce its surplus
 */
#define CORES 2
#define PAGES 2

byte area, pool = PAGES;
byte cache[CORES];
byte moving, moved, moves;
bool taking, closing;

inline drain(c)
{
	atomic {
		if
		:: cache[c] > 0 -> area = area + cache[c]; cache[c] = 0; moves++
		:: else
		fi
	}
}

inline trim(core)
{
	atomic { !closing -> closing = true };
	if
	:: pool > 0 ->
#ifndef NO_MOVING
		moving++;
#endif
		hand = pool;
		pool = 0; /* the pages are in no place */
		cache[core] = cache[core] + hand;
		hand = 0;
#ifndef NO_MOVED
		moved++;
#endif
#ifndef NO_MOVING
		moving--
#else
		skip
#endif
	:: else
	fi;
	closing = false
}

inline take_area()
{
	atomic {
		if
		:: area > 0 -> area--; got = true
		:: else
		fi
	}
}

inline search(core)
{
	drain(0);
	drain(1);
	take_area();
	if
	:: !got && pool > 0 ->
		trim(core);
		drain(0);
		drain(1);
		take_area()
	:: else
	fi;
	if
	:: !got -> take_area()
	:: else
	fi
}

proctype Taker(byte core)
{
	byte before, hand;
	bool got, again;

	do
	:: before = moves + moved;
		search(core);
		if
		:: got -> break
		:: else
		fi;
#ifdef NO_COMPARE
		again = false;
#else
		again = (moving > 0 || taking);
		again = again || (moves + moved != before);
#endif
		assert(again)
	od;
	/* the user gives it back to its core's cache */
	atomic { cache[core]++; before = 0 }
}

proctype Trimmer(byte core)
{
	byte hand;

	trim(core)
}

/* Wants one and refills with two, from the free area; the surplus goes into the pool. */
proctype Refiller()
{
	byte hand;

#ifndef NO_TAKING
	taking = true;
#endif
	atomic {
		if
		:: area >= 2 -> area = area - 2; hand = 2
		:: else
		fi
	};
	if
	:: hand > 0 ->
		atomic { pool = pool + hand - 1; hand = 1; moves++ }
	:: else
	fi;
	taking = false;
	/* its user keeps one page; the other is there for the Taker */
	hand = 0
}

init {
	atomic {
		run Taker(0);
#ifdef REFILL
		run Refiller();
		run Trimmer(1)
#else
		run Taker(1);
#ifdef TRIM
		run Trimmer(1)
#endif
#endif
	}
}
