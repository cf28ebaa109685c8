/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random_frame.c - see random_frame.h
 *
 * Layers are put one behind the other; lengths are filled in at the end. Most frames get
 * right checksums, and about half are then changed in some bytes.
 */
#include <string.h>

#include "judge.h"
#include "random_frame.h"

struct maker {
	uint64_t *state;
	unsigned char *b;
	size_t len;
};

uint32_t random_below(uint64_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16) % n;
}

static uint32_t rnd(struct maker *m, uint32_t n)
{
	return random_below(m->state, n);
}

static void put16(unsigned char *at, size_t value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static void noise(struct maker *m, size_t n)
{
	while (n--)
		m->b[m->len++] = (unsigned char)rnd(m, 256);
}

/* Few different values, so that sums of 0 and 0xffff come up. */
static void payload(struct maker *m, size_t n)
{
	uint32_t kind = rnd(m, 4);

	for (; n; n--)
		m->b[m->len++] = (unsigned char)(kind == 0 ? 0 : kind == 1 ? 255 : rnd(m, 256));
}

static void ethernet(struct maker *m, unsigned int type)
{
	static const unsigned int tags[] = { 0x8100, 0x88a8, 0x9100, 0x9200 };
	uint32_t n = rnd(m, 3) ? 0 : rnd(m, 6);

	noise(m, 12);
	m->b[0] &= 0xfe;
	m->b[6] &= 0xfe;
	for (; n; n--) {
		put16(m->b + m->len, tags[rnd(m, 4)]);
		m->len += 2;
		noise(m, 2);
	}
	put16(m->b + m->len, type);
	m->len += 2;
}

/* in a multiple of 4 bytes, at most 40 */
static size_t options4(struct maker *m)
{
	size_t start = m->len, n;
	unsigned char *o = m->b + start;

	switch (rnd(m, 8)) {
	case 0: /* a source route with up to 4 addresses, used up or not */
	case 1:
		n = 3 + 4 * rnd(m, 5);
		noise(m, n);
		o[0] = rnd(m, 2) ? 131 : 137;
		o[1] = (unsigned char)n;
		o[2] = (unsigned char)(rnd(m, 5) ? 4 + 4 * rnd(m, 6) : rnd(m, 256));
		break;
	case 2:
		memcpy(o, "\x94\4\0\0", 4); /* router alert */
		m->len += 4;
		break;
	case 3:
		memcpy(o, "\1\1\1\1\1", 5);
		m->len += 5;
		break;
	case 4:
		noise(m, rnd(m, 41));
		break;
	}
	while ((m->len - start) % 4)
		m->b[m->len++] = (unsigned char)rnd(m, 2);
	return m->len - start;
}

static size_t ip4(struct maker *m, unsigned int proto)
{
	size_t ip = m->len;
	uint32_t frag = rnd(m, 12);

	noise(m, 20);
	m->b[ip] = 0x45;
	put16(m->b + ip + 6, frag == 0 ? 0x2000 : frag == 1 ? 100 : frag == 2 ? 0x4000 : 0);
	m->b[ip + 8] = (unsigned char)(rnd(m, 8) ? 64 : rnd(m, 3));
	m->b[ip + 9] = (unsigned char)proto;
	m->b[ip] = (unsigned char)(m->b[ip] + options4(m) / 4);
	return ip;
}

/* one extension header of type @type, followed by @next */
static void extension(struct maker *m, unsigned int type, unsigned int next)
{
	size_t n = 8 * (1 + rnd(m, 4)), at = m->len;
	unsigned char *h = m->b + at;

	noise(m, n);
	h[0] = (unsigned char)next;
	h[1] = (unsigned char)(type == 51 ? n / 4 - 2 : n / 8 - 1);
	if (type == 44) {
		m->len = at + 8;
		put16(h + 2, rnd(m, 2) ? 0 : rnd(m, 65536));
	} else if (type == 43) {
		h[2] = (unsigned char)(rnd(m, 2) ? 0 : 4);
		h[3] = (unsigned char)rnd(m, 3);
	} else if (type != 51 && rnd(m, 4)) {
		memset(h + 2, 0, n - 2); /* padding */
		if (n >= 24 && rnd(m, 2)) {
			put16(h + 2, 0x0100);
			put16(h + 4, 0xc910); /* home address */
		} else {
			put16(h + 2, 0x0100 + n - 4);
		}
	}
}

static size_t ip6(struct maker *m, unsigned int proto)
{
	static const unsigned char types[] = { 0, 43, 44, 51, 60 };
	unsigned char order[4];
	uint32_t n = rnd(m, 2) ? 0 : rnd(m, 5), i;
	size_t ip = m->len;

	noise(m, 40);
	m->b[ip] = 0x60;
	for (i = 0; i < n; i++)
		order[i] = types[rnd(m, 5)];
	m->b[ip + 6] = n ? order[0] : (unsigned char)proto;
	for (i = 0; i < n; i++)
		extension(m, order[i], i + 1 < n ? order[i + 1] : proto);
	return ip;
}

static void transport(struct maker *m, unsigned int proto)
{
	size_t at = m->len, n;

	noise(m, proto == 6 ? 20 : 8);
	payload(m, rnd(m, 8) ? rnd(m, 80) : rnd(m, 700));
	n = m->len - at;
	if (proto == 17) {
		if (!rnd(m, 6)) /* less, or more, than there is */
			n = rnd(m, 4) ? 8 + rnd(m, (uint32_t)n - 7) : rnd(m, 65536);
		put16(m->b + at + 4, n);
		if (!rnd(m, 8))
			put16(m->b + at + 6, 0);
	} else if (proto == 1) {
		m->b[at] = 8;
		m->b[at + 1] = 0;
	}
}

static void icmp_sum(struct maker *m, size_t at)
{
	unsigned long sum = 0;
	size_t i;

	put16(m->b + at + 2, 0);
	for (i = at; i < m->len; i++)
		sum += (unsigned long)m->b[i] << ((i - at) & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(m->b + at + 2, ~sum & 0xffff);
}

/* have the payload bring the sum of UDP to 0, which is written as 0xffff; sometimes leave it 0 */
static void zero_sum(struct maker *m, size_t l4)
{
	struct verdict j = judge(m->b, m->len);
	unsigned char *field = m->b + l4 + 6, *word = field + 2;
	unsigned long sum;

	if (m->len < l4 + 10 || !j.l4 || j.l4_field != l4 + 6 ||
	    m->b[l4 + 4] * 256 + m->b[l4 + 5] < 10)
		return;
	sum = (unsigned long)word[0] * 256 + word[1] + j.l4_want;
	put16(word, (sum & 0xffff) + (sum >> 16));
	if (rnd(m, 2))
		put16(field, 0);
}

static void arp(struct maker *m)
{
	ethernet(m, 0x0806);
	memcpy(m->b + m->len, "\0\1\x08\0\6\4\0\1", 8);
	m->len += 8;
	noise(m, 20);
}

static void ip(struct maker *m)
{
	static const unsigned char protos[] = { 6, 17, 17, 1, 58 };
	unsigned int proto = protos[rnd(m, 5)];
	bool is_ip6 = rnd(m, 2);
	size_t at, l4;

	ethernet(m, is_ip6 ? 0x86dd : 0x0800);
	at = is_ip6 ? ip6(m, proto) : ip4(m, proto);
	l4 = m->len;
	transport(m, proto);
	put16(m->b + at + (is_ip6 ? 4 : 2), m->len - at - (is_ip6 ? 40 : 0));
	if (proto == 1)
		icmp_sum(m, l4);
	if (!rnd(m, 3))
		payload(m, rnd(m, 47)); /* behind the packet */
	if (proto == 17 && !rnd(m, 8))
		zero_sum(m, l4);
	else if (rnd(m, 6))
		judge_fix(m->b, m->len);
}

size_t random_frame(uint64_t *state, unsigned char *b)
{
	struct maker m = { .state = state, .b = b };
	uint32_t kind = rnd(&m, 40), changes;

	if (!kind)
		noise(&m, rnd(&m, 200));
	else if (kind == 1)
		arp(&m);
	else
		ip(&m);
	if (m.len && !rnd(&m, 2)) {
		for (changes = rnd(&m, 4); changes; changes--)
			b[rnd(&m, (uint32_t)m.len)] ^= (unsigned char)(1 << rnd(&m, 8));
		if (m.len > 14 && !rnd(&m, 3))
			b[12 + rnd(&m, (uint32_t)m.len - 12)] = (unsigned char)rnd(&m, 256);
		if (!rnd(&m, 4))
			m.len = rnd(&m, (uint32_t)m.len + 1);
		if (rnd(&m, 2)) /* what is broken gets past the sums */
			judge_fix(b, m.len);
	}
	return m.len;
}
