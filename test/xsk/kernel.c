/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel.c - the kernel's own list of AF_XDP tests (xskxceiver), by name, on pages of a pool
 *
 *   xsk_kernel OBJECT CASE       in native and in skb mode, each in a namespace of its own
 *   xsk_kernel OBJECT --list     the names
 *
 * A frame is two addresses, type 0x88b5, a number of 4 bytes, and a pattern by that number.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>

#include <pagepool/memory.h>
#include <pagepool/netdev.h>

#include "kernel.h"

struct world w;
static const char *object;

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* ---- what a case stands in --------------------------------------------------------------------*/

static void program_attach(const char *name)
{
	struct bpf_program *p, *other;

	w.obj = bpf_object__open_file(object, NULL);
	CHECK(!libbpf_get_error(w.obj));
	p = bpf_object__find_program_by_name(w.obj, name);
	CHECK(p);
	bpf_object__for_each_program(other, w.obj) bpf_program__set_autoload(other, other == p);
	CHECK(!bpf_object__load(w.obj));
	net_attach(bpf_program__fd(p), bpf_object__find_map_fd_by_name(w.obj, "sockets"),
		   w.skb ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
}

void begin(const struct setting *s)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = s->pages ? s->pages : PAGES };
	struct page_pool_params pp = { .sz = sizeof(pp) };
	struct pp_xsk_params xp;

	w.set = *s;
	net_make(1);
	run("ip link set " IF_XSK " mtu 9000 && ip link set " IF_PEER " mtu 9000");
	program_attach(s->program ? s->program : "all");
	zp.page_size = s->page_size ? s->page_size : 4096;
	pp.zone = w.zone = pp_zone_create(&zp);
	CHECK(w.zone && !pp_zone_pin(w.zone));
	w.sock = (struct sock){ .chunk_size = s->chunk_size,
				.ring_size = s->ring_size,
				.rx_size = s->rx_size,
				.umem_pages = s->umem_pages,
				.bind_flags = s->pp_flags & PP_XSK_SG ? XDP_USE_SG : 0 };
	sock_open(&w.sock, w.zone,
		  s->pp_flags & PP_XSK_UNALIGNED ? XDP_UMEM_UNALIGNED_CHUNK_FLAG : 0, s->headroom,
		  -1);
	sock_bind(&w.sock, IF_XSK, 0, -1);
	xp = sock_params(&w.sock);
	xp.pool = w.pool = page_pool_create(&pp);
	xp.flags = s->pp_flags;
	xp.frames = s->frames;
	xp.tx_wait_ms = s->wait_ms;
	w.xsk = pp_xsk_create(&xp);
	if (!w.xsk)
		die("use pages at the socket");
	if (!s->no_fill)
		pp_xsk_refill(w.xsk);
	net_redirect(0, w.sock.fd);
	w.peer = peer_open(true);
	CHECK(!setsockopt(w.peer, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){ 1 }, sizeof(int)));
}

struct pp_xsk_stats stats(void)
{
	struct pp_xsk_stats st = { .sz = sizeof(st) };

	CHECK(!pp_xsk_get_stats(w.xsk, &st));
	return st;
}

/* the ledger: every page is home, once */
void end(void)
{
	struct pp_audit audit = { .sz = sizeof(audit) };

	CHECK(!stats().rx_bad && !stats().comp_bad == !w.raw && !stats().tx_bad);
	w.raw = false;
	close(w.peer);
	sock_close(&w.sock);
	pp_xsk_destroy(w.xsk);
	page_pool_destroy(w.pool);
	CHECK(!pp_zone_audit(w.zone, &audit) && !audit.leaked && !audit.double_free);
	pp_zone_unpin(w.zone);
	CHECK(!pp_zone_destroy(w.zone));
	bpf_object__close(w.obj);
}

/* ---- frames -----------------------------------------------------------------------------------*/

static unsigned char byte_at(uint32_t seq, uint32_t i)
{
	return (unsigned char)(seq + i * 7 + i / 251);
}

static void frame_make(unsigned char *frame, uint32_t seq, uint32_t len)
{
	static const unsigned char head[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	uint32_t i;

	memcpy(frame, head, sizeof(head));
	memcpy(frame + SEQ_AT, &seq, sizeof(seq));
	for (i = HEAD; i < len; i++)
		frame[i] = byte_at(seq, i);
}

static bool bytes_are(const unsigned char *data, uint32_t seq, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (from + i >= HEAD && data[i] != byte_at(seq, from + i))
			return false;
	return true;
}

bool frame_is(const struct pp_page *page, uint32_t seq, uint32_t len)
{
	uint32_t at = 0, got;

	memcpy(&got, (unsigned char *)pp_page_data(page) + SEQ_AT, sizeof(got));
	if (got != seq)
		return false;
	for (; page; at += page->len, page = page->next)
		if (!bytes_are(pp_page_data(page), seq, at,
			       at + page->len < len ? page->len : len - at))
			return false;
	return at >= len;
}

void peer_sends(uint32_t seq, uint32_t len)
{
	static unsigned char frame[FRAME_MAX];

	frame_make(frame, seq, len);
	CHECK(send(w.peer, frame, len, 0) == (ssize_t)len);
}

void peer_gets(uint32_t seq, uint32_t len)
{
	static unsigned char frame[FRAME_MAX + 1];
	uint32_t got;
	ssize_t n;

	n = recv(w.peer, frame, sizeof(frame), 0);
	if (n != (ssize_t)len)
		printf("frame %u: %zd bytes, errno %d, type %02x%02x\n", seq, n, errno, frame[12],
		       frame[13]);
	CHECK(n == (ssize_t)len);
	memcpy(&got, frame + SEQ_AT, sizeof(got));
	CHECK(got == seq && bytes_are(frame, seq, 0, len));
}

/* a packet of the pool, in as many pages as it takes */
struct pp_page *packet(uint32_t seq, uint32_t len)
{
	static unsigned char frame[FRAME_MAX];
	struct pp_page *head = NULL, *tail = NULL, *page;
	uint32_t at, n;

	frame_make(frame, seq, len);
	for (at = 0; at < len; at += n) {
		page = page_pool_alloc_pages(w.pool);
		CHECK(page);
		page->data_off = (uint16_t)(256 + w.set.headroom);
		n = pp_page_tailroom(page);
		if (n > len - at)
			n = len - at;
		memcpy(pp_page_data(page), frame + at, n);
		page->len = n;
		page->next = NULL;
		if (tail)
			tail->next = page;
		else
			head = page;
		tail = page;
	}
	return head;
}

unsigned int receive(struct pp_page **pages, unsigned int n, unsigned int ms)
{
	const uint64_t give_up = now_ms() + ms;
	unsigned int got = 0;

	for (;;) {
		got += pp_xsk_rx(w.xsk, pages + got, n - got);
		if (got == n || now_ms() > give_up)
			return got;
		usleep(100);
	}
}

void complete_all(void)
{
	const uint64_t give_up = now_ms() + 5000;

	while (stats().tx_out && now_ms() < give_up)
		if (!pp_xsk_complete(w.xsk))
			usleep(100);
	CHECK(!stats().tx_out);
}

int ready(short events, int ms)
{
	struct pollfd fd = { .fd = w.sock.fd, .events = events };
	int n = poll(&fd, 1, ms);

	CHECK(n >= 0 && !(fd.revents & (POLLERR | POLLNVAL)));
	return fd.revents & events;
}

/* ---- the modes --------------------------------------------------------------------------------*/

static int in_child(const struct kernel_case *c, bool skb)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		w.skb = skb;
		c->run();
		printf("%s: %s\n", c->name, skb ? "skb" : "native");
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const struct kernel_case *c;
	int err;

	if (argc != 3) {
		fprintf(stderr, "usage: xsk_kernel OBJECT CASE|--list\n");
		return 2;
	}
	object = argv[1];
	for (c = kernel_cases; c->name; c++) {
		if (!strcmp(argv[2], "--list"))
			printf("%s\n", c->name);
		if (strcmp(argv[2], c->name))
			continue;
		fflush(stdout);
		err = in_child(c, false);
		return err ? err : in_child(c, true);
	}
	return strcmp(argv[2], "--list") ? 2 : 0;
}
