/* SPDX-License-Identifier: BSD-3-Clause */
/* respond.c - from a packet to its answer */
#include "responder.h"

static enum verdict verdict_of(enum packet_error err)
{
	switch (err) {
	case PACKET_OTHER:
		return VERDICT_OTHER;
	case PACKET_CHECKSUM:
		return VERDICT_CHECKSUM;
	case PACKET_UNANSWERABLE:
		return VERDICT_UNANSWERABLE;
	default:
		return VERDICT_MALFORMED;
	}
}

/* Two responders that got each other's address from a forged packet would answer for ever. */
static bool is_loop(const struct responder *r, const struct packet *p)
{
	return p->src_port == r->dns_port || p->src_port == r->echo_port;
}

enum verdict respond(const struct responder *r, struct packet *p, enum slow_policy slow)
{
	enum packet_error err = packet_parse(p);
	enum verdict verdict;
	uint32_t len;

	if (err != PACKET_OK)
		return verdict_of(err);
	if (is_loop(r, p))
		return VERDICT_UNANSWERABLE;
	len = p->payload_len;
	if (p->dst_port == r->dns_port)
		verdict = dns_answer(r, p->data + p->payload, &len, p->room - p->payload, slow);
	else if (p->dst_port == r->echo_port)
		verdict = VERDICT_ECHOED;
	else
		return VERDICT_OTHER;
	if (verdict <= VERDICT_LAST_SENT)
		packet_reply(p, len);
	return verdict;
}
