/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sums.c - random frames through every engine, and through what tx_csum does: no sum that was
 * right is wrong afterwards, a wrong one is mended where it can be, and nothing else changes
 *
 * PP_FRAMES=N (200000): how many; PP_SEED=N repeats a run. Under ASan all but the frame's own
 * bytes is poisoned; in any build a canary is on both sides.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pagepool/zone.h>

#include "engines/engine.h"
#include "judge.h"
#include "random_frame.h"
#include "xsk/csum.h"

#define SIZE   2048u
#define CANARY 64u
#define PIECES 4u

#define must(cond, what)                        \
	do {                                    \
		if (!(cond))                    \
			give_up(#cond, (what)); \
	} while (0)

/* weak: there without ASan, where they are NULL */
void __asan_poison_memory_region(const void *at, size_t n) __attribute__((weak));
void __asan_unpoison_memory_region(const void *at, size_t n) __attribute__((weak));

static struct pp_zone *zone;
static struct dir d = { .src = "\x02\0\0\0\0\x10", .dst = "\x02\0\0\0\0\1" };
static uint64_t rng;
static unsigned char frame[RANDOM_FRAME_MAX];
static size_t frame_len;
static struct verdict before;

/* what was seen, so that a run which shows nothing fails */
static struct {
	unsigned long right, zero, mended, routed, asked, computed, chains, pongs;
} seen;

static __attribute__((noreturn)) void give_up(const char *cond, const char *what)
{
	size_t i;

	printf("FAIL: %s: not %s; %zu bytes:\n", what, cond, frame_len);
	for (i = 0; i < frame_len; i++)
		printf("%02x", frame[i]);
	printf("\n");
	fflush(stdout);
	abort();
}

static void fence(const struct pp_page *page)
{
	uint32_t end = page->data_off + page->len;

	if (!__asan_poison_memory_region)
		return;
	__asan_poison_memory_region(page->addr, page->data_off);
	__asan_poison_memory_region(page->addr + end, SIZE - end);
}

static void unfence(const struct pp_page *page)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(page->addr, SIZE);
}

static void canaries(struct pp_page *page, bool check, const char *what)
{
	unsigned char *front = (unsigned char *)pp_page_data(page) - CANARY;
	unsigned char *back = (unsigned char *)pp_page_data(page) + page->len;
	unsigned int i;

	if (!check) {
		memset(front, 0xa5, CANARY);
		memset(back, 0xa5, CANARY);
	}
	for (i = 0; i < CANARY; i++)
		must(front[i] == 0xa5 && back[i] == 0xa5, what);
}

static struct pp_page *load(const unsigned char *b, size_t len)
{
	struct pp_page *page;

	must(pp_zone_alloc_bulk(zone, &page, 1) == 1, "alloc");
	page->data_off = (uint16_t)(128 + random_below(&rng, 4));
	page->len = (uint32_t)len;
	page->next = NULL;
	memcpy(pp_page_data(page), b, len);
	canaries(page, false, "load");
	fence(page);
	return page;
}

/* copy a packet out and free its pages; its length */
static size_t unload(struct pp_page *page, unsigned char *b, const char *what)
{
	struct pp_page *next;
	size_t len = 0;

	for (; page; page = next) {
		next = page->next;
		memcpy(b + len, pp_page_data(page), page->len);
		len += page->len;
		unfence(page);
		canaries(page, true, what);
		page->next = NULL;
		pp_zone_free_bulk(zone, &page, 1);
	}
	return len;
}

/* @b has the frame's bytes but for @n of them from @at on, and from @at2 on */
static void only(const unsigned char *b, size_t at, size_t n, size_t at2, size_t n2,
		 const char *what)
{
	size_t i;

	for (i = 0; i < frame_len; i++) {
		if (!(i >= at && i < at + n) && !(i >= at2 && i < at2 + n2))
			must(b[i] == frame[i], what);
	}
}

/* false: the engine dropped it */
static bool feed(const struct engine *engine, unsigned char *b)
{
	struct pp_page *page = load(frame, frame_len), *sent = page;
	unsigned int kept;

	d.bad_ip = d.bad_l4 = 0;
	kept = engine->burst(&d, &sent, 1);
	must(kept <= 1, engine->name);
	if (!kept) { /* the page is home: only the poison is left */
		unfence(page);
		return false;
	}
	must(sent == page && page->len == frame_len, engine->name);
	must(unload(page, b, engine->name) == frame_len, engine->name);
	return true;
}

static void same_sums(const unsigned char *b, const char *what)
{
	struct verdict after = judge(b, frame_len);

	must(after.ip == before.ip && after.l4 == before.l4, what);
}

static void try_swaps(void)
{
	unsigned char b[RANDOM_FRAME_MAX];

	must(feed(&engine_mac, b), "mac");
	only(b, 0, 12, 0, 0, "mac");
	must(feed(&engine_macswap, b), "macswap");
	only(b, 0, 12, 0, 0, "macswap");
	must(feed(&engine_5tswap, b), "5tswap");
	same_sums(b, "5tswap");
	if (before.routed || before.odd)
		only(b, 0, 12, 0, 0, "5tswap");
	if (before.l4 && !before.routed)
		must(memcmp(b + before.l4_field, frame + before.l4_field, 2) == 0, "5tswap");
}

static bool can_be_mended(void)
{
	return before.l4 == SUM_WRONG && !before.routed && !before.odd;
}

static void check_l4(const unsigned char *b, const char *what)
{
	struct verdict after = judge(b, frame_len);

	must(after.l4 == (can_be_mended() ? SUM_RIGHT : before.l4), what);
}

static void try_csum(void)
{
	unsigned char b[RANDOM_FRAME_MAX];

	must(feed(&engine_csum, b), "csum");
	must(d.bad_ip == (before.ip == SUM_WRONG), "csum");
	must(d.bad_l4 == can_be_mended(), "csum");
	must(judge(b, frame_len).ip == (before.ip ? SUM_RIGHT : SUM_NONE), "csum");
	check_l4(b, "csum");
	only(b, before.ip_field, d.bad_ip ? 2 : 0, before.l4_field, d.bad_l4 ? 2 : 0, "csum");
	seen.mended += d.bad_l4;
}

static void try_echo(void)
{
	unsigned char b[RANDOM_FRAME_MAX];
	bool answered = feed(&engine_icmpecho, b);

	if (answered && b[12] == 8 && b[13] == 6)
		return; /* ARP: see packets.c */
	if (!answered) {
		must(!judge_ping(frame, frame_len), "icmpecho");
		return;
	}
	if (!judge_ping(frame, frame_len)) /* ARP in a VLAN */
		must(!judge(frame, frame_len).ip, "icmpecho");
	else
		must(judge_pong(b, frame, frame_len), "icmpecho");
	seen.pongs += judge_ping(frame, frame_len);
}

/* rxonly and flowgen keep everything; io and txonly do not look at what they receive */
static void try_rest(void)
{
	unsigned char b[RANDOM_FRAME_MAX];
	unsigned int i;

	for (i = 0; engines[i]; i++) {
		if (engines[i] == &engine_rxonly || engines[i] == &engine_flowgen)
			must(!engines[i]->burst || !feed(engines[i], b), engines[i]->name);
		else if (engines[i] == &engine_io || engines[i] == &engine_txonly ||
			 engines[i] == &engine_recycle)
			must(!engines[i]->burst, engines[i]->name);
	}
}

/* the frame in up to PIECES pages, cut anywhere */
static struct pp_page *load_chain(unsigned int pieces)
{
	struct pp_page *head = NULL, **link = &head;
	size_t at = 0, n;

	while (at < frame_len) {
		n = frame_len - at;
		if (n > 70 && random_below(&rng, 2))
			n = 70; /* among the headers */
		n = --pieces ? 1 + random_below(&rng, (uint32_t)n) : frame_len - at;
		*link = load(frame + at, n);
		link = &(*link)->next;
		at += n;
	}
	return head;
}

static void try_compute(unsigned int pieces)
{
	unsigned char b[RANDOM_FRAME_MAX];
	struct pp_page *page = load_chain(pieces);

	if (!page)
		return;
	seen.chains += page->next != NULL;
	pp_tx_csum_compute(page, pieces > 1);
	must(unload(page, b, "tx_csum=sw") == frame_len, "tx_csum=sw");
	check_l4(b, "tx_csum=sw");
	only(b, before.l4_field, can_be_mended() ? 2 : 0, 0, 0, "tx_csum=sw");
	seen.computed += can_be_mended();
}

/* what a device does: sum up from @start on, what stands in the field included */
static void device(unsigned char *b, const struct tx_csum *ask)
{
	unsigned char *field = b + ask->start + ask->offset;
	unsigned long sum = 0;
	size_t i;

	for (i = ask->start; i < frame_len; i++)
		sum += (unsigned long)b[i] << ((i - ask->start) & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = sum == 0xffff ? sum : ~sum & 0xffff; /* never 0 */
	field[0] = (unsigned char)(sum >> 8);
	field[1] = (unsigned char)sum;
}

static void try_ask(unsigned int pieces)
{
	struct tx_csum ask = { 0xffff, 0xffff };
	unsigned char b[RANDOM_FRAME_MAX];
	struct pp_page *page = load_chain(pieces);
	uint32_t first;
	bool asked;

	if (!page)
		return;
	first = page->len;
	asked = pp_tx_csum_ask(page, pieces > 1, &ask);
	must(unload(page, b, "tx_csum=on") == frame_len, "tx_csum=on");
	if (asked) {
		/* the kernel wants the field in the first piece */
		must(before.l4 && ask.start + ask.offset + 2u <= first, "tx_csum=on");
		must(ask.start + ask.offset == before.l4_field, "tx_csum=on");
		device(b, &ask);
	}
	check_l4(b, "tx_csum=on");
	only(b, before.l4_field, asked || can_be_mended() ? 2 : 0, 0, 0, "tx_csum=on");
	seen.asked += asked;
}

static void try_frame(void)
{
	before = judge(frame, frame_len);
	seen.right += before.l4 == SUM_RIGHT;
	seen.zero += before.l4 && before.l4_want == 0xffff;
	seen.routed += before.l4 && before.routed;
	try_swaps();
	try_csum();
	try_echo();
	try_rest();
	try_compute(1);
	try_compute(2 + random_below(&rng, PIECES - 1));
	try_ask(1);
	try_ask(2 + random_below(&rng, PIECES - 1));
}

/* IPv6 with a UDP header behind 1,024 bytes of options, with a wrong sum; cut anywhere */
static void far_headers(void)
{
	unsigned int hop = 1024, payload = 9, i;
	unsigned char *udp = frame + 54 + hop;

	frame_len = 54 + hop + 8 + payload;
	memset(frame, 0, frame_len);
	memcpy(frame + 12, "\x86\xdd\x60", 3);
	frame[18] = (unsigned char)((hop + 8 + payload) >> 8);
	frame[19] = (unsigned char)(hop + 8 + payload);
	frame[20] = 0; /* hop-by-hop options */
	frame[22] = frame[53] = 1;
	frame[54] = 17;
	frame[55] = (unsigned char)(hop / 8 - 1);
	udp[5] = (unsigned char)(8 + payload);
	udp[6] = 0xbe;
	before = judge(frame, frame_len);
	must(before.l4 == SUM_WRONG && can_be_mended(), "a frame with far headers");
	for (i = 0; i < 200; i++) {
		try_compute(2 + random_below(&rng, PIECES - 1));
		try_ask(2 + random_below(&rng, PIECES - 1));
	}
}

static uint64_t env_number(const char *name, uint64_t value)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 0) : value;
}

int main(void)
{
	struct pp_zone_params params = { .sz = sizeof(params), .pages = 64, .page_size = SIZE };
	uint64_t seed = env_number("PP_SEED", (uint64_t)time(NULL));
	uint64_t n = env_number("PP_FRAMES", 200000), i;

	printf("PP_SEED=%llu, %s\n", (unsigned long long)seed,
	       __asan_poison_memory_region ? "with ASan" : "without ASan");
	fflush(stdout);
	rng = seed * 2654435769u + 88172645463325252u;
	zone = pp_zone_create(&params);
	if (!zone)
		return 99;
	far_headers();
	for (i = 0; i < n; i++) {
		frame_len = random_frame(&rng, frame);
		try_frame();
	}
	printf("%llu frames: %lu right, %lu of a sum of 0, %lu routed, %lu mended by csum, "
	       "%lu by tx_csum=sw, %lu left to a device, %lu chains, %lu pings answered\n",
	       (unsigned long long)n, seen.right, seen.zero, seen.routed, seen.mended,
	       seen.computed, seen.asked, seen.chains, seen.pongs);
	if (n >= 1000)
		must(seen.right > n / 10 && seen.zero > n / 200 && seen.routed > n / 1000 &&
			     seen.mended > n / 50 && seen.asked > n / 20 && seen.chains > n / 2 &&
			     seen.pongs > n / 500,
		     "enough of each kind");
	return pp_zone_destroy(zone) ? 1 : 0;
}
