/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_meta.c - TX metadata: what the device is asked to do besides sending
 *
 * Checksums of TCP and UDP: the device, or the kernel as it copies, sums up from the
 * L4 header to the end of the packet and adds what stands in the checksum's place:
 * the pseudo header's sum.
 *
 * Times: whoever sends the packet writes when that was to the metadata before the
 * completion shows. The time that it was handed over waits in pp_page.tstamp, which
 * is nobody's while the kernel has the page.
 */
#include <string.h>
#include <time.h>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <linux/if_ether.h>

#include "af_xdp_queue.h"

/* where the L4 header is, what it is, and the pseudo header's sum */
struct l4 {
	uint32_t start;
	uint32_t len;
	uint8_t proto;
	bool may_lack; /* UDP over IPv4 without a checksum stays without */
	uint32_t sum;
};

static uint16_t get16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t sum16(const unsigned char *p, uint32_t len)
{
	uint32_t sum = 0, i;

	for (i = 0; i < len; i += 2)
		sum += get16(p + i);
	return sum;
}

static bool find_ip4(const unsigned char *ip, uint32_t room, struct l4 *l4)
{
	uint32_t header = (ip[0] & 15u) * 4, total = get16(ip + 2);

	if (ip[0] >> 4 != 4 || header < sizeof(struct iphdr) || total < header || total > room ||
	    get16(ip + 6) & (IP_MF | IP_OFFMASK))
		return false;
	l4->start = header;
	l4->len = total - header;
	l4->proto = ip[9];
	l4->may_lack = true;
	l4->sum = sum16(ip + 12, 8);
	return true;
}

static bool find_ip6(const unsigned char *ip, uint32_t room, struct l4 *l4)
{
	if (room < sizeof(struct ip6_hdr) || ip[0] >> 4 != 6)
		return false;
	l4->start = sizeof(struct ip6_hdr);
	l4->len = get16(ip + 4);
	l4->proto = ip[6];
	l4->may_lack = false;
	l4->sum = sum16(ip + 8, 32);
	return l4->len + l4->start <= room;
}

/* not: fragments, extension headers, and what is not IP */
static bool find_l4(const unsigned char *data, uint32_t len, struct l4 *l4)
{
	uint32_t off = ETH_HLEN;
	uint16_t type;

	if (len < off + 4 + sizeof(struct iphdr))
		return false;
	type = get16(data + 12);
	if (type == ETH_P_8021Q) {
		type = get16(data + 16);
		off += 4;
	}
	if (!(type == ETH_P_IP && find_ip4(data + off, len - off, l4)) &&
	    !(type == ETH_P_IPV6 && find_ip6(data + off, len - off, l4)))
		return false;
	l4->start += off;
	return true;
}

static void ask_csum(struct pp_page *page, struct xdp_tx_meta *meta)
{
	unsigned char *data = pp_page_data(page), *field;
	struct l4 l4;
	uint32_t sum;
	uint16_t offset;

	if (!find_l4(data, page->len, &l4))
		return;
	if (l4.proto == IPPROTO_TCP && l4.len >= sizeof(struct tcphdr))
		offset = offsetof(struct tcphdr, check);
	else if (l4.proto == IPPROTO_UDP && l4.len >= sizeof(struct udphdr))
		offset = offsetof(struct udphdr, check);
	else
		return;
	/* the device sums up to the packet's end: a short packet's padding must not be in there */
	if (l4.start + l4.len != page->len)
		memset(data + l4.start + l4.len, 0, page->len - l4.start - l4.len);
	sum = l4.sum + l4.proto + l4.len;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	field = data + l4.start + offset;
	if (l4.proto == IPPROTO_UDP && !get16(field) && l4.may_lack)
		return;
	field[0] = (unsigned char)(sum >> 8);
	field[1] = (unsigned char)sum;
	meta->flags |= XDP_TXMD_FLAGS_CHECKSUM;
	meta->request.csum_start = (uint16_t)l4.start;
	meta->request.csum_offset = offset;
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
	if (x->tx_csum && !(x->sg && page->next))
		ask_csum(page, &meta);
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
