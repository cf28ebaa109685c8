/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/rx.c - the two loops of reception: out of the RX ring, into the fill ring
 *
 * They decide what receiving costs in user space. What they need of the queue is copied to
 * locals first: the stores to pages and rings might change it, for all that the compiler knows,
 * which would read it again for every packet. Each walks a ring in runs, at most one to the
 * ring's end and one from its beginning, so that no index is wrapped for every packet.
 */
#include <stddef.h>
#include <string.h>

#include "af_xdp/priv.h"
#include "af_xdp/queue.h"

#define PAUSE_POLLS 16u /* polls to let pass after the pool said no */

/* what is left of @n entries from @idx on before the ring of @size ends */
static inline uint32_t run_of(uint32_t n, uint32_t idx, uint32_t size)
{
	uint32_t run = size - (idx & (size - 1));

	return run < n ? run : n;
}

/* len, data_off and port, which are one word of a page, for one store */
static inline void set_packet(struct pp_page *page, uint64_t len, uint64_t off, uint64_t port)
{
	uint64_t word = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? len | off << 32 | port << 48
								  : len << 32 | off << 16 | port;

	memcpy((char *)page + offsetof(struct pp_page, len), &word, sizeof(word));
}

/*
 * @n received; those that agree with their tags into @pages. Chunks are aligned, so that an
 * address has no offset in its upper bits. A shift by a variable costs the processor three
 * operations, by a constant one: hence @shift.
 */
static inline __attribute__((always_inline)) unsigned int
take(const struct xdp_queue *x, const struct xdp_desc *desc, uint32_t n, struct pp_page **pages,
     uint64_t *bytes, const unsigned int shift)
{
	struct pp_page *const table = x->table, *page, **out = pages;
	const struct xdp_desc *const end = desc + n;
	const uint64_t size = x->npages << shift, mask = (1u << shift) - 1, port = x->port;
	const uint32_t owner = x->owner_fill;
	uint64_t sum = 0, addr, len;

	for (; desc != end; desc++) {
		addr = desc->addr;
		if (unlikely(addr >= size))
			continue;
		page = table + (addr >> shift);
		if (unlikely(xdp_owner_get(page) != owner))
			continue;
		xdp_owner_set(page, 0);
		len = desc->len;
		set_packet(page, len, addr & mask, port);
		page->tstamp = PP_TSTAMP_NONE;
		sum += len;
		*out++ = page;
	}
	*bytes += sum;
	return (unsigned int)(out - pages);
}

unsigned int pp_xdp_receive(struct xdp_queue *x, struct pp_page **pages, unsigned int n)
{
	uint32_t idx, avail = xsk_ring_cons__peek(&x->s.rx, n, &idx), left, run;
	const struct xdp_desc *desc;
	uint64_t bytes = 0;
	unsigned int k = 0;

	if (!avail)
		return 0;
	for (left = avail; left; left -= run, idx += run) {
		run = run_of(left, idx, XDP_RX_SIZE);
		desc = xsk_ring_cons__rx_desc(&x->s.rx, idx);
		if (x->shift == 12)
			k += take(x, desc, run, pages + k, &bytes, 12);
		else
			k += take(x, desc, run, pages + k, &bytes, 11);
	}
	xsk_ring_cons__release(&x->s.rx, avail);
	x->posted -= k;
	pp_stat_add(&x->q.stats.rx_packets, k);
	pp_stat_add(&x->q.stats.rx_bytes, bytes);
	if (unlikely(k < avail)) {
		pp_stat_add(&x->q.stats.rx_bad, avail - k);
		pp_stat_add(&x->q.stats.errors, avail - k);
	}
	return k;
}

/* @n reserved from @idx on */
static void post(struct xdp_queue *x, struct pp_page *const *pages, uint32_t n, uint32_t idx)
{
	const unsigned char *const base = x->base;
	const uint32_t owner = x->owner_fill;
	uint32_t left, run;
	size_t i;
	__u64 *slots;

	for (left = n; left; left -= run, idx += run, pages += run) {
		run = run_of(left, idx, x->s.fill.size);
		slots = xsk_ring_prod__fill_addr(&x->s.fill, idx);
		for (i = 0; i < run; i++) {
			struct pp_page *page = pages[i];

			xdp_owner_set(page, owner);
			slots[i] = (__u64)(page->addr - base);
		}
	}
	xsk_ring_prod__submit(&x->s.fill, n);
	x->posted += n;
}

/*
 * Post frames up to the target, a batch at a time. Pages first, ring slots after:
 * libxdp has no way to give a reserved slot back. What the pool does not have
 * stays owed, as the difference of target and posted.
 */
void pp_xdp_refill(struct xdp_queue *x)
{
	struct pp_page *pages[PP_BULK_MAX];
	unsigned int want, n;
	uint32_t idx;

	if (likely(x->target - x->posted < x->batch))
		return;
	if (x->fill_pause) {
		x->fill_pause--;
		return;
	}
	do {
		want = xsk_prod_nb_free(&x->s.fill, x->batch);
		if (want > x->batch)
			want = x->batch;
		n = want ? page_pool_alloc_bulk(x->q.pool, pages, want) : 0;
		if (n && xsk_ring_prod__reserve(&x->s.fill, n, &idx) == n)
			post(x, pages, n, idx);
		if (unlikely(n < x->batch)) {
			/* an empty pool drains every core's cache: do not ask at each poll */
			x->fill_pause = PAUSE_POLLS;
			pp_stat_add(&x->q.stats.rx_nombuf, want - n);
			return;
		}
	} while (x->target - x->posted >= x->batch);
}
