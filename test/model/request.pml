/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.pml - nobody but the owner touches the cache, and a disabler must rely on it
 *
 * Stands for lib/stock/sync/request.c and lib/stock/sync/pcp_serve.h over lib/stock/pcp_impl.h:
 *   Owner     do_alloc_bulk(), do_free_bulk() without any lock; pcp_exit() reads want and serves
 *   ask       pcp_seize() of another thread: raise want, look what the owner answers, or give up
 *   Drainer   do_drain() by any thread
 *   Disabler  close_caches(): high_max = 0, then drains until one returns 0; or it gives up, as
 *             it must if the owner is idle
 *
 * Properties: pages are conserved; the cache is empty, and stays empty, when the disabler has
 * returned without giving up.
 *
 * Not modelled: a thread's end, after which any thread may take its cache under the slots' lock; weak
 * memory.
 *
 * The variant that must fail:
 *   -DLOOKS_EMPTY  a drain of a closed cache that looks empty does not ask: but its owner may be
 *                  on its way to fill it
 */
#define PAGES 3
#define CAP   2

byte want, served, answers;
byte count = 1, area = 1, used = 1, high_max = CAP;
bool closed;
byte finished;

proctype Owner()
{
	byte c, w, limit, ops;

	do
	:: ops < 4 ->
		ops++;
		if
		:: used > 0 ->
			limit = high_max;
			c = count;
			if
			:: c + 1 <= limit -> atomic { used--; count = c + 1; assert(!closed) }
			:: else -> atomic { used--; area++ }
			fi
		:: count > 0 -> atomic { count--; used++ }
		:: used == 0 && count == 0
		fi;
		w = want;
		if
		:: w > 0 ->
			c = count;
			if
			:: c > 0 -> area++; count = c - 1; served++
			:: else
			fi;
			if
			:: c > 0 && count > 0 -> want = w - 1
			:: else -> answers++; want = 0
			fi
		:: else
		fi;
		atomic { c = 0; w = 0; limit = 0 }
	:: ops == 4 -> break
	od;
	finished++
}

/* moved: pages, or 255 */
inline ask()
{
	s0 = served;
	a0 = answers;
	moved = 255;
	c = count;
	if
#ifdef LOOKS_EMPTY
	:: c == 0 -> moved = 0
	:: c != 0 ->
#else
	:: c == 0 && high_max > 0 -> moved = 0
	:: c != 0 || high_max == 0 ->
#endif
		want = CAP;
		do
		:: want == 0 ->
			if
			:: served != s0 || answers != a0 -> moved = served - s0; break
			:: else -> want = CAP
			fi
		:: want != 0 -> break /* gave up */
		:: want != 0
		od
	fi;
	atomic { s0 = 0; a0 = 0; c = 0 }
}

proctype Drainer()
{
	byte s0, a0, c, moved;

	ask();
	finished++
}

proctype Disabler()
{
	byte s0, a0, c, moved;

	high_max = 0;
	do
	:: ask();
		if
		:: moved == 255 || moved == 0 -> break
		:: else
		fi
	od;
	if
	:: moved == 0 -> atomic { closed = true; assert(count == 0) }
	:: else -> high_max = CAP
	fi;
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
