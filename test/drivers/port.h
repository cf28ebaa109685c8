/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * port.h - what the drivers' tests share: a zone for each test, and the ledger at its end
 *
 * Every test runs between setup_zone() and teardown_zone(), and the latter is the
 * first test of every driver: did each page come home, once?
 */
#ifndef PP_TEST_PORT_H
#define PP_TEST_PORT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <pagepool/error.h>
#include <pagepool/netdev.h>
#include <pagepool/zone.h>

#define ZONE_PAGES 1024u
#define HEADROOM   128u

/* the clock that drivers read; time() may be a tick behind it, and a second earlier then */
static inline time_t now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

static inline struct pp_zone *make_zone(uint64_t pages, uint32_t page_size)
{
	struct pp_zone_params params = {
		.sz = sizeof(params),
		.pages = pages,
		.page_size = page_size,
		.headroom = HEADROOM,
	};
	struct pp_zone *zone = pp_zone_create(&params);

	if (!zone)
		fail_msg("zone of %llu pages: %s", (unsigned long long)pages, pp_error());
	return zone;
}

static inline void assert_home(struct pp_zone *zone)
{
	struct pp_audit audit = { .sz = sizeof(audit) };

	assert_int_equal(pp_zone_audit(zone, &audit), 0);
	assert_int_equal(audit.leaked, 0);
	assert_int_equal(audit.double_free, 0);
	assert_int_equal(audit.home, audit.managed);
}

static inline int setup_zone(void **state)
{
	*state = make_zone(ZONE_PAGES, 2048);
	return 0;
}

static inline void destroy_zone(struct pp_zone *zone)
{
	assert_home(zone);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static inline int teardown_zone(void **state)
{
	destroy_zone(*state);
	return 0;
}

static inline struct pp_netdev *try_open(struct pp_zone *zone, const char *spec, uint16_t port)
{
	struct pp_netdev_params params = { .sz = sizeof(params), .zone = zone, .port = port };

	return pp_netdev_open(spec, &params);
}

static inline struct pp_netdev *open_port(struct pp_zone *zone, const char *spec, uint16_t port)
{
	struct pp_netdev *dev = try_open(zone, spec, port);

	if (!dev)
		fail_msg("%s: %s", spec, pp_error());
	return dev;
}

/* @spec is refused with @err and one sentence that contains @word, and no page is gone */
static inline void assert_refused(struct pp_zone *zone, const char *spec, int err, const char *word)
{
	struct pp_netdev *dev = try_open(zone, spec, 0);
	int saved = errno;

	if (dev)
		fail_msg("%s: opened", spec);
	if (saved != err)
		fail_msg("%s: errno %d (%s), not %d: %s", spec, saved, strerror(saved), err,
			 pp_error());
	if (!strstr(pp_error(), word) || strchr(pp_error(), '\n'))
		fail_msg("%s: '%s' is not one line with '%s'", spec, pp_error(), word);
	assert_home(zone);
}

static inline struct pp_netdev_stats port_stats(struct pp_netdev *dev)
{
	struct pp_netdev_stats stats = { .sz = sizeof(stats) };

	assert_int_equal(pp_netdev_get_stats(dev, &stats), 0);
	return stats;
}

/* @n pages straight from the zone, each with @len bytes that count from @first */
static inline void make_packets(struct pp_zone *zone, struct pp_page **pages, unsigned int n,
				uint32_t len, uint32_t first)
{
	unsigned int i;

	assert_int_equal(pp_zone_alloc_bulk(zone, pages, n), n);
	for (i = 0; i < n; i++, first++) {
		pages[i]->len = len;
		pages[i]->tstamp = PP_TSTAMP_NONE;
		memset(pp_page_data(pages[i]), 0xee, len);
		memcpy(pp_page_data(pages[i]), &first, sizeof(first));
	}
}

static inline uint32_t packet_number(const struct pp_page *page)
{
	uint32_t number;

	memcpy(&number, pp_page_data(page), sizeof(number));
	return number;
}

#endif /* PP_TEST_PORT_H */
