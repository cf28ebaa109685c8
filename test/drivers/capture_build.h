/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture_build.h - capture files, built byte by byte
 */
#ifndef PP_TEST_CAPTURE_BUILD_H
#define PP_TEST_CAPTURE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME	 60u
#define US	 0xa1b2c3d4u
#define NS	 0xa1b23c4du
#define MODIFIED 0xa1b2cd34u

/* the file that is being built; all numbers in the byte order of @big */
static struct {
	unsigned char bytes[1 << 16];
	size_t len;
	bool big;
} f;

static inline void put(uint64_t value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		f.bytes[f.len++] = (unsigned char)(value >> 8 * (f.big ? bytes - 1 - i : i));
}

static inline void put_frame(uint32_t len)
{
	static const unsigned char head[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };
	uint32_t i;

	for (i = 0; i < len; i++)
		f.bytes[f.len++] = i < sizeof(head) ? head[i] : (unsigned char)i;
}

static inline void pcap_begin(uint32_t magic, uint32_t link)
{
	f.len = 0;
	put(magic, 4);
	put(2, 2);
	put(4, 2);
	put(0, 8);
	put(65535, 4);
	put(link, 4);
}

static inline void pcap_packet(uint32_t sec, uint32_t frac, uint32_t caplen, uint32_t len)
{
	put(sec, 4);
	put(frac, 4);
	put(caplen, 4);
	put(len, 4);
	put_frame(caplen);
}

static inline size_t block_begin(uint32_t type)
{
	put(type, 4);
	put(0, 4);
	return f.len;
}

static inline void block_end(size_t body)
{
	uint32_t len;
	size_t end;

	while (f.len % 4)
		put(0, 1);
	len = (uint32_t)(f.len - body + 12);
	put(len, 4);
	end = f.len;
	f.len = body - 4;
	put(len, 4);
	f.len = end;
}

static inline void ng_section(void)
{
	size_t body = block_begin(0x0a0d0d0a);

	put(0x1a2b3c4d, 4);
	put(1, 2);
	put(0, 2);
	put(~0ull, 8);
	block_end(body);
}

static inline void put_option(uint32_t code, uint64_t value, uint32_t len)
{
	put(code, 2);
	put(len, 2);
	put(value, len);
	while (f.len % 4)
		put(0, 1);
}

/* @resol: if_tsresol; @fcs: if_fcslen; 6 and 0: not declared */
static inline void ng_if(uint32_t link, uint32_t snaplen, uint32_t resol, int64_t offset,
			 uint32_t fcs)
{
	size_t body = block_begin(1);

	put(link, 2);
	put(0, 2);
	put(snaplen, 4);
	if (resol != 6)
		put_option(9, resol, 1);
	if (fcs)
		put_option(13, fcs, 1);
	if (offset)
		put_option(14, (uint64_t)offset, 8);
	put(0, 4);
	block_end(body);
}

static inline void ng_packet(uint32_t ifc, uint64_t ticks, uint32_t caplen, uint32_t len,
			     uint32_t flags)
{
	size_t body = block_begin(6);

	put(ifc, 4);
	put(ticks >> 32, 4);
	put(ticks & UINT32_MAX, 4);
	put(caplen, 4);
	put(len, 4);
	put_frame(caplen);
	while (f.len % 4)
		put(0, 1);
	if (flags) {
		put_option(2, flags, 4);
		put(0, 4);
	}
	block_end(body);
}

/* a simple packet block: without interface and time */
static inline void ng_simple(uint32_t len)
{
	size_t body = block_begin(3);

	put(len, 4);
	put_frame(len);
	block_end(body);
}

static inline void ng_other(void)
{
	size_t body = block_begin(0x0bad);

	put(0x12345678, 4);
	block_end(body);
}

static inline void ng_begin(void)
{
	f.len = 0;
	ng_section();
	ng_other();
}

#endif /* PP_TEST_CAPTURE_BUILD_H */
