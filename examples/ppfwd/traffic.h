/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * traffic.h - packets that ppfwd makes: their look, their pace, and how long they take
 *
 * Addresses are those set aside for benchmarks (RFC 2544): flow i goes from
 * 198.18.x.y port 1024 + i to 198.19.x.y port 5000 + i % 16, x.y = 1 + i.
 */
#ifndef PPFWD_TRAFFIC_H
#define PPFWD_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#define TRAFFIC_SIZE_MIN  64u
#define TRAFFIC_SIZE_MAX  65000u
#define TRAFFIC_FLOWS_MAX 60000u
#define TRAFFIC_HEADERS	  64u /* all that is not zero is in so many bytes */
#define TRAFFIC_PEERS_MAX 64u
#define VLAN_NONE	  4096u

struct dir;
struct pp_page;
struct json;

/**
 * struct traffic - what was asked for
 * @size_min: bytes of a packet, without the frame check sequence
 * @size_max: the same as @size_min: all are of one size
 * @imix:     7 packets of 64 bytes, 4 of 594, 1 of 1518; @size_max is 1518
 * @flows:    0: as many as the engine makes
 * @seed:     draws flows and sizes at random; 0: they come in turn
 * @vlan:     tag of all packets; VLAN_NONE: there is none
 * @rate:     packets, or bits, that a queue sends in a second; 0: no limit
 * @bits:     @rate is in bits
 * @mark:     every @mark-th packet carries its sending time; 0: none, and none is read
 * @first:    each direction sends a burst before it forwards
 * @peers:    destination address by port, where @has_peer says so
 */
struct traffic {
	uint32_t size_min;
	uint32_t size_max;
	bool imix;
	uint32_t flows;
	uint64_t seed;
	uint32_t vlan;
	double rate;
	bool bits;
	uint32_t mark;
	bool first;
	unsigned char peers[TRAFFIC_PEERS_MAX][6];
	bool has_peer[TRAFFIC_PEERS_MAX];
};

/**
 * struct generator - a direction's place in its traffic
 * @random: state of the random numbers
 * @next_flow: where flows come in turn
 * @next_size: where sizes come in turn
 * @flow:   of @frame
 * @size:   of @frame
 * @unmarked: packets since the last mark
 * @start:  time that the pace counts from, ns
 * @sent:   packets, or bits, since @start
 * @frame:  headers of the last packet
 */
struct generator {
	uint64_t random;
	uint32_t next_flow;
	uint32_t next_size;
	uint32_t flow;
	uint32_t size;
	uint32_t unmarked;
	uint64_t start;
	double sent;
	unsigned char frame[TRAFFIC_HEADERS];
};

/* traffic.c */
void traffic_init(struct dir *d);
/* as engine->generate() */
unsigned int traffic_generate(struct dir *d, struct pp_page **pages, unsigned int n);

/*
 * A histogram of times: exact below 32 ns, and of 32 buckets for each power of two above, so
 * that a bucket is at most 3 % wide.
 */
#define LATENCY_STEPS	32u
#define LATENCY_BUCKETS (LATENCY_STEPS * 37u) /* up to 2^41 ns, 36 minutes */

struct latency {
	uint64_t samples;
	uint64_t max_ns;
	uint64_t count[LATENCY_BUCKETS];
};

/* latency.c: where a mark is in a packet with an IP header at @l3; how to make and find it */
void latency_mark(unsigned char *frame, unsigned int l3, uint32_t size);
void latency_read(struct latency *lat, struct pp_page *const *pages, unsigned int n);
void latency_add(struct latency *lat, uint64_t ns);
void latency_sum(struct latency *to, const struct latency *from);
uint64_t latency_quantile(const struct latency *lat, double q);
void latency_json(struct json *j, const struct latency *lat);

#endif /* PPFWD_TRAFFIC_H */
