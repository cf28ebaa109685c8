/* SPDX-License-Identifier: BSD-3-Clause */
/* refill_port.c - open a port, send round after round through it, and count */
#include <pagepool/error.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cases/refill.h"

#define PAGES	  16384u
#define POOL_RING 2u /* the smallest: it recycles next to nothing */
#define WARM_UP	  2u /* rounds */
#define ROUNDS	  2u /* measured at least */
#define FRAME	  64u
#define FRAMES	  1024u
#define SILENCE_S 2u /* without a packet: no sender */
#define GAP_US	  500u /* without a packet: the round is over */

/* ---- the capture file ------------------------------------------------------------------------ */

static int capture = -1;

static bool write_frames(FILE *f)
{
	static const uint32_t file_head[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1 };
	static const uint32_t head[] = { 0, 0, FRAME, FRAME };
	static const unsigned char frame[FRAME] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, /* for local experiments */
	};
	unsigned int i;

	fwrite(file_head, sizeof(file_head), 1, f);
	for (i = 0; i < FRAMES; i++) {
		fwrite(head, sizeof(head), 1, f);
		fwrite(frame, sizeof(frame), 1, f);
	}
	return !ferror(f);
}

int refill_capture(void)
{
	bool written = false;
	FILE *f = NULL;

	capture = memfd_create("ppbench.pcap", MFD_CLOEXEC);
	if (capture >= 0)
		f = fdopen(dup(capture), "w");
	if (f) {
		written = write_frames(f);
		written &= !fclose(f);
	}
	if (!written) {
		bench_error("refill: cannot make a capture file in memory: %m; use --port null");
		return -1;
	}
	return capture;
}

void refill_capture_close(void)
{
	if (capture >= 0)
		close(capture);
	capture = -1;
}

/* ---- ports ----------------------------------------------------------------------------------- */

struct road {
	const struct refill_port *port;
	struct pp_zone *zone[2];
	struct pp_netdev *dev[2];
	unsigned int from; /* end that the packets of the next round are received at */
	unsigned int burst;
	struct pp_page *pages[REFILL_ROUND];
};

static int road_open(struct road *road, const struct refill_run *run)
{
	struct pp_zone_params zp = {
		.sz = sizeof(zp),
		.name = "ppbench",
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
	unsigned int i;

	for (i = 0; i < road->port->ends; i++) {
		np.zone = road->zone[i] = pp_zone_create(&zp);
		if (np.zone)
			road->dev[i] = pp_netdev_open(road->port->spec[i], &np);
		if (!road->dev[i]) {
			bench_error("refill: port %s: %s", road->port->spec[i], pp_error());
			return -1;
		}
	}
	return 0;
}

static int road_close(struct bench *b, struct road *road)
{
	unsigned int i;
	int err = 0;

	/* packets on the cable are of the other end's zone */
	for (i = 0; i < road->port->ends; i++)
		pp_netdev_close(road->dev[i]);
	for (i = 0; i < road->port->ends; i++)
		err |= bench_zone_close(b, road->zone[i]);
	return err;
}

/* a cable carries only what is put on it: a round of packets, once */
static int prime_cable(struct road *road)
{
	struct pp_queue *q = pp_netdev_queue(road->dev[0], 0);
	struct pp_page *pages[REFILL_BURST];
	unsigned int sent = 0, i;

	if (road->port->ends < 2)
		return 0;
	road->from = 1;
	while (sent < REFILL_ROUND) {
		if (page_pool_alloc_bulk(q->pool, pages, REFILL_BURST) != REFILL_BURST)
			return -1;
		for (i = 0; i < REFILL_BURST; i++) {
			pages[i]->len = FRAME;
			memset(pp_page_data(pages[i]), 0, FRAME);
		}
		if (pp_tx_burst(q, pages, REFILL_BURST) != REFILL_BURST)
			return -1;
		sent += REFILL_BURST;
	}
	return 0;
}

/* up to a round of packets; fewer from a port that others send to; 0: silence */
static unsigned int receive_round(struct road *road, struct pp_queue *q)
{
	uint64_t hz = pp_cycles_hz(), gap = hz / 1000000 * GAP_US, last = pp_cycles();
	unsigned int n = 0, got, want;
	uint64_t now;

	while (n < REFILL_ROUND) {
		want = REFILL_ROUND - n < road->burst ? REFILL_ROUND - n : road->burst;
		got = pp_rx_burst(q, road->pages + n, want);
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

static void transmit_round(struct road *road, struct pp_queue *q, unsigned int n)
{
	uint64_t end = pp_cycles() + pp_cycles_hz() * SILENCE_S;
	unsigned int sent = 0, want;

	while (sent < n && pp_cycles() < end) {
		want = n - sent < road->burst ? n - sent : road->burst;
		sent += pp_tx_burst(q, road->pages + sent, want);
		pp_tx_clean(q);
	}
	for (; sent < n; sent += want) { /* the link is down: the rest goes home */
		want = n - sent < road->burst ? n - sent : road->burst;
		page_pool_put_bulk(road->pages + sent, want);
	}
}

static unsigned int round_trip(struct road *road)
{
	struct pp_queue *q = pp_netdev_queue(road->dev[road->from], 0);
	unsigned int n = receive_round(road, q);

	if (!n) {
		bench_error("refill: port %s: no packet in %u s; send some to it, all the time",
			    road->port->spec[road->from], SILENCE_S);
		return 0;
	}
	transmit_round(road, q, n);
	road->from = (road->from + 1) % road->port->ends;
	return n;
}

static uint64_t refills(const struct road *road)
{
	struct page_pool_stats stats = { .sz = sizeof(stats) };
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < road->port->ends; i++) {
		page_pool_get_stats(pp_netdev_queue(road->dev[i], 0)->pool, &stats);
		n += stats.alloc_slow;
	}
	return n;
}

static int measure_rounds(struct bench *b, struct road *road, struct refill_run *run)
{
	uint64_t slice = b->machine.tsc_hz / (b->opts.quick ? 400 : 100), start;
	unsigned int i, n;
	long sleeps;

	for (i = 0; i < WARM_UP; i++)
		if (!round_trip(road))
			return -1;
	run->refills = refills(road);
	run->packets = 0;
	sleeps = bench_sleeps();
	start = pp_cycles();
	for (i = 0; i < ROUNDS || pp_cycles() - start < slice; i++) {
		n = round_trip(road);
		if (!n)
			return -1;
		run->packets += n;
	}
	run->cycles = pp_cycles() - start;
	run->slept = bench_sleeps() != sleeps;
	run->refills = refills(road) - run->refills;
	return 0;
}

/*
 * A traced run hands packets over in bursts of the refill's size. Every window then moves
 * that many pages, also a window that gives pages back.
 */
int refill_run(struct bench *b, struct refill_run *run)
{
	static struct road road;
	int err;

	memset(&road, 0, sizeof(road));
	road.port = run->port;
	road.burst = run->traced ? run->refill : REFILL_BURST;
	err = road_open(&road, run);
	if (!err && prime_cable(&road)) {
		bench_error("refill: port %s: the cable does not take a round of packets",
			    run->port->spec[0]);
		err = -1;
	}
	if (!err)
		err = measure_rounds(b, &road, run);
	run->windows = (struct pp_window_stats){ .sz = sizeof(run->windows) };
	if (!err && run->traced)
		pp_zone_windows(road.zone[0], &run->windows);
	return road_close(b, &road) ? -1 : err;
}
