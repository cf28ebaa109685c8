/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * judge.c - see judge.h
 */
#include <string.h>

#include "judge.h"

/*
 * struct view - a frame as its receiver reads it
 * @b, @len:  the frame
 * @at:       how far it was read
 * @end:      behind the IP packet
 * @src, @dst, @alen: the addresses that count, and their length
 * @proto:    of what is at @at
 * @part:     a fragment, or cut short
 */
struct view {
	const unsigned char *b;
	size_t len;
	size_t at;
	size_t end;
	const unsigned char *src;
	const unsigned char *dst;
	size_t alen;
	unsigned int proto;
	bool part;
	bool routed;
	bool odd;
};

static unsigned int two(const unsigned char *b)
{
	return b[0] * 256u + b[1];
}

/* the sum of RFC 1071 in big endian words, one byte after the other */
static unsigned long add(unsigned long sum, const unsigned char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += (unsigned long)b[i] << (i & 1 ? 0 : 8);
	return sum;
}

static unsigned int inverted(unsigned long sum)
{
	while (sum > 0xffff)
		sum = sum % 0x10000 + sum / 0x10000;
	return 0xffff - (unsigned int)sum;
}

static unsigned int etype_of(struct view *v)
{
	unsigned int type, tags = 0;

	if (v->len < 14)
		return 0;
	for (v->at = 12; v->at + 2 <= v->len; v->at += 4) {
		type = two(v->b + v->at);
		if ((type != 0x8100 && type != 0x88a8 && type != 0x9100 && type != 0x9200) ||
		    tags++ == 8) {
			v->at += 2;
			return type;
		}
	}
	return 0;
}

/* one IPv4 option of @n bytes */
static void option4(struct view *v, const unsigned char *o, size_t n)
{
	if (o[0] != 0x83 && o[0] != 0x89)
		return;
	if (n < 3) {
		v->odd = true;
	} else if (o[2] <= n) {
		v->routed = true;
		if (n < 7 || o[2] < 4 || o[2] % 4 || n % 4 != 3)
			v->odd = true;
		else
			v->dst = o + n - 4;
	}
}

static bool read4(struct view *v)
{
	const unsigned char *ip = v->b + v->at;
	size_t left = v->len - v->at, hlen, o = 20, n;

	if (left < 20 || (ip[0] & 0xf0) != 0x40)
		return false;
	hlen = ip[0] % 16 * 4u;
	if (hlen < 20 || hlen > left || two(ip + 2) < hlen)
		return false;
	v->part = two(ip + 2) > left || two(ip + 6) % 0x4000;
	v->end = v->at + (two(ip + 2) > left ? left : two(ip + 2));
	v->src = ip + 12;
	v->dst = ip + 16;
	v->alen = 4;
	while (o < hlen && ip[o] && !v->odd) {
		n = ip[o] == 1 ? 1 : o + 1 < hlen ? ip[o + 1] : 0;
		if (n == 0 || (n == 1 && ip[o] != 1) || o + n > hlen)
			v->odd = true;
		else
			option4(v, ip + o, n);
		o += n;
	}
	v->proto = ip[9];
	v->at += hlen;
	return true;
}

static void destination_options(struct view *v, const unsigned char *h, size_t n)
{
	size_t o = 2, one;

	for (; o < n && !v->odd; o += one) {
		one = h[o] ? o + 1 < n ? 2u + h[o + 1] : 999 : 1;
		if (o + one > n) {
			v->odd = true;
		} else if (h[o] == 0xc9) {
			v->routed = true;
			if (one == 18)
				v->src = h + o + 2;
			else
				v->odd = true;
		}
	}
}

static void routing(struct view *v, const unsigned char *h, size_t n)
{
	if (!h[3])
		return;
	v->routed = true;
	if (n < 24 || (h[2] != 0 && h[2] != 2 && h[2] != 4))
		v->odd = true;
	else
		v->dst = h[2] == 4 ? h + 8 : h + n - 16;
}

static void read6_headers(struct view *v)
{
	unsigned int next = v->proto, count = 0;
	const unsigned char *h;
	size_t n;

	for (;;) {
		h = v->b + v->at;
		v->proto = next;
		if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60)
			return;
		if (v->at + 8 > v->end || count++ == 16)
			break;
		n = next == 44 ? 8 : next == 51 ? h[1] * 4u + 8 : h[1] * 8u + 8;
		if (v->at + n > v->end)
			break;
		if (next == 44 && two(h + 2) & 0xfff9)
			v->part = true;
		if (next == 44 && two(h + 2) >> 3)
			break;
		if (next == 60)
			destination_options(v, h, n);
		if (next == 43)
			routing(v, h, n);
		next = h[0];
		v->at += n;
	}
	v->proto = 59; /* nothing that could be judged */
}

static bool read6(struct view *v)
{
	const unsigned char *ip = v->b + v->at;

	if (v->len - v->at < 40 || ip[0] / 16 != 6)
		return false;
	v->end = v->at + 40 + two(ip + 4);
	if (v->end > v->len) {
		v->end = v->len;
		v->part = true;
	}
	v->src = ip + 8;
	v->dst = ip + 24;
	v->alen = 16;
	v->proto = ip[6];
	v->at += 40;
	read6_headers(v);
	return true;
}

static void judge_l4(const struct view *v, struct verdict *j)
{
	size_t n = v->end - v->at, field = v->proto == 6 ? 16 : 6;
	const unsigned char *l4 = v->b + v->at;
	unsigned long sum;
	unsigned int have;

	if (v->part || v->odd || (v->proto != 6 && v->proto != 17) || n < (v->proto == 6 ? 20 : 8))
		return;
	if (v->proto == 17) {
		if (two(l4 + 4) > n || two(l4 + 4) < 8)
			return;
		n = two(l4 + 4);
	}
	have = two(l4 + field);
	if (v->proto == 17 && v->alen == 4 && !have)
		return;
	sum = add(add(v->proto + n, v->src, v->alen), v->dst, v->alen);
	sum = add(add(sum, l4, field), l4 + field + 2, n - field - 2);
	j->l4_want = inverted(sum);
	if (v->proto == 17 && !j->l4_want)
		j->l4_want = 0xffff;
	j->l4 = inverted(sum + have) == 0 && (have || v->proto == 6) ? SUM_RIGHT : SUM_WRONG;
	j->l4_field = v->at + field;
}

struct verdict judge(const unsigned char *b, size_t len)
{
	struct verdict j = { SUM_NONE, SUM_NONE, 0, 0, 0, false, false };
	struct view v = { .b = b, .len = len };
	unsigned int type = etype_of(&v);
	size_t l3 = v.at;

	if (type == 0x0800 && read4(&v)) {
		j.ip = inverted(add(0, b + l3, v.at - l3)) ? SUM_WRONG : SUM_RIGHT;
		j.ip_field = l3 + 10;
	} else if (type != 0x86dd || !read6(&v)) {
		return j;
	}
	j.routed = v.routed;
	j.odd = v.odd;
	judge_l4(&v, &j);
	return j;
}

static void put(unsigned char *b, unsigned int value)
{
	b[0] = (unsigned char)(value / 256);
	b[1] = (unsigned char)(value % 256);
}

void judge_fix(unsigned char *b, size_t len)
{
	struct verdict j = judge(b, len);
	size_t l3 = j.ip_field - 10;

	if (j.ip) {
		put(b + j.ip_field, 0);
		put(b + j.ip_field, inverted(add(0, b + l3, b[l3] % 16 * 4u)));
	}
	if (j.l4)
		put(b + j.l4_field, j.l4_want);
}

static bool station(const unsigned char *a)
{
	return a[0] >= 1 && a[0] <= 223 && a[0] != 127;
}

bool judge_ping(const unsigned char *b, size_t len)
{
	struct verdict j = judge(b, len);
	struct view v = { .b = b, .len = len };
	const unsigned char *ip;

	if (etype_of(&v) != 0x0800 || j.ip != SUM_RIGHT || j.odd || j.routed)
		return false;
	ip = b + v.at;
	if (b[0] % 2 || b[6] % 2 || !read4(&v) || v.part || v.proto != 1 || v.end - v.at < 8)
		return false;
	if (!ip[8] || !station(ip + 12) || !station(ip + 16))
		return false;
	return b[v.at] == 8 && b[v.at + 1] == 0 && !inverted(add(0, b + v.at, v.end - v.at));
}

bool judge_pong(const unsigned char *a, const unsigned char *q, size_t len)
{
	struct view v = { .b = a, .len = len };
	unsigned int type = etype_of(&v);
	size_t l3 = v.at, i;

	if (type != 0x0800 || judge(a, len).ip != SUM_RIGHT || !read4(&v))
		return false;
	if (memcmp(a, q + 6, 6) || memcmp(a + l3 + 12, q + l3 + 16, 4) ||
	    memcmp(a + l3 + 16, q + l3 + 12, 4) || a[l3 + 8] != 64 || a[v.at] != 0)
		return false;
	if (inverted(add(0, a + v.at, v.end - v.at)))
		return false;
	for (i = 12; i < len; i++) { /* and nothing else has changed */
		if (i == l3 + 8 || i == l3 + 10 || i == l3 + 11 || i == v.at || i == v.at + 2 ||
		    i == v.at + 3 || (i >= l3 + 12 && i < l3 + 20))
			continue;
		if (a[i] != q[i])
			return false;
	}
	return true;
}
