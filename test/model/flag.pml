/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flag.pml - the known bug: a flag that stops the owner, read after the list's count
 *
 * Stands for no file of the library, but for a prototype of lib/stock/sync/rseq.c: its drainer did
 * not swap the list, but raised a flag, fenced, emptied the list in place and lowered the
 * flag. The restartable sequence read the count first, then the flag. A sequence that begins
 * while the flag is up, after the fence, may read the count of the full list, lose its time,
 * and find the flag lowered after the drain: it commits a page that the drainer has taken.
 *
 * A model that does not find this is no good; so the test expects it to be violated. With
 * -DFLAG_FIRST the sequence reads the flag, then the count, and spin finds nothing: then the
 * next drain's fence catches each owner that read the flag as down.
 *
 * Not modelled: weak memory; here it takes none to lose pages.
 */
#define PAGES	 2
#define IN_AREA	 1
#define IN_CACHE 2
#define USED	 3

byte owner[PAGES];
byte obj[PAGES];
byte count;
bool stopped;
bool begun, aborted;

#define STEP(what)                                                                                 \
	atomic {                                                                                   \
		if                                                                                 \
		:: aborted -> aborted = false; begun = false; goto again                           \
		:: else                                                                            \
		fi;                                                                                \
		what                                                                               \
	}

proctype Owner()
{
	byte c, page, ops;
	bool s;

next:
	if
	:: ops == 3 -> goto out
	:: else -> ops++
	fi;
again:
#ifdef FLAG_FIRST
	STEP(begun = true; s = stopped);
	STEP(c = count);
#else
	STEP(begun = true; c = count);
	STEP(s = stopped);
#endif
	if
	:: s || c == 0 -> goto closed
	:: else
	fi;
	STEP(page = obj[c - 1]);
	STEP(count = c - 1; begun = false;
	     assert(owner[page] == IN_CACHE); owner[page] = USED);
	goto next;
closed:
	STEP(begun = false);
	goto next;
out:
	skip
}

proctype Drainer()
{
	byte n, drains;

	do
	:: drains < 2 ->
		drains++;
		stopped = true;
		atomic { /* the fence */
			if
			:: begun -> aborted = true
			:: else
			fi
		};
		do
		:: count > 0 ->
			n = obj[count - 1];
			atomic {
				assert(owner[n] == IN_CACHE);
				owner[n] = IN_AREA
			};
			count = count - 1
		:: else -> break
		od;
		stopped = false
	:: else -> break
	od
}

init {
	atomic {
		owner[0] = IN_CACHE;
		owner[1] = IN_CACHE;
		obj[1] = 1;
		count = 2;
		run Owner();
		run Drainer()
	}
}
