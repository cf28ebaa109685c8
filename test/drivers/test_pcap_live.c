/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pcap_live.c - pcap ports on a veth pair, in a network namespace of the test's own
 *
 * The namespace has no name and goes with the process: nothing is left behind.
 * Exit status 77, with the reason, where this cannot run.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "port.h"

#define NEAR "pcap:iface=ppd0"

static pcap_t *far; /* the other end of the cable */

static void run(const char *command)
{
	if (system(command))
		fail_msg("'%s' failed", command);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* a frame with an Ethertype for experiments, or UDP to port 9 or 10 */
static void far_send(unsigned int n, uint32_t len, unsigned int udp_port)
{
	static const unsigned char ip_udp[] = {
		0x45, 0, 0,   46, 0, 0, 0, 0, 64, 17, 0, 0,  198, 18,
		0,    1, 198, 18, 0, 2, 4, 0, 0,  0,  0, 26, 0,	  0,
	};
	unsigned char data[9000] = { 0 };
	uint32_t i;

	memset(data, 0xff, 6);
	memcpy(data + 12, udp_port ? "\x08\x00" : "\x88\xb5", 2);
	memcpy(data + 14, ip_udp, udp_port ? sizeof(ip_udp) : 0);
	data[14 + 23] = (unsigned char)udp_port;
	for (i = 0; i < n; i++) {
		memcpy(data + 50, &i, sizeof(i));
		while (pcap_inject(far, data, len) < 0)
			assert_true(errno == ENOBUFS || errno == EAGAIN);
	}
}

static uint32_t frame_number(const unsigned char *data)
{
	uint32_t number;

	memcpy(&number, data + 50, sizeof(number));
	return number;
}

static void ignore(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
}

/* receive up to @n packets within a second, in order from 0, and free them */
static unsigned int receive(struct pp_netdev *dev, unsigned int n, uint32_t len)
{
	const uint64_t end = now_ms() + 1000;
	struct pp_page *pages[32];
	unsigned int k, i, all = 0;

	while (all < n && now_ms() < end) {
		k = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 32);
		for (i = 0; i < k; i++, all++) {
			assert_int_equal(frame_number(pp_page_data(pages[i])), all);
			assert_int_equal(pages[i]->len, len);
			assert_int_equal(pages[i]->port, 4);
			/* the clock that gettimeofday() reads */
			assert_true(pages[i]->tstamp / 1000000000 + 60 >= (uint64_t)time(NULL));
		}
		page_pool_put_bulk(pages, k);
	}
	return all;
}

/* nothing comes for as long as a block may wait, several times over */
static void assert_silence(struct pp_netdev *dev)
{
	const uint64_t end = now_ms() + 50;
	struct pp_page *pages[32];

	while (now_ms() < end)
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 32), 0);
}

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

static void send_one(struct pp_zone *zone, struct pp_netdev *dev)
{
	struct pp_page *page;

	make_packets(zone, &page, 1, 60, 0);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), &page, 1), 1);
}

/* down, up again, and gone: what cannot be sent is counted, and packets flow whenever they can */
static void interface_lost(void **state)
{
	struct pp_netdev *dev;
	uint64_t end, errors;
	struct pp_page *page;

	run("ip link add ppd2 type veth peer name ppd3 && ip link set ppd3 up");
	run("ip link set ppd2 up");
	dev = open_port(*state, "pcap:iface=ppd2", 4);
	run("ip link set ppd2 down");
	send_one(*state, dev);
	assert_silence(dev);
	assert_int_equal(port_stats(dev).tx_dropped, 1);
	errors = port_stats(dev).errors;
	assert_true(errors > 0);

	run("ip link set ppd2 up");
	send_one(*state, dev);
	assert_int_equal(port_stats(dev).tx_packets, 1);
	assert_int_equal(port_stats(dev).errors, errors);

	run("ip link del ppd2");
	for (end = now_ms() + 2000; now_ms() < end && port_stats(dev).errors == errors;)
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), &page, 1), 0);
	assert_true(port_stats(dev).errors > errors);
	assert_non_null(strstr(pp_error(), "receiving from 'ppd2'"));
	send_one(*state, dev);
	assert_int_equal(port_stats(dev).tx_dropped, 2);
	pp_netdev_close(dev);
}

static int setup_veth(void **state)
{
	char text[PCAP_ERRBUF_SIZE];

	run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || true");
	run("ip link add ppd0 type veth peer name ppd1");
	run("ip link add ppd_down type veth peer name ppd_down1");
	run("ip link set ppd0 address 02:00:00:00:00:10");
	run("ip link set ppd0 up; ip link set ppd1 up; ip link set lo up");
	far = pcap_create("ppd1", text);
	pcap_set_snaplen(far, 65535);
	pcap_set_timeout(far, 1);
	pcap_set_promisc(far, 1);
	if (pcap_activate(far) < 0 || pcap_setdirection(far, PCAP_D_IN) ||
	    pcap_setnonblock(far, 1, text))
		fail_msg("ppd1: %s", pcap_geterr(far));
	return 0;
}

static int close_far(void **state)
{
	pcap_close(far);
	return 0;
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
		cmocka_unit_test_setup_teardown(interface_lost, setup_zone, teardown_zone),
	};

	if (geteuid() || unshare(CLONE_NEWNET)) {
		printf("skipped: a network namespace needs root: %s\n",
		       geteuid() ? "not root" : strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, setup_veth, close_far);
}
