/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pcap_iface.c - what becomes of a pcap port's interface: told once, and no error */
#include "live.h"

static void make_ppd2(void)
{
	run("ip link add ppd2 type veth peer name ppd3 && ip link set ppd3 up");
	run("ip link set ppd2 up");
}

/* the next event, within 2 s, has this word; a forwarder asks as it receives */
static void assert_event(struct pp_netdev *dev, const char *word)
{
	const uint64_t end = now_ms() + 2000;
	const char *event = NULL;
	struct pp_page *page;

	while (!event && now_ms() < end) {
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), &page, 1), 0);
		event = pp_netdev_event(dev);
	}
	if (!event || !strstr(event, word))
		fail_msg("event '%s', not '%s'", event ? event : "none", word);
}

/* polls for 100 ms more: no event, no error */
static void assert_no_news(struct pp_netdev *dev)
{
	const uint64_t end = now_ms() + 100;

	while (now_ms() < end) {
		assert_silence(dev);
		assert_null(pp_netdev_event(dev));
	}
	assert_int_equal(port_stats(dev).errors, 0);
}

/* the port is done, within 2 s of polls */
static void assert_done(struct pp_netdev *dev)
{
	const uint64_t end = now_ms() + 2000;
	struct pp_page *page;

	while (!pp_netdev_done(dev) && now_ms() < end)
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), &page, 1), 0);
	assert_true(pp_netdev_done(dev));
}

/* down, up again, and gone: what cannot be sent is counted, and packets flow whenever they can */
static void interface_lost(void **state)
{
	struct pp_netdev *dev;

	make_ppd2();
	dev = open_port(*state, "pcap:iface=ppd2", 4);
	assert_null(pp_netdev_event(dev));
	run("ip link set ppd2 down");
	send_one(*state, dev);
	assert_int_equal(port_stats(dev).tx_dropped, 1);
	assert_event(dev, "interface ppd2 is down");
	assert_no_news(dev);

	run("ip link set ppd2 up");
	assert_event(dev, "interface ppd2 is up again");
	send_one(*state, dev);
	assert_int_equal(port_stats(dev).tx_packets, 1);
	run("ip link set ppd2 mtu 1400");
	assert_event(dev, "interface ppd2 has MTU 1400 now, not 1500");
	assert_no_news(dev);

	run("ip link del ppd2");
	assert_event(dev, "interface ppd2 is gone");
	assert_done(dev);
	assert_no_news(dev);
	send_one(*state, dev);
	assert_int_equal(port_stats(dev).tx_dropped, 2);
	assert_int_equal(port_stats(dev).link_downs, 2);
	assert_int_equal(port_stats(dev).errors, 0);
	pp_netdev_close(dev);
}

/* a program that asks for no events: done all the same, by deletion of either end, and by moving */
static void interface_gone(void **state)
{
	static const char *const how[] = {
		"ip link del ppd2",
		"ip link del ppd3",
		"ip netns add ppd$$ && ip link set ppd2 netns ppd$$; ip netns del ppd$$",
		"ip link set ppd2 down; ip link del ppd2",
	};
	struct pp_netdev *dev;
	unsigned int i;

	for (i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		make_ppd2();
		dev = open_port(*state, "pcap:iface=ppd2", 4);
		run(how[i]);
		assert_done(dev);
		assert_event(dev, "interface ppd2 is gone");
		assert_no_news(dev);
		assert_int_equal(port_stats(dev).link_downs, 1);
		pp_netdev_close(dev);
	}
}

/* @n packets from @iface, an interface that nothing else uses */
static void send_from(const char *iface, unsigned int n)
{
	unsigned char data[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x88, 0xb5
	};
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_live(iface, 100, 0, 1, text);
	uint32_t i;

	if (!p)
		fail_msg("%s: %s", iface, text);
	for (i = 0; i < n; i++) {
		memcpy(data + 50, &i, sizeof(i));
		assert_int_equal(pcap_inject(p, data, sizeof(data)), sizeof(data));
	}
	pcap_close(p);
}

/* to another name, while it is down, while it is up, and back; packets go on either way */
static void interface_renamed(void **state)
{
	static const char *const how[] = {
		"ip link set ppd2 down; ip link set ppd2 name ppd5; ip link set ppd5 up",
		"ip link set ppd5 down; ip link set ppd5 name ppd2; ip link set ppd2 up",
		("ip link set ppd2 name ppd6 2>/dev/null || (ip link set ppd2 down; "
		 "ip link set ppd2 name ppd6; ip link set ppd6 up)"),
	};
	static const char *const names[] = { "named ppd5 now", "named ppd2 now", "named ppd6 now" };
	struct pp_netdev *dev;
	unsigned int i;

	make_ppd2();
	dev = open_port(*state, "pcap:iface=ppd2", 4);
	for (i = 0; i < 3; i++) {
		run(how[i]);
		assert_event(dev, names[i]);
		assert_no_news(dev);
		send_from("ppd3", 20);
		assert_int_equal(receive(dev, 20, 60), 20);
		send_one(*state, dev);
		assert_int_equal(port_stats(dev).tx_packets, i + 1);
		assert_false(pp_netdev_done(dev));
	}
	run("ip link del ppd6");
	assert_event(dev, "interface ppd6 is gone");
	assert_done(dev);
	pp_netdev_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(interface_lost, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(interface_gone, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(interface_renamed, setup_zone, teardown_zone),
	};

	if (no_namespace())
		return 77;
	return cmocka_run_group_tests(tests, setup_veth, close_far);
}
