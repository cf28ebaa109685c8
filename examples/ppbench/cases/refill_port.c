/* SPDX-License-Identifier: BSD-3-Clause */
/* refill_port.c - open a port, send round after round through it, and count */
#include <pagepool/error.h>
#include <string.h>

#include "cases/refill_run.h"

#define PAGES	  16384u
#define POOL_RING 2u /* the smallest: it recycles next to nothing */
#define WARM_UP	  2u /* rounds */
#define ROUNDS	  2u /* measured at least */
#define SILENCE_S 2u /* without a packet: no sender */
#define GAP_US	  500u /* without a packet: the round is over */

static struct road {
	const struct refill_port *port;
	struct pp_zone *zone[2];
	struct pp_netdev *dev[2];
	unsigned int ends;
	unsigned int burst;
	struct pp_page *pages[REFILL_ROUND];
} road;

static int road_open(const struct refill_run *run)
{
	struct pp_zone_params zp = {
		.pages = PAGES,
		.page_size = BENCH_PAGE_SIZE,
		.headroom = BENCH_HEADROOM,
		.flags = run->traced ? PP_ZONE_TRACE : 0,
		.policy = run->policy,
	};
	struct pp_netdev_params np = {
		.sz = sizeof(np),
		.pool_size = POOL_RING,
		.cache_size = run->refill,
		.refill = run->refill,
	};

	memset(&road, 0, sizeof(road));
	road.port = run->port;
	/* every window of a traced run moves as many pages, also one that gives pages back */
	road.burst = run->traced ? run->refill : REFILL_BURST;
	while (road.ends < 2 && run->port->spec[road.ends]) {
		np.zone = road.zone[road.ends] = bench_zone_create(zp);
		if (np.zone)
			road.dev[road.ends] = pp_netdev_open(run->port->spec[road.ends], &np);
		if (!road.dev[road.ends++])
			return -1;
	}
	return 0;
}

/* pages go home, @burst at once */
static void put_pages(struct pp_page **pages, unsigned int n, unsigned int burst)
{
	unsigned int k;

	for (; n; n -= k, pages += k) {
		k = n < burst ? n : burst;
		page_pool_put_bulk(pages, k);
	}
}

/* @n new packets into the cable's first end */
static void feed_packets(unsigned int n)
{
	struct pp_queue *q = pp_netdev_queue(road.dev[0], 0);
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int i, sent;

	n = page_pool_alloc_bulk(q->pool, pages, n);
	for (i = 0; i < n; i++) {
		pages[i]->len = REFILL_FRAME;
		memcpy(pp_page_data(pages[i]), refill_frame, REFILL_FRAME);
	}
	sent = pp_tx_burst(q, pages, n);
	put_pages(pages + sent, n - sent, n);
	pp_tx_clean(q);
}

/* up to a round of packets; fewer from a port that others send to; 0: silence */
static unsigned int receive_round(struct pp_queue *q)
{
	uint64_t hz = pp_cycles_hz(), gap = hz / 1000000 * GAP_US, last = pp_cycles();
	unsigned int n = 0, got, want;
	uint64_t now;

	while (n < REFILL_ROUND) {
		want = REFILL_ROUND - n < road.burst ? REFILL_ROUND - n : road.burst;
		if (road.port->fed)
			feed_packets(want);
		got = pp_rx_burst(q, road.pages + n, want);
		n += got;
		if (got == want)
			continue;
		now = pp_cycles();
		if (got)
			last = now;
		else if (now - last > (n ? gap : SILENCE_S * hz))
			break;
	}
	return n;
}

/* packets of a cable go home; any other port sends them on */
static void transmit_round(struct pp_queue *q, unsigned int n)
{
	uint64_t end = pp_cycles() + pp_cycles_hz() * SILENCE_S;
	unsigned int sent = 0, want;

	while (!road.port->fed && sent < n && pp_cycles() < end) {
		want = n - sent < road.burst ? n - sent : road.burst;
		sent += pp_tx_burst(q, road.pages + sent, want);
		pp_tx_clean(q);
	}
	put_pages(road.pages + sent, n - sent, road.burst); /* also if the link is down */
}

static unsigned int round_trip(void)
{
	struct pp_queue *q = pp_netdev_queue(road.dev[road.ends - 1], 0);
	unsigned int n = receive_round(q);

	if (n)
		transmit_round(q, n);
	else
		bench_error("refill: port %s: no packet in %u s; send some to it, all the time",
			    road.port->spec[road.ends - 1], SILENCE_S);
	return n;
}

static uint64_t count_refills(void)
{
	struct page_pool_stats stats = { .sz = sizeof(stats) };

	page_pool_get_stats(pp_netdev_queue(road.dev[road.ends - 1], 0)->pool, &stats);
	return stats.alloc_slow;
}

static int measure_rounds(struct bench *b, struct refill_run *run)
{
	uint64_t slice = b->tsc_hz / (b->opts.quick ? 400 : 100), start;
	unsigned int i, n;
	long sleeps;

	for (i = 0; i < WARM_UP; i++)
		if (!round_trip())
			return -1;
	run->refills = count_refills();
	run->packets = 0;
	sleeps = bench_sleeps();
	start = bench_cpu_cycles(b);
	for (i = 0; i < ROUNDS || bench_cpu_cycles(b) - start < slice; i++) {
		n = round_trip();
		if (!n)
			return -1;
		run->packets += n;
	}
	run->cycles = bench_cpu_cycles(b) - start;
	run->slept = bench_sleeps() != sleeps;
	run->refills = count_refills() - run->refills;
	return 0;
}

int refill_open(struct bench *b, const struct refill_run *run, char *why, size_t size)
{
	int err = road_open(run);

	if (!err)
		return 0;
	snprintf(why, size, "%s", pp_error());
	refill_close(b);
	return -1;
}

int refill_measure(struct bench *b, struct refill_run *run)
{
	int err = measure_rounds(b, run);

	run->windows = (struct pp_window_stats){ .sz = sizeof(run->windows) };
	if (!err && run->traced)
		pp_zone_windows(road.zone[road.ends - 1], &run->windows);
	return err;
}

int refill_close(struct bench *b)
{
	unsigned int i;
	int err = 0;

	/* packets on the cable are of the other end's zone */
	for (i = 0; i < road.ends; i++)
		pp_netdev_close(road.dev[i]);
	for (i = 0; i < road.ends; i++)
		err |= bench_zone_close(b, road.zone[i]);
	return err;
}
