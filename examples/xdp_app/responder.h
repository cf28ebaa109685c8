/* SPDX-License-Identifier: BSD-3-Clause */
/* responder.h - the verdict on a packet: an answer in its own place, or a reason why not */
#ifndef XDP_APP_RESPONDER_H
#define XDP_APP_RESPONDER_H

#include "packet.h"

#define NAMES_MAX    64
#define NAME_MAX_LEN 255 /* of a name on the wire, with its lengths and its last 0 */

/*
 * A verdict on a packet: its name, its counter, and words for the summary. First come answers,
 * up to VERDICT_LAST_SENT, then the packets that are kept, then the drops.
 */
#define XDP_APP_VERDICTS(X)                                                      \
	X(ADDRESS, address, "an address was the answer")                         \
	X(NODATA, nodata, "the name is known, but has nothing of that type")     \
	X(NXDOMAIN, nxdomain, "there is no such name")                           \
	X(REFUSED, refused, "a question that is not understood: FORMERR ..")     \
	X(BUSY, busy, "SERVFAIL: too many slow ones are waiting")                \
	X(ECHOED, echoed, "payload sent back")                                   \
	X(SLOW, slow, "kept by the slow path")                                   \
	X(OTHER, other, "dropped: not what the BPF program sends")               \
	X(MALFORMED, malformed, "dropped: lengths that lie, or no DNS question") \
	X(CHECKSUM, checksum, "dropped: wrong checksum")                         \
	X(UNANSWERABLE, unanswerable, "dropped: no sender to answer, or a loop")

enum verdict {
#define X(upper, lower, text) VERDICT_##upper,
	XDP_APP_VERDICTS(X)
#undef X
	VERDICTS,
	VERDICT_LAST_SENT = VERDICT_ECHOED,
};

/* for names that begin with "slow" */
enum slow_policy {
	SLOW_KEEP, /* leave the packet as it is: VERDICT_SLOW */
	SLOW_ANSWER, /* as any other */
	SLOW_REFUSE, /* VERDICT_BUSY */
};

/* a name on the wire, in lower case */
struct dns_name {
	unsigned char wire[NAME_MAX_LEN];
	uint32_t len;
	unsigned char address[4];
};

/*
 * struct responder - names and ports; constant while threads use it
 * @any:       every name that is not in @names has @address
 * @dns_port, @echo_port: 0: none
 */
struct responder {
	uint32_t dns_port;
	uint32_t echo_port;
	bool any;
	unsigned char address[4];
	unsigned int nnames;
	struct dns_name names[NAMES_MAX];
};

/* turns the packet into its answer, in its place; VERDICT_SLOW and drops leave it as it was */
enum verdict respond(const struct responder *r, struct packet *p, enum slow_policy slow);

/* turns the payload of a DNS query into its answer; @len: in and out */
enum verdict dns_answer(const struct responder *r, unsigned char *payload, uint32_t *len,
			uint32_t room, enum slow_policy slow);

/* "www.example.org" as it stands on the wire; false: not a name */
bool dns_name_parse(struct dns_name *name, const char *text);

#endif /* XDP_APP_RESPONDER_H */
