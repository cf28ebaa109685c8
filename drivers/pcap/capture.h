/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * capture.h - read pcap and pcapng files, one packet at a time
 *
 * libpcap's reader keeps seconds in 32 signed bits, believes every length that a file
 * declares, and gives a pcapng file up at the second interface that differs from the first.
 */
#ifndef PP_CAPTURE_H
#define PP_CAPTURE_H

#include "pcap/reader.h"

/*
 * Start at the beginning of @fd, with a @c that is all zeros or open already. @fd stays the
 * caller's. Reads up to the first packet, and so refuses a file that is no capture of Ethernet:
 * -EINVAL, -EPROTONOSUPPORT, -ENOMEM with c->why, which goes behind the file's name. A failed
 * call needs no pp_cap_close().
 */
int pp_cap_open(struct cap_file *c, int fd, uint32_t only);
enum cap_result pp_cap_next(struct cap_file *c, struct cap_packet *p);
void pp_cap_close(struct cap_file *c);

#endif /* PP_CAPTURE_H */
