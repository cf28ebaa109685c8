/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/csum.h - checksums of TCP and UDP packets as they are sent: computed here, or by a device
 *
 * A packet is a page, or a chain of pages through pp_page.next. A packet that
 * pp_packet_csum_at() leaves alone is left alone here, too.
 */
#ifndef PP_XSK_CSUM_H
#define PP_XSK_CSUM_H

#include <stdbool.h>
#include <stdint.h>

#include <pagepool/page.h>

/*
 * struct tx_csum - a sum that a device has to compute
 * @start:  offset to sum up from, to the packet's end, in the first page
 * @offset: of the field from there; the pseudo header's sum is in it
 */
struct tx_csum {
	uint16_t start;
	uint16_t offset;
};

/* make the checksum right; @chain: @page->next is part of the packet */
void pp_tx_csum_compute(struct pp_page *page, bool chain);

/*
 * true: the device has to do what @ask says; false: the packet is left alone, or is right now,
 * because no device can be trusted with it
 */
bool pp_tx_csum_ask(struct pp_page *page, bool chain, struct tx_csum *ask);

#endif /* PP_XSK_CSUM_H */
