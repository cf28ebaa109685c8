/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disable.pml - pp_zone_pcp_disable() against frees, a tuner, and another disabler
 *
 * Stands for lib/stock/control.c (set_bounds(), close_caches(), stock_disable(),
 * stock_enable()), pcp_limit() in lib/stock/pcp.h and set_high() in lib/stock/pcp.c, over a cache
 * that is guarded by a lock, as with spin, trylock and irqsave:
 *   Owner     do_free_bulk(): in a hold, reads what the cache may have (high and high_max, one
 *             after the other), then its count, then writes the count; do_alloc_bulk() with
 *             cache_refill(); the tuner, which raises high to what it computed some steps before
 *   Tick      pp_zone_maintain(): the tuner without a hold, at any time
 *   Disabler  twice: disable, look, enable. Disabling nests, under the control lock
 *
 * Properties: between disable and enable no page is in the cache; high never exceeds what
 * the cache can hold; after all enables high_max is what it was.
 *
 * Not modelled: how a drain gets hold of the cache, which is what the other models are about;
 * weak memory; the timeout of a disable.
 *
 * Variants that must fail:
 *   -DHIGH_ONLY   a cache may have what high says, which an overtaken tuner may raise again
 *   -DNO_FORCE    a drain that finds the cache empty does not wait for its holder
 *   -DNO_NEST     the first enable opens the cache, although others had disabled it
 *   -DDRAIN_FIRST drain, then close
 */
#define CAPACITY 2
#define PAGES	 3

byte high = 1, high_min = 1, high_max = CAPACITY;
byte saved_min, saved_max;
byte disabled;
bool control, lock;
byte count = 1, area = 1, used = 1;
byte holders; /* disablers that disable() has returned to */
byte finished;

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

inline read_limit()
{
	limit = high;
#ifndef HIGH_ONLY
	max = high_max;
	limit = MIN(limit, max)
#endif
}

inline set_high(to)
{
	new = to;
	new = MAX(new, high_min);
	new = MIN(new, high_max);
	high = new
}

inline enters(n)
{
	atomic {
		assert(!holders && n <= CAPACITY);
		count = n
	}
}

proctype Owner()
{
	byte limit, max, new, c, ops;

	do
	:: ops < 2 ->
		ops++;
		atomic { !lock -> lock = true };
		if
		:: true ->
			/* allocate, refill for one more, and tune */
			atomic {
				if
				:: count > 0 -> count--; used++
				:: count == 0 && area > 0 -> area--; used++
				:: else
				fi
			};
			read_limit();
			set_high(limit + 1);
			read_limit();
			if
			:: count == 0 && limit > 0 && area > 0 -> atomic {
				if
				:: area > 0 -> area--; enters(1)
				:: else
				fi }
			:: else
			fi
		:: used > 0 ->
			read_limit();
			c = count;
			if
			:: c + 1 <= limit -> used--; enters(c + 1)
			:: else -> atomic { used--; area++ }
			fi
		fi;
		atomic { lock = false; limit = 0; max = 0; new = 0; c = 0 }
	:: else -> break
	od;
	finished++
}

proctype Tick()
{
	byte new;

	set_high(high - (high > 0 -> 1 : 0));
	finished++
}

inline set_caches(low, top)
{
	high_min = low;
	high_max = top;
	high = low
}

inline forced_drain()
{
#ifdef NO_FORCE
	if
	:: count == 0
	:: count > 0 ->
		atomic { !lock -> lock = true };
		atomic { area = area + count; count = 0 };
		lock = false
	fi
#else
	atomic { !lock -> lock = true };
	atomic { area = area + count; count = 0 };
	lock = false
#endif
}

inline close_caches()
{
	saved_min = high_min;
	saved_max = high_max;
#ifdef DRAIN_FIRST
	forced_drain();
	set_caches(0, 0)
#else
	set_caches(0, 0);
	forced_drain()
#endif
}

proctype Disabler()
{
	atomic { !control -> control = true };
	if
	:: disabled == 0 -> close_caches()
	:: else
	fi;
	disabled++;
	control = false;
	atomic { holders++; assert(count == 0) };

	/* here a caller relies on it */
	atomic { assert(count == 0); holders-- };
	atomic { !control -> control = true };
	disabled--;
#ifdef NO_NEST
	disabled = 0;
#endif
	if
	:: disabled == 0 -> set_caches(saved_min, saved_max)
	:: else
	fi;
	control = false;
	finished++
}

init {
	atomic {
		run Owner();
		run Tick();
		run Disabler();
		run Disabler()
	};
	finished == 4;
	assert(area + count + used == PAGES && high_max == CAPACITY && high <= CAPACITY)
}
