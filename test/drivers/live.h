/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.h - a veth pair, ppd0 and ppd1, in a network namespace of the test's own
 *
 * The namespace has no name and goes with the process: nothing is left behind.
 * Exit status 77, with the reason, where this cannot run.
 */
#ifndef PP_TEST_LIVE_H
#define PP_TEST_LIVE_H

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "port.h"

#define NEAR "pcap:iface=ppd0"

static pcap_t *far; /* the other end of the cable */

static inline void run(const char *command)
{
	if (system(command))
		fail_msg("'%s' failed", command);
}

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* a frame with an Ethertype for experiments, or UDP to port 9 or 10 */
static inline void far_send(unsigned int n, uint32_t len, unsigned int udp_port)
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

static inline uint32_t frame_number(const unsigned char *data)
{
	uint32_t number;

	memcpy(&number, data + 50, sizeof(number));
	return number;
}

static inline void ignore(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
}

/* receive up to @n packets within a second, in order from 0, and free them */
static inline unsigned int receive(struct pp_netdev *dev, unsigned int n, uint32_t len)
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
static inline void assert_silence(struct pp_netdev *dev)
{
	const uint64_t end = now_ms() + 50;
	struct pp_page *pages[32];

	while (now_ms() < end)
		assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 32), 0);
}

static inline void send_one(struct pp_zone *zone, struct pp_netdev *dev)
{
	struct pp_page *page;

	make_packets(zone, &page, 1, 60, 0);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), &page, 1), 1);
}

static inline int setup_veth(void **state)
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

static inline int close_far(void **state)
{
	pcap_close(far);
	return 0;
}

static inline bool no_namespace(void)
{
	if (!geteuid() && !unshare(CLONE_NEWNET))
		return false;
	printf("skipped: a network namespace needs root: %s\n",
	       geteuid() ? "not root" : strerror(errno));
	return true;
}

#endif /* PP_TEST_LIVE_H */
