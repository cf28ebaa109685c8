/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handler.pml - a signal handler that allocates while its thread holds locks of the library
 *
 * Stands for take_pages_far() in lib/zone/take.c with in_handler(), for lib/base/registry.c, and for
 * a request of the control socket that looks at a pool:
 *   Owner    takes the ring's lock, or the zone's, or none; at any point its handler may come, which
 *            takes the zone's lock if it is free, and otherwise goes without
 *   Visitor  pins an entry under the registry's lock, leaves that lock, and takes the ring's
 *   Maker    takes the registry's lock, as page_pool_create() does
 * Property: nobody is stuck at the end.
 *
 * Variants that must fail:
 *   -DHANDLER_TRIMS   as before: a handler that did not interrupt a call on a signal safe zone visits
 *                     the registry, and the visitor holds its lock while it takes the ring's
 *   -DHANDLER_WAITS   the handler waits for the zone's lock
 */
mtype = { FREE, OWNER, VISITOR, MAKER, HANDLER };
mtype zone_lock = FREE, ring = FREE, registry = FREE;
byte handlers = 2, finished;

#define LOCK(l, me)   atomic { l == FREE -> l = me }
#define UNLOCK(l)     l = FREE

/* In the owner's own thread: the owner goes on when it is over. */
inline handler()
{
	if
	:: handlers > 0 ->
		handlers--;
#ifdef HANDLER_WAITS
		LOCK(zone_lock, HANDLER);
		UNLOCK(zone_lock)
#else
		if
		:: atomic { zone_lock == FREE -> zone_lock = HANDLER };
			UNLOCK(zone_lock)
		:: zone_lock != FREE /* without */
		fi
#endif
#ifdef HANDLER_TRIMS
		;
		if
		:: zone_lock != OWNER ->
			LOCK(registry, HANDLER);
			UNLOCK(registry)
		:: else
		fi
#endif
	:: true
	fi
}

proctype Owner()
{
	byte rounds;

	do
	:: rounds < 2 ->
		rounds++;
		handler();
		if
		:: LOCK(ring, OWNER);
			handler();
			UNLOCK(ring)
		:: LOCK(zone_lock, OWNER);
			handler();
			UNLOCK(zone_lock)
		:: LOCK(registry, OWNER);
#ifndef HANDLER_TRIMS
			handler();
#endif
			UNLOCK(registry)
		fi
	:: rounds == 2 -> break
	od;
	finished++
}

proctype Visitor()
{
	byte rounds;

	do
	:: rounds < 2 ->
		rounds++;
		LOCK(registry, VISITOR);
#ifdef HANDLER_TRIMS
		LOCK(ring, VISITOR);
		UNLOCK(ring);
		UNLOCK(registry)
#else
		UNLOCK(registry); /* the entry is pinned */
		LOCK(ring, VISITOR);
		UNLOCK(ring)
#endif
	:: rounds == 2 -> break
	od;
	finished++
}

proctype Maker()
{
	LOCK(registry, MAKER);
	UNLOCK(registry);
	finished++
}

init {
	atomic { run Owner(); run Visitor(); run Maker() };
	finished == 3
}
