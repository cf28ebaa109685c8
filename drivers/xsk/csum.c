/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/csum.c - see xsk/csum.h */
#include <string.h>

#include <pagepool/packet.h>

#include "xsk/csum.h"

#define PROTO_UDP 17u

/* The headers of a shorter first page are copied, together with the bytes behind it. */
#define HEADERS_MAX 512u
/* The same for headers that end further behind, as those of IPv6 may. */
#define FAR_HEADERS_MAX 8192u

/*
 * struct found - the checksum of a packet
 * @p:       its headers
 * @field:   offset of the checksum
 * @cover:   bytes that it covers, from @p.l4 on
 * @headers: a copy that @p lies in, if the first page has too little of them
 */
struct found {
	struct pp_packet p;
	uint32_t field;
	uint32_t cover;
	unsigned char headers[HEADERS_MAX];
};

static uint32_t chain_len(const struct pp_page *page)
{
	uint32_t len = 0;

	for (; page; page = page->next)
		len += page->len;
	return len;
}

/* copy up to @len bytes from the beginning of a chain; how many there were */
static uint32_t chain_head(const struct pp_page *page, unsigned char *to, uint32_t len)
{
	uint32_t at = 0, n;

	for (; page && at < len; page = page->next) {
		n = page->len < len - at ? page->len : len - at;
		memcpy(to + at, pp_page_data(page), n);
		at += n;
	}
	return at;
}

/* sum of @len bytes of a chain from offset @at on */
static uint64_t chain_sum(const struct pp_page *page, uint32_t at, uint32_t len)
{
	uint32_t done = 0, n;
	uint64_t sum = 0;
	uint16_t part;

	for (; at >= page->len; page = page->next)
		at -= page->len;
	for (; done < len; page = page->next, at = 0) {
		n = page->len - at < len - done ? page->len - at : len - done;
		part = pp_csum_fold(pp_csum_add(0, (unsigned char *)pp_page_data(page) + at, n));
		/* behind an odd number of bytes, high and low change places */
		sum += done & 1 ? (uint16_t)(part << 8 | part >> 8) : part;
		done += n;
	}
	return sum;
}

static unsigned char *chain_byte(struct pp_page *page, uint32_t at)
{
	for (; at >= page->len; page = page->next)
		at -= page->len;
	return (unsigned char *)pp_page_data(page) + at;
}

static bool find_csum(struct found *f, struct pp_page *page, bool chain)
{
	uint32_t len = page->len, total = chain ? chain_len(page) : len;
	void *data = pp_page_data(page);

	if (len < total && len < HEADERS_MAX) {
		len = chain_head(page, f->headers, HEADERS_MAX);
		data = f->headers;
	}
	if (!pp_packet_parse(&f->p, data, len, total))
		return false;
	f->field = pp_packet_csum_at(&f->p, &f->cover);
	return f->field;
}

static void compute_chain(struct found *f, struct pp_page *page)
{
	unsigned char *high = chain_byte(page, f->field);
	unsigned char *low = chain_byte(page, f->field + 1);
	unsigned char field[2] = { *high, *low };
	uint64_t sum = pp_csum_fold(pp_packet_pseudo(&f->p, f->cover));

	sum += chain_sum(page, f->p.l4, f->cover);
	if (pp_csum_fix(field, sum, f->p.proto == PROTO_UDP)) {
		*high = field[0];
		*low = field[1];
	}
}

/* Neither the first page nor a copy of HEADERS_MAX bytes has all headers: a longer copy may. */
static void __attribute__((noinline)) compute_far(struct found *f, struct pp_page *page)
{
	unsigned char headers[FAR_HEADERS_MAX];
	uint32_t total = chain_len(page), len = chain_head(page, headers, sizeof(headers));

	if (!pp_packet_parse(&f->p, headers, len, total))
		return;
	f->field = pp_packet_csum_at(&f->p, &f->cover);
	if (f->field)
		compute_chain(f, page);
}

void pp_tx_csum_compute(struct pp_page *page, bool chain)
{
	struct pp_packet p;
	struct found f;

	if (!chain || !page->next) {
		if (pp_packet_parse(&p, pp_page_data(page), page->len, page->len))
			pp_packet_fix_l4(&p);
	} else if (find_csum(&f, page, true)) {
		compute_chain(&f, page);
	} else {
		compute_far(&f, page);
	}
}

/*
 * A device sums up to the packet's end, so that no padding may follow. Many devices look for the
 * headers themselves, and know the plain ones and a VLAN tag.
 */
static bool device_can(const struct found *f)
{
	const struct pp_packet *p = &f->p;

	return p->data != f->headers && p->l4 + f->cover == p->total && p->l3 <= 14 + 4 &&
	       p->l4 - p->l3 == (p->ip == 4 ? 20 : 40);
}

bool pp_tx_csum_ask(struct pp_page *page, bool chain, struct tx_csum *ask)
{
	struct found f;
	uint16_t pseudo;

	if (!find_csum(&f, page, chain)) {
		if (chain && page->next)
			compute_far(&f, page);
		return false;
	}
	if (!device_can(&f)) {
		compute_chain(&f, page);
		return false;
	}
	pseudo = pp_csum_fold(pp_packet_pseudo(&f.p, f.cover));
	memcpy(f.p.data + f.field, &pseudo, 2);
	ask->start = (uint16_t)f.p.l4;
	ask->offset = (uint16_t)(f.field - f.p.l4);
	return true;
}
