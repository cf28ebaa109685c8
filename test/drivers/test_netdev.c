/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_netdev.c - specs, parameters, counters and life cycle, whatever the driver
 */
#include "port.h"

#include <pagepool/zone_set.h>

static void names(void **state)
{
	const char *const *name = pp_netdev_driver_names();

	assert_string_equal(name[0], "null");
	assert_string_equal(name[1], "loop");
	for (; *name; name++)
		assert_true(**name);
}

static void bad_specs(void **state)
{
	struct pp_zone *zone = *state;

	assert_refused(zone, "nil", ENOENT, "unknown driver 'nil'; there are null, loop");
	assert_refused(zone, "", ENOENT, "unknown driver ''");
	assert_refused(zone, ":64", ENOENT, "unknown driver ''");
	assert_refused(zone, "NULL", ENOENT, "unknown driver 'NULL'");
	assert_refused(zone, "null:64", EINVAL, "unknown argument '64'; give options only: size");
	assert_refused(zone, "null:sizes=64", EINVAL,
		       "unknown option 'sizes'; there are: size, copy");
	assert_refused(zone, "null:size=", EINVAL, "'size=' is not an option");
	assert_refused(zone, "null:=64", EINVAL, "'=64' is not an option");
	assert_refused(zone, "null:,", EINVAL, "'' is not an option");
	assert_refused(zone, "null:size=64,", EINVAL, "'' is not an option");
	assert_refused(zone, "null:size=64,copy", EINVAL, "'copy' is not an option");
	assert_refused(zone, "null:size=64,size=65", EINVAL, "'size' is given twice");
	assert_refused(zone,
		       "null:a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,"
		       "q=1,r=1,s=1,t=1,u=1,v=1,w=1,x=1,y=1,"
		       "z=1,A=1,B=1,C=1,D=1,E=1,F=1,G=1",
		       EINVAL, "more than 32 options");
	assert_null(pp_netdev_open(NULL, NULL));
	assert_int_equal(errno, EINVAL);
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"-64", "+64",  " 64", "64 ", "0x40", "64k", "4294967360", "99999999999999999999",
		"1e2", "64.0",
	};
	struct pp_zone *zone = *state;
	char spec[64];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(spec, sizeof(spec), "null:size=%s", bad[i]);
		assert_refused(zone, spec, EINVAL, "is not a number from 14 to 1920");
	}
	pp_netdev_close(open_port(zone, "null:size=0000000064", 0));
}

static void not_built(void **state)
{
	if (HAVE_PCAP)
		assert_refused(*state, "pcap", EINVAL, "nothing to open");
	else
		assert_refused(*state, "pcap:rx=x", ENOTSUP, "libpagepool-netdev-pcap.so.0");
	if (!HAVE_AF_XDP)
		assert_refused(*state, "af_xdp:eth0", ENOTSUP, "install libxdp");
	if (HAVE_DPDK)
		return;
	assert_refused(*state, "dpdk:net_null0", ENOTSUP, "libpagepool-netdev-dpdk.so.0");
	assert_int_equal(pp_netdev_dpdk_eal("--no-huge"), -ENOTSUP);
}

/* a program older or newer than the library */
static void params_size(void **state)
{
	struct {
		struct pp_netdev_params params;
		uint64_t more;
	} newer = { .params = { .sz = sizeof(newer), .zone = *state } };
	struct pp_netdev_params older = { .zone = *state };

	assert_null(pp_netdev_open("null", NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(pp_netdev_open("null", &older));
	assert_int_equal(errno, EINVAL);
	/* what lies beyond sz is not read: this refill would be refused */
	older.sz = offsetof(struct pp_netdev_params, pool_size);
	older.refill = 100000;
	pp_netdev_close(pp_netdev_open("null", &older));
	older.sz = sizeof(older);
	assert_null(pp_netdev_open("null", &older));
	assert_int_equal(errno, EINVAL);

	pp_netdev_close(pp_netdev_open("null", &newer.params));
	newer.more = 1;
	assert_null(pp_netdev_open("null", &newer.params));
	assert_int_equal(errno, E2BIG);
	newer.more = 0;
	newer.params.zone = NULL;
	assert_null(pp_netdev_open("null", &newer.params));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(pp_error(), "zone"));
}

/* a zone on each node: for drivers that do not mind */
static void sets(void **state)
{
	struct pp_zone_params zone = { .sz = sizeof(zone), .pages = 512, .headroom = HEADROOM };
	struct pp_zone_set_params set = { .sz = sizeof(set), .zone = &zone };
	struct pp_netdev_params params = { .sz = sizeof(params), .zone = *state };
	struct pp_page *pages[32];
	struct pp_netdev *dev;
	unsigned int n, i;

	params.set = pp_zone_set_create(&set);
	assert_non_null(params.set);
	assert_null(pp_netdev_open("null", &params)); /* both */
	assert_int_equal(errno, EINVAL);
	params.zone = NULL;
	for (i = 0; i < 2; i++) {
		assert_null(pp_netdev_open(i ? "dpdk:net_null0" : "af_xdp:lo", &params));
		assert_int_equal(errno, ENOTSUP);
	}
	params.tx_keep = 1;
	assert_null(pp_netdev_open("null", &params));
	assert_int_equal(errno, ENOTSUP);
	params.tx_keep = 0;
	dev = pp_netdev_open("null", &params);
	assert_non_null(dev);
	assert_ptr_equal(page_pool_zone_set(pp_netdev_queue(dev, 0)->pool), params.set);
	n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 32);
	assert_int_equal(n, 32);
	for (i = 0; i < n; i++)
		assert_ptr_equal(pages[i]->zone, pp_zone_set_zone(params.set, pages[i]->node));
	page_pool_put_bulk(pages, n);
	pp_netdev_close(dev);
	for (i = 0; i < PP_NODES_MAX; i++)
		if (pp_zone_set_zone(params.set, (int)i))
			assert_home(pp_zone_set_zone(params.set, (int)i));
	assert_int_equal(pp_zone_set_destroy(params.set), 0);
}

/* pages of any of a set's zones pass, without a copy; a stranger's do not */
static void sets_and_loop(void **state)
{
	struct pp_zone_params zone = { .sz = sizeof(zone), .pages = 512, .headroom = HEADROOM };
	struct pp_zone_set_params set = { .sz = sizeof(set), .zone = &zone };
	struct pp_netdev_params params = { .sz = sizeof(params) };
	struct pp_page *page, *mine;
	struct pp_netdev *dev;
	struct pp_queue *q;

	params.set = pp_zone_set_create(&set);
	assert_non_null(params.set);
	dev = pp_netdev_open("loop:set", &params);
	assert_non_null(dev);
	q = pp_netdev_queue(dev, 0);
	assert_int_equal(pp_zone_set_alloc_bulk(params.set, &mine, 1), 1);
	mine->len = 60;
	page = mine;
	assert_int_equal(pp_tx_burst(q, &page, 1), 1);
	assert_int_equal(pp_rx_burst(q, &page, 1), 1);
	assert_ptr_equal(page, mine);
	page_pool_put_bulk(&page, 1);
	assert_int_equal(pp_zone_alloc_bulk(*state, &mine, 1), 1);
	mine->len = 60;
	page = mine;
	assert_int_equal(pp_tx_burst(q, &page, 1), 1);
	assert_int_equal(pp_rx_burst(q, &page, 1), 1);
	assert_ptr_equal(page->zone, pp_zone_set_zone(params.set, page->node));
	page_pool_put_bulk(&page, 1);
	pp_netdev_close(dev);
	assert_int_equal(pp_zone_set_destroy(params.set), 0);
}

static void pool_sizes(void **state)
{
	static const struct pp_netdev_params bad[] = {
		{ .pool_size = 1000 },
		{ .cache_size = 100000 },
		{ .cache_size = 32, .refill = 64 },
		{ .refill = PP_BULK_MAX + 1 },
	};
	struct pp_netdev_params params;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		params = bad[i];
		params.sz = sizeof(params);
		params.zone = *state;
		assert_null(pp_netdev_open("null", &params));
		assert_int_equal(errno, EINVAL);
		assert_home(*state);
	}
	params = (struct pp_netdev_params){
		.sz = sizeof(params), .zone = *state, .pool_size = 256, .cache_size = 1, .refill = 1
	};
	pp_netdev_close(pp_netdev_open("null", &params));
}

static void getters(void **state)
{
	struct pp_netdev *a = open_port(*state, "null:size=100", 1);
	struct pp_netdev *b = open_port(*state, "null:", 0x203);

	assert_string_equal(pp_netdev_name(a), "null:size=100");
	assert_string_equal(pp_netdev_driver(a), "null");
	assert_non_null(strstr(pp_netdev_info(a), "100-byte"));
	assert_int_equal(pp_netdev_queues(a), 1);
	assert_false(pp_netdev_done(a));
	/* unicast, locally administered, one for each port */
	assert_int_equal(pp_netdev_mac(a)[0] & 3, 2);
	assert_int_equal(pp_netdev_mac(b)[4], 2);
	assert_int_equal(pp_netdev_mac(b)[5], 3);
	assert_memory_not_equal(pp_netdev_mac(a), pp_netdev_mac(b), 6);
	assert_string_equal(page_pool_name(pp_netdev_queue(b, 0)->pool), "port515.q0");
	assert_int_equal((uintptr_t)pp_netdev_queue(a, 0) % 128, 0);
	pp_netdev_close(a);
	pp_netdev_close(b);
	pp_netdev_close(NULL);
}

static void stats_size(void **state)
{
	struct {
		struct pp_netdev_stats stats;
		uint64_t more;
	} newer = { .stats = { .sz = sizeof(newer) }, .more = 7 };
	struct pp_netdev_stats older = { .sz = offsetof(struct pp_netdev_stats, rx_bytes) };
	struct pp_netdev *dev = open_port(*state, "null", 0);
	struct pp_page *pages[4];

	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 4), 4);
	page_pool_put_bulk(pages, 4);
	assert_int_equal(pp_netdev_get_stats(dev, &newer.stats), -E2BIG);
	assert_int_equal(newer.more, 7);
	older.rx_bytes = 11;
	assert_int_equal(pp_netdev_get_stats(dev, &older), 0);
	assert_int_equal(older.rx_packets, 4);
	assert_int_equal(older.rx_bytes, 11);
	pp_netdev_close(dev);
}

/* counters outlive the stop, pages may too, and a late burst does nothing */
static void stopped(void **state)
{
	struct pp_netdev *dev = open_port(*state, "null", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[8];

	assert_int_equal(pp_rx_burst(q, pages, 8), 8);
	assert_int_equal(pp_tx_burst(q, pages, 4), 4);
	assert_int_equal(pp_tx_clean(q), 0);
	pp_netdev_stop(dev);
	pp_netdev_stop(dev);
	assert_int_equal(pp_tx_burst(q, pages + 4, 4), 0);
	assert_int_equal(pp_rx_burst(q, pages, 4), 0);
	assert_int_equal(port_stats(dev).rx_packets, 8);
	assert_int_equal(port_stats(dev).tx_packets, 4);
	pp_netdev_close(dev);
	page_pool_put_bulk(pages + 4, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test_setup_teardown(bad_specs, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(numbers, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(not_built, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(params_size, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(sets, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(sets_and_loop, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(pool_sizes, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(getters, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(stats_size, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(stopped, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
