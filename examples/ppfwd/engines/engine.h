/* SPDX-License-Identifier: BSD-3-Clause */
/* engine.h - a treatment of packets between two queues: one file an engine */
#ifndef PPFWD_ENGINE_H
#define PPFWD_ENGINE_H

#include "dir.h"

/**
 * struct engine - a way to treat packets
 * @name:     as given to --engine
 * @help:     one line
 * @paired:   packets leave by the other port of the pair; otherwise each port is on its own
 * @sink:     packets end here: those received count as forwarded
 * @chains:   copes with packets of several pages
 * @clean_first: completes sent packets before it receives
 * @sums:     counts wrong checksums, which the report then tells
 * @burst:    treat the @n packets received; the RETURN first slots are to be sent, the engine has
 *            freed the others. NULL: all of them are sent as they are. Must cope with any bytes.
 * @flows:    how many @generate makes unless --flows says so
 * @generate: make up to @n packets; RETURN slots are to be sent. With @generate, @burst keeps
 *            everything, and without @burst nothing is received. NULL: none are made.
 * @idle:     no packet was received: up to @n kept ones that are to be sent now; or NULL
 * @waits:    a packet kept earlier will be sent by @idle(); or NULL
 * @start:    before the first packet: make d->state; 0; -1: no memory; or NULL
 * @end:      after the last one: free d->state and the packets in it; may follow a failed @start
 */
struct engine {
	const char *name;
	const char *help;
	bool paired;
	bool sink;
	bool chains;
	bool clean_first;
	bool sums;
	uint32_t flows;
	unsigned int (*burst)(struct dir *d, struct pp_page **pages, unsigned int n);
	unsigned int (*generate)(struct dir *d, struct pp_page **pages, unsigned int n);
	unsigned int (*idle)(struct dir *d, struct pp_page **pages, unsigned int n);
	bool (*waits)(const struct dir *d);
	int (*start)(struct dir *d);
	void (*end)(struct dir *d);
};

/* a burst that frees all packets */
static inline unsigned int engine_drop(struct dir *d, struct pp_page **pages, unsigned int n)
{
	(void)d;
	page_pool_put_bulk(pages, n);
	return 0;
}

extern const struct engine engine_io;
extern const struct engine engine_mac;
extern const struct engine engine_macswap;
extern const struct engine engine_5tswap;
extern const struct engine engine_csum;
extern const struct engine engine_icmpecho;
extern const struct engine engine_rxonly;
extern const struct engine engine_txonly;
extern const struct engine engine_flowgen;
extern const struct engine engine_noisy;
extern const struct engine engine_recycle;

extern const struct engine *const engines[]; /* ended by NULL, default first */

const struct engine *engine_find(const char *name);

#endif /* PPFWD_ENGINE_H */
