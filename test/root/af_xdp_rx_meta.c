/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_rx_meta.c - RX metadata of packets, against what the sender gave them
 *
 *   af_xdp_rx_meta PACKETS, in a namespace with the veth px0 - px1, of two queues each;
 *   a tc program on px0 gives each frame a hash and a tag by its sequence number (vlan.bpf.c)
 */
#include <errno.h>
#include <unistd.h>

#include "rig.h"

#define HASH_OF(seq) ((seq)*2654435761u)
#define RSS_L4	     8u /* of the kernel's enum xdp_rss_hash_type */
#define ALL	     (PP_RX_META_TSTAMP | PP_RX_META_HASH | PP_RX_META_VLAN)
#define LEN	     100u

/* behind the addresses: the type of the rig's frames, the number, and when it was sent */
struct sent {
	uint16_t type;
	uint32_t seq;
	uint64_t at;
} __attribute__((packed));

static int raw;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void send_seq(uint32_t seq, uint32_t len)
{
	static unsigned char frame[9000];
	struct sent sent = { __builtin_bswap16(0x88b5), seq, now_ns() };

	memset(frame, 0xff, 6);
	memset(frame + 6, 2, 6);
	memcpy(frame + 12, &sent, sizeof(sent));
	CHECK(send(raw, frame, len, 0) == (ssize_t)len);
}

static struct pp_netdev *port_open(struct pp_zone *zone, const char *options)
{
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = zone };
	struct pp_netdev *dev;
	char spec[96];

	snprintf(spec, sizeof(spec), "af_xdp:px1%s", options);
	dev = pp_netdev_open(spec, &np);
	CHECK(dev);
	return dev;
}

static void port_close(struct pp_netdev *dev, struct pp_zone *zone)
{
	struct pp_netdev_stats st = { .sz = sizeof(st) };

	CHECK(!pp_netdev_get_stats(dev, &st) && !st.rx_dropped && !st.errors);
	pp_netdev_close(dev);
	check_home(zone);
}

static void check_tag(const struct pp_rx_meta *meta, const unsigned char *frame, uint32_t seq,
		      bool inserted)
{
	const uint16_t proto = seq % 4 == 1 ? 0x8100 : 0x88a8;

	if (!(seq % 4)) {
		CHECK(!(meta->has & (PP_RX_META_VLAN | PP_RX_META_INSERTED)));
		CHECK(!meta->vlan_tci && !meta->vlan_proto);
		return;
	}
	CHECK(meta->has & PP_RX_META_VLAN);
	CHECK(meta->vlan_tci == (seq & 0xffff) && meta->vlan_proto == proto);
	CHECK(!(meta->has & PP_RX_META_INSERTED) == !inserted);
	if (inserted)
		CHECK(frame[12] == proto >> 8 && frame[13] == (proto & 0xff) &&
		      frame[14] == (seq >> 8 & 0xff) && frame[15] == (seq & 0xff));
}

/* a packet that was received now; @asked: with rx_meta; @insert: with vlan=insert */
static void check_packet(struct pp_page *page, uint32_t seq, uint32_t asked, bool insert)
{
	const unsigned char *frame = pp_page_data(page);
	const unsigned int tag = insert && seq % 4 ? 4 : 0;
	struct pp_rx_meta meta;
	struct sent sent;

	memcpy(&sent, frame + 12 + tag, sizeof(sent));
	CHECK(sent.seq == seq && sent.type == __builtin_bswap16(0x88b5));
	CHECK(!memcmp(frame, "\xff\xff\xff\xff\xff\xff\2\2\2\2\2\2", 12));
	pp_rx_meta_get(frame, &meta);
	CHECK(meta.tstamp == page->tstamp);
	if (asked & PP_RX_META_TSTAMP) /* a veth has no clock: the program's */
		CHECK(meta.has & PP_RX_META_TSTAMP && meta.has & PP_RX_META_SOFT &&
		      meta.tstamp >= sent.at && meta.tstamp <= now_ns());
	else
		CHECK(!(meta.has & (PP_RX_META_TSTAMP | PP_RX_META_SOFT)) &&
		      meta.tstamp == PP_TSTAMP_NONE);
	if (asked & PP_RX_META_HASH)
		CHECK(meta.has & PP_RX_META_HASH && meta.hash == HASH_OF(seq) &&
		      meta.hash_type == RSS_L4);
	else
		CHECK(!(meta.has & PP_RX_META_HASH) && !meta.hash && !meta.hash_type);
	if (asked & PP_RX_META_VLAN)
		check_tag(&meta, frame, seq, insert);
	else if (!insert)
		CHECK(!(meta.has & PP_RX_META_VLAN) && !meta.vlan_tci && !meta.vlan_proto);
}

static unsigned int receive_here(struct pp_netdev *dev, struct pp_page **pages, unsigned int n)
{
	const uint64_t end = now_ms() + 5000;
	unsigned int got = 0;

	while (got < n && now_ms() < end)
		got += pp_rx_burst(pp_netdev_queue(dev, 0), pages + got, n - got);
	return got;
}

static void test_packets(uint32_t packets, const char *options, uint32_t asked, bool insert)
{
	struct pp_zone *zone = make_zone();
	struct pp_netdev *dev = port_open(zone, options);
	struct pp_page *pages[BURST];
	uint32_t seq, i;

	CHECK(pp_netdev_rx_meta(dev) == asked);
	for (seq = 0; seq < packets; seq += BURST) {
		for (i = 0; i < BURST; i++)
			send_seq(seq + i, LEN);
		CHECK(receive_here(dev, pages, BURST) == BURST);
		for (i = 0; i < BURST; i++)
			check_packet(pages[i], seq + i, asked, insert);
		page_pool_put_bulk(pages, BURST);
	}
	printf("af_xdp_rx_meta: %s: %u packets\n", pp_netdev_info(dev), seq);
	port_close(dev, zone);
}

/* without rx_meta a tag is put back all the same, and nothing is written in front */
static void test_insert_alone(void)
{
	struct pp_zone *zone = make_zone();
	struct pp_netdev *dev = port_open(zone, ",vlan=insert");
	struct pp_page *page;
	uint32_t seq;

	CHECK(!pp_netdev_rx_meta(dev) && strstr(pp_netdev_info(dev), "tags inserted"));
	for (seq = 0; seq < 64; seq++) {
		send_seq(seq, LEN);
		CHECK(receive_here(dev, &page, 1) == 1);
		CHECK(page->len == LEN + (seq % 4 ? 4 : 0) && page->tstamp == PP_TSTAMP_NONE);
		CHECK(((unsigned char *)pp_page_data(page))[12] ==
		      (seq % 4 ? seq % 4 == 1 ? 0x81 : 0x88 : 0x88));
		page_pool_put_bulk(&page, 1);
	}
	port_close(dev, zone);
}

/* of a packet of several pages, which the careful loop receives */
static void test_chains(void)
{
	struct pp_zone *zone = make_zone();
	struct pp_netdev *dev;
	struct pp_page *page;
	uint32_t seq;

	CHECK(!system("ip link set px0 mtu 9000 && ip link set px1 mtu 9000"));
	dev = port_open(zone, ",sg=on,rx_meta=tstamp+hash+vlan");
	for (seq = 0; seq < 64; seq++) {
		send_seq(seq, seq % 2 ? 8000 : LEN);
		CHECK(receive_here(dev, &page, 1) == 1);
		check_packet(page, seq, ALL, false);
		CHECK(!page->next == !(seq % 2));
		CHECK(!page->next || page->next->tstamp == PP_TSTAMP_NONE);
		pp_packet_put(&page, 1);
	}
	port_close(dev, zone);
	CHECK(!system("ip link set px0 mtu 1500 && ip link set px1 mtu 1500"));
}

/* ports of one interface share the program: both ask for the same */
static void test_two_ports(void)
{
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = make_zone() };
	struct pp_netdev *dev = port_open(np.zone, ",rx_meta=hash,queue=0"), *other;

	CHECK(!pp_netdev_open("af_xdp:px1,queue=1", &np) && errno == EBUSY);
	CHECK(strstr(pp_error(), "another rx_meta or vlan"));
	CHECK(!pp_netdev_open("af_xdp:px1,queue=1,rx_meta=hash,vlan=insert", &np));
	other = pp_netdev_open("af_xdp:px1,queue=1,rx_meta=hash", &np);
	CHECK(other);
	pp_netdev_close(other);
	port_close(dev, np.zone);
}

int main(int argc, char **argv)
{
	uint32_t packets = argc > 1 ? (uint32_t)atoi(argv[1]) : 20000;

	mode = "native";
	CHECK(!system("f=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $f ] || echo 1 >$f"));
	raw = raw_socket();
	test_packets(packets, ",rx_meta=tstamp+hash+vlan", ALL, false);
	test_packets(packets, ",rx_meta=vlan+hash+tstamp,vlan=insert", ALL, true);
	test_packets(64, ",rx_meta=hash", PP_RX_META_HASH, false);
	test_packets(64, ",rx_meta=tstamp,queue=0", PP_RX_META_TSTAMP, false);
	test_packets(64, ",rx_meta=vlan", PP_RX_META_VLAN, false);
	test_insert_alone();
	test_chains();
	test_two_ports();
	close(raw);
	return 0;
}
