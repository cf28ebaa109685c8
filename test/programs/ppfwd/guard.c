/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guard.c - engines never look behind a packet: guard [SEED]
 *
 * Packets with their last byte right before memory that faults when touched:
 * each of the known ones cut at every length, and many with random changes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <pagepool/zone.h>

#include "engines/engine.h"
#include "packets.h"

#define SIZE   2048u
#define ROUNDS 200000u

static struct frame frames[FRAMES_MAX];
static struct pp_zone *zone;
static struct dir d = { .src = "\x02\0\0\0\0\x10", .dst = "\x02\0\0\0\0\1" };
static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 16) % n;
}

static const struct engine *const under_test[] = {
	&engine_mac, &engine_macswap, &engine_5tswap, &engine_csum, &engine_icmpecho,
};

/* a zone of one page, followed by memory that faults */
static int make_zone(void)
{
	struct pp_zone_params params = {
		.sz = sizeof(params),
		.pages = 1,
		.page_size = SIZE,
		.mem = PP_MEM_USER,
		.region_len = SIZE,
	};
	size_t os_page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *mem =
		mmap(NULL, 2 * os_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED || mprotect(mem + os_page, os_page, PROT_NONE))
		return -1;
	params.region = mem + os_page - SIZE;
	zone = pp_zone_create(&params);
	return zone ? 0 : -1;
}

/* 1: the engine kept it and changed nothing but what is inside; 0: dropped */
static int feed(const struct engine *engine, const unsigned char *b, size_t len)
{
	struct pp_page *page;
	unsigned char canary[64];
	unsigned int kept;

	if (pp_zone_alloc_bulk(zone, &page, 1) != 1)
		return -1; /* the engine lost it */
	page->data_off = (uint16_t)(SIZE - len);
	page->len = (uint32_t)len;
	memcpy(pp_page_data(page), b, len);
	memset(canary, 0xa5, sizeof(canary));
	memcpy((unsigned char *)pp_page_data(page) - 64, canary, 64);
	kept = engine->burst(&d, &page, 1);
	if (!kept)
		return 0;
	if (kept != 1 || page->len != len ||
	    memcmp((unsigned char *)pp_page_data(page) - 64, canary, 64))
		return -1;
	pp_zone_free_bulk(zone, &page, 1);
	return 1;
}

static size_t mutate(unsigned char *b, size_t n)
{
	const struct frame *f = &frames[rnd((uint32_t)n)];
	size_t len = f->len;
	unsigned int changes = rnd(6);

	memcpy(b, f->b, FRAME_MAX);
	while (changes--)
		b[12 + rnd(60)] = (unsigned char)(rnd(4) ? rnd(256) : rnd(2) * 255);
	if (!rnd(3))
		len = rnd((uint32_t)len + 1);
	return len;
}

static unsigned int feed_all(const unsigned char *b, size_t len, unsigned int *kept)
{
	unsigned int e, bad = 0;
	int ret;

	for (e = 0; e < sizeof(under_test) / sizeof(under_test[0]); e++) {
		ret = feed(under_test[e], b, len);
		if (ret < 0) {
			printf("FAIL: %s: packet of %zu bytes\n", under_test[e]->name, len);
			return bad + 1;
		}
		*kept += (unsigned int)ret;
	}
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	unsigned char b[FRAME_MAX];
	unsigned int bad = 0, kept = 0;
	size_t n, i, len;

	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	rng = seed * 2654435769u + 88172645463325252u;
	n = make_frames(frames);
	if (make_zone())
		return 99;
	for (i = 0; i < n && !bad; i++) {
		for (len = 0; len <= frames[i].len && !bad; len++)
			bad = feed_all(frames[i].b, len, &kept);
	}
	for (i = 0; i < ROUNDS && !bad; i++) {
		len = mutate(b, n);
		bad = feed_all(b, len, &kept);
	}
	printf("%u random packets after %zu known ones, %u kept, %u bad\n", ROUNDS, n, kept, bad);
	return bad || !kept ? 1 : pp_zone_destroy(zone) ? 1 : 0;
}
