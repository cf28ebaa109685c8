/* SPDX-License-Identifier: BSD-3-Clause */
/* sock.c - see sock.h */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <bpf/bpf.h>

#include <pagepool/memory.h>

#include "xsk/uapi.h"

#include "sock.h"

#define RING_SIZE 512u
#define BIND_MS	  2000 /* the kernel keeps a closed socket's queue for about 35 */

static int map_fd = -1;

_Noreturn void die(const char *what)
{
	fprintf(stderr, "FAILED: %s: %s\n", what, errno ? strerror(errno) : pp_error());
	exit(1);
}

void run(const char *cmd)
{
	errno = 0;
	if (system(cmd)) {
		fprintf(stderr, "FAILED: %s\n", cmd);
		exit(1);
	}
}

/* ---- the interface ----------------------------------------------------------------------------*/

/* return redirect_map(map, ctx->rx_queue_index, XDP_PASS) */
static int program_load(void)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 16 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map_fd },
		{ .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "pxk", "Dual BSD/GPL", insns,
				 sizeof(insns) / sizeof(insns[0]), NULL);

	if (prog < 0)
		die("load the XDP program");
	return prog;
}

void net_attach(int prog, int map, uint32_t mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = mode);

	map_fd = map;
	/* never closed: the link goes with the process */
	if (bpf_link_create(prog, (int)if_nametoindex(IF_XSK), BPF_XDP, &opts) < 0)
		die("attach the XDP program");
}

void net_make(unsigned int queues)
{
	char cmd[256];

	if (geteuid()) {
		printf("SKIP: needs root, for a network namespace and AF_XDP\n");
		exit(77);
	}
	if (unshare(CLONE_NEWNET))
		die("a network namespace");
	snprintf(cmd, sizeof(cmd),
		 "ip link add " IF_XSK " numrxqueues %u numtxqueues %u type veth "
		 "peer name " IF_PEER " numrxqueues %u numtxqueues %u && ip link set lo up",
		 queues, queues, queues, queues);
	run(cmd);
	run("f=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $f ] || echo 1 >$f");
	run("ip link set " IF_XSK " up && ip link set " IF_PEER " up");
}

void net_open_in(unsigned int queues, uint32_t mode)
{
	net_make(queues);
	map_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "pxk", 4, 4, queues, NULL);
	if (map_fd < 0)
		die("create the map of sockets");
	net_attach(program_load(), map_fd, mode);
}

void net_open(unsigned int queues)
{
	net_open_in(queues, XDP_FLAGS_DRV_MODE);
}

void net_redirect(unsigned int queue, int fd)
{
	if (fd < 0 ? bpf_map_delete_elem(map_fd, &queue)
		   : bpf_map_update_elem(map_fd, &queue, &fd, BPF_ANY))
		die("put the socket into the map");
}

/* ---- a socket ---------------------------------------------------------------------------------*/

static uint32_t ring_size(const struct sock *s, unsigned int i)
{
	if (i == RING_RX && s->rx_size)
		return s->rx_size;
	return s->ring_size ? s->ring_size : RING_SIZE;
}

static void ring_map(struct sock *s, unsigned int i, const struct xdp_ring_offset *at,
		     uint64_t pgoff, size_t entry)
{
	size_t len = at->desc + ring_size(s, i) * entry;
	char *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd,
			 (off_t)pgoff);

	if (map == MAP_FAILED)
		die("map a ring");
	s->maps[i].map = map;
	s->maps[i].len = len;
	s->rings[i] = (struct pp_xsk_ring){ (uint32_t *)(map + at->producer),
					    (uint32_t *)(map + at->consumer),
					    (uint32_t *)(map + at->flags), map + at->desc,
					    ring_size(s, i) };
}

static void sock_umem(struct sock *s, struct pp_zone *zone, uint32_t flags, uint32_t headroom)
{
	struct xdp_umem_reg_meta reg = {
		.addr = (uintptr_t)pp_zone_base(zone),
		.len = (s->umem_pages ? s->umem_pages : pp_zone_pages(zone)) *
		       pp_zone_page_size(zone),
		.chunk_size = s->chunk_size ? s->chunk_size : pp_zone_page_size(zone),
		.headroom = headroom,
		.flags = flags | (s->tx_metadata_len ? XDP_UMEM_TX_METADATA_LEN : 0),
		.tx_metadata_len = s->tx_metadata_len,
	};

	if (setsockopt(s->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)))
		die("register the UMEM");
}

void sock_open(struct sock *s, struct pp_zone *zone, uint32_t flags, uint32_t headroom, int umem_fd)
{
	static const int opts[RINGS] = { XDP_RX_RING, XDP_UMEM_FILL_RING, XDP_TX_RING,
					 XDP_UMEM_COMPLETION_RING };
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	unsigned int i;
	uint32_t size;

	s->fd = socket(AF_XDP, SOCK_RAW, 0);
	if (s->fd < 0)
		die("open an AF_XDP socket");
	if (umem_fd < 0)
		sock_umem(s, zone, flags, headroom);
	for (i = 0; i < RINGS; i++) {
		size = ring_size(s, i);
		if (setsockopt(s->fd, SOL_XDP, opts[i], &size, sizeof(size)))
			die("set the size of a ring");
	}
	if (getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		die("ask where the rings are");
	ring_map(s, RING_RX, &off.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc));
	ring_map(s, RING_TX, &off.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc));
	ring_map(s, RING_FILL, &off.fr, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t));
	ring_map(s, RING_COMP, &off.cr, XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t));
}

void sock_bind(struct sock *s, const char *ifname, unsigned int queue, int umem_fd)
{
	struct sockaddr_xdp to = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = (uint16_t)(umem_fd < 0 ? XDP_COPY | s->bind_flags : XDP_SHARED_UMEM),
		.sxdp_ifindex = if_nametoindex(ifname),
		.sxdp_queue_id = queue,
		.sxdp_shared_umem_fd = umem_fd < 0 ? 0 : (uint32_t)umem_fd,
	};
	unsigned int ms;

	for (ms = 0; bind(s->fd, (struct sockaddr *)&to, sizeof(to)); ms += 2) {
		if (errno != EBUSY || ms >= BIND_MS)
			die("bind an AF_XDP socket");
		usleep(2000);
	}
}

struct pp_xsk_params sock_params(const struct sock *s)
{
	return (struct pp_xsk_params){
		.sz = sizeof(struct pp_xsk_params),
		.fd = s->fd,
		.chunk_size = s->chunk_size,
		.tx_metadata_len = s->tx_metadata_len,
		.rx = s->rings[RING_RX],
		.fill = s->rings[RING_FILL],
		.tx = s->rings[RING_TX],
		.comp = s->rings[RING_COMP],
	};
}

void sock_close(struct sock *s)
{
	unsigned int i;

	for (i = 0; i < RINGS; i++)
		munmap(s->maps[i].map, s->maps[i].len);
	close(s->fd);
}

/* ---- packets ----------------------------------------------------------------------------------*/

int peer_open(bool hears)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = hears ? htons(ETH_P_ALL) : 0,
		.sll_ifindex = (int)if_nametoindex(IF_PEER),
	};
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("open the sender's socket");
	return fd;
}

/* A failed send is a packet that was lost on the way: the count is made at the other end. */
void peer_send(int fd, uint64_t seq)
{
	static const unsigned char head[] = {
		2,  0, 0, 0,  0, 1,  2, 0, 0,  0,  0, 2, 8,  0, /* Ethernet */
		69, 0, 0, 46, 0, 0,  0, 0, 64, 17, 0, 0, 10, 7, 7, 1, 10, 7, 7, 2, /* IPv4 */
		0,  0, 0, 9,  0, 26, 0, 0, /* UDP */
	};
	unsigned char frame[FRAME_LEN] = { 0 };

	memcpy(frame, head, sizeof(head));
	frame[34] = (unsigned char)(seq >> 8);
	frame[35] = (unsigned char)seq;
	memcpy(frame + FRAME_SEQ, &seq, sizeof(seq));
	(void)!send(fd, frame, sizeof(frame), MSG_DONTWAIT);
}
