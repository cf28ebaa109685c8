/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/meta.c - TX metadata: requests to the device besides sending
 *
 * Checksums of TCP and UDP: the device, or the kernel as it copies, sums up from the L4 header to
 * the end of the packet, and adds the pseudo header's sum, which stands in the checksum's place.
 * With PP_XSK_TX_CSUM_SW the engine computes them here, and makes no request.
 *
 * Times: the kernel or the device writes the time of sending to the metadata before the completion
 * shows. The time of the hand-over waits in pp_page.tstamp, which is unused while the kernel has
 * the page.
 *
 * Launch times: the time to send at is in pp_page.tstamp as the packet is handed over.
 */
#include <string.h>

#include "xsk/csum.h"
#include "xsk/priv.h"

/* the kernel looks for the metadata at the UMEM's tx_metadata_len in front of the packet */
static unsigned char *meta_at(const struct pp_xsk *xsk, const struct pp_page *page)
{
	return (unsigned char *)pp_page_data(page) - xsk->room;
}

static void ask_csum(const struct pp_xsk *xsk, struct pp_page *page, struct xdp_tx_meta *meta)
{
	struct tx_csum ask;

	if (!pp_tx_csum_ask(page, xsk->pieces > 1, &ask))
		return;
	meta->flags |= XDP_TXMD_FLAGS_CHECKSUM;
	meta->request.csum_start = ask.start;
	meta->request.csum_offset = ask.offset;
}

void pp_xsk_tx_make_room(const struct pp_xsk *xsk, struct pp_page *page)
{
	unsigned char *data = pp_page_data(page);
	uint32_t up;

	if (likely(page->data_off >= xsk->room))
		return;
	up = xsk->room - page->data_off;
	memmove(data + up, data, page->len);
	page->data_off = (uint16_t)xsk->room;
}

uint32_t pp_xsk_tx_meta(struct pp_xsk *xsk, struct pp_page *page)
{
	/* the time shares its place with the request, which is zero: so it shows whether it came */
	struct xdp_tx_meta meta = { .completion.tx_timestamp = 0 };

	pp_xsk_tx_make_room(xsk, page);
	if (xsk->flags & PP_XSK_TX_CSUM_SW)
		pp_tx_csum_compute(page, xsk->pieces > 1);
	else if (xsk->flags & PP_XSK_TX_CSUM)
		ask_csum(xsk, page, &meta);
	if (xsk->flags & PP_XSK_TX_LAUNCH && page->tstamp != PP_TSTAMP_NONE) {
		meta.flags |= XDP_TXMD_FLAGS_LAUNCH_TIME;
		memcpy(meta_at(xsk, page) + sizeof(meta), &page->tstamp, sizeof(page->tstamp));
	}
	if (xsk->flags & PP_XSK_TX_TSTAMP) {
		meta.flags |= XDP_TXMD_FLAGS_TIMESTAMP;
		page->tstamp = xsk->t.now;
	}
	if (!meta.flags)
		return 0;
	memcpy(meta_at(xsk, page), &meta, sizeof(meta));
	return XDP_TX_METADATA;
}

/* A time below 2^32, 4 s after the clock's birth, is the request's rest. */
void pp_xsk_tx_stamped(struct pp_xsk *xsk, struct pp_page *page, bool lost)
{
	const uint64_t handed_over = page->tstamp;
	struct xdp_tx_meta meta;
	uint64_t took, at;

	memcpy(&meta, meta_at(xsk, page), sizeof(meta));
	at = meta.completion.tx_timestamp;
	page->tstamp = PP_TSTAMP_NONE;
	if (lost || !(at >> 32))
		return;
	page->tstamp = at;
	/* a device has a clock of its own, which may be behind */
	took = at > handed_over ? at - handed_over : 0;
	xsk_count(&xsk->t.st.tstamps, 1);
	xsk_count(&xsk->t.st.latency_sum, took);
	if (took > xsk->t.st.latency_max)
		__atomic_store_n(&xsk->t.st.latency_max, took, __ATOMIC_RELAXED);
	if (at > xsk->t.st.tstamp_last)
		__atomic_store_n(&xsk->t.st.tstamp_last, at, __ATOMIC_RELAXED);
}
