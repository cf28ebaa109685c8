/* SPDX-License-Identifier: BSD-3-Clause */
/* reader.c - the buffer that capture files are read through, and parts that both formats have */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "pcap/reader.h"

uint16_t pp_cap_u16(const struct cap_file *c, const unsigned char *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return c->swapped ? __builtin_bswap16(v) : v;
}

uint32_t pp_cap_u32(const struct cap_file *c, const unsigned char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return c->swapped ? __builtin_bswap32(v) : v;
}

enum cap_result pp_cap_damaged(struct cap_file *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return CAP_DAMAGED;
}

static void fill_buffer(struct cap_file *c)
{
	ssize_t got;

	memmove(c->buf, c->buf + c->at, c->have - c->at);
	c->have -= c->at;
	c->at = 0;
	do {
		got = pread(c->fd, c->buf + c->have, CAP_BUFFER - c->have, (off_t)c->off);
		if (got > 0) {
			c->have += (size_t)got;
			c->off += (uint64_t)got;
		}
	} while (got > 0 && c->have < CAP_BUFFER);
}

const unsigned char *pp_cap_peek(struct cap_file *c, size_t n, size_t *left)
{
	if (c->have - c->at < n)
		fill_buffer(c);
	*left = c->have - c->at;
	return *left < n ? NULL : c->buf + c->at;
}

void pp_cap_skip(struct cap_file *c, uint64_t n)
{
	const size_t left = c->have - c->at;

	if (n <= left) {
		c->at += (size_t)n;
		return;
	}
	c->off += n - left;
	c->at = 0;
	c->have = 0;
}

struct cap_if *pp_cap_add_if(struct cap_file *c, uint32_t link)
{
	struct cap_if *ifs = realloc(c->ifs, (c->nifs + 1) * sizeof(*ifs));

	if (!ifs)
		return NULL;
	c->ifs = ifs;
	memset(&ifs[c->nifs], 0, sizeof(*ifs));
	ifs[c->nifs].link = link;
	ifs[c->nifs].resol = 6;
	return &ifs[c->nifs++];
}

/* A packet cut by a snaplen may have lost its check sequence, or a part of it, already. */
uint32_t pp_cap_length(uint32_t caplen, uint32_t len, uint32_t fcs)
{
	const uint32_t own = len > fcs ? len - fcs : 0;

	return caplen < own ? caplen : own;
}

const char *pp_cap_link_name(uint32_t link)
{
	const char *name = pcap_datalink_val_to_name(link == 101 ? DLT_RAW : (int)link);

	return name ? name : "unknown";
}
