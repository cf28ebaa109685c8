/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strand/work.c - two threads that forward; one of them may stop and keep its cache
 *
 * Forwarding is a delay line: a burst is taken from the pool, queued, and given back when
 * HOLD packets have come after it. A buffer that the pool does not have is a packet not
 * forwarded.
 */
#include <semaphore.h>
#include <string.h>

#include "spsc.h"
#include "strand/strand.h"

#define HOLD_ONE   700u /* packets that one core holds back */
#define HOLD_BOTH  350u
#define LINE	   1024u /* slots of a delay line, a power of two */
#define WARM_UP	   64u /* bursts */
#define BACKLOG	   256u /* packets queued at once, before it went idle */
#define TRAIN	   8u /* bursts sent in one go */
#define WORK	   100u /* cycles a packet, spent on it: little for a forwarder */
#define LINE_LIMIT (LINE - STRAND_BURST)

_Static_assert(HOLD_ONE + STRAND_BURST <= LINE_LIMIT, "a delay line holds what it must");

enum order {
	WARM,
	FORWARD,
	PRODUCE,
	CONSUME,
	QUIT
};

static struct strand_worker {
	unsigned int id;
	enum order order;
	unsigned int hold;
	uint64_t end;
	uint64_t forwarded;
	void *line[LINE];
	unsigned int head;
	unsigned int tail;
	sem_t go;
	sem_t done;
	pthread_t thread;
} workers[STRAND_WORKERS] __attribute__((aligned(128)));

/* shared by both, written while both are parked */
static struct {
	const struct strand_ops *ops;
	void *pool;
	uint64_t cycles; /* to work, from when all workers are awake */
	unsigned int crew; /* workers in this run */
	unsigned int awake;
	unsigned int finished;
	unsigned int produced_all;
	struct spsc ring;
} shared __attribute__((aligned(128)));

static unsigned int take_buffers(struct strand_worker *w, void **objs, unsigned int n)
{
	return shared.ops->alloc(shared.pool, w->id, objs, n);
}

static void give_buffers(struct strand_worker *w, void **objs, unsigned int n)
{
	shared.ops->free(shared.pool, w->id, objs, n);
}

/* Work on packets: without it pools would differ by their own rates only. */
static void spend_cycles(unsigned int packets)
{
	uint64_t end = pp_cycles() + (uint64_t)packets * WORK;

	while (pp_cycles() < end)
		continue;
}

static void line_push(struct strand_worker *w, void *const *objs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		w->line[w->head++ % LINE] = objs[i];
}

/* gives the oldest packets back while the line has more than @keep */
static void line_release(struct strand_worker *w, unsigned int keep)
{
	void *objs[STRAND_BURST];
	unsigned int n, i;

	while (w->head - w->tail > keep) {
		n = w->head - w->tail < STRAND_BURST ? w->head - w->tail : STRAND_BURST;
		for (i = 0; i < n; i++)
			objs[i] = w->line[w->tail++ % LINE];
		give_buffers(w, objs, n);
		w->forwarded += n;
	}
}

/* receives and drops packets; once its queue grows */
static void warm_cache(struct strand_worker *w)
{
	void *objs[STRAND_BURST];
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		give_buffers(w, objs, take_buffers(w, objs, STRAND_BURST));
	for (i = 0; i < BACKLOG; i += STRAND_BURST)
		line_push(w, objs, take_buffers(w, objs, STRAND_BURST));
	line_release(w, 0);
	for (i = 0; i < WARM_UP; i++)
		give_buffers(w, objs, take_buffers(w, objs, STRAND_BURST));
}

static void forward_packets(struct strand_worker *w)
{
	void *objs[STRAND_BURST];
	unsigned int n;

	w->forwarded = 0;
	while (pp_cycles() < w->end) {
		n = take_buffers(w, objs, STRAND_BURST);
		spend_cycles(n);
		line_push(w, objs, n);
		line_release(w, w->hold);
	}
}

/* Trains of bursts to the other thread; a train waits until the one before has been taken. */
static void produce_trains(struct strand_worker *w)
{
	void *objs[STRAND_BURST];
	unsigned int n = 0, sent = 0;

	while (pp_cycles() < w->end) {
		n += take_buffers(w, objs + n, STRAND_BURST - n);
		if (n < STRAND_BURST)
			continue;
		while (!spsc_push(&shared.ring, (struct pp_page *const *)objs, n))
			continue;
		spend_cycles(n);
		n = 0;
		while (++sent % TRAIN == 0 && pp_cycles() < w->end &&
		       __atomic_load_n(&shared.ring.consumer.tail, __ATOMIC_RELAXED) !=
			       shared.ring.producer.head)
			sent--;
	}
	give_buffers(w, objs, n);
	/* pairs with the acquire in consume_trains(): no push comes after it */
	__atomic_store_n(&shared.produced_all, 1, __ATOMIC_RELEASE);
}

static void consume_trains(struct strand_worker *w)
{
	void *objs[STRAND_BURST];
	bool last;

	w->forwarded = 0;
	for (;;) {
		/* pairs with the release in produce_trains() */
		last = __atomic_load_n(&shared.produced_all, __ATOMIC_ACQUIRE);
		if (spsc_pop(&shared.ring, (struct pp_page **)objs, STRAND_BURST)) {
			spend_cycles(STRAND_BURST);
			line_push(w, objs, STRAND_BURST);
		} else if (last) {
			break;
		}
		line_release(w, w->hold);
	}
}

/* The other worker may wait for this CPU. */
static void meet_crew(unsigned int *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < shared.crew)
		sched_yield();
}

/* The first to finish keeps its buffers until the other finishes: both need theirs at once. */
static void obey_order(struct strand_worker *w)
{
	uint64_t forwarded;

	shared.ops->begin(shared.pool, w->id);
	meet_crew(&shared.awake);
	w->end = pp_cycles() + shared.cycles;
	if (w->order == WARM)
		warm_cache(w);
	else if (w->order == FORWARD)
		forward_packets(w);
	else if (w->order == PRODUCE)
		produce_trains(w);
	else
		consume_trains(w);
	forwarded = w->forwarded;
	meet_crew(&shared.finished);
	line_release(w, 0); /* the packets that it still holds are not forwarded */
	w->forwarded = forwarded;
}

static void *worker_thread(void *arg)
{
	struct strand_worker *w = arg;

	if (strand_dpdk_thread)
		strand_dpdk_thread(true);
	for (;;) {
		while (sem_wait(&w->go))
			continue;
		if (w->order == QUIT)
			break;
		obey_order(w);
		sem_post(&w->done);
	}
	if (strand_dpdk_thread)
		strand_dpdk_thread(false);
	return NULL;
}

static void set_crew(unsigned int n)
{
	shared.crew = n;
	shared.awake = shared.finished = 0;
}

static void give_order(struct strand_worker *w, enum order order, unsigned int hold)
{
	w->order = order;
	w->hold = hold;
	w->forwarded = 0;
	sem_post(&w->go);
}

static void await_worker(struct strand_worker *w)
{
	while (sem_wait(&w->done))
		continue;
}

int strand_work_start(struct bench *b)
{
	unsigned int i;

	memset(workers, 0, sizeof(workers));
	for (i = 0; i < STRAND_WORKERS; i++) {
		workers[i].id = i;
		sem_init(&workers[i].go, 0, 0);
		sem_init(&workers[i].done, 0, 0);
		if (bench_thread(&workers[i].thread, b->opts.cores[i], worker_thread,
				 &workers[i])) {
			workers[i].thread = 0;
			return -1;
		}
	}
	return 0;
}

void strand_work_stop(void)
{
	unsigned int i;

	for (i = 0; i < STRAND_WORKERS; i++) {
		if (!workers[i].thread)
			continue;
		give_order(&workers[i], QUIT, 0);
		pthread_join(workers[i].thread, NULL);
		sem_destroy(&workers[i].go);
		sem_destroy(&workers[i].done);
		workers[i].thread = 0;
	}
}

struct strand_result strand_run(const struct strand_kind *kind, void *pool,
				enum strand_scenario scenario, uint64_t cycles)
{
	struct strand_result res = { 0 };

	memset(&shared.ring, 0, sizeof(shared.ring));
	shared.ops = kind->ops;
	shared.pool = pool;
	shared.cycles = cycles;
	shared.produced_all = 0;
	if (scenario == STRAND_IDLE) {
		set_crew(1);
		give_order(&workers[0], WARM, 0);
		await_worker(&workers[0]);
		res.idle_cached = kind->ops->cached(pool, 0);
	}
	set_crew(scenario == STRAND_IDLE ? 1 : 2);
	if (scenario == STRAND_BOTH)
		give_order(&workers[0], FORWARD, HOLD_BOTH);
	else if (scenario == STRAND_HAND_OVER)
		give_order(&workers[0], PRODUCE, 0);
	give_order(&workers[1], scenario == STRAND_HAND_OVER ? CONSUME : FORWARD,
		   scenario == STRAND_BOTH ? HOLD_BOTH : HOLD_ONE);
	await_worker(&workers[1]);
	if (scenario != STRAND_IDLE)
		await_worker(&workers[0]);
	res.mpps = (double)(workers[1].forwarded +
			    (scenario == STRAND_BOTH ? workers[0].forwarded : 0)) /
		   ((double)cycles / (double)pp_cycles_hz()) / 1e6;
	res.still_cached = kind->ops->cached(pool, 0);
	return res;
}
