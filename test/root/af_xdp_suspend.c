/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_suspend.c - suspend=US: settings of the NAPI, looks at it, errors
 *
 * usage: af_xdp_suspend [kill|plain|again], in a namespace with the veth px0 - px1. px1 has GRO, so
 * that its NAPI outlives the port; between ports its settings are 3, 7000, BEFORE_NS. kill: end by
 * SIGKILL; plain, again: the port after that, without or with suspend
 *
 * A veth names no NAPI for its queues, so that its sockets know none, and epoll polls none. Here
 * they say that they know px1's, and a UDP socket that does tells epoll. The rest is real.
 * What other kernels lack comes from changed answers of netlink and ioctl().
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "suspend_kernel.h"

#define SUSPEND_US 200000u
#define HELD_MS	   170u /* of these */
#define BEFORE_NS  0x100000001ull /* more than 4 bytes hold, which is sent otherwise */

/* px1's NAPI, which is the only one, and so the first of a dump */
static void find_napi(void)
{
	int index = (int)if_nametoindex("px1");
	const struct pp_genl_attr attr = { NETDEV_A_NAPI_IFINDEX, sizeof(index), &index };
	struct pp_genl_answer answer;
	struct pp_genl g;

	CHECK(!pp_genl_open(&g, "netdev"));
	CHECK(!pp_genl_ask(&g, NETDEV_CMD_NAPI_GET, NLM_F_DUMP, &attr, 1, &answer));
	CHECK(!pp_genl_get(&answer.nl, NETDEV_A_NAPI_ID, &napi, sizeof(napi)) && napi);
	pp_genl_close(&g);
}

/* by a client of its own: the library closes the one that it has */
static void check_values(uint32_t defer, uint64_t flush, uint64_t suspend)
{
	const struct pp_genl_attr which = { NETDEV_A_NAPI_ID, sizeof(napi), &napi };
	struct pp_genl_answer answer;
	uint64_t v[3];
	struct pp_genl g;

	kernel = HONEST;
	CHECK(!pp_genl_open(&g, "netdev"));
	CHECK(!pp_genl_ask(&g, NETDEV_CMD_NAPI_GET, 0, &which, 1, &answer));
	CHECK(!pp_genl_get_uint(&answer.nl, NETDEV_A_NAPI_DEFER_HARD_IRQS, &v[0]));
	CHECK(!pp_genl_get_uint(&answer.nl, NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT, &v[1]));
	CHECK(!pp_genl_get_uint(&answer.nl, NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT, &v[2]));
	pp_genl_close(&g);
	if (v[0] != defer || v[1] != flush || v[2] != suspend) {
		fprintf(stderr, "px1 has %llu, %llu, %llu, not %u, %llu, %llu\n",
			(unsigned long long)v[0], (unsigned long long)v[1],
			(unsigned long long)v[2], defer, (unsigned long long)flush,
			(unsigned long long)suspend);
		exit(1);
	}
}

/* px1 as it is between the ports */
static void set_values(void)
{
	const uint32_t defer = 3;
	const uint64_t flush = 7000, suspend = BEFORE_NS;
	const struct pp_genl_attr attrs[] = {
		{ NETDEV_A_NAPI_ID, 4, &napi },
		{ NETDEV_A_NAPI_DEFER_HARD_IRQS, 4, &defer },
		{ NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT, 8, &flush },
		{ NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT, 8, &suspend },
	};
	struct pp_genl_answer answer;
	struct pp_genl g;

	CHECK(!pp_genl_open(&g, "netdev"));
	CHECK(!pp_genl_ask(&g, NETDEV_CMD_NAPI_SET, NLM_F_ACK, attrs, 4, &answer));
	pp_genl_close(&g);
}

static void up(struct rig *rig)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "px1,suspend=%u,busy_budget=32", SUSPEND_US);
	rig_open(rig, "px0", spec);
}

/* of queue 0 of px1 */
static void record_path(char *path, size_t size)
{
	unsigned long long cookie;
	socklen_t len = sizeof(cookie);
	struct stat st;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0 && !stat("/proc/self/ns/net", &st));
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(fd);
	snprintf(path, size, "/run/pagepool/napi-%llu.%llu-%u-0", (unsigned long long)st.st_ino,
		 cookie, if_nametoindex("px1"));
}

static void drain(struct rig *rig)
{
	struct pp_page *pages[BURST];
	unsigned int n;

	while ((n = pp_rx_burst(rig->q[1], pages, BURST)))
		put_all(pages, n);
}

/* until a thread may sleep: interrupts are on then */
static void let_sleep(struct rig *rig)
{
	do
		drain(rig);
	while (pp_queue_arm(rig->q[1]));
	CHECK(!to_xdp(rig->q[1])->napi.suspended);
}

/*
 * A look comes before a sleep, and with the first empty poll after a look that found packets, as
 * no interrupt may come then. Else an empty poll costs no look.
 */
static void test_looks(void)
{
	struct pollfd p = { .events = POLLIN };
	struct pp_page *page;
	struct rig rig;
	int raw;

	up(&rig);
	CHECK(strstr(pp_netdev_info(rig.dev[1]), "interrupts suspended while packets come"));
	CHECK(!to_xdp_dev(rig.dev[1])->suspend_text[0]);
	check_values(10, 20000, 1000ull * SUSPEND_US);
	CHECK(epoll_budget == 32);
	raw = raw_socket();
	p.fd = pp_queue_fd(rig.q[1]);
	CHECK(p.fd >= 0 && p.fd != to_xdp(rig.q[1])->s.fd);
	let_sleep(&rig);
	looks = 0;
	drain(&rig);
	drain(&rig);
	CHECK(!looks);
	CHECK(!pp_queue_arm(rig.q[1]) && looks == 1);
	raw_send(raw);
	CHECK(poll(&p, 1, 5000) == 1);
	CHECK(pp_queue_arm(rig.q[1]) == 1 && looks == 2);
	CHECK(pp_rx_burst(rig.q[1], &page, 1) == 1 && looks == 2);
	put_all(&page, 1);
	drain(&rig);
	CHECK(looks == 3);
	drain(&rig);
	CHECK(looks == 3 && !poll(&p, 1, 0));
	CHECK(pp_queue_fd(rig.q[0]) == to_xdp(rig.q[0])->s.fd);
	rig_down(&rig);
	close(raw);
	check_values(3, 7000, BEFORE_NS);
}

/* DHCP's way: from nothing to everything, so that px1 needs no address */
static int udp_that_knows_px1(void)
{
	static const unsigned char frame[] =
		"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\1\x08\0"
		"\x45\0\0\x1c\0\0\0\0\x40\x11\x7a\xd2\0\0\0\0\xff\xff\xff\xff"
		"\x27\x0f\x27\x0f\0\x08\0\0";
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9999) };
	struct pollfd p = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN };
	socklen_t len = sizeof(uint32_t);
	int raw = raw_socket();
	uint32_t id = 0;
	char c;

	CHECK(p.fd >= 0 && !bind(p.fd, (struct sockaddr *)&sin, sizeof(sin)));
	CHECK(send(raw, frame, sizeof(frame) - 1, 0) == sizeof(frame) - 1);
	CHECK(poll(&p, 1, 5000) == 1 && recv(p.fd, &c, 1, 0) == 0);
	close(raw);
	kernel = NO_NAPI; /* the true answer */
	CHECK(!getsockopt(p.fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &len) && id == napi);
	kernel = HONEST;
	return p.fd;
}

static unsigned int waiting(struct rig *rig)
{
	return xsk_cons_nb_avail(&to_xdp(rig->q[1])->xsk->r.rx, 64);
}

/* how long a packet stays in the device, after a look that has found another; @look: or sooner */
static uint64_t held_ms(struct rig *rig, int raw, int udp, bool look)
{
	struct pollfd p = { .fd = pp_queue_fd(rig->q[1]), .events = POLLIN };
	struct epoll_event event = { .events = EPOLLIN };
	struct pp_page *page;
	uint64_t start;

	let_sleep(rig);
	epoll_ctl(p.fd, EPOLL_CTL_DEL, udp, NULL);
	CHECK(!epoll_ctl(p.fd, EPOLL_CTL_ADD, udp, &event)); /* epoll knows the NAPI again */
	raw_send(raw);
	CHECK(poll(&p, 1, 5000) == 1);
	CHECK(pp_queue_arm(rig->q[1]) == 1);
	CHECK(pp_rx_burst(rig->q[1], &page, 1) == 1);
	put_all(&page, 1);
	start = now_ms();
	raw_send(raw);
	while (!waiting(rig) && now_ms() < start + 5000)
		if (look)
			CHECK(pp_queue_arm(rig->q[1]) >= 0);
		else
			usleep(500);
	CHECK(waiting(rig));
	return now_ms() - start;
}

/*
 * The kernel's part. If a thread looks within 0.2 ms of a packet, which it does not always on a
 * busy machine, interrupts are off for as long as was asked. A look finds what waits meanwhile.
 */
static void test_suspended(void)
{
	int udp = udp_that_knows_px1(), raw = raw_socket();
	uint64_t held = 0, looked = SUSPEND_US;
	struct rig rig;
	unsigned int i;

	up(&rig);
	for (i = 0; i < 50 && held < HELD_MS; i++)
		held = held_ms(&rig, raw, udp, false);
	printf("held for %u ms, try %u; ", (unsigned int)held, i);
	CHECK(held >= HELD_MS && held < 5000);
	for (i = 0; i < 20 && looked >= HELD_MS; i++)
		looked = held_ms(&rig, raw, udp, true);
	printf("with a look %u ms, try %u\n", (unsigned int)looked, i);
	CHECK(looked < HELD_MS);
	drain(&rig);
	rig_down(&rig);
	close(raw);
	close(udp);
}

/* no packet is lost or stays behind while the thread goes from polling to sleep and back */
static void test_all_arrive(void)
{
	struct pollfd p = { .events = POLLIN };
	struct pp_page *pages[BURST];
	unsigned int i, k, got = 0, sent = 0;
	struct rig rig;
	int raw;

	up(&rig);
	raw = raw_socket();
	p.fd = pp_queue_fd(rig.q[1]);
	for (i = 0; i < 300; i++) {
		for (k = 0; k <= i % 7; k++, sent++)
			raw_send(raw);
		while (got < sent) {
			k = pp_rx_burst(rig.q[1], pages, BURST);
			got += k;
			put_all(pages, k);
			if (!k && !pp_queue_arm(rig.q[1]))
				CHECK(poll(&p, 1, 5000) == 1);
		}
	}
	CHECK(got == sent);
	rig_down(&rig);
	close(raw);
}

/* what a kernel or interface without it leads to: one sentence, and the port goes on */
static void test_without(void)
{
	static const char *const why[KINDS] = {
		[NO_FAMILY] = "no netdev family",
		[OLD] = "no irq-suspend-timeout; take Linux 6.13",
		[NO_NAPI] = "its driver names no NAPI for queue 0; leave suspend out",
		[NO_SUSPEND] = "no irq-suspend-timeout; take Linux 6.13",
		[NO_COPY] = "in copy mode; take Linux 6.16",
		[NOT_ALLOWED] = "no permission to set its NAPI; run as root, or add CAP_NET_ADMIN",
		[NO_EPOLL] = "no busy polling",
		[CUT] = "Protocol error",
		[SHORT] = "no netdev family",
		[SILENT] = "Resource temporarily unavailable",
	};
	struct pp_page *page;
	struct rig rig;
	const char *news;
	unsigned int i;
	int raw = raw_socket();

	for (i = HONEST + 1; i < KINDS; i++) {
		if (i == NO_THREADED)
			continue;
		kernel = i;
		up(&rig);
		news = pp_netdev_event(rig.dev[1]);
		CHECK(strstr(pp_netdev_info(rig.dev[1]), "interrupts not suspended"));
		CHECK(news && strstr(news, "interrupts of px1 are not suspended: "));
		printf("%s\n", news);
		CHECK(strstr(news, why[i]) && strstr(news, "; "));
		news = pp_netdev_event(rig.dev[1]);
		CHECK(!news || !strstr(news, "suspended"));
		check_values(3, 7000, BEFORE_NS);
		CHECK(pp_queue_fd(rig.q[1]) == to_xdp(rig.q[1])->s.fd);
		let_sleep(&rig);
		raw_send(raw);
		CHECK(receive(&rig, 1, &page, 1, 5000) == 1);
		put_all(&page, 1);
		rig_down(&rig);
	}
	close(raw);
}

#define ANY "0000000000000000 " /* the identity of the interface is not known */

/* a record of another NAPI, or one that makes no sense, changes nothing */
static void test_records(void)
{
	static const char *const lines[] = {
		"", "nonsense\n", ANY "00000001 00000007 0000000000000063\n",
		(ANY "00000001 0000000f 0000000000000063 0000000000000063 0000000000000063 "
		     "0000000000000000")
	};
	char path[96];
	struct rig rig;
	unsigned int i;
	FILE *f;

	record_path(path, sizeof(path));
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		f = fopen(path, "w");
		CHECK(f && fputs(lines[i], f) >= 0 && !fclose(f));
		if (i % 2)
			up(&rig);
		else
			rig_open(&rig, "px0", "px1");
		rig_down(&rig);
		check_values(3, 7000, BEFORE_NS);
		CHECK(access(path, F_OK));
	}
}

/* a record stays until a port has restored the settings, with or without suspend */
static void test_kept(void)
{
	static const enum suspend_kernel lacks[] = { NO_FAMILY, SHORT, NOT_ALLOWED };
	char path[96], line[96];
	struct rig rig;
	unsigned int i;
	FILE *f;

	record_path(path, sizeof(path));
	for (i = 0; i < 2 * sizeof(lacks) / sizeof(lacks[0]); i++) {
		f = fopen(path, "w");
		CHECK(f && fprintf(f, ANY "%08x 00000007 %016x %016x %016x %016x", napi, 4,
				   8000 + i, 9000, 0) > 0);
		CHECK(!fclose(f));
		kernel = lacks[i / 2];
		if (i % 2)
			up(&rig);
		else
			rig_open(&rig, "px0", "px1");
		rig_down(&rig);
		check_values(3, 7000, BEFORE_NS);
		CHECK((f = fopen(path, "r")) && fgets(line, sizeof(line), f) && !fclose(f));
		CHECK(strtoul(line + strlen(ANY), NULL, 16) == napi);
		rig_open(&rig, "px0", "px1");
		rig_down(&rig);
		check_values(4, 8000 + i, 9000);
		CHECK(access(path, F_OK));
		set_values();
	}
}

/* settings by name come before those of suspend, and stay if interrupts are not suspended */
static void test_asked(void)
{
	struct rig rig;

	rig_open(&rig, "px0", "px1,suspend=1000,defer_irqs=5");
	check_values(5, 20000, 1000000);
	rig_down(&rig);
	rig_open(&rig, "px0", "px1,gro_flush=0,suspend=1000,defer_irqs=0");
	check_values(0, 0, 1000000);
	rig_down(&rig);
	check_values(3, 7000, BEFORE_NS);
	kernel = NO_EPOLL;
	rig_open(&rig, "px0", "px1,gro_flush=9,suspend=1000");
	CHECK(strstr(pp_netdev_info(rig.dev[1]), "interrupts not suspended"));
	check_values(3, 9000, BEFORE_NS);
	rig_down(&rig);
	check_values(3, 7000, BEFORE_NS);
}

/* a setting that is asked for by name and cannot be made refuses the port, in one sentence */
static void test_refused(void)
{
	static const struct {
		enum suspend_kernel kernel;
		const char *option;
		const char *why;
	} cases[] = {
		{ NO_FAMILY, "defer_irqs=1",
		  "defer_irqs of px1 is not set: this kernel has no netdev "
		  "family of netlink; take Linux 6.13, or leave defer_irqs out" },
		{ OLD, "gro_flush=1",
		  "gro_flush of px1 is not set: this kernel has no "
		  "gro-flush-timeout; take Linux 6.13, or leave gro_flush out" },
		{ NO_THREADED, "gro_flush=1,threaded=on",
		  "threaded of px1 is not set: this kernel has no threaded; take Linux 6.17, or "
		  "leave threaded out" },
		{ NOT_ALLOWED, "threaded=off",
		  "threaded of px1 is not set: no permission to set its "
		  "NAPI; run as root, or add CAP_NET_ADMIN" },
		{ CUT, "threaded=on", "Protocol error; leave threaded out" },
		{ SILENT, "threaded=off", "Resource temporarily unavailable; leave threaded out" },
	};
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = make_zone() };
	struct rig rig;
	char spec[96];
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kernel = cases[i].kernel;
		snprintf(spec, sizeof(spec), "af_xdp:px1,%s", cases[i].option);
		CHECK(!pp_netdev_open(spec, &np));
		printf("%s\n", pp_error());
		CHECK(strstr(pp_error(), cases[i].why));
		check_values(3, 7000, BEFORE_NS);
	}
	check_home(np.zone);
	rig_open(&rig, "px0", "px1"); /* the last one's record stays, as no answer came */
	rig_down(&rig);
}

int main(int argc, char **argv)
{
	struct rig rig;

	mode = "native";
	find_napi();
	if (argc > 1 && !strcmp(argv[1], "kill")) {
		up(&rig);
		check_values(10, 20000, 1000ull * SUSPEND_US);
		raise(SIGKILL);
	}
	if (argc > 1) { /* "plain", "suspend": the port after a kill */
		if (strcmp(argv[1], "plain"))
			up(&rig);
		else
			rig_open(&rig, "px0", "px1");
		if (!strcmp(argv[1], "plain"))
			check_values(3, 7000, BEFORE_NS);
		rig_down(&rig);
		check_values(3, 7000, BEFORE_NS);
		return 0;
	}
	set_values();
	test_looks();
	test_suspended();
	test_all_arrive();
	test_without();
	test_records();
	test_kept();
	test_asked();
	test_refused();
	return 0;
}
