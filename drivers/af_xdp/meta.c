/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/meta.c - TX metadata: what the device is asked to do besides sending
 *
 * Checksums of TCP and UDP: the device, or the kernel as it copies, sums up from the
 * L4 header to the end of the packet and adds what stands in the checksum's place:
 * the pseudo header's sum. Or they are computed here, and nothing is asked.
 *
 * Times: the sender of the packet writes when that was to the metadata before the
 * completion shows. The time that it was handed over waits in pp_page.tstamp, which
 * is unused while the kernel has the page.
 */
#include <string.h>
#include <time.h>

#include "af_xdp/queue.h"
#include "af_xdp/tx_csum.h"

static void ask_csum(const struct xdp_queue *x, struct pp_page *page, struct xdp_tx_meta *meta)
{
	struct tx_csum ask;

	if (!pp_tx_csum_ask(page, x->sg, &ask))
		return;
	meta->flags |= XDP_TXMD_FLAGS_CHECKSUM;
	meta->request.csum_start = ask.start;
	meta->request.csum_offset = ask.offset;
}

void pp_xdp_tx_make_room(const struct xdp_queue *x, struct pp_page *page)
{
	unsigned char *data = pp_page_data(page);
	uint32_t up;

	if (likely(page->data_off >= x->tx_room))
		return;
	up = x->tx_room - page->data_off;
	memmove(data + up, data, page->len);
	page->data_off = (uint16_t)x->tx_room;
}

uint32_t pp_xdp_tx_meta(struct xdp_queue *x, struct pp_page *page)
{
	/* the time shares its place with the request: with all of it zero, whether it came shows */
	struct xdp_tx_meta meta = { .completion.tx_timestamp = 0 };

	pp_xdp_tx_make_room(x, page);
	if (x->tx_csum == CSUM_SOFTWARE)
		pp_tx_csum_compute(page, x->sg);
	else if (x->tx_csum)
		ask_csum(x, page, &meta);
	if (x->tx_tstamp) {
		meta.flags |= XDP_TXMD_FLAGS_TIMESTAMP;
		page->tstamp = x->tx_now;
	}
	if (!meta.flags)
		return 0;
	memcpy((unsigned char *)pp_page_data(page) - sizeof(meta), &meta, sizeof(meta));
	return XDP_TX_METADATA;
}

uint64_t pp_xdp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_TAI, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Below 2^32, 4 s after the clock's birth, is what the request has left there. */
void pp_xdp_tx_stamped(struct xdp_queue *x, const struct pp_page *page)
{
	struct pp_netdev_stats *stats = &x->q.stats;
	struct xdp_tx_meta meta;
	uint64_t took, at;

	memcpy(&meta, (const unsigned char *)pp_page_data(page) - sizeof(meta), sizeof(meta));
	at = meta.completion.tx_timestamp;
	if (!(at >> 32))
		return;
	/* a device has a clock of its own, that may be behind */
	took = at > page->tstamp ? at - page->tstamp : 0;
	pp_stat_add(&stats->tx_tstamps, 1);
	pp_stat_add(&stats->tx_latency_sum_ns, took);
	if (took > stats->tx_latency_max_ns)
		__atomic_store_n(&stats->tx_latency_max_ns, took, __ATOMIC_RELAXED);
	if (at > stats->tx_tstamp_last)
		__atomic_store_n(&stats->tx_tstamp_last, at, __ATOMIC_RELAXED);
}
