/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/prog.c - the XDP program below af_xdp ports
 *
 * The program sends the packets of a queue to that queue's socket, and those of a queue without
 * one on to the kernel's stack. Six instructions need no compiler, no object file and no loader,
 * so they are loaded as they stand.
 *
 * A bpf_link attaches it, unless the port asks for libxdp's dispatcher (dispatcher.c). A link
 * goes away with the process that holds it, also after SIGKILL, so that no run can leave a program
 * behind, and it never replaces another one. Hence it needs no pin and no bpffs.
 *
 * A link leaves no room for a second program, so the ports of a process on the same interface
 * share one: the first attaches it, the last takes it away.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <pagepool/error.h>

#include "af_xdp/priv.h"
#include "xsk/uapi.h"

#define QUEUES_MIN 64u

static pthread_mutex_t progs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct xdp_prog *progs;

static int prog_load(struct xdp_prog *prog, const struct pp_iface *xif)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = prog->frags ? BPF_F_XDP_HAS_FRAGS : 0);
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
		/* r3 = action for a queue that is not in the map */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	prog->map_fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, PROG_NAME, sizeof(uint32_t), sizeof(int),
				      prog->queues, NULL);
	if (prog->map_fd < 0)
		return pp_xdp_error(-errno, xif, "create an XSKMAP");
	insns[1].imm = prog->map_fd;
	prog->prog_fd = bpf_prog_load(BPF_PROG_TYPE_XDP, PROG_NAME, "Dual BSD/GPL", insns,
				      sizeof(insns) / sizeof(insns[0]), &opts);
	if (prog->prog_fd < 0)
		return pp_xdp_error(-errno, xif, "load the XDP program");
	return 0;
}

/*
 * Id of the program on the interface, 0 if there is none. @name stays empty if it cannot be
 * known: by a process without CAP_SYS_ADMIN, or because the program has gone between two
 * questions. @others: it is surely none of ours.
 */
static uint32_t prog_there(const struct pp_iface *xif, char *name, size_t len, bool *others)
{
	struct bpf_prog_info info;
	uint32_t size = sizeof(info);
	uint32_t id = 0;
	int fd;

	name[0] = '\0';
	*others = false;
	if (bpf_xdp_query_id(xif->index, 0, &id) || !id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? 0 : id;
	memset(&info, 0, sizeof(info));
	if (!bpf_obj_get_info_by_fd(fd, &info, &size)) {
		snprintf(name, len, "%s", info.name);
		*others = strcmp(name, PROG_NAME);
	}
	close(fd);
	return id;
}

/*
 * A program that may be ours may be that of a process which is just being killed: wait for it, as
 * for its sockets. Any other one is there to stay.
 */
static int prog_link(struct xdp_prog *prog, const struct pp_iface *xif, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	char name[BPF_OBJ_NAME_LEN];
	unsigned int ms = 0;
	bool others;
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
		id = prog_there(xif, name, sizeof(name), &others);
		if (others && pp_xdp_remove_leftovers(xif->index))
			continue;
		if (others || ms >= XDP_RETRY_MS)
			break;
		pp_xdp_sleep_ms(XDP_RETRY_STEP_MS);
		ms += XDP_RETRY_STEP_MS;
	}
	prog->busy_id = id;
	snprintf(prog->busy_name, sizeof(prog->busy_name), "%s", name);
	return -EBUSY;
}

static int prog_busy(const struct xdp_prog *prog, const struct pp_iface *xif)
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

static int prog_attach(struct xdp_prog *prog, const struct pp_iface *xif, enum xdp_mode mode)
{
	int err;

	prog->mode = mode == PP_XDP_SKB ? PP_XDP_SKB : PP_XDP_NATIVE;
	err = prog_link(prog, xif, mode == PP_XDP_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	/* after EBUSY generic XDP is no way out: it would run behind the other program */
	if (err && err != -EBUSY && mode == PP_XDP_AUTO) {
		snprintf(prog->fallback, sizeof(prog->fallback), "%s", why_not_native(err));
		prog->mode = PP_XDP_SKB;
		err = prog_link(prog, xif, XDP_FLAGS_SKB_MODE);
	}
	if (err == -EBUSY)
		return prog_busy(prog, xif);
	if (err && (prog->rx_meta || prog->vlan_insert))
		return pp_set_error(-err,
				    "rx_meta and vlan=insert need native XDP, which %s has not: "
				    "%s; leave them out",
				    xif->name, why_not_native(err));
	if (err && mode == PP_XDP_NATIVE)
		return pp_set_error(-err, "no native XDP on %s: %s; take mode=auto or mode=skb",
				    xif->name, why_not_native(err));
	return err ? pp_xdp_error(err, xif, "attach the XDP program") : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void prog_free(struct xdp_prog *prog)
{
	pp_xdp_undispatch(prog);
	close_fd(&prog->link_fd);
	close_fd(&prog->prog_fd);
	close_fd(&prog->map_fd);
	free(prog);
}

static int prog_open(struct xdp_prog *prog, const struct pp_iface *xif,
		     const struct xdp_prog_params *params)
{
	int err;

	if (params->map) {
		prog->mode = PP_XDP_OTHERS;
		return pp_xdp_object_map(prog, xif, params->map);
	}
	if (params->dispatcher)
		return pp_xdp_dispatch(prog, xif, params);
	if (params->file || prog->rx_meta || prog->vlan_insert)
		err = pp_xdp_object_load(prog, xif, params->file);
	else
		err = prog_load(prog, xif);
	return err ? err : prog_attach(prog, xif, params->mode);
}

/* 0: a port with other wishes may use the program that is there */
static int prog_check(const struct xdp_prog *prog, const struct pp_iface *xif,
		      const struct xdp_prog_params *params)
{
	const char *file = params->file ? params->file : "";

	if (params->mode != PP_XDP_AUTO && params->mode != prog->mode)
		return pp_set_error(EBUSY,
				    "another port has the XDP program on %s in mode=%s; give both "
				    "ports the same mode",
				    xif->name, prog->mode == PP_XDP_SKB ? "skb" : "native");
	if (params->dispatcher != prog->dispatcher)
		return pp_set_error(
			EBUSY,
			"another port has the XDP program on %s with attach=%s; give both "
			"ports the same attach",
			xif->name, prog->dispatcher ? "dispatcher" : "link");
	if (strcmp(file, prog->file))
		return pp_set_error(EBUSY,
				    "another port has another XDP program on %s; give both ports "
				    "the same prog",
				    xif->name);
	if (params->rx_meta != prog->rx_meta || params->vlan_insert != prog->vlan_insert)
		return pp_set_error(EBUSY,
				    "another port on %s has another rx_meta or vlan; give both "
				    "ports the same",
				    xif->name);
	if (params->frags && !prog->frags)
		return pp_set_error(EBUSY, "another port on %s has sg=off; give both sg=on",
				    xif->name);
	return 0;
}

static struct xdp_prog *prog_find(int ifindex, const struct pp_net *net)
{
	struct xdp_prog *prog;

	for (prog = progs; prog; prog = prog->next)
		if (prog->ifindex == ifindex && pp_net_same(&prog->net, net))
			break;
	return prog;
}

static struct xdp_prog *prog_create(const struct pp_iface *xif, const struct pp_net *net,
				    const struct xdp_prog_params *params)
{
	const char *file = params->file ? params->file : "";
	struct xdp_prog *prog = calloc(1, sizeof(*prog) + strlen(file) + 1);
	int err;

	if (!prog) {
		pp_set_error(ENOMEM, "no memory for the XDP program of %s", xif->name);
		return NULL;
	}
	prog->map_fd = -1;
	prog->prog_fd = -1;
	prog->link_fd = -1;
	prog->ifindex = xif->index;
	prog->net = *net;
	prog->frags = params->frags;
	prog->dispatcher = params->dispatcher;
	prog->rx_meta = params->rx_meta;
	prog->vlan_insert = params->vlan_insert;
	prog->queues = params->queues > xif->channels ? params->queues : xif->channels;
	if (prog->queues < QUEUES_MIN)
		prog->queues = QUEUES_MIN; /* for ports to come */
	strcpy(prog->file, file);
	err = prog_open(prog, xif, params);
	if (err) {
		prog_free(prog);
		errno = -err;
		return NULL;
	}
	return prog;
}

/* a program is not ours to share if its map was passed to us */
struct xdp_prog *pp_xdp_prog_get(const struct pp_iface *xif, const struct xdp_prog_params *params)
{
	const struct pp_net net = pp_net_of(xif->ctl);
	struct xdp_prog *prog;
	int err = 0;

	pthread_mutex_lock(&progs_lock);
	prog = params->map ? NULL : prog_find(xif->index, &net);
	if (prog) {
		err = prog_check(prog, xif, params);
	} else {
		prog = prog_create(xif, &net, params);
		err = prog ? 0 : -errno;
		if (prog && !params->map) {
			prog->next = progs;
			progs = prog;
		}
	}
	if (!err)
		prog->refs++;
	pthread_mutex_unlock(&progs_lock);
	errno = -err;
	return err ? NULL : prog;
}

int pp_xdp_prog_set(struct xdp_prog *prog, const struct pp_iface *xif, unsigned int queue, int fd)
{
	uint32_t key = queue;

	if (queue >= prog->queues)
		return pp_set_error(EINVAL,
				    "the XSKMAP of the program on %s has %u entries, and "
				    "none for queue %u",
				    xif->name, prog->queues, queue);
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

void pp_xdp_prog_put(struct xdp_prog *prog)
{
	struct xdp_prog **link;

	if (!prog)
		return;
	pthread_mutex_lock(&progs_lock);
	if (!--prog->refs) {
		for (link = &progs; *link; link = &(*link)->next) {
			if (*link == prog) {
				*link = prog->next;
				break;
			}
		}
		prog_free(prog);
	}
	pthread_mutex_unlock(&progs_lock);
}
