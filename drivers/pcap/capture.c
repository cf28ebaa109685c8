/* SPDX-License-Identifier: BSD-3-Clause */
/* capture.c - capture files: which format a file has, and the pcap format */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcap/reader.h"

#define MAGIC_US     0xa1b2c3d4u
#define MAGIC_NS     0xa1b23c4du
#define MAGIC_KERNEL 0xa1b2cd34u /* microseconds, and 8 bytes more in front of each packet */
#define MAGIC_NG     0x0a0d0d0au /* the same in either byte order */

#define HEADER	     24u
#define RECORD	     16u
#define FCS_DECLARED 0x04000000u
#define ETHERNET     1u
#define ETHERNET_FCS 4u

/* Files before 2.4 had the two lengths in the other order, some of 2.3 too. */
static void record_lengths(const struct cap_file *c, const unsigned char *record, uint32_t *caplen,
			   uint32_t *len)
{
	const uint32_t first = pp_cap_u32(c, record + 8), second = pp_cap_u32(c, record + 12);
	const bool turned = c->minor < 3 || (c->minor == 3 && first > second);

	*caplen = turned ? second : first;
	*len = turned ? first : second;
}

static enum cap_result pcap_next_record(struct cap_file *c, struct cap_packet *p)
{
	const uint64_t unit = c->ifs[0].resol == 9 ? 1 : 1000;
	const unsigned char *record;
	uint32_t caplen, len;
	size_t left;

	record = pp_cap_peek(c, c->record, &left);
	if (!record)
		return left ? pp_cap_damaged(c, "it ends within a packet's header") : CAP_END;
	record_lengths(c, record, &caplen, &len);
	if (caplen > CAP_PACKET_MAX)
		return pp_cap_damaged(c, "a length of %u bytes, the most is %u", caplen,
				      CAP_PACKET_MAX);
	/* unsigned: seconds last until 2106; a fraction of more than a second is added as it is */
	p->tstamp = pp_cap_u32(c, record) * 1000000000ull + pp_cap_u32(c, record + 4) * unit;
	record = pp_cap_peek(c, c->record + caplen, &left);
	if (!record)
		return pp_cap_damaged(c, "it ends within a packet: %zu bytes of %u",
				      left - c->record, caplen);
	p->data = record + c->record;
	p->len = pp_cap_length(caplen, len, c->ifs[0].fcs);
	c->at += c->record + caplen;
	return CAP_PACKET;
}

enum cap_result pp_cap_next(struct cap_file *c, struct cap_packet *p)
{
	return c->ng ? pp_cap_ng_next(c, p) : pcap_next_record(c, p);
}

static int refuse_file(struct cap_file *c, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return -err;
}

static int pcap_header(struct cap_file *c, uint32_t magic)
{
	const unsigned char *header;
	struct cap_if *ifc;
	uint32_t link;
	size_t left;

	header = pp_cap_peek(c, HEADER, &left);
	if (!header)
		return refuse_file(
			c, EINVAL,
			"is not a capture file, it is too short; give a pcap or pcapng file");
	c->minor = pp_cap_u16(c, header + 6);
	if (pp_cap_u16(c, header + 4) != 2)
		return refuse_file(c, EINVAL,
				   "is a pcap file of version %u.%u, not 2.4; convert it "
				   "with editcap -F pcap IN OUT",
				   pp_cap_u16(c, header + 4), c->minor);
	link = pp_cap_u32(c, header + 20);
	ifc = pp_cap_add_if(c, link & 0xffff);
	if (!ifc)
		return refuse_file(c, ENOMEM, "needs more memory than there is");
	ifc->resol = magic == MAGIC_NS ? 9 : 6;
	if (link & FCS_DECLARED)
		ifc->fcs = 2 * (link >> 28);
	c->record = RECORD + (magic == MAGIC_KERNEL ? 8 : 0);
	pp_cap_skip(c, HEADER);
	return 0;
}

static int find_format(struct cap_file *c)
{
	const unsigned char *start;
	char why[sizeof(c->why) - 64];
	unsigned int turn;
	uint32_t magic;
	size_t left;

	start = pp_cap_peek(c, sizeof(magic), &left);
	for (turn = 0; start && turn < 2; turn++) {
		c->swapped = turn;
		magic = pp_cap_u32(c, start);
		if (magic == MAGIC_US || magic == MAGIC_NS || magic == MAGIC_KERNEL)
			return pcap_header(c, magic);
		if (magic != MAGIC_NG)
			continue;
		c->ng = true;
		if (pp_cap_ng_head(c) >= 0)
			return 0;
		/* damage behind an interface is told once that is reached */
		if (c->ifs)
			return 0;
		memcpy(why, c->why, sizeof(why));
		return refuse_file(c, EINVAL,
				   "is not a capture file (%s); give a pcap or pcapng file", why);
	}
	return refuse_file(c, EINVAL, "is not a capture file; give a pcap or pcapng file");
}

static bool is_wanted(const struct cap_file *c, uint32_t i)
{
	return c->only == CAP_EVERY || c->only == i;
}

/* two interfaces of different link types: name the first of each, and one to take */
static int refuse_mixed(struct cap_file *c, uint32_t foreign)
{
	uint32_t i;

	for (i = 0; i < c->nifs && c->ifs[i].link != ETHERNET; i++)
		;
	if (i == c->nifs || c->only != CAP_EVERY)
		return refuse_file(
			c, EPROTONOSUPPORT,
			"has link type %s (%u), not Ethernet (EN10MB, 1); capture on one "
			"Ethernet interface",
			pp_cap_link_name(c->ifs[foreign].link), c->ifs[foreign].link);
	return refuse_file(
		c, EPROTONOSUPPORT,
		"has interfaces of several link types: %u has EN10MB (1), %u has %s (%u); take the "
		"packets of one Ethernet interface with only=%u",
		i, foreign, pp_cap_link_name(c->ifs[foreign].link), c->ifs[foreign].link, i);
}

static int check_interfaces(struct cap_file *c)
{
	uint32_t i;

	if (c->only != CAP_EVERY && c->only >= c->nifs)
		return refuse_file(c, EINVAL, "has no interface %u, but %u, numbered from 0",
				   c->only, c->nifs);
	for (i = 0; i < c->nifs; i++) {
		if (!is_wanted(c, i))
			continue;
		if (c->ifs[i].link != ETHERNET)
			return refuse_mixed(c, i);
		if (c->ifs[i].fcs && c->ifs[i].fcs != ETHERNET_FCS)
			return refuse_file(
				c, EPROTONOSUPPORT,
				"has a frame check sequence of %u bytes behind each packet; "
				"Ethernet's has %u",
				c->ifs[i].fcs, ETHERNET_FCS);
	}
	return 0;
}

int pp_cap_open(struct cap_file *c, int fd, uint32_t only)
{
	unsigned char *buf = c->buf;
	int err;

	free(c->ifs);
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->only = only;
	c->buf = buf ? buf : malloc(CAP_BUFFER);
	if (!c->buf)
		return refuse_file(c, ENOMEM, "needs more memory than there is");
	err = find_format(c);
	if (!err)
		err = check_interfaces(c);
	if (err)
		pp_cap_close(c);
	return err;
}

void pp_cap_close(struct cap_file *c)
{
	free(c->buf);
	free(c->ifs);
	c->buf = NULL;
	c->ifs = NULL;
	c->nifs = 0;
}
