/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * latency.c - sending times in packets, and a histogram of how long they took
 *
 * A mark is the first 16 bytes of a UDP payload: 8 fixed ones, then CLOCK_MONOTONIC in ns in
 * network order. All programs of a machine have one such clock.
 */
#include <endian.h>

#include "common/clock.h"
#include "common/json.h"
#include "engines/engine.h"
#include "engines/packet.h"

static const unsigned char magic[8] = { 'p', 'p', 'f', 'w', 'd', 0x01, 0xa7, 0x5c };

#define MARK_LEN (sizeof(magic) + sizeof(uint64_t))

void latency_mark(unsigned char *frame, unsigned int l3, uint32_t size)
{
	struct pp_packet p = { .data = frame, .l3 = l3, .ip = 4, .proto = PROTO_UDP };
	unsigned char *udp = frame + l3 + IP4_LEN;
	uint32_t len = size - l3 - IP4_LEN;
	uint64_t now = htobe64(now_ns());
	uint16_t sum;

	memcpy(udp + UDP_LEN, magic, sizeof(magic));
	memcpy(udp + UDP_LEN + sizeof(magic), &now, sizeof(now));
	put16(udp + 6, 0);
	/* behind the mark the payload is zero */
	sum = (uint16_t)~pp_csum_fold(
		pp_csum_add(pp_packet_pseudo(&p, len), udp, UDP_LEN + MARK_LEN));
	if (!sum)
		sum = 0xffff;
	memcpy(udp + 6, &sum, 2);
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int high, bucket;

	if (ns < LATENCY_STEPS)
		return (unsigned int)ns;
	high = 63 - (unsigned int)__builtin_clzll(ns);
	bucket = (high - 4) * LATENCY_STEPS + (ns >> (high - 5) & (LATENCY_STEPS - 1));
	return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* the longest time that the bucket counts */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int shift = bucket / LATENCY_STEPS;

	if (!shift)
		return bucket;
	return ((uint64_t)(bucket % LATENCY_STEPS + LATENCY_STEPS + 1) << (shift - 1)) - 1;
}

void latency_add(struct latency *lat, uint64_t ns)
{
	lat->samples++;
	lat->count[bucket_of(ns)]++;
	if (ns > lat->max_ns)
		lat->max_ns = ns;
}

void latency_read(struct latency *lat, struct pp_page *const *pages, unsigned int n)
{
	uint64_t now = now_ns(), then;
	struct pp_packet p;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (!packet_parse(&p, pages[i]) || p.proto != PROTO_UDP || !p.l4 ||
		    p.l4 + UDP_LEN + MARK_LEN > p.end ||
		    memcmp(p.data + p.l4 + UDP_LEN, magic, sizeof(magic)))
			continue;
		memcpy(&then, p.data + p.l4 + UDP_LEN + sizeof(magic), sizeof(then));
		then = be64toh(then);
		if (then <= now)
			latency_add(lat, now - then);
	}
}

void latency_sum(struct latency *to, const struct latency *from)
{
	unsigned int i;

	to->samples += from->samples;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	for (i = 0; i < LATENCY_BUCKETS; i++)
		to->count[i] += from->count[i];
}

/* the time that @q of the samples do not exceed, up to a bucket's width */
uint64_t latency_quantile(const struct latency *lat, double q)
{
	uint64_t below = 0, want = (uint64_t)(q * (double)lat->samples);
	unsigned int i;

	for (i = 0; i < LATENCY_BUCKETS; i++) {
		below += lat->count[i];
		if (below > want)
			return bucket_end(i) < lat->max_ns ? bucket_end(i) : lat->max_ns;
	}
	return lat->max_ns;
}

void latency_json(struct json *j, const struct latency *lat)
{
	unsigned int i;

	json_open(j, "latency", '{');
	json_count(j, "samples", lat->samples);
	json_count(j, "p50_ns", latency_quantile(lat, 0.5));
	json_count(j, "p99_ns", latency_quantile(lat, 0.99));
	json_count(j, "p999_ns", latency_quantile(lat, 0.999));
	json_count(j, "max_ns", lat->max_ns);
	json_open(j, "histogram", '[');
	for (i = 0; i < LATENCY_BUCKETS; i++) {
		if (!lat->count[i])
			continue;
		json_open(j, NULL, '[');
		json_count(j, NULL, bucket_end(i));
		json_count(j, NULL, lat->count[i]);
		json_close(j, ']');
	}
	json_close(j, ']');
	json_close(j, '}');
}
