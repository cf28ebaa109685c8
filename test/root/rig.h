/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rig.h - two af_xdp ports on both ends of a veth, for the tests of the driver by itself
 *
 * Every case ends with the ledger: all pages of all zones are home, once.
 */
#ifndef RIG_H
#define RIG_H

#include <linux/if_packet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pagepool/error.h>
#include <pagepool/zone.h>

#include "af_xdp/port.h"

#define PAGES 4096u
#define BURST 32u

static __attribute__((unused)) const char *mode __attribute__((unused));
static __attribute__((unused)) uint32_t rig_page_size; /* 0: the default */
static __attribute__((unused)) uint32_t rig_keep; /* the first port's tx_keep */

#define CHECK(cond)                                                                           \
	do {                                                                                  \
		if (!(cond)) {                                                                \
			fprintf(stderr, "%s: %s:%d: %s (%s)\n", __FILE__, __func__, __LINE__, \
				#cond, pp_error());                                           \
			exit(1);                                                              \
		}                                                                             \
	} while (0)

struct rig {
	struct pp_zone *zone;
	struct page_pool *pool;
	struct pp_netdev *dev[2];
	struct pp_queue *q[2];
};

static __attribute__((unused)) uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static __attribute__((unused)) struct pp_zone *make_zone_of(uint64_t pages)
{
	struct pp_zone_params zp = {
		.sz = sizeof(zp), .pages = pages, .headroom = 128, .page_size = rig_page_size
	};
	struct pp_zone *zone = pp_zone_create(&zp);

	CHECK(zone);
	return zone;
}

static __attribute__((unused)) struct pp_zone *make_zone(void)
{
	return make_zone_of(PAGES);
}

static __attribute__((unused)) struct page_pool *make_pool(struct pp_zone *zone)
{
	struct page_pool_params pp = { .sz = sizeof(pp), .zone = zone };
	struct page_pool *pool = page_pool_create(&pp);

	CHECK(pool);
	return pool;
}

static __attribute__((unused)) void check_home(struct pp_zone *zone)
{
	struct pp_audit audit = { .sz = sizeof(audit) };

	CHECK(!pp_zone_audit(zone, &audit));
	CHECK(audit.double_free == 0);
	CHECK(!pp_zone_destroy(zone));
}

static __attribute__((unused)) void rig_open(struct rig *rig, const char *a, const char *b)
{
	struct pp_netdev_params np = { .sz = sizeof(np) };
	char spec[96];
	unsigned int i;

	rig->zone = make_zone();
	rig->pool = make_pool(rig->zone);
	np.zone = rig->zone;
	for (i = 0; i < 2; i++) {
		np.port = (uint16_t)i;
		np.tx_keep = i ? 0 : rig_keep;
		snprintf(spec, sizeof(spec), "af_xdp:%s,mode=%s", i ? b : a, mode);
		rig->dev[i] = pp_netdev_open(spec, &np);
		CHECK(rig->dev[i]);
		CHECK(!strncmp(pp_netdev_info(rig->dev[i]), mode, strlen(mode)));
		rig->q[i] = pp_netdev_queue(rig->dev[i], 0);
	}
}

static __attribute__((unused)) void rig_up(struct rig *rig)
{
	rig_open(rig, "px0", "px1");
}

static __attribute__((unused)) void stats_of(struct rig *rig, unsigned int i,
					     struct pp_netdev_stats *stats)
{
	stats->sz = sizeof(*stats);
	CHECK(!pp_netdev_get_stats(rig->dev[i], stats));
}

static __attribute__((unused)) void rig_down(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		pp_netdev_close(rig->dev[i]);
	page_pool_destroy(rig->pool);
	check_home(rig->zone);
}

/* a broadcast frame of a local experimental type; @seq tells it from others */
static __attribute__((unused)) struct pp_page *make_frame(struct page_pool *pool, uint32_t len,
							  uint32_t seq)
{
	struct pp_page *page = page_pool_alloc_pages(pool);
	unsigned char *data;

	CHECK(page);
	data = pp_page_data(page);
	page->len = len;
	memset(data, (int)(seq & 0xff), len);
	memset(data, 0xff, 6);
	data[12] = 0x88;
	data[13] = 0xb5;
	if (len >= 18)
		memcpy(data + 14, &seq, sizeof(seq));
	return page;
}

static __attribute__((unused)) bool frame_is(const struct pp_page *page, uint32_t len, uint32_t seq)
{
	const unsigned char *data = pp_page_data(page);

	return page->len == len && data[12] == 0x88 && data[13] == 0xb5 &&
	       !memcmp(data + 14, &seq, sizeof(seq)) && data[len - 1] == (seq & 0xff);
}

static __attribute__((unused)) unsigned int frames_sent(struct rig *rig, unsigned int i,
							struct pp_page *page)
{
	return pp_tx_burst(rig->q[i], &page, 1);
}

/* receive at @i, with both ends being polled; frames that are not ours are put back */
static __attribute__((unused)) unsigned int
receive(struct rig *rig, unsigned int i, struct pp_page **pages, unsigned int n, unsigned int ms)
{
	uint64_t end = now_ms() + ms;
	unsigned int got = 0, k, j;

	do {
		pp_tx_clean(rig->q[!i]);
		k = pp_rx_burst(rig->q[i], pages + got, n - got < BURST ? n - got : BURST);
		for (j = got; k; k--, j++) {
			const unsigned char *data = pp_page_data(pages[j]);

			if (data[12] == 0x88 && data[13] == 0xb5)
				pages[got++] = pages[j];
			else
				page_pool_put_bulk(&pages[j], 1);
		}
	} while (got < n && now_ms() < end);
	return got;
}

static __attribute__((unused)) void wait_complete(struct rig *rig, unsigned int i, uint64_t taken)
{
	uint64_t end = now_ms() + 2000;
	struct pp_netdev_stats st;

	do {
		pp_tx_clean(rig->q[i]);
		stats_of(rig, i, &st);
	} while (st.tx_packets + st.tx_dropped < taken && now_ms() < end);
	CHECK(st.tx_packets + st.tx_dropped == taken);
	CHECK(to_xdp(rig->q[i])->xsk->t.out == 0);
}

static __attribute__((unused)) void put_all(struct pp_page **pages, unsigned int n)
{
	unsigned int i, k;

	for (i = 0; i < n; i += k) {
		k = n - i < PP_BULK_MAX ? n - i : PP_BULK_MAX;
		page_pool_put_bulk(pages + i, k);
	}
}

/* a sender that needs no pages: out of px0, with the rig's type of frame */
static __attribute__((unused)) int raw_socket(void)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	sll.sll_ifindex = (int)if_nametoindex("px0");
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&sll, sizeof(sll)));
	return fd;
}

static __attribute__((unused)) void raw_send(int fd)
{
	unsigned char frame[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	frame[12] = 0x88;
	frame[13] = 0xb5;
	CHECK(send(fd, frame, sizeof(frame), 0) == sizeof(frame));
}

#endif /* RIG_H */
