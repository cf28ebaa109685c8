/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dir.h - a direction of packets: its traffic, its counters, and the times that packets take
 *
 * The engines see this much of ppfwd. Addresses of packets made are those set aside for
 * benchmarks (RFC 2544): flow i goes from 198.18.x.y port 1024 + i to 198.19.x.y port
 * 5000 + i % 16, x.y = 1 + i.
 */
#ifndef PPFWD_DIR_H
#define PPFWD_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include <pagepool/netdev.h>

#define TRAFFIC_SIZE_MIN  64u
#define TRAFFIC_SIZE_MAX  65000u
#define TRAFFIC_FLOWS_MAX 60000u
#define TRAFFIC_HEADERS	  64u /* all that is not zero is in so many bytes */
#define TRAFFIC_PEERS_MAX 64u
#define VLAN_NONE	  4096u

struct engine;
struct json;

/**
 * struct traffic - the packets to make
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

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* counters have one writer; relaxed accesses keep the live line's reads whole */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* bursts by their packets: count[0] had none, count[i] had 2^(i-1) or more, less than 2^i */
#define BURST_BUCKETS 11u

struct bursts {
	uint64_t count[BURST_BUCKETS];
};

static inline void bursts_add(struct bursts *b, unsigned int packets)
{
	b->count[packets ? 32 - __builtin_clz(packets) : 0]++;
}

static inline uint64_t bursts_all(const struct bursts *b)
{
	uint64_t all = 0;
	unsigned int i;

	for (i = 0; i < BURST_BUCKETS; i++)
		all += b->count[i];
	return all;
}

static inline void bursts_sum(struct bursts *to, const struct bursts *from)
{
	unsigned int i;

	for (i = 0; i < BURST_BUCKETS; i++)
		to->count[i] += from->count[i];
}

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

/**
 * struct noise - the work of the engine noisy, by testpmd's names
 * @buffer:    packets that a direction keeps
 * @flush_ms:  without packets for so long, it sends what it keeps; 0: never
 * @mebibytes: memory of a direction
 * @reads:     words read for each packet
 * @writes:    words written for each packet
 * @both:      words read and written for each packet
 */
struct noise {
	uint32_t buffer;
	uint32_t flush_ms;
	uint32_t mebibytes;
	uint32_t reads;
	uint32_t writes;
	uint32_t both;
};

/**
 * struct dir - packets from one queue to another
 * @in:       queue that they come from
 * @out:      queue that they leave by; may be @in
 * @engine:   treats the packets
 * @in_port:  number of @in's port
 * @out_port: number of @out's port
 * @src:      address of @out's port
 * @dst:      address of the station behind it, as engines assume it
 * @traffic:  for engines that generate packets
 * @gen:      where they are in it
 * @noise:    for the engine noisy
 * @state:    the engine's own
 * @latency:  of marked packets received; NULL: they are not looked for
 * @packets:  packets sent, or received if the engine keeps them
 * @unsent:   packets that @out would not take, freed
 * @bad_ip:   wrong IPv4 header checksums
 * @bad_l4:   wrong TCP and UDP checksums
 * @rx:       polls of @in, by the packets that they brought
 * @tx:       bursts offered to @out, by the packets that it took at once
 */
struct dir {
	struct pp_queue *in;
	struct pp_queue *out;
	const struct engine *engine;
	unsigned int in_port;
	unsigned int out_port;
	unsigned char src[6];
	unsigned char dst[6];
	const struct traffic *traffic;
	const struct noise *noise;
	void *state;
	struct latency *latency;
	uint64_t packets;
	uint64_t unsent;
	uint64_t bad_ip;
	uint64_t bad_l4;
	struct bursts rx;
	struct bursts tx;
	struct generator gen;
} __attribute__((aligned(128))); /* two workers must not share adjacent lines */

/* traffic.c */
void traffic_init(struct dir *d);
/* as engine->generate() */
unsigned int traffic_generate(struct dir *d, struct pp_page **pages, unsigned int n);

/* latency.c: where a mark is in a packet with an IP header at @l3; how to make and find it */
void latency_mark(unsigned char *frame, unsigned int l3, uint32_t size);
void latency_read(struct latency *lat, struct pp_page *const *pages, unsigned int n);
void latency_add(struct latency *lat, uint64_t ns);
void latency_sum(struct latency *to, const struct latency *from);
uint64_t latency_quantile(const struct latency *lat, double q);
void latency_json(struct json *j, const struct latency *lat);

#endif /* PPFWD_DIR_H */
