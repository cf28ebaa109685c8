/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_prog.c - the interface below an af_xdp port, and the XDP program on it
 *
 * The program sends what arrives on a queue to that queue's socket, and whatever
 * has no socket on to the kernel's stack. Six instructions need no compiler, no
 * object file and no loader, so they are loaded as they stand.
 *
 * It is attached by a bpf_link, not by netlink and not through libxdp's
 * dispatcher: a link goes away with the process that holds it, also after
 * SIGKILL, so that no run can leave a program behind, and it never replaces
 * somebody else's program. Hence nothing is pinned and no bpffs is needed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include <pagepool/error.h>

#include "af_xdp_priv.h"

#define PROG_NAME "pp_af_xdp"

void pp_xdp_sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

/*
 * Asks the device, not sysfs: a mounted sysfs shows the namespace that it was
 * mounted in, which need not be the one that this process is in.
 */
static unsigned int if_channels(int fd, struct ifreq *ifr)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	unsigned int rx, tx;

	ifr->ifr_data = (void *)&ch;
	if (ioctl(fd, SIOCETHTOOL, ifr))
		return 0;
	rx = ch.combined_count + ch.rx_count;
	tx = ch.combined_count + ch.tx_count;
	return rx < tx ? rx : tx;
}

static int if_ioctls(int fd, struct xdp_if *xif)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, xif->name, sizeof(ifr.ifr_name));
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -errno;
	if (!(ifr.ifr_flags & IFF_UP))
		return pp_set_error(ENETDOWN,
				    "interface %s is down; set it up first: ip link set dev %s up",
				    xif->name, xif->name);
	if (ioctl(fd, SIOCGIFMTU, &ifr))
		return -errno;
	xif->mtu = (unsigned int)ifr.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	memcpy(xif->mac, ifr.ifr_hwaddr.sa_data, sizeof(xif->mac));
	xif->channels = if_channels(fd, &ifr);
	return 0;
}

int pp_xdp_if_query(const char *name, struct xdp_if *xif)
{
	int fd, err;

	memset(xif, 0, sizeof(*xif));
	if (!name || !name[0])
		return pp_set_error(EINVAL, "no interface given; write af_xdp:IF, for instance "
					    "af_xdp:eth0");
	if (strlen(name) < sizeof(xif->name))
		xif->index = (int)if_nametoindex(name);
	if (!xif->index)
		return pp_set_error(ENOENT,
				    "there is no interface %s in this network namespace; "
				    "\"ip link\" lists what there is",
				    name);
	strcpy(xif->name, name);

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return pp_set_error(errno, "cannot ask for the state of interface %s: %s", name,
				    strerror(errno));
	err = if_ioctls(fd, xif);
	if (err && err != -ENETDOWN)
		err = pp_set_error(-err, "cannot ask for the state of interface %s: %s", name,
				   strerror(-err));
	close(fd);
	return err;
}

int pp_xdp_error(int err, const struct xdp_if *xif, const char *what)
{
	if (err == -EPERM || err == -EACCES)
		return pp_set_error(-err,
				    "no permission to %s for %s; run as root or with CAP_NET_RAW, "
				    "CAP_NET_ADMIN and CAP_BPF",
				    what, xif->name);
	return pp_set_error(-err, "cannot %s for %s: %s", what, xif->name, strerror(-err));
}

static int prog_load(struct xdp_prog *prog, const struct xdp_if *xif, unsigned int queues)
{
	struct bpf_insn insns[] = {
		/* r2 = ctx->rx_queue_index */
		{ .code = BPF_LDX | BPF_MEM | BPF_W,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_REG_1,
		  .off = offsetof(struct xdp_md, rx_queue_index) },
		/* r1 = map, in two slots; its descriptor is known further down */
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD },
		{ 0 },
		/* r3 = what to do with a queue that is not in the map */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	prog->map_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, PROG_NAME, sizeof(uint32_t), sizeof(int),
				      queues, NULL);
	if (prog->map_fd < 0)
		return pp_xdp_error(-errno, xif, "create an XSKMAP");
	insns[1].imm = prog->map_fd;
	prog->prog_fd = bpf_prog_load(BPF_PROG_TYPE_XDP, PROG_NAME, "Dual BSD/GPL", insns,
				      sizeof(insns) / sizeof(insns[0]), NULL);
	if (prog->prog_fd < 0)
		return pp_xdp_error(-errno, xif, "load the XDP program");
	return 0;
}

/* id of the program on the interface, 0 if there is none; @name may stay empty */
static uint32_t prog_there(const struct xdp_if *xif, char *name, size_t len)
{
	struct bpf_prog_info info;
	uint32_t size = sizeof(info);
	uint32_t id = 0;
	int fd;

	name[0] = '\0';
	if (bpf_xdp_query_id(xif->index, 0, &id) || !id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return id;
	memset(&info, 0, sizeof(info));
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		snprintf(name, len, "%s", info.name);
	close(fd);
	return id;
}

/*
 * A program of ours may be that of a process which is just being killed: wait
 * for it, as for its sockets. Anybody else's is there to stay.
 */
static int prog_link(struct xdp_prog *prog, const struct xdp_if *xif, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	char name[BPF_OBJ_NAME_LEN];
	unsigned int ms = 0;
	uint32_t id;
	int err;

	for (;;) {
		prog->link_fd = bpf_link_create(prog->prog_fd, xif->index, BPF_XDP, &opts);
		if (prog->link_fd >= 0)
			return 0;
		err = -errno;
		/* EEXIST: the other one is in the other mode */
		if (err != -EBUSY && err != -EEXIST)
			return err;
		id = prog_there(xif, name, sizeof(name));
		if (id && strcmp(name, PROG_NAME))
			break;
		if (ms >= XDP_RETRY_MS)
			break;
		pp_xdp_sleep_ms(XDP_RETRY_STEP_MS);
		ms += XDP_RETRY_STEP_MS;
	}
	prog->busy_id = id;
	snprintf(prog->busy_name, sizeof(prog->busy_name), "%s", name);
	return -EBUSY;
}

static int prog_busy(const struct xdp_prog *prog, const struct xdp_if *xif)
{
	if (!prog->busy_id)
		return pp_xdp_error(-EBUSY, xif, "attach the XDP program");
	if (!strcmp(prog->busy_name, PROG_NAME))
		return pp_set_error(
			EBUSY,
			"another pagepool program is running on %s (XDP program id %u); stop "
			"it, or give one program all queues with queues=N",
			xif->name, prog->busy_id);
	return pp_set_error(EBUSY,
			    "%s has an XDP program already (id %u%s%s), which was left alone; stop "
			    "its owner, or remove it with: ip link set dev %s xdp off",
			    xif->name, prog->busy_id, prog->busy_name[0] ? ", " : "",
			    prog->busy_name, xif->name);
}

static const char *why_not_native(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "the driver has no native XDP";
	case -ERANGE:
		return "MTU too large for native XDP";
	case -ENOSPC:
		return "too few RX queues for native XDP";
	default:
		return strerror(-err);
	}
}

int pp_xdp_prog_attach(struct xdp_prog *prog, const struct xdp_if *xif, enum xdp_mode mode,
		       unsigned int queues)
{
	int err;

	err = prog_load(prog, xif, queues);
	if (err)
		return err;

	prog->mode = mode == XDP_MODE_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE;
	err = prog_link(prog, xif, mode == XDP_MODE_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	/* after EBUSY generic XDP is no way out: it would run behind the other program */
	if (err && err != -EBUSY && mode == XDP_MODE_AUTO) {
		snprintf(prog->fallback, sizeof(prog->fallback), "%s", why_not_native(err));
		prog->mode = XDP_MODE_SKB;
		err = prog_link(prog, xif, XDP_FLAGS_SKB_MODE);
	}
	if (err == -EBUSY)
		return prog_busy(prog, xif);
	if (err && mode == XDP_MODE_NATIVE)
		return pp_set_error(-err, "no native XDP on %s: %s; take mode=auto or mode=skb",
				    xif->name, why_not_native(err));
	return err ? pp_xdp_error(err, xif, "attach the XDP program") : 0;
}

int pp_xdp_prog_set(struct xdp_prog *prog, const struct xdp_if *xif, unsigned int queue, int fd)
{
	uint32_t key = queue;

	if (bpf_map_update_elem(prog->map_fd, &key, &fd, BPF_ANY))
		return pp_xdp_error(-errno, xif, "put the socket into the XSKMAP");
	return 0;
}

void pp_xdp_prog_unset(struct xdp_prog *prog, unsigned int queue)
{
	uint32_t key = queue;

	if (prog->map_fd >= 0)
		bpf_map_delete_elem(prog->map_fd, &key);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void pp_xdp_prog_detach(struct xdp_prog *prog)
{
	close_fd(&prog->link_fd);
	close_fd(&prog->prog_fd);
	close_fd(&prog->map_fd);
}
