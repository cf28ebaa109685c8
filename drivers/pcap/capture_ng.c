/* SPDX-License-Identifier: BSD-3-Clause */
/* capture_ng.c - the pcapng format: sections, interfaces, and three kinds of packet blocks */
#include <string.h>

#include <pagepool/page.h>

#include "pcap/reader.h"

#define BLOCK_IDB	 1u
#define BLOCK_OPB	 2u /* obsolete, and in old files */
#define BLOCK_SPB	 3u
#define BLOCK_EPB	 6u
#define BLOCK_SHB	 0x0a0d0d0au
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define BLOCK_MIN 12u /* type, length, and the length again */

#define OPT_END	       0u
#define OPT_EPB_FLAGS  2u
#define OPT_IF_TSRESOL 9u
#define OPT_IF_FCSLEN  13u
#define OPT_IF_OFFSET  14u

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

/* a packet block of any of the three kinds */
struct block {
	uint32_t ifc;
	uint32_t caplen;
	uint32_t len;
	uint64_t ticks;
	bool timed;
	uint32_t head; /* bytes of the block in front of the packet */
};

static const unsigned char *find_option(const struct cap_file *c, const unsigned char *at,
					const unsigned char *end, uint16_t code, uint16_t least)
{
	uint16_t found, len;

	while (end - at >= 4) {
		found = pp_cap_u16(c, at);
		len = pp_cap_u16(c, at + 2);
		at += 4;
		if (found == OPT_END || len > end - at)
			return NULL;
		if (found == code)
			return len >= least ? at : NULL;
		len = (uint16_t)((len + 3u) & ~3u);
		at += len < end - at ? len : end - at;
	}
	return NULL;
}

/*
 * The specification counts if_fcslen in bits; its example, and programs that follow the example,
 * count it in bytes.
 */
static uint32_t fcs_bytes(uint8_t declared)
{
	return declared >= 16 ? declared / 8u : declared;
}

static enum cap_result read_interface(struct cap_file *c, const unsigned char *block, uint32_t len)
{
	const unsigned char *end = block + len - 4, *at;
	struct cap_if *ifc;
	uint64_t offset;

	if (len < BLOCK_MIN + 8)
		return pp_cap_damaged(c, "an interface block of %u bytes", len);
	ifc = pp_cap_add_if(c, pp_cap_u16(c, block + 8));
	if (!ifc)
		return pp_cap_damaged(c, "no memory for interface %u", c->nifs);
	ifc->snaplen = pp_cap_u32(c, block + 12);
	at = find_option(c, block + 16, end, OPT_IF_TSRESOL, 1);
	if (at)
		ifc->resol = *at;
	at = find_option(c, block + 16, end, OPT_IF_FCSLEN, 1);
	if (at)
		ifc->fcs = fcs_bytes(*at);
	at = find_option(c, block + 16, end, OPT_IF_OFFSET, 8);
	if (!at)
		return CAP_END;
	memcpy(&offset, at, sizeof(offset));
	ifc->offset = (int64_t)(c->swapped ? __builtin_bswap64(offset) : offset);
	return CAP_END;
}

/* the byte order may change with each section, and interfaces count from 0 again */
static enum cap_result start_section(struct cap_file *c)
{
	const unsigned char *block;
	size_t left;

	block = pp_cap_peek(c, 16, &left);
	if (!block)
		return pp_cap_damaged(c, "it ends within a section's header");
	c->swapped = false;
	c->swapped = pp_cap_u32(c, block + 8) != BYTE_ORDER_MAGIC;
	if (pp_cap_u32(c, block + 8) != BYTE_ORDER_MAGIC)
		return pp_cap_damaged(c, "a section without byte order");
	if (pp_cap_u16(c, block + 12) != 1)
		return pp_cap_damaged(c, "a section of version %u.%u, not 1.0",
				      pp_cap_u16(c, block + 12), pp_cap_u16(c, block + 14));
	c->nifs = 0;
	return CAP_END;
}

/*
 * The next block's type and length. CAP_PACKET: there is one; a section's byte order is
 * known by then.
 */
static enum cap_result next_block(struct cap_file *c, uint32_t *type, uint32_t *len)
{
	const unsigned char *head;
	size_t left;

	head = pp_cap_peek(c, 8, &left);
	if (!head)
		return left ? pp_cap_damaged(c, "it ends within a block's header") : CAP_END;
	*type = pp_cap_u32(c, head);
	if (*type == BLOCK_SHB && start_section(c) < 0)
		return CAP_DAMAGED;
	*len = pp_cap_u32(c, c->buf + c->at + 4);
	if (*len < BLOCK_MIN || *len % 4)
		return pp_cap_damaged(c, "a block of %u bytes", *len);
	return CAP_PACKET;
}

/* @block if it is whole and says its length at both ends, otherwise NULL */
static const unsigned char *whole_block(struct cap_file *c, uint32_t len)
{
	const unsigned char *block;
	size_t left;

	if (len > CAP_BUFFER) {
		pp_cap_damaged(c, "a block of %u bytes", len);
		return NULL;
	}
	block = pp_cap_peek(c, len, &left);
	if (!block)
		pp_cap_damaged(c, "it ends within a block: %zu bytes of %u", left, len);
	else if (pp_cap_u32(c, block + len - 4) != len)
		pp_cap_damaged(c, "a block of %u bytes that says %u at its end", len,
			       pp_cap_u32(c, block + len - 4));
	else
		return block;
	return NULL;
}

/* a block that holds neither packet nor interface, of any length */
static enum cap_result skip_block(struct cap_file *c, uint32_t len)
{
	const unsigned char *end;
	size_t left;

	pp_cap_skip(c, len - 4);
	end = pp_cap_peek(c, 4, &left);
	if (!end)
		return pp_cap_damaged(c, "it ends within a block of %u bytes", len);
	if (pp_cap_u32(c, end) != len)
		return pp_cap_damaged(c, "a block of %u bytes that says %u at its end", len,
				      pp_cap_u32(c, end));
	pp_cap_skip(c, 4);
	return CAP_END;
}

static bool is_packet(uint32_t type)
{
	return type == BLOCK_EPB || type == BLOCK_SPB || type == BLOCK_OPB;
}

/* CAP_PACKET: one is next; its block has @len bytes */
static enum cap_result find_packet(struct cap_file *c, uint32_t *type, uint32_t *len)
{
	const unsigned char *block;
	enum cap_result result;

	for (;;) {
		result = next_block(c, type, len);
		if (result != CAP_PACKET || is_packet(*type))
			return result;
		if (*type != BLOCK_IDB) {
			result = skip_block(c, *len);
		} else {
			block = whole_block(c, *len);
			if (!block)
				return CAP_DAMAGED;
			result = read_interface(c, block, *len);
			pp_cap_skip(c, *len);
		}
		if (result < 0)
			return result;
	}
}

enum cap_result pp_cap_ng_head(struct cap_file *c)
{
	uint32_t type, len;

	return find_packet(c, &type, &len);
}

static bool read_head(const struct cap_file *c, const unsigned char *block, uint32_t type,
		      uint32_t len, struct block *b)
{
	memset(b, 0, sizeof(*b));
	b->head = type == BLOCK_SPB ? 12 : 28;
	if (len < b->head + 4)
		return false;
	if (type == BLOCK_SPB) {
		b->len = pp_cap_u32(c, block + 8);
		b->caplen = b->len;
		if (c->nifs && c->ifs[0].snaplen && b->caplen > c->ifs[0].snaplen)
			b->caplen = c->ifs[0].snaplen;
	} else {
		b->ifc = type == BLOCK_EPB ? pp_cap_u32(c, block + 8) : pp_cap_u16(c, block + 8);
		b->timed = true;
		b->ticks = (uint64_t)pp_cap_u32(c, block + 12) << 32 | pp_cap_u32(c, block + 16);
		b->caplen = pp_cap_u32(c, block + 20);
		b->len = pp_cap_u32(c, block + 24);
	}
	return b->caplen <= len - b->head - 4;
}

static u128 power_of_ten(unsigned int n)
{
	u128 value = 1;

	while (n--)
		value *= 10;
	return value;
}

/* nanoseconds since the epoch; 0 for times before it, the last one for times beyond 64 bits */
static uint64_t to_ns(struct cap_file *c, const struct cap_if *ifc, uint64_t ticks)
{
	const unsigned int n = ifc->resol & 0x7f;
	s128 ns;

	if (ifc->resol & 0x80)
		ns = (s128)((u128)ticks * 1000000000u >> n);
	else if (n <= 9)
		ns = (s128)(ticks * power_of_ten(9 - n));
	else
		ns = n - 9 > 19 ? 0 : (s128)(ticks / power_of_ten(n - 9));
	ns += (s128)ifc->offset * 1000000000;
	if (ns >= 0 && ns < (s128)PP_TSTAMP_NONE)
		return (uint64_t)ns;
	c->clamped++;
	return ns < 0 ? 0 : PP_TSTAMP_NONE - 1;
}

/* the packet's own declaration overrides its interface's */
static uint32_t packet_fcs(const struct cap_file *c, const unsigned char *block, uint32_t type,
			   uint32_t len, const struct block *b)
{
	const unsigned char *at = NULL;
	uint32_t fcs;

	if (type != BLOCK_SPB)
		at = find_option(c, block + b->head + ((b->caplen + 3u) & ~3u), block + len - 4,
				 OPT_EPB_FLAGS, 4);
	fcs = at ? pp_cap_u32(c, at) >> 5 & 0xf : 0;
	return fcs ? fcs : c->ifs[b->ifc].fcs;
}

static enum cap_result foreign_packet(struct cap_file *c, uint32_t ifc)
{
	pp_cap_damaged(c,
		       "one of interface %u with link type %s (%u), not Ethernet; take the packets "
		       "of one Ethernet interface with only=N",
		       ifc, pp_cap_link_name(c->ifs[ifc].link), c->ifs[ifc].link);
	return CAP_FOREIGN;
}

static enum cap_result read_packet(struct cap_file *c, uint32_t type, uint32_t len,
				   struct cap_packet *p)
{
	const unsigned char *block;
	struct block b;

	block = whole_block(c, len);
	if (!block)
		return CAP_DAMAGED;
	if (!read_head(c, block, type, len, &b))
		return pp_cap_damaged(c, "a packet of %u bytes in a block of %u", b.caplen, len);
	if (b.caplen > CAP_PACKET_MAX)
		return pp_cap_damaged(c, "a length of %u bytes, the most is %u", b.caplen,
				      CAP_PACKET_MAX);
	if (b.ifc >= c->nifs)
		return pp_cap_damaged(c, "a packet of interface %u, and there are %u", b.ifc,
				      c->nifs);
	if (c->only != CAP_EVERY && b.ifc != c->only) {
		pp_cap_skip(c, len);
		return CAP_END;
	}
	if (c->ifs[b.ifc].link != 1)
		return foreign_packet(c, b.ifc);
	p->data = block + b.head;
	p->len = pp_cap_length(b.caplen, b.len, packet_fcs(c, block, type, len, &b));
	p->tstamp = b.timed ? to_ns(c, &c->ifs[b.ifc], b.ticks) : PP_TSTAMP_NONE;
	pp_cap_skip(c, len);
	return CAP_PACKET;
}

enum cap_result pp_cap_ng_next(struct cap_file *c, struct cap_packet *p)
{
	enum cap_result result;
	uint32_t type, len;

	do {
		result = find_packet(c, &type, &len);
		if (result != CAP_PACKET)
			return result;
		result = read_packet(c, type, len, p);
	} while (result == CAP_END);
	return result;
}
