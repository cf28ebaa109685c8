/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * noisy.c - forward as a busy neighbour does: keep packets for a while, and read and write memory
 *
 * A first-in first-out buffer of each direction keeps the last packets, so that their pages are
 * away from every cache. Invariant: held <= size.
 */
#include <stdlib.h>

#include "common/clock.h"
#include "engines/engine.h"

#define WORD sizeof(uint64_t)

/**
 * struct noisy - a direction's buffer and memory
 * @fifo:   @size places; @held packets from @first on
 * @since:  time of the last packet kept or sent, ns
 * @words:  of @memory
 * @random: state of the random places
 */
struct noisy {
	struct pp_page **fifo;
	uint32_t size;
	uint32_t first;
	uint32_t held;
	uint64_t since;
	uint64_t *memory;
	uint64_t words;
	uint64_t random;
};

static uint64_t *random_word(struct noisy *z)
{
	z->random = z->random * 6364136223846793005u + 1442695040888963407u;
	return &z->memory[(z->random >> 33) % z->words];
}

/* the additions make a read's value needed, and a write's depend on memory */
static void touch_memory(struct noisy *z, const struct noise *noise)
{
	uint64_t sum = z->random;
	uint32_t i;

	for (i = 0; i < noise->reads; i++)
		sum += *random_word(z);
	for (i = 0; i < noise->writes; i++)
		*random_word(z) = sum + i;
	for (i = 0; i < noise->both; i++)
		*random_word(z) += sum + i;
	z->random ^= sum & 1;
}

static unsigned int take_oldest(struct noisy *z, struct pp_page **pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n && z->held; i++, z->held--) {
		pages[i] = z->fifo[z->first];
		z->first = z->first + 1 == z->size ? 0 : z->first + 1;
	}
	return i;
}

static unsigned int noisy_burst(struct dir *d, struct pp_page **pages, unsigned int n)
{
	struct pp_page *out[PP_BURST_MAX];
	struct noisy *z = d->state;
	unsigned int i, sent = 0;

	for (i = 0; z->words && i < n; i++)
		touch_memory(z, d->noise);
	if (!z->size)
		return n;
	z->since = d->noise->flush_ms ? now_ns() : 0;
	for (i = 0; i < n; i++) {
		if (z->held == z->size)
			sent += take_oldest(z, out + sent, 1);
		z->fifo[(z->first + z->held++) % z->size] = pages[i];
	}
	for (i = 0; i < sent; i++)
		pages[i] = out[i];
	return sent;
}

static unsigned int noisy_idle(struct dir *d, struct pp_page **pages, unsigned int n)
{
	struct noisy *z = d->state;

	if (!z->held || !d->noise->flush_ms ||
	    now_ns() - z->since < (uint64_t)d->noise->flush_ms * 1000000)
		return 0;
	return take_oldest(z, pages, n);
}

static bool noisy_waits(const struct dir *d)
{
	const struct noisy *z = d->state;

	return z->held && d->noise->flush_ms;
}

static int noisy_start(struct dir *d)
{
	struct noisy *z = calloc(1, sizeof(*z));

	if (!z)
		return -1;
	d->state = z;
	z->size = d->noise->buffer;
	z->random = d->in_port + 1;
	if (d->noise->reads | d->noise->writes | d->noise->both)
		z->words = ((uint64_t)d->noise->mebibytes << 20) / WORD;
	z->fifo = calloc(z->size + 1, sizeof(*z->fifo));
	z->memory = calloc(z->words + 1, WORD);
	return z->fifo && z->memory ? 0 : -1;
}

static void noisy_end(struct dir *d)
{
	struct noisy *z = d->state;
	struct pp_page *page;

	while (z && take_oldest(z, &page, 1)) {
		page_pool_put_bulk(&page, 1);
		counter_add(&d->unsent, 1);
	}
	if (!z)
		return;
	free(z->fifo);
	free(z->memory);
	free(z);
	d->state = NULL;
}

const struct engine engine_noisy = {
	.name = "noisy",
	.help = "keep packets in a buffer, read and write memory, pass packets on",
	.paired = true,
	.burst = noisy_burst,
	.idle = noisy_idle,
	.waits = noisy_waits,
	.start = noisy_start,
	.end = noisy_end,
};
