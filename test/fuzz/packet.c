/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet.c - the packet parser: offsets lie in the frame, and sums are mended as judge.c of
 * test/programs/ppfwd says
 *
 * The first byte chooses how much of the frame the parser sees of a first page; 255: all.
 */
#include <pagepool/packet.h>

#include "judge.h"

#include "fuzz.h"

static void check_offsets(const struct pp_packet *p, uint32_t len, uint32_t total)
{
	uint32_t cover = 0, field = pp_packet_csum_at(p, &cover);

	must(p->len == len && p->total == total);
	must(p->l3 <= total && p->end <= total);
	must(!p->ip || (p->l3 + (p->ip == 4 ? 20 : 40) <= len && p->end >= p->l3));
	must(!p->l4 || (p->ip && p->l4 >= p->l3 + 20 && p->l4 <= p->end && p->l4 <= len));
	must(!field || (field > p->l4 && field + 2 <= len && p->l4 + cover <= p->end));
}

static void check_part(uint8_t *frame, uint32_t len, uint32_t total)
{
	uint8_t *part = malloc(len ? len : 1);
	struct pp_packet p;

	must(part);
	memcpy(part, frame, len);
	if (pp_packet_parse(&p, part, len, total))
		check_offsets(&p, len, total);
	else
		must(len < 14);
	free(part);
}

static void check_sums(uint8_t *frame, uint32_t len)
{
	struct verdict before = judge(frame, len), after;
	bool mend = before.l4 == SUM_WRONG && !before.routed;
	struct pp_packet p;

	if (!pp_packet_parse(&p, frame, len, len))
		return;
	must((p.ip == 4) == (before.ip != SUM_NONE));
	must(!before.routed || p.flags & PP_PACKET_ROUTED);
	if (p.ip == 4)
		must(pp_packet_fix_ip(&p) == (before.ip == SUM_WRONG));
	must(pp_packet_fix_l4(&p) == mend);
	after = judge(frame, len);
	must(after.ip != SUM_WRONG);
	must(after.l4 == (mend ? SUM_RIGHT : before.l4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t len, part;
	uint8_t *frame;

	if (!size)
		return 0;
	len = (uint32_t)size - 1;
	part = data[0] == 255 || data[0] > len ? len : data[0];
	frame = malloc(len ? len : 1);
	must(frame);
	memcpy(frame, data + 1, len);
	check_part(frame, part, len);
	check_sums(frame, len);
	free(frame);
	return 0;
}
