/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_packet.c - what becomes of a packet, bytes for bytes, and of millions of broken ones
 *
 * PP_SEED=N repeats a run, PP_PACKETS=N makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "frame.h"

#define ROOM 1024

static struct responder responder;

struct fixture {
	unsigned char frame[ROOM];
	uint32_t len;
	struct packet p;
};

static enum verdict ask(struct fixture *f, enum slow_policy slow)
{
	f->p = (struct packet){ .data = f->frame, .room = ROOM, .len = f->len };
	return respond(&responder, &f->p, slow);
}

/* a query over IPv4 or IPv6, ready to be broken */
static void query(struct fixture *f, bool is_ipv6, const char *name, uint16_t type)
{
	unsigned char payload[600];
	uint32_t len = frame_query(payload, name, type);

	memset(f, 0, sizeof(*f));
	f->len = frame_udp(f->frame, is_ipv6, DNS_PORT, payload, len);
}

static unsigned char *payload(struct fixture *f)
{
	return f->frame + (f->frame[12] == 0x86 ? 62 : 42);
}

static void expect_unchanged(const struct fixture *f, enum slow_policy slow, enum verdict want)
{
	assert_int_equal(frame_feed(&responder, f->frame, f->len, 64, slow), want);
}

static void expect(struct fixture *f, enum verdict want)
{
	frame_checksums(f->frame, f->len);
	expect_unchanged(f, SLOW_KEEP, want);
}

static void address(void **state)
{
	static const unsigned char record[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7,
	};
	struct fixture f, before;
	int is_ipv6;

	for (is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		query(&f, is_ipv6, "wWw.Example.ORG", 1);
		before = f;
		assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_ADDRESS);
		assert_null(frame_is_answer(f.frame, f.p.len, before.frame));
		assert_int_equal(f.p.len, before.len + sizeof(record));
		assert_memory_equal(payload(&f), "\xab\xcd\x85\x00\0\1\0\1\0\0\0\0", 12);
		/* the question as it was asked, then the answer */
		assert_memory_equal(payload(&f) + 12, payload(&before) + 12, 17 + 4);
		assert_memory_equal(payload(&f) + 33, record, sizeof(record));
	}
}

static void other_answers(void **state)
{
	struct fixture f;

	query(&f, false, "www.example.org", 28);
	assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_NODATA);
	assert_memory_equal(payload(&f) + 2, "\x85\x00\0\1\0\0\0\0\0\0", 10);
	query(&f, false, "example.org", 1);
	assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_NXDOMAIN);
	assert_memory_equal(payload(&f) + 2, "\x85\x03\0\1\0\0\0\0\0\0", 10);
	query(&f, false, "ww.example.org", 1);
	expect(&f, VERDICT_NXDOMAIN);
	query(&f, false, "www.example.org.org", 1);
	expect(&f, VERDICT_NXDOMAIN);
	query(&f, true, "", 1);
	expect(&f, VERDICT_NXDOMAIN);
	query(&f, false, "www.example.org", 255);
	expect(&f, VERDICT_ADDRESS);

	responder.any = true;
	query(&f, false, "any.thing", 1);
	expect(&f, VERDICT_ADDRESS);
	responder.any = false;
}

/* dig asks with an EDNS record behind the question: it is no part of the answer */
static void edns(void **state)
{
	static const unsigned char opt[] = { 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0 };
	unsigned char bytes[200];
	struct fixture f = { .len = 0 };
	uint32_t len = frame_query(bytes, "www.example.org", 1);

	put16(bytes + 10, 1);
	memcpy(bytes + len, opt, sizeof(opt));
	f.len = frame_udp(f.frame, true, DNS_PORT, bytes, len + sizeof(opt));
	assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_ADDRESS);
	assert_int_equal(f.p.len, 62 + len + 16);
	assert_memory_equal(payload(&f) + 10, "\0\0", 2);
}

static void slow(void **state)
{
	struct fixture f;

	query(&f, false, "SLOW.example.org", 1);
	expect_unchanged(&f, SLOW_KEEP, VERDICT_SLOW);
	expect_unchanged(&f, SLOW_ANSWER, VERDICT_ADDRESS);
	assert_int_equal(ask(&f, SLOW_REFUSE), VERDICT_BUSY);
	assert_memory_equal(payload(&f) + 2, "\x85\x02\0\0\0\0\0\0\0\0", 10);
	query(&f, false, "slowly", 1);
	expect(&f, VERDICT_SLOW);
	query(&f, false, "slo.w", 1);
	expect(&f, VERDICT_NXDOMAIN);
	query(&f, false, "www.slow", 1);
	expect(&f, VERDICT_NXDOMAIN);
}

static void refused(void **state)
{
	struct fixture f;

	query(&f, false, "www.example.org", 1);
	payload(&f)[2] = 0x29; /* opcode 5, recursion desired */
	expect(&f, VERDICT_REFUSED);
	assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_REFUSED);
	assert_memory_equal(payload(&f) + 2, "\xad\x04\0\0", 4);

	query(&f, false, "www.example.org", 1);
	payload(&f)[5] = 2; /* questions */
	expect(&f, VERDICT_REFUSED);
	payload(&f)[5] = 0;
	expect(&f, VERDICT_REFUSED);
	payload(&f)[5] = 1;
	payload(&f)[12] = 0xc0; /* a pointer */
	expect(&f, VERDICT_REFUSED);
	payload(&f)[12] = 40; /* a label beyond the end */
	expect(&f, VERDICT_REFUSED);
	query(&f, false, "123456789.123456789.123456789.123456789.123456789.123456789.1234", 1);
	payload(&f)[12] = 64; /* a label of 64 bytes, and then the end */
	expect(&f, VERDICT_REFUSED);
	query(&f, false, "www.example.org", 1);
	payload(&f)[12 + 17 + 3] = 3; /* class CHAOS */
	expect(&f, VERDICT_REFUSED);
	payload(&f)[12 + 17 + 3] = 255;
	expect(&f, VERDICT_ADDRESS);
}

/* names of 255 bytes are, those of 256 are not */
static void long_names(void **state)
{
	unsigned char bytes[400];
	char name[260];
	struct fixture f = { .len = 0 };
	uint32_t len;
	int i, n;

	for (n = 253; n <= 254; n++) {
		for (i = 0; i < n; i++)
			name[i] = (i + 1) % 64 ? 'a' : '.';
		name[n] = '\0';
		len = frame_query(bytes, name, 1);
		f.len = frame_udp(f.frame, false, DNS_PORT, bytes, len);
		expect(&f, n == 253 ? VERDICT_NXDOMAIN : VERDICT_REFUSED);
	}
}

static void no_question(void **state)
{
	struct fixture f;

	query(&f, false, "www.example.org", 1);
	payload(&f)[2] = 0x81; /* an answer */
	expect(&f, VERDICT_UNANSWERABLE);
	f.len = frame_udp(f.frame, false, DNS_PORT, (const unsigned char *)"12345678901", 11);
	expect(&f, VERDICT_MALFORMED);
}

static void echo(void **state)
{
	unsigned char bytes[ROOM];
	struct fixture f, before;
	uint32_t len;
	int is_ipv6;

	for (len = 0; len < sizeof(bytes); len++)
		bytes[len] = (unsigned char)(len * 7);
	for (is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		for (len = 0; len < 900; len++) {
			memset(&f, 0, sizeof(f));
			f.len = frame_udp(f.frame, is_ipv6, ECHO_PORT, bytes, len);
			before = f;
			assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_ECHOED);
			assert_null(frame_is_answer(f.frame, f.p.len, before.frame));
			assert_int_equal(f.p.len, before.len);
			assert_memory_equal(payload(&f), bytes, len);
		}
	}
	/* padding, as Ethernet needs it, is not echoed */
	f.len = frame_udp(f.frame, false, ECHO_PORT, bytes, 3);
	f.len += 15;
	assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_ECHOED);
	assert_int_equal(f.p.len, 45);
}

/* a sum of 0 is sent as 0xffff; the payload's two bytes make the sum come out so */
static void checksum_zero(void **state)
{
	unsigned char bytes[2] = { 0, 0 };
	struct fixture f = { .len = 0 }, before;
	uint32_t v, zeros = 0;

	for (v = 0; v < 0x10000; v++) {
		put16(bytes, v);
		f.len = frame_udp(f.frame, false, ECHO_PORT, bytes, 2);
		before = f;
		assert_int_equal(ask(&f, SLOW_KEEP), VERDICT_ECHOED);
		assert_null(frame_is_answer(f.frame, f.p.len, before.frame));
		zeros += f.frame[40] == 0xff && f.frame[41] == 0xff;
	}
	assert_true(zeros > 0);
}

static void checksums(void **state)
{
	struct fixture f;
	uint32_t sum;

	query(&f, false, "www.example.org", 1);
	f.frame[41] ^= 1;
	expect_unchanged(&f, SLOW_KEEP, VERDICT_CHECKSUM);
	memset(f.frame + 40, 0, 2); /* none, which IPv4 allows */
	expect_unchanged(&f, SLOW_KEEP, VERDICT_ADDRESS);
	/* left to the hardware: the sum of the pseudo header, 10.78.0.1 and .2 */
	sum = 2 * (10 * 256 + 78) + 1 + 2 + 17 + (f.len - 34);
	put16(f.frame + 40, sum);
	expect_unchanged(&f, SLOW_KEEP, VERDICT_ADDRESS);
	f.frame[24] ^= 0x80;
	expect_unchanged(&f, SLOW_KEEP, VERDICT_CHECKSUM);

	query(&f, true, "www.example.org", 1);
	f.frame[60] ^= 1;
	expect_unchanged(&f, SLOW_KEEP, VERDICT_CHECKSUM);
	memset(f.frame + 60, 0, 2);
	expect_unchanged(&f, SLOW_KEEP, VERDICT_CHECKSUM);
}

static void lengths(void **state)
{
	struct fixture f;

	query(&f, false, "www.example.org", 1);
	put16(f.frame + 16, f.len - 14 + 1); /* IPv4 beyond the frame */
	expect(&f, VERDICT_MALFORMED);
	put16(f.frame + 16, 19);
	expect(&f, VERDICT_MALFORMED);
	put16(f.frame + 16, 27); /* no room for UDP */
	expect(&f, VERDICT_MALFORMED);
	put16(f.frame + 16, f.len - 14 - 1); /* UDP beyond IP */
	expect(&f, VERDICT_MALFORMED);
	query(&f, false, "www.example.org", 1);
	put16(f.frame + 38, 7);
	expect(&f, VERDICT_MALFORMED);
	put16(f.frame + 38, 0xffff);
	expect(&f, VERDICT_MALFORMED);

	query(&f, true, "www.example.org", 1);
	put16(f.frame + 18, f.len - 54 + 1);
	expect(&f, VERDICT_MALFORMED);
	put16(f.frame + 18, 0xffff);
	expect(&f, VERDICT_MALFORMED);
	put16(f.frame + 18, 0);
	expect(&f, VERDICT_MALFORMED);
}

static void not_for_us(void **state)
{
	struct fixture f;

	query(&f, false, "www.example.org", 1);
	put16(f.frame + 12, 0x8100); /* VLAN */
	expect(&f, VERDICT_OTHER);
	put16(f.frame + 12, 0x0806);
	expect(&f, VERDICT_OTHER);
	query(&f, false, "www.example.org", 1);
	f.frame[14] = 0x46; /* options */
	expect(&f, VERDICT_OTHER);
	query(&f, false, "www.example.org", 1);
	f.frame[20] = 0x20; /* a fragment, the first */
	expect(&f, VERDICT_OTHER);
	f.frame[20] = 0;
	f.frame[21] = 1; /* a later one */
	expect(&f, VERDICT_OTHER);
	f.frame[20] = 0x40; /* do not fragment */
	f.frame[21] = 0;
	expect(&f, VERDICT_ADDRESS);
	f.frame[23] = 6;
	expect(&f, VERDICT_OTHER);
	query(&f, true, "www.example.org", 1);
	f.frame[20] = 44; /* fragment header */
	expect(&f, VERDICT_OTHER);
	query(&f, true, "www.example.org", 1);
	put16(f.frame + 56, 54);
	expect(&f, VERDICT_OTHER);
}

static void nobody_to_answer(void **state)
{
	static const unsigned char bad[] = { 0, 127, 224, 255 };
	struct fixture f;
	unsigned int i;

	for (i = 0; i < sizeof(bad); i++) {
		query(&f, false, "www.example.org", 1);
		f.frame[26] = bad[i];
		expect(&f, VERDICT_UNANSWERABLE);
	}
	query(&f, true, "www.example.org", 1);
	f.frame[22] = 0xff;
	expect(&f, VERDICT_UNANSWERABLE);
	memset(f.frame + 22, 0, 15); /* ::1 */
	expect(&f, VERDICT_UNANSWERABLE);
	query(&f, false, "www.example.org", 1);
	put16(f.frame + 34, 0);
	expect(&f, VERDICT_UNANSWERABLE);
	put16(f.frame + 34, DNS_PORT);
	expect(&f, VERDICT_UNANSWERABLE);
	put16(f.frame + 34, ECHO_PORT);
	expect(&f, VERDICT_UNANSWERABLE);
}

/* every shorter version of a frame, with lengths that lie and with lengths made true */
static void truncated(void **state)
{
	struct fixture f;
	uint32_t full, n;
	int is_ipv6;

	for (is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		query(&f, is_ipv6, "www.example.org", 1);
		full = f.len;
		for (n = 0; n < full; n++)
			assert_true(frame_feed(&responder, f.frame, n, 0, SLOW_KEEP) >
				    VERDICT_LAST_SENT);
		for (n = 0; n < full - (is_ipv6 ? 62 : 42); n++) {
			f.len = frame_udp(f.frame, is_ipv6, DNS_PORT, payload(&f), n);
			expect(&f, n < 12 ? VERDICT_MALFORMED : VERDICT_REFUSED);
		}
	}
	/* the last byte of the question lies behind the end, where Ethernet pads */
	query(&f, false, "www.example.org", 1);
	put16(f.frame + 16, f.len - 14 - 1);
	put16(f.frame + 38, f.len - 34 - 1);
	expect(&f, VERDICT_REFUSED);
	/* no room for the answer behind the question */
	query(&f, false, "www.example.org", 1);
	assert_int_equal(frame_feed(&responder, f.frame, f.len, 15, SLOW_KEEP), VERDICT_NODATA);
	assert_int_equal(frame_feed(&responder, f.frame, f.len, 16, SLOW_KEEP), VERDICT_ADDRESS);
}

static unsigned long env_number(const char *name, unsigned long value)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : value;
}

static uint32_t random_below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33) % n;
}

static void break_it(struct fixture *f, uint64_t *seed)
{
	uint32_t i, n = random_below(seed, 6);

	for (i = 0; i < n; i++)
		f->frame[random_below(seed, f->len)] = (unsigned char)random_below(seed, 256);
	if (!random_below(seed, 3))
		f->len = random_below(seed, f->len + 1);
	if (random_below(seed, 4))
		frame_checksums(f->frame, f->len); /* so that what is broken gets past them */
}

static void random_packets(void **state)
{
	static const char *const names[] = { "www.example.org", "slow.example.org", "a.b.c", "" };
	uint64_t seed = env_number("PP_SEED", (unsigned long)time(NULL));
	unsigned long n = env_number("PP_PACKETS", 300000), seen[VERDICTS] = { 0 };
	unsigned int v;
	struct fixture f;

	print_message("PP_SEED=%llu\n", (unsigned long long)seed);
	while (n--) {
		query(&f, random_below(&seed, 2), names[random_below(&seed, 4)],
		      (uint16_t)(random_below(&seed, 2) ? 1 : 28));
		break_it(&f, &seed);
		v = frame_feed(&responder, f.frame, f.len, random_below(&seed, 40),
			       (enum slow_policy)random_below(&seed, 3));
		seen[v]++;
	}
	for (v = 0; v < VERDICTS; v++) {
		print_message("verdict %u: %lu\n", v, seen[v]);
		if (v != VERDICT_ECHOED)
			assert_true(seen[v] > 0); /* or the packets are not broken enough */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address),
		cmocka_unit_test(other_answers),
		cmocka_unit_test(edns),
		cmocka_unit_test(slow),
		cmocka_unit_test(refused),
		cmocka_unit_test(long_names),
		cmocka_unit_test(no_question),
		cmocka_unit_test(echo),
		cmocka_unit_test(checksum_zero),
		cmocka_unit_test(checksums),
		cmocka_unit_test(lengths),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(nobody_to_answer),
		cmocka_unit_test(truncated),
		cmocka_unit_test(random_packets),
	};

	frame_responder(&responder);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
