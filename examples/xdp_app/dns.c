/* SPDX-License-Identifier: BSD-3-Clause */
/* dns.c - as much of a DNS server as fits on a page: one question, A records, no EDNS */
#include <ctype.h>
#include <string.h>

#include "responder.h"

#define HEADER_LEN 12u
#define RECORD_LEN 16u
#define LABEL_MAX  63u
#define TTL	   60u

#define FLAG_RESPONSE  0x8000u
#define FLAG_OPCODE    0x7800u
#define FLAG_AUTHORITY 0x0400u
#define FLAG_RECURSION 0x0100u /* desired: comes back as it was */

#define TYPE_A	  1u
#define TYPE_ANY  255u
#define CLASS_IN  1u
#define CLASS_ANY 255u

enum rcode {
	NOERROR = 0,
	FORMERR = 1,
	SERVFAIL = 2,
	NXDOMAIN = 3,
	NOTIMP = 4,
	REFUSED = 5,
};

struct question {
	const unsigned char *name; /* as it was asked, upper case and all */
	uint32_t name_len;
	uint32_t end; /* offset behind the question */
	uint16_t type;
	uint16_t class;
};

/* length of the name at @at, with its last 0; 0: it is none, or not all there, or a pointer */
static uint32_t name_length(const unsigned char *at, uint32_t len)
{
	uint32_t n = 0;

	while (n < len && n < NAME_MAX_LEN) {
		if (!at[n])
			return n + 1;
		if (at[n] > LABEL_MAX)
			return 0;
		n += at[n] + 1u;
	}
	return 0;
}

static bool question_parse(struct question *q, const unsigned char *payload, uint32_t len)
{
	q->name = payload + HEADER_LEN;
	q->name_len = name_length(q->name, len - HEADER_LEN);
	q->end = HEADER_LEN + q->name_len + 4;
	if (!q->name_len || q->end > len)
		return false;
	q->type = get16(payload + q->end - 4);
	q->class = get16(payload + q->end - 2);
	return true;
}

/* Lengths are below 'A', so that a name can be compared as a whole. */
static bool name_equal(const struct dns_name *name, const struct question *q)
{
	uint32_t i;

	if (name->len != q->name_len)
		return false;
	for (i = 0; i < q->name_len; i++)
		if (name->wire[i] != tolower(q->name[i]))
			return false;
	return true;
}

static const unsigned char *address_of(const struct responder *r, const struct question *q)
{
	unsigned int i;

	for (i = 0; i < r->nnames; i++)
		if (name_equal(r->names + i, q))
			return r->names[i].address;
	return r->any ? r->address : NULL;
}

static bool name_is_slow(const struct question *q)
{
	static const char slow[] = { 's', 'l', 'o', 'w' };
	uint32_t i;

	if (q->name[0] < sizeof(slow))
		return false;
	for (i = 0; i < sizeof(slow); i++)
		if (tolower(q->name[1 + i]) != slow[i])
			return false;
	return true;
}

static void write_header(unsigned char *payload, enum rcode rcode, unsigned int questions,
			 unsigned int answers)
{
	uint32_t flags = get16(payload + 2) & (FLAG_OPCODE | FLAG_RECURSION);

	put16(payload + 2, flags | FLAG_RESPONSE | FLAG_AUTHORITY | rcode);
	put16(payload + 4, questions);
	put16(payload + 6, answers);
	put16(payload + 8, 0);
	put16(payload + 10, 0);
}

static enum verdict refuse_question(unsigned char *payload, uint32_t *len, enum rcode rcode)
{
	write_header(payload, rcode, 0, 0);
	*len = HEADER_LEN;
	return VERDICT_REFUSED;
}

static void append_address(unsigned char *at, const unsigned char *address)
{
	put16(at, 0xc000 | HEADER_LEN); /* the name is that of the question */
	put16(at + 2, TYPE_A);
	put16(at + 4, CLASS_IN);
	put16(at + 6, 0);
	put16(at + 8, TTL);
	put16(at + 10, 4);
	memcpy(at + 12, address, 4);
}

static enum verdict answer_question(const struct responder *r, const struct question *q,
				    unsigned char *payload, uint32_t *len, uint32_t room)
{
	const unsigned char *address = address_of(r, q);

	*len = q->end; /* records behind the question, such as EDNS, are not for us */
	if (!address) {
		write_header(payload, NXDOMAIN, 1, 0);
		return VERDICT_NXDOMAIN;
	}
	if ((q->type != TYPE_A && q->type != TYPE_ANY) || room - q->end < RECORD_LEN) {
		write_header(payload, NOERROR, 1, 0);
		return VERDICT_NODATA;
	}
	append_address(payload + q->end, address);
	*len += RECORD_LEN;
	write_header(payload, NOERROR, 1, 1);
	return VERDICT_ADDRESS;
}

enum verdict dns_answer(const struct responder *r, unsigned char *payload, uint32_t *len,
			uint32_t room, enum slow_policy slow)
{
	struct question q;
	uint32_t flags;

	if (*len < HEADER_LEN)
		return VERDICT_MALFORMED;
	flags = get16(payload + 2);
	if (flags & FLAG_RESPONSE)
		return VERDICT_UNANSWERABLE;
	if (flags & FLAG_OPCODE)
		return refuse_question(payload, len, NOTIMP);
	if (get16(payload + 4) != 1 || !question_parse(&q, payload, *len))
		return refuse_question(payload, len, FORMERR);
	if (q.class != CLASS_IN && q.class != CLASS_ANY)
		return refuse_question(payload, len, REFUSED);
	if (slow != SLOW_ANSWER && name_is_slow(&q)) {
		if (slow == SLOW_KEEP)
			return VERDICT_SLOW;
		refuse_question(payload, len, SERVFAIL);
		return VERDICT_BUSY;
	}
	return answer_question(r, &q, payload, len, room);
}

bool dns_name_parse(struct dns_name *name, const char *text)
{
	size_t n;

	name->len = 0;
	for (;;) {
		n = strcspn(text, ".");
		if (!n || n > LABEL_MAX || name->len + n + 2 > sizeof(name->wire))
			return false;
		name->wire[name->len++] = (unsigned char)n;
		while (n--)
			name->wire[name->len++] = (unsigned char)tolower((unsigned char)*text++);
		if (*text == '.')
			text++;
		if (!*text)
			break;
	}
	name->wire[name->len++] = 0;
	return true;
}
