/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap/stash.c - pages for the packets of a burst
 *
 * Receiving copies each packet into a page. Pages are allocated ahead, in bulk; those that a
 * burst does not fill stay in the queue's stash.
 */
#include <string.h>

#include "pcap/priv.h"

bool pp_pcap_take(struct pcap_queue *pq, const void *data, uint32_t len, uint64_t tstamp)
{
	struct pp_page *page = pq->stash[pq->nstash - 1];

	if (unlikely(len > pp_page_tailroom(page))) {
		pp_stat_add(&pq->q.stats.rx_dropped, 1);
		return false;
	}
	pq->nstash--;
	memcpy(pp_page_data(page), data, len);
	page->len = len;
	page->port = pq->q.dev->params.port;
	page->tstamp = tstamp;
	pp_stat_add(&pq->q.stats.rx_bytes, len);
	pq->out[pq->nout++] = page;
	return true;
}

unsigned int pp_pcap_fill_stash(struct pcap_queue *pq, unsigned int n)
{
	unsigned int want, got;

	if (pq->nstash >= n)
		return n;
	want = n - pq->nstash;
	got = page_pool_alloc_bulk(pq->q.pool, pq->stash + pq->nstash, want);
	pq->nstash += got;
	if (got < want)
		pp_stat_add(&pq->q.stats.rx_nombuf, want - got);
	return pq->nstash;
}
