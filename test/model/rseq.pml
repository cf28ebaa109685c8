/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rseq.pml - restartable sequences on one CPU, and a drainer that swaps the list and fences
 *
 * Stands for lib/stock/sync/rseq.c and lib/stock/sync/arch/x86_64/rseq_ops.h:
 *   sequence  RSEQ_BEGIN to RSEQ_END: load the list, load its count, load (push) high_max,
 *             copy the page, and the commit: the store of count, with which it ends. It
 *             starts anew if the kernel finds it begun and not ended: abort
 *   Thread    two threads on one CPU, of which one runs; Scheduler preempts and aborts. A
 *             signal is the same for the model: an abort, and other code on that CPU
 *   Drainer   pcp_seize(): old = list, list = spare, the rseq fence; do_drain(); pcp_release().
 *             It may leave pages in old, as a drain without the zone's lock does
 *   Disabler  close_caches(): high_max = 0, then drains until one moves nothing
 *
 * Pages have names, lists have places: a page in two places, or one handed out twice, is seen
 * at once, by owner[].
 *
 * Weak memory: what a thread commits waits in its CPU's store buffer of one entry, which
 * empties when it likes, before the next commit, and at the fence; threads of that CPU read
 * through it. The copied pages go to memory before it (x86 keeps stores in order; arm64's
 * commit is a store-release). Not modelled: early loads inside a sequence, which an abort
 * throws away; migration, which is a preemption, and another CPU's list afterwards.
 *
 * Variants that must fail:
 *   -DNO_FENCE      no fence after the swap
 *   -DFENCE_FIRST   fence, then swap
 *   -DNO_ABORT      a preempted sequence goes on where it was
 *   -DEARLY_COMMIT  count is stored before the page is copied
 *   -DLIMIT_OUTSIDE high_max is read before the sequence begins
 */
#define PAGES 3
#define IN_AREA	 1
#define IN_CACHE 2
#define USED	 3
#define NONE	 7 /* no page */

byte owner[PAGES];
byte obj[8]; /* list 0: places 0 to 3, list 1: 4 to 7 */
byte count[2];
byte live, spare = 1, old = 2; /* 2: none */
byte high_max = 3;
bool drain_lock;
bool closed;
byte finished;

byte running; /* which thread has the CPU */
bool begun[2], aborted[2], exited[2];

bool buffered;
byte buffer_list, buffer;

#define PUSH_BUFFER                                                                                \
	if                                                                                         \
	:: buffered -> count[buffer_list] = buffer; buffered = false; buffer_list = 0; buffer = 0  \
	:: else                                                                                    \
	fi

/* the kernel finds that thread @t was in a sequence */
#ifdef NO_ABORT
#define ABORT(t) skip
#else
#define ABORT(t)                                                                                   \
	if                                                                                         \
	:: begun[t] -> aborted[t] = true                                                           \
	:: else                                                                                    \
	fi
#endif

/* One instruction of thread @me, if it has the CPU and is not to start anew. */
#define STEP(what)                                                                                 \
	atomic {                                                                                   \
		running == me;                                                                     \
		if                                                                                 \
		:: aborted[me] -> aborted[me] = false; begun[me] = false; goto again               \
		:: else                                                                            \
		fi;                                                                                \
		what                                                                               \
	}

#define LOAD_COUNT(c, l)                                                                           \
	if                                                                                         \
	:: buffered && buffer_list == l -> c = buffer                                              \
	:: else -> c = count[l]                                                                    \
	fi

#define COMMIT(v)                                                                                  \
	PUSH_BUFFER;                                                                               \
	buffered = true;                                                                           \
	buffer_list = l;                                                                           \
	buffer = v

inline area_page(to)
{
	atomic {
		running == me;
		to = NONE;
		if
		:: owner[0] == IN_AREA -> to = 0; owner[0] = USED
		:: else ->
			if
			:: owner[1] == IN_AREA -> to = 1; owner[1] = USED
			:: else
			fi
		fi
	}
}

proctype Thread(byte me; byte todo)
{
	byte l, c, limit, ops, page = NONE, mine = NONE;

next:
	atomic {
		running == me;
		if
		:: ops == todo -> goto out
		:: else -> ops++
		fi
	};
again:
	atomic {
		l = 0;
		c = 0;
		page = NONE
	};
#ifdef LIMIT_OUTSIDE
	STEP(limit = high_max);
#endif
	if
	:: mine == NONE -> goto pop
	:: mine != NONE -> goto push
	fi;
pop:
	STEP(begun[me] = true; l = live);
	STEP(LOAD_COUNT(c, l));
	if
	:: c == 0 -> goto pop_closed
	:: else
	fi;
#ifdef EARLY_COMMIT
	STEP(COMMIT(c - 1));
	STEP(page = obj[4 * l + c - 1]; begun[me] = false;
	     mine = page; assert(owner[page] == IN_CACHE); owner[page] = USED);
#else
	STEP(page = obj[4 * l + c - 1]);
	STEP(COMMIT(c - 1); begun[me] = false;
	     mine = page; assert(owner[page] == IN_CACHE); owner[page] = USED);
#endif
	goto next;
pop_closed:
	STEP(begun[me] = false);
	area_page(mine);
	goto next;
push:
	STEP(begun[me] = true; l = live);
	STEP(LOAD_COUNT(c, l));
#ifndef LIMIT_OUTSIDE
	STEP(limit = high_max);
#endif
	if
	:: c + 1 > limit -> goto push_closed
	:: else
	fi;
	STEP(obj[4 * l + c] = mine);
	STEP(COMMIT(c + 1); begun[me] = false;
	     assert(!closed); assert(owner[mine] == USED); owner[mine] = IN_CACHE; mine = NONE);
	goto next;
push_closed:
	STEP(begun[me] = false; owner[mine] = IN_AREA; mine = NONE);
	goto next;
out:
	atomic {
		finished++;
		exited[me] = true;
		running = 1 - me
	}
}

active proctype Scheduler()
{
	byte switches;

end_idle:
	do
	:: atomic { switches < 3 && !exited[1 - running] ->
		   ABORT(running);
		   PUSH_BUFFER;
		   running = 1 - running;
		   switches++ }
	:: atomic { buffered -> PUSH_BUFFER }
	od
}

inline fence()
{
#ifdef NO_FENCE
	skip
#else
	atomic {
		PUSH_BUFFER;
		ABORT(running)
	}
#endif
}

inline one_drain(may_fail)
{
	atomic { !drain_lock -> drain_lock = true };
	if
	:: old == 2 ->
		old = live;
#ifdef FENCE_FIRST
		fence();
		live = spare
#else
		live = spare;
		fence()
#endif
	:: old != 2
	fi;
	moved = 0;
	do
	:: count[old] > 0 && may_fail -> break
	:: count[old] > 0 ->
		n = obj[4 * old + count[old] - 1];
		atomic {
			assert(owner[n] == IN_CACHE);
			owner[n] = IN_AREA;
			moved++;
			n = 0
		};
		count[old] = count[old] - 1
	:: count[old] == 0 -> break
	od;
	if
	:: count[old] == 0 -> atomic { spare = old; old = 2 }
	:: else
	fi;
	drain_lock = false
}

proctype Drainer()
{
	byte n, moved;

	one_drain(true);
	moved = 0;
	finished++
}

proctype Disabler()
{
	byte n, moved;

	high_max = 0;
	do
	:: one_drain(false);
		if
		:: moved == 0 -> break
		:: else
		fi
	od;
	atomic {
		closed = true;
		assert(count[live] == 0 && (old == 2 || count[old] == 0) && !buffered)
	};
	finished++
}

inline audit()
{
	atomic {
		PUSH_BUFFER;
		for (n : 0 .. PAGES - 1) {
			cached = cached + (owner[n] == IN_CACHE -> 1 : 0)
		};
		assert(count[0] + count[1] == cached)
	}
}

init {
	byte n, cached;

	atomic {
		owner[0] = IN_AREA;
		owner[1] = IN_CACHE;
		owner[2] = IN_CACHE;
		obj[0] = 1;
		obj[1] = 2;
		count[0] = 2;
		run Thread(0, 2);
		run Thread(1, 1);
		run Drainer();
		run Disabler()
	};
	finished == 4;
	audit()
}
