/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * variant.h - the policy, and the kind of zone, that a test program runs over
 *
 * Arguments: POLICY [traced] [per-thread] [signal-safe] [tuned] [N]. What a policy promises beyond
 * the common is asked here, after the text of zone.h.
 */
#ifndef PP_TEST_VARIANT_H
#define PP_TEST_VARIANT_H

#include "harness.h"

struct variant {
	const char *policy;
	uint32_t flags;
	bool tuned;
};

extern struct variant variant;

/* the last argument may be a number, which is returned; 0 if there is none */
unsigned int variant_parse(int argc, char **argv);

/*
 * -1: go on. Otherwise the exit status: 0 if the policy refuses these flags, as zone.h says it
 * must; 77 if this machine can not run it; 1 if it refuses otherwise than it should.
 */
int variant_refused(void);

bool policy_is(const char *name);
/* caches belong to threads, not to cores */
bool variant_of_threads(void);
/* a drain gets what an idle owner has */
bool variant_drains_idle(void);
/* the tuner moves its caches' high */
bool variant_tunes(void);
bool variant_is_signal_safe(void);

struct pp_zone_params variant_params(uint64_t pages, uint32_t batch, uint32_t high);
struct pp_zone *variant_zone(uint64_t pages, uint32_t batch, uint32_t high);

/* pages in all caches; racy */
unsigned int cached_pages(struct pp_zone *zone);

/* A thread that does what it is told, and idles in between. */
struct puppet {
	struct pinned thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*fn)(void *arg);
	void *arg;
	bool busy;
	bool over;
};

void puppet_start(struct puppet *p, int cpu);
void puppet_do(struct puppet *p, void (*fn)(void *arg), void *arg);
void puppet_end(struct puppet *p);

#endif /* PP_TEST_VARIANT_H */
