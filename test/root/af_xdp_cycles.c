/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_cycles.c - user time of receiving: TSC cycles of pp_rx_burst() a packet, refill included
 *
 *   af_xdp_cycles [ROUNDS [MAX_NS]]      exit status 1 if the best round takes longer than MAX_NS
 *
 * Packets are made to wait in the RX ring, so that nothing but the library runs in between. What
 * reading the clock takes is not counted.
 */
#include <unistd.h>

#include <pagepool/stats.h>

#include "rig.h"

#define WAITING 1024u /* packets a round */
#define ROUNDS	1000u

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* cycles between two readings of the clock, the least of many */
static uint64_t clock_cost(void)
{
	uint64_t least = UINT64_MAX, a, b;
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		a = pp_cycles();
		b = pp_cycles();
		if (b - a < least)
			least = b - a;
	}
	return least;
}

/* one round: every packet that waits, in bursts */
static void measure(struct rig *rig, int fd, unsigned int burst, double *rx, double *put)
{
	const uint64_t clock = clock_cost();
	struct pp_page *pages[PP_BURST_MAX];
	uint64_t a, b, c, rx_sum = 0, put_sum = 0;
	unsigned int i, n, got = 0;

	for (i = 0; i < WAITING; i++)
		raw_send(fd);
	while (got < WAITING) {
		a = pp_cycles();
		n = pp_rx_burst(rig->q[1], pages, burst);
		b = pp_cycles();
		page_pool_put_bulk(pages, n);
		c = pp_cycles();
		if (!n)
			continue; /* the kernel is late, and an empty poll is no packet */
		rx_sum += b - a - clock;
		put_sum += c - b - clock;
		got += n;
	}
	*rx = (double)rx_sum / got;
	*put = (double)put_sum / got;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : ROUNDS, burst, i;
	double limit = argc > 2 ? atof(argv[2]) : 0, ns = 1e9 / (double)pp_cycles_hz();
	double *rx = calloc(rounds, sizeof(*rx)), *put = calloc(rounds, sizeof(*put));
	struct rig rig;
	int fd, late = 0;

	mode = "native";
	CHECK(rounds && rx && put);
	rig_up(&rig);
	fd = raw_socket();
	printf("a reading of the clock: %u cycles, not counted\n", (unsigned int)clock_cost());
	for (burst = 32; burst <= 64; burst *= 2) {
		for (i = 0; i < rounds; i++)
			measure(&rig, fd, burst, &rx[i], &put[i]);
		qsort(rx, rounds, sizeof(*rx), by_size);
		qsort(put, rounds, sizeof(*put), by_size);
		printf("burst %u: pp_rx_burst() median %.1f cycles a packet, %.2f ns (best %.2f, "
		       "9 in 10 below %.2f); page_pool_put_bulk() %.1f cycles, %.2f ns\n",
		       burst, rx[rounds / 2], rx[rounds / 2] * ns, rx[0] * ns,
		       rx[rounds * 9 / 10] * ns, put[rounds / 2], put[rounds / 2] * ns);
		late |= limit > 0 && rx[0] * ns > limit;
	}
	close(fd);
	rig_down(&rig);
	free(rx);
	free(put);
	if (late)
		fprintf(stderr, "af_xdp_cycles: more than %.1f ns a packet\n", limit);
	return late;
}
