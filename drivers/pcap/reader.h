/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reader.h - read pcap and pcapng files, one packet at a time
 *
 * libpcap's reader keeps seconds in 32 signed bits, believes every length that a file
 * declares, and gives a pcapng file up at the second interface that differs from the first.
 */
#ifndef PP_CAPTURE_READER_H
#define PP_CAPTURE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAP_PACKET_MAX 262144u /* libpcap's own limit for Ethernet */
#define CAP_EVERY      UINT32_MAX /* read the packets of every interface of the file */

/* Why reading ended. The values below 0 have a sentence in cap_file.why. */
enum cap_result {
	CAP_PACKET = 1,
	CAP_END = 0,
	CAP_DAMAGED = -1,
	CAP_FOREIGN = -2, /* the file is sound, and the next packet is not Ethernet */
};

/*
 * struct cap_if - an interface of the file; a pcap file has one
 * @link:   LINKTYPE_ number
 * @snaplen: bytes kept of each packet, 0: all
 * @fcs:    bytes of frame check sequence behind each packet
 * @resol:  if_tsresol: 2^-n seconds if the top bit is set, 10^-n otherwise
 * @offset: seconds to add
 */
struct cap_if {
	uint32_t link;
	uint32_t snaplen;
	uint32_t fcs;
	uint8_t resol;
	int64_t offset;
};

/*
 * struct cap_file - a file that is being read
 * @buf, @at, @have: bytes read, next one to be used, how many there are
 * @off:     offset in the file of the bytes behind @buf
 * @swapped: numbers are in the other byte order
 * @ng:      pcapng
 * @record:  bytes in front of a packet of a pcap file
 * @minor:   version of a pcap file, 2.@minor
 * @only:    interface to read the packets of, or CAP_EVERY
 * @clamped: packets with a time that pp_page.tstamp cannot hold: the nearest was taken
 */
struct cap_file {
	int fd;
	unsigned char *buf;
	size_t at;
	size_t have;
	uint64_t off;
	bool swapped;
	bool ng;
	uint32_t record;
	uint16_t minor;
	uint32_t only;
	struct cap_if *ifs;
	uint32_t nifs;
	uint64_t clamped;
	char why[224];
};

/* @data is valid until the next call */
struct cap_packet {
	const unsigned char *data;
	uint32_t len;
	uint64_t tstamp;
};

#define CAP_BUFFER (CAP_PACKET_MAX + 65536u)

/* --- reader.c: the buffer that a file is read through -------------------------- */

/* the next @n bytes, @n up to CAP_BUFFER; NULL: there are fewer, @left says how many */
const unsigned char *pp_cap_peek(struct cap_file *c, size_t n, size_t *left);
void pp_cap_skip(struct cap_file *c, uint64_t n);
uint16_t pp_cap_u16(const struct cap_file *c, const unsigned char *at);
uint32_t pp_cap_u32(const struct cap_file *c, const unsigned char *at);
enum cap_result pp_cap_damaged(struct cap_file *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *pp_cap_link_name(uint32_t link);
struct cap_if *pp_cap_add_if(struct cap_file *c, uint32_t link);

/* bytes of a packet that are its own: no FCS, and never more than it had on the wire */
uint32_t pp_cap_length(uint32_t caplen, uint32_t len, uint32_t fcs);

/* --- capture.c ---------------------------------------------------------------- */

/*
 * Start at the beginning of @fd, with a @c that is all zeros or open already. @fd stays the
 * caller's. Reads up to the first packet, and so refuses a file that is no capture of Ethernet:
 * -EINVAL, -EPROTONOSUPPORT, -ENOMEM with c->why, which goes behind the file's name. A failed
 * call needs no pp_cap_close().
 */
int pp_cap_open(struct cap_file *c, int fd, uint32_t only);
enum cap_result pp_cap_next(struct cap_file *c, struct cap_packet *p);
void pp_cap_close(struct cap_file *c);

/* --- capture_ng.c ------------------------------------------------------------- */

/* read blocks up to the next packet, which is left unread */
enum cap_result pp_cap_ng_head(struct cap_file *c);
enum cap_result pp_cap_ng_next(struct cap_file *c, struct cap_packet *p);

#endif /* PP_CAPTURE_READER_H */
