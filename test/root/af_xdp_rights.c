/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_rights.c - a port in a process without any capability
 *
 *   af_xdp_rights parent IF PEER   binds a socket over a memfd, and becomes, through setpriv,
 *   af_xdp_rights child IF         which has nothing but four descriptors
 */
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/if_link.h>

#include "rig.h"

#define FD_SOCKET 20
#define FD_MEMORY 21
#define FD_PEER	  22
#define FD_LINK	  23
#define HEADROOM  128u

static void keep(int fd, int as)
{
	CHECK(fd >= 0 && dup2(fd, as) == as); /* dup2() clears close-on-exec */
	close(fd);
}

static void bind_socket(const char *ifname)
{
	const uint32_t rx = XDP_RX_SIZE, fill = 2 * XDP_RX_SIZE;
	struct sockaddr_xdp sxdp = { .sxdp_family = AF_XDP };
	struct xdp_umem_reg_meta reg = { .chunk_size = 4096, .headroom = HEADROOM };
	int fd = socket(AF_XDP, SOCK_RAW, 0), mem = memfd_create("packets", 0);

	CHECK(fd >= 0 && mem >= 0 && !ftruncate(mem, PAGES * 4096));
	reg.len = PAGES * 4096;
	reg.addr = (uintptr_t)mmap(NULL, reg.len, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
	CHECK(reg.addr != (uintptr_t)MAP_FAILED);
	CHECK(!setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)));
	CHECK(!setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &fill, sizeof(fill)));
	CHECK(!setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &rx, sizeof(rx)));
	CHECK(!setsockopt(fd, SOL_XDP, XDP_RX_RING, &rx, sizeof(rx)));
	CHECK(!setsockopt(fd, SOL_XDP, XDP_TX_RING, &rx, sizeof(rx)));
	sxdp.sxdp_ifindex = if_nametoindex(ifname);
	CHECK(!bind(fd, (struct sockaddr *)&sxdp, sizeof(sxdp)));
	keep(fd, FD_SOCKET);
	keep(mem, FD_MEMORY);
}

static void attach(const char *ifname)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 16 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "rights", 4, 4, 1, NULL);
	int prog, fd = FD_SOCKET;
	uint32_t key = 0;

	insns[1].imm = map;
	prog = bpf_prog_load(BPF_PROG_TYPE_XDP, "rights", "GPL", insns, 6, NULL);
	CHECK(map >= 0 && prog >= 0 && !bpf_map_update_elem(map, &key, &fd, 0));
	keep(bpf_link_create(prog, (int)if_nametoindex(ifname), BPF_XDP, &opts), FD_LINK);
}

static void open_peer(const char *ifname)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = 0xb588 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0xb588);

	sll.sll_ifindex = (int)if_nametoindex(ifname);
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&sll, sizeof(sll)));
	keep(fd, FD_PEER);
}

static struct pp_zone *zone_of_memfd(void)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = PAGES, .headroom = HEADROOM };
	struct pp_zone *zone;

	zp.mem = PP_MEM_USER;
	zp.region_len = PAGES * 4096;
	zp.region = mmap(NULL, zp.region_len, PROT_READ | PROT_WRITE, MAP_SHARED, FD_MEMORY, 0);
	CHECK(zp.region != MAP_FAILED);
	zone = pp_zone_create(&zp);
	CHECK(zone);
	return zone;
}

static void bad_sockets(const char *ifname, const struct pp_netdev_params *np)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "af_xdp:%s", ifname);
	CHECK(!pp_netdev_open(spec, np) && strstr(pp_error(), "no permission"));
	snprintf(spec, sizeof(spec), "af_xdp:%s,socket=%d", ifname, FD_MEMORY);
	CHECK(!pp_netdev_open(spec, np) && strstr(pp_error(), "no AF_XDP socket"));
	snprintf(spec, sizeof(spec), "af_xdp:%s,socket=%d,fill=2048", ifname, FD_SOCKET);
	CHECK(!pp_netdev_open(spec, np) && strstr(pp_error(), "rings of other sizes"));
	snprintf(spec, sizeof(spec), "af_xdp:%s,socket=%d,fill=8192", ifname, FD_SOCKET);
	CHECK(!pp_netdev_open(spec, np) && strstr(pp_error(), "rings of other sizes"));
}

static void there_and_back(struct pp_netdev *dev)
{
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	uint64_t end = now_ms() + 5000;
	struct pp_page *page;
	unsigned char buf[2048];
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		page = make_frame(q->pool, 300, i);
		CHECK(pp_tx_burst(q, &page, 1) == 1);
		CHECK(recv(FD_PEER, buf, sizeof(buf), 0) == 300 && !memcmp(buf + 14, &i, 4));
		CHECK(send(FD_PEER, buf, 300, 0) == 300);
		while (!pp_rx_burst(q, &page, 1))
			CHECK(now_ms() < end);
		CHECK(frame_is(page, 300, i));
		page_pool_put_bulk(&page, 1);
		pp_tx_clean(q);
	}
}

static int child(const char *ifname)
{
	struct pp_netdev_params np = { .sz = sizeof(np) };
	struct pp_netdev *dev;
	struct pp_zone *zone = zone_of_memfd();
	struct pp_audit audit = { .sz = sizeof(audit) };
	char spec[64];

	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 &&
	      errno == EPERM); /* or the test proves nothing */
	np.zone = zone;
	bad_sockets(ifname, &np);
	snprintf(spec, sizeof(spec), "af_xdp:%s,socket=%d", ifname, FD_SOCKET);
	dev = pp_netdev_open(spec, &np);
	CHECK(dev && strstr(pp_netdev_info(dev), "passed socket"));
	there_and_back(dev);
	pp_netdev_close(dev);
	CHECK(!pp_zone_audit(zone, &audit) && !audit.leaked && !audit.double_free);
	CHECK(!pp_zone_destroy(zone));
	printf("af_xdp_rights: 10000 packets there and back without a capability\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "child"))
		return child(argv[2]);
	if (argc != 4 || strcmp(argv[1], "parent")) {
		fprintf(stderr, "usage: af_xdp_rights parent IF PEER\n");
		return 2;
	}
	bind_socket(argv[2]);
	attach(argv[2]);
	open_peer(argv[3]);
	execlp("setpriv", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
	       "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", argv[0], "child",
	       argv[2], NULL);
	perror("af_xdp_rights: setpriv");
	return 1;
}
