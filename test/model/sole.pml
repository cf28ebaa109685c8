/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sole.pml - a ring's sole producer works without the lock, until another producer ends that
 *
 * Stands for ring_produce() in lib/base/ring.h and lib/base/ring.c:
 *   Sole     the thread that may be the sole producer: a turn without the lock; if it is the sole
 *            producer no more, the same under the lock, after which it may be it again
 *   Other    takes the lock, ends the sole producer, membarrier, reads the turn; if one goes on
 *            its object is refused, and the next attempt looks again
 *
 * Weak memory: stores of the turn pass through a store buffer of one entry, which empties when it
 * likes, before the thread's next store, at its atomic instructions, and at a membarrier. Not
 * modelled: the wrap of the turn, more than two threads, and a thread that exits.
 *
 * Properties: the tail is read and written in two steps, and no step of another producer comes
 * between these; each object is in the ring or refused.
 *
 * Variants that must fail:
 *   -DNO_FENCE      no membarrier
 *   -DFENCE_FIRST   the membarrier before the end is announced
 *   -DNO_LOOK       a turn begins without another look at the sole producer
 *   -DNO_WAIT       the other producer takes no notice of a turn
 */
#define OPS 3

bool sole, leaving, passed;
byte turn, last, mine;
byte tail, refused, finished;
bool locked, producing;

/* the store buffer of Sole */
bool buffered;
byte buffer;

inline drain_buffer()
{
	atomic {
		if
		:: buffered -> turn = buffer; buffered = false; buffer = 0
		:: else
		fi
	}
}

inline store_turn(v)
{
	drain_buffer();
	atomic {
		buffer = v;
		buffered = true
	}
}

inline lock()
{
	atomic {
		!locked -> locked = true
	}
}

inline produce(at)
{
	atomic {
		assert(!producing);
		producing = true;
		at = tail
	}
	atomic {
		tail = at + 1;
		at = 0;
		producing = false
	}
}

proctype Buffer()
{
	do
	:: atomic { buffered -> turn = buffer; buffered = false; buffer = 0 }
	:: finished == 2 -> break
	od
}

proctype Sole()
{
	byte op, at;
	bool done;

	for (op : 1 .. OPS) {
		done = false;
		if
		:: sole ->
			mine++;
			store_turn(mine);
			if
#ifdef NO_LOOK
			:: true ->
#else
			:: sole ->
#endif
				/* in order: what was stored before is in memory first */
				drain_buffer();
				produce(at);
				done = true
#ifndef NO_LOOK
			:: else
#endif
			fi;
			mine++;
			store_turn(mine)
		:: else
		fi;
		if
		:: !done ->
			lock();
			drain_buffer();
			sole = false;
			leaving = false;
			produce(at);
			if
			:: sole = true
			:: true
			fi;
			locked = false
		:: else
		fi
	}
	drain_buffer();
	finished++
}

proctype Other()
{
	byte op, at;

	for (op : 1 .. OPS) {
		lock();
		if
		:: sole ->
#ifdef FENCE_FIRST
			drain_buffer();
			passed = true;
			last = turn;
			sole = false;
#else
			sole = false;
			passed = false;
#endif
			leaving = true
		:: else
		fi;
		if
		:: leaving && !passed ->
#ifndef NO_FENCE
			drain_buffer();
#endif
			passed = true;
			last = turn
		:: else
		fi;
		if
#ifndef NO_WAIT
		:: leaving && (last & 1) && turn == last ->
			refused++
#else
		:: false
#endif
		:: else ->
			leaving = false;
			produce(at)
		fi;
		locked = false
	}
	finished++
}

init {
	sole = true;
	atomic {
		run Buffer();
		run Sole();
		run Other()
	}
	finished == 2;
	assert(tail + refused == 2 * OPS)
}
