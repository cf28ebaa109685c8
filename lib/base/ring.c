/* SPDX-License-Identifier: BSD-3-Clause */
/* ring.c - producers under the lock: one becomes the sole producer, the next one ends that */
#include "base/barrier.h"
#include "base/ring.h"

/* A turn is a few hundred cycles, unless the scheduler took its thread off the CPU. */
#define SPINS 200u

/* After so many calls a sole producer was worth its barrier. */
#define LONG_REIGN (4u * RING_STREAK)

/* A barrier in so many calls is lost among them. */
#define STREAK_MAX (64u * RING_STREAK)

/* Its id may be another thread's by now: then it is taken for alive. */
static bool is_dead(uint32_t thread)
{
	int saved = errno;
	bool dead = syscall(SYS_tgkill, getpid(), thread, 0) < 0 && errno == ESRCH;

	errno = saved;
	return dead;
}

/* Two threads in turns make each other pay for barriers: such pairs become rare. */
static void need_longer_streak(struct pp_ring *ring)
{
	if (ring->streak_needed < STREAK_MAX)
		ring->streak_needed *= 2;
}

/* Under the lock: the caller was the only producer for a while. */
static __noinline void become_sole(struct pp_ring *ring)
{
	struct ring_sole *sole = ring->soles;
	uint32_t self = thread_id();

	ring->streak = 0;
	while (sole->thread && sole->thread != self && !is_dead(sole->thread)) {
		if (++sole == ring->soles + RING_SOLES) {
			need_longer_streak(ring);
			return;
		}
	}
	WRITE_ONCE(sole->thread, self);
	ring->first_turn = sole->turn;
	/* pairs with the acquire in ring_produce() */
	store_release(&ring->sole, sole);
}

/* Under the lock: the sole producer's next turn sees that it is none any more. */
static void end_sole(struct pp_ring *ring)
{
	ring->leaving = ring->sole;
	/* pairs with the load in ring_produce(), by the barrier in wait_until_alone() */
	__atomic_store_n(&ring->sole, NULL, __ATOMIC_SEQ_CST);
	ring->barrier_passed = false;
}

/* After a barrier: any later turn sees that its thread is the sole producer no more. */
static void note_last_turn(struct pp_ring *ring)
{
	ring->barrier_passed = true;
	/* pairs with the release in ring_produce() */
	ring->last_turn = load_acquire(&ring->leaving->turn);
	if ((ring->last_turn - ring->first_turn) / 2 >= LONG_REIGN)
		ring->streak_needed = RING_STREAK;
	else
		need_longer_streak(ring);
}

/* False: the scheduler stopped its thread. */
static bool turn_is_over(const struct pp_ring *ring)
{
	unsigned int spins;

	for (spins = 0; spins < SPINS; spins++) {
		if (!(ring->last_turn & 1) || load_acquire(&ring->leaving->turn) != ring->last_turn)
			return true;
		cpu_relax();
	}
	return false;
}

/* Under the lock: no turn of a sole producer's goes on. False: one may. */
static __noinline bool wait_until_alone(struct pp_ring *ring)
{
	if (ring->sole)
		end_sole(ring);
	if (ring->leaving->thread != thread_id()) {
		if (!ring->barrier_passed && barrier_threads())
			note_last_turn(ring);
		if (!ring->barrier_passed || !turn_is_over(ring))
			return false;
	}
	ring->leaving = NULL;
	return true;
}

static bool is_alone(struct pp_ring *ring)
{
	return likely(!ring->sole && !ring->leaving) || wait_until_alone(ring);
}

/* Under the lock, which counts the calls in a row of a thread. */
static void count_streak(struct pp_ring *ring)
{
	uint32_t self = thread_id();

	if (ring->thread != self) {
		ring->thread = self;
		ring->streak = 0;
	} else if (unlikely(++ring->streak >= ring->streak_needed)) {
		become_sole(ring);
	}
}

/* By the true head: head_seen may be old. */
static __noinline void note_max(struct pp_ring *ring, uint32_t tail)
{
	/* pairs with the release in ring_consume() */
	ring->head_seen = load_acquire(&ring->head);
	if (tail - ring->head_seen > ring->max)
		WRITE_ONCE(ring->max, tail - ring->head_seen);
}

/* In a turn or under the lock: put up to @n pages, returns how many fitted. */
static __always_inline unsigned int ring_put(struct pp_ring *ring, void *const *objs,
					     unsigned int n)
{
	uint32_t tail = ring->tail, at, first, k;

	if (tail + n - ring->head_seen > ring->size) {
		/* pairs with the release in ring_consume(): slots before head are read */
		ring->head_seen = load_acquire(&ring->head);
	}
	k = min(n, ring->size - (tail - ring->head_seen));
	at = tail & (ring->size - 1);
	first = min(k, ring->size - at);
	memcpy(ring->slot + at, objs, first * sizeof(*objs));
	if (unlikely(k > first)) /* it wraps around */
		memcpy(ring->slot, objs + first, (k - first) * sizeof(*objs));
	/* pairs with the acquire in ring_consume(): slots before tail are written */
	store_release(&ring->tail, tail + k);
	count_add(ring->produced, k);
	if (unlikely(k < n))
		count_add(ring->refused, n - k);
	if (tail + k - ring->head_seen > ring->max)
		note_max(ring, tail + k);
	return k;
}

static __always_inline unsigned int produce_locked(struct pp_ring *ring, void *const *objs,
						   unsigned int n)
{
	unsigned int k = 0;

	pp_lock(&ring->lock);
	if (unlikely(!is_alone(ring))) {
		count_add(ring->passed, n);
	} else if (unlikely(ring->closed)) {
		count_add(ring->refused, n);
	} else {
		k = ring_put(ring, objs, n);
		if (ring->may_be_sole)
			count_streak(ring);
	}
	pp_unlock(&ring->lock);
	return k;
}

unsigned int ring_produce(struct pp_ring *ring, void *const *objs, unsigned int n)
{
	/* pairs with the release in become_sole(): its thread is known */
	struct ring_sole *sole = load_acquire(&ring->sole);
	unsigned int k;
	uint32_t turn;

	/* a producer that lost its CPU here may compare it while a dead thread's place is taken */
	if (sole && likely(PEEK(sole->thread) == known_thread_id)) {
		turn = sole->turn + 1;
		WRITE_ONCE(sole->turn, turn);
		compiler_barrier(); /* pairs with the membarrier in wait_until_alone() */
		if (likely(READ_ONCE(ring->sole) == sole)) {
			k = ring_put(ring, objs, n);
			/* pairs with the acquire in note_last_turn() */
			store_release(&sole->turn, turn + 1);
			return k;
		}
		store_release(&sole->turn, turn + 1);
	}
	return produce_locked(ring, objs, n);
}

/* A store of a turn that began before the nap is in memory after it, with a barrier or without. */
#define NAP_US 1000u

static bool close_once(struct pp_ring *ring, bool napped)
{
	bool done;

	pp_lock(&ring->lock);
	WRITE_ONCE(ring->closed, true);
	if (napped && ring->leaving && !ring->barrier_passed)
		note_last_turn(ring);
	done = is_alone(ring);
	pp_unlock(&ring->lock);
	return done;
}

void ring_close(struct pp_ring *ring)
{
	bool napped = false;

	while (!close_once(ring, napped)) {
		usleep(NAP_US);
		napped = true;
	}
}
