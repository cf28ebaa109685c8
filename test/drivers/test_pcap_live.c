/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pcap_live.c - pcap ports on a veth pair: packets either way, and what is refused */
#include "live.h"

/* first of all: stopped with pages in the stash, and with the caller */
static void ledger(void **state)
{
	struct pp_netdev *dev = open_port(*state, NEAR, 4);
	struct pp_page *pages[8];
	unsigned int n = 0;

	far_send(100, 100, 0);
	while (!n)
		n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 8);
	pp_netdev_close(dev);
	page_pool_put_bulk(pages, n);
}

static void received(void **state)
{
	struct pp_netdev *dev = open_port(*state, NEAR, 4);
	struct pp_netdev_stats st;

	assert_non_null(strstr(pp_netdev_info(dev), "live on ppd0, promiscuous"));
	assert_memory_equal(pp_netdev_mac(dev), "\x02\0\0\0\0\x10", 6);
	far_send(500, 100, 0);
	assert_int_equal(receive(dev, 500, 100), 500);
	st = port_stats(dev);
	assert_int_equal(st.rx_packets, 500);
	assert_int_equal(st.rx_bytes, 50000);
	assert_int_equal(st.rx_dropped + st.rx_nombuf + st.errors, 0);
	assert_false(pp_netdev_done(dev));
	pp_netdev_close(dev);
}

static void sent(void **state)
{
	struct pp_netdev *dev = open_port(*state, NEAR, 4);
	struct pcap_pkthdr *h;
	struct pp_page *pages[32];
	const u_char *data;
	unsigned int i, seen = 0;

	make_packets(*state, pages, 32, 200, 0);
	for (i = 0; i < 32; i++) {
		memcpy((unsigned char *)pp_page_data(pages[i]) + 12, "\x88\xb5", 2);
		memcpy((unsigned char *)pp_page_data(pages[i]) + 50, &i, sizeof(i));
	}
	/* longer than the MTU, and shorter than a header: taken, dropped, counted */
	pages[7]->len = 1600;
	pages[8]->len = 10;
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 32), 32);
	for (i = 0; i < 100 && seen < 30; i++) {
		if (pcap_next_ex(far, &h, &data) != 1) {
			usleep(10000);
			continue;
		}
		if (memcmp(data + 12, "\x88\xb5", 2))
			continue;
		assert_int_equal(h->caplen, 200);
		assert_int_equal(frame_number(data), seen < 7 ? seen : seen + 2);
		seen++;
	}
	assert_int_equal(seen, 30);
	assert_silence(dev); /* what it sends it does not receive */
	assert_int_equal(port_stats(dev).tx_packets, 30);
	assert_int_equal(port_stats(dev).tx_bytes, 6000);
	assert_int_equal(port_stats(dev).tx_dropped, 2);
	pp_netdev_close(dev);
}

/*
 * A packet of no bytes, wherever it is in a burst and whatever errno was before: libpcap
 * refuses it without a system call.
 */
static void empty(void **state)
{
	static const int before[] = { 0, EAGAIN, ENOBUFS };
	static const unsigned int at[] = { 0, 3, 7 };
	struct pp_netdev *dev = open_port(*state, NEAR, 4);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_page *pages[8];
	unsigned int i, k;

	for (i = 0; i < 9; i++) {
		make_packets(*state, pages, 8, 60, 0);
		for (k = 0; k < 8; k++)
			memcpy((unsigned char *)pp_page_data(pages[k]) + 12, "\x88\xb5", 2);
		pages[at[i / 3]]->len = 0;
		errno = before[i % 3];
		assert_int_equal(pp_tx_burst(q, pages, 8), 8);
		assert_int_equal(port_stats(dev).tx_packets, 7 * (i + 1));
		assert_int_equal(port_stats(dev).tx_dropped, i + 1);
	}
	make_packets(*state, pages, 8, 0, 0);
	errno = EAGAIN;
	assert_int_equal(pp_tx_burst(q, pages, 8), 8);
	assert_int_equal(port_stats(dev).tx_dropped, 17);
	assert_int_equal(port_stats(dev).errors, 0);
	pp_netdev_close(dev);
	while (pcap_dispatch(far, -1, ignore, NULL) > 0)
		;
}

/* what this host sends by other ways is not received either: it does not arrive */
static void others_sent(void **state)
{
	struct pp_netdev *dev = open_port(*state, NEAR, 4);
	struct pp_netdev *other = open_port(*state, NEAR, 5);
	struct pp_page *pages[8];

	make_packets(*state, pages, 8, 60, 0);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(other, 0), pages, 8), 8);
	assert_silence(dev);
	assert_silence(other);
	pp_netdev_close(other);
	pp_netdev_close(dev);
}

/* a slow interface: the socket's buffer fills, then the queue below it */
static void partial(void **state)
{
	static const char *const limits[] = { "10mb", "4kb" };
	struct pp_page *pages[PP_BURST_MAX];
	struct pp_netdev *dev;
	char command[128];
	unsigned int i, k;

	for (i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "tc qdisc replace dev ppd0 root tbf rate 8kbit burst 2kb limit %s",
			 limits[i]);
		if (system(command)) {
			print_message("skipped: the kernel has no tbf queue to slow a link with\n");
			skip();
		}
		dev = open_port(*state, NEAR, 4);
		make_packets(*state, pages, PP_BURST_MAX, 1400, 0);
		k = pp_tx_burst(pp_netdev_queue(dev, 0), pages, PP_BURST_MAX);
		assert_in_range(k, 1, PP_BURST_MAX - 1);
		assert_int_equal(packet_number(pages[k]), k);
		assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages + k, 1), 0);
		assert_int_equal(port_stats(dev).tx_packets, k);
		assert_int_equal(port_stats(dev).tx_bytes, 1400 * k);
		assert_int_equal(port_stats(dev).tx_dropped + port_stats(dev).errors, 0);
		pp_zone_free_bulk(*state, pages + k, PP_BURST_MAX - k);
		pp_netdev_close(dev);
		run("tc qdisc del dev ppd0 root");
	}
}

static void filter(void **state)
{
	struct pp_netdev *dev = open_port(*state, NEAR ",filter=udp dst port 9", 4);

	far_send(20, 60, 10);
	far_send(20, 60, 9);
	far_send(20, 60, 0);
	assert_int_equal(receive(dev, 20, 60), 20);
	assert_silence(dev);
	pp_netdev_close(dev);
}

static void too_long(void **state)
{
	struct pp_netdev *dev;

	run("ip link set ppd0 mtu 4000; ip link set ppd1 mtu 4000");
	dev = open_port(*state, NEAR, 4);
	far_send(3, 1921, 0);
	far_send(5, 1920, 0);
	assert_int_equal(receive(dev, 5, 1920), 5);
	assert_int_equal(port_stats(dev).rx_dropped, 3);
	pp_netdev_close(dev);
	run("ip link set ppd0 mtu 1500; ip link set ppd1 mtu 1500");
}

/* more than the kernel's buffer holds while nobody reads: received and dropped are all there is */
static void overrun(void **state)
{
	struct pp_netdev *dev = open_port(*state, NEAR, 4);
	struct pp_page *pages[64];
	uint64_t end, all = 0;
	unsigned int n;

	far_send(20000, 1400, 0);
	for (end = now_ms() + 200; now_ms() < end;) {
		n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 64);
		page_pool_put_bulk(pages, n);
		all += n;
	}
	assert_true(port_stats(dev).rx_dropped > 0);
	assert_int_equal(port_stats(dev).rx_dropped + all, 20000);
	pp_netdev_stop(dev);
	assert_int_equal(port_stats(dev).rx_dropped + all, 20000);
	pp_netdev_close(dev);
}

static void unprivileged_child(struct pp_zone *zone)
{
	struct pp_netdev *dev;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(2);
	dev = try_open(zone, NEAR, 0);
	_exit(!dev && errno == EPERM && strstr(pp_error(), "CAP_NET_RAW") ? 0 : 1);
}

static void refused_open(void **state)
{
	struct pp_zone *zone = *state;
	int status;
	pid_t pid;

	assert_refused(zone, "pcap:iface=ppd9", ENOENT, "there is no interface 'ppd9'");
	assert_refused(zone, "pcap:iface=a_name_longer_than_any", ENOENT, "there is no interface");
	assert_refused(zone, "pcap:iface=ppd_down", ENETDOWN, "ip link set ppd_down up");
	assert_refused(zone, "pcap:iface=any", EPROTONOSUPPORT, "link type LINUX_SLL");
	assert_refused(zone, NEAR ",filter=udp and", EINVAL, "filter 'udp and' is wrong");
	assert_refused(zone, NEAR ",filters=udp", EINVAL, "unknown option 'filters'");
	pid = fork();
	if (!pid)
		unprivileged_child(zone);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* how many ask the kernel to keep the interface promiscuous, as ip(8) sees it */
static unsigned int promiscuity(const char *iface)
{
	unsigned int count = ~0u;
	char command[128];
	FILE *ip;

	snprintf(command, sizeof(command),
		 "ip -d link show %s | sed -n 's/.*promiscuity \\([0-9]*\\).*/\\1/p'", iface);
	ip = popen(command, "r");
	assert_non_null(ip);
	assert_int_equal(fscanf(ip, "%u", &count), 1);
	pclose(ip);
	return count;
}

static void promiscuous(void **state)
{
	static const char *const specs[] = { NEAR, NEAR ",promisc=on", NEAR ",promisc=off" };
	struct pp_netdev *dev;
	unsigned int i, before = promiscuity("ppd0");

	for (i = 0; i < 3; i++) {
		dev = open_port(*state, specs[i], 4);
		assert_int_equal(promiscuity("ppd0"), before + (i < 2));
		assert_int_equal(!!strstr(pp_netdev_info(dev), "promiscuous"), i < 2);
		pp_netdev_close(dev);
		assert_int_equal(promiscuity("ppd0"), before);
	}
	assert_refused(*state, NEAR ",promisc=maybe", EINVAL,
		       "promisc=maybe is not one of off, on");
	assert_refused(*state, "pcap:tx=/dev/null,promisc=off", EINVAL, "promisc= is for iface=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ledger, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(received, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(sent, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(empty, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(others_sent, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(partial, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(filter, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(too_long, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(overrun, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(refused_open, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(promiscuous, setup_zone, teardown_zone),
	};

	if (no_namespace())
		return 77;
	return cmocka_run_group_tests(tests, setup_veth, close_far);
}
