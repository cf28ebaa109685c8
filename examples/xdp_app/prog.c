/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prog.c - the BPF program: loaded from this very file, attached in one of two ways
 *
 * libxdp's dispatcher lets several programs share an interface. It needs a
 * kernel that replaces functions of programs (BPF_PROG_TYPE_EXT), and its
 * program stays on the interface if this process is killed. A bpf_link is
 * exclusive, and ends with the process, however that ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "app.h"

#define PROG_NAME "xdp_app"

#define RETRY_MS 1000
#define STEP_MS	 5

static const unsigned char object_file[] __attribute__((aligned(8))) = {
#include <xdp_app.bpf.inc>
};

static char libbpf_said[200];

/* libbpf explains itself in several lines, of which the first is the reason. */
static int warning_keep(const char *fmt, va_list args)
{
	size_t n;

	if (libbpf_said[0])
		return 0;
	vsnprintf(libbpf_said, sizeof(libbpf_said), fmt, args);
	n = strcspn(libbpf_said, "\n");
	libbpf_said[n] = '\0';
	return 0;
}

static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? warning_keep(fmt, args) : 0;
}

static int on_libxdp(enum libxdp_print_level level, const char *fmt, va_list args)
{
	return level == LIBXDP_WARN ? warning_keep(fmt, args) : 0;
}

void prog_init(struct prog *prog)
{
	memset(prog, 0, sizeof(*prog));
	prog->link_fd = -1;
	prog->sockets_fd = -1;
	libbpf_set_print(on_libbpf);
	libxdp_set_print(on_libxdp);
}

const char *prog_mode(const struct prog *prog)
{
	return prog->mode == MODE_SKB ? "skb" : "native";
}

static int explain(int err, const char *what, const struct iface *iface)
{
	if (err == -EPERM || err == -EACCES)
		return no_permission(what, iface->name);
	return fail("cannot %s for %s: %s%s%s", what, iface->name, strerror(-err),
		    libbpf_said[0] ? "; " : "", libbpf_said);
}

/* id and name of the program on the interface; 0: none. The name is CAP_SYS_ADMIN's to know. */
static uint32_t prog_there(int index, char *name, size_t len)
{
	struct bpf_prog_info info;
	uint32_t size = sizeof(info), id = 0;
	int fd;

	name[0] = '\0';
	if (bpf_xdp_query_id(index, 0, &id) || !id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return errno == ENOENT ? 0 : id; /* it went just now */
	memset(&info, 0, sizeof(info));
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		snprintf(name, len, "%s", info.name);
	close(fd);
	return id;
}

static int explain_busy(const struct iface *iface)
{
	char name[BPF_OBJ_NAME_LEN];
	uint32_t id = prog_there(iface->index, name, sizeof(name));

	return fail("%s has an XDP program already (id %u%s%s), which was left alone; stop its "
		    "owner, or remove it with: ip link set dev %s xdp off",
		    iface->name, id, name[0] ? ", " : "", name, iface->name);
}

/* A program of this name, or of none to be known, may be that of a process that is just being
   killed: wait for it. */
static int link_once_free(struct prog *prog, int fd, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	char name[BPF_OBJ_NAME_LEN];
	unsigned int ms;
	int err = 0;

	for (ms = 0; ms <= RETRY_MS; ms += STEP_MS) {
		prog->link_fd = bpf_link_create(fd, prog->index, BPF_XDP, &opts);
		if (prog->link_fd >= 0)
			return 0;
		err = -errno;
		if (err != -EBUSY && err != -EEXIST)
			return err;
		if (prog_there(prog->index, name, sizeof(name)) && name[0] &&
		    strcmp(name, PROG_NAME))
			return -EBUSY;
		sleep_ms(STEP_MS);
	}
	return -EBUSY;
}

static int attach_link(struct prog *prog, const struct iface *iface, enum mode mode)
{
	int err, fd;

	err = bpf_object__load(prog->object);
	if (err)
		return explain(err, "load the XDP program", iface);
	fd = bpf_program__fd(bpf_object__find_program_by_name(prog->object, PROG_NAME));
	prog->mode = mode == MODE_SKB ? MODE_SKB : MODE_NATIVE;
	err = link_once_free(prog, fd, mode == MODE_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	if (err && err != -EBUSY && mode == MODE_AUTO) {
		prog->mode = MODE_SKB;
		err = link_once_free(prog, fd, XDP_FLAGS_SKB_MODE);
	}
	if (err == -EBUSY)
		return explain_busy(iface);
	if (err && mode == MODE_NATIVE)
		return fail("no native XDP on %s: %s; take --mode auto or skb", iface->name,
			    strerror(-err));
	return err ? explain(err, "attach the XDP program", iface) : 0;
}

/*
 * A process that was killed has left its program, which redirects to no socket. Our sockets are
 * bound to the queues by now, so that no other process can own it.
 */
static void remove_leftover(int index)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(index);
	struct xdp_program *p = NULL;

	if (libxdp_get_error(mp))
		return;
	while ((p = xdp_multiprog__next_prog(p, mp)))
		if (!strcmp(xdp_program__name(p), PROG_NAME))
			break;
	if (p)
		xdp_program__detach(p, index, xdp_multiprog__attach_mode(mp), 0);
	xdp_multiprog__close(mp);
}

static bool is_dispatched(int index)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(index);
	bool yes;

	if (libxdp_get_error(mp))
		return false;
	yes = !xdp_multiprog__is_legacy(mp);
	xdp_multiprog__close(mp);
	return yes;
}

static int attach_dispatcher(struct prog *prog, enum mode mode)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = prog->object, .prog_name = PROG_NAME);
	int err;

	remove_leftover(prog->index);
	prog->dispatched = xdp_program__create(&opts);
	err = (int)libxdp_get_error(prog->dispatched);
	if (err) {
		prog->dispatched = NULL;
		return err;
	}
	prog->object = NULL; /* it goes with the program now */
	prog->mode = mode == MODE_SKB ? MODE_SKB : MODE_NATIVE;
	err = xdp_program__attach(prog->dispatched, prog->index,
				  mode == MODE_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
	if (err && err != -EBUSY && mode == MODE_AUTO) {
		prog->mode = MODE_SKB;
		err = xdp_program__attach(prog->dispatched, prog->index, XDP_MODE_SKB, 0);
	}
	/* libxdp may have attached a plain program instead, which is not what was asked for */
	if (!err && !is_dispatched(prog->index)) {
		xdp_program__detach(prog->dispatched, prog->index,
				    prog->mode == MODE_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
		err = -EOPNOTSUPP;
	}
	if (!err)
		return 0;
	xdp_program__close(prog->dispatched);
	prog->dispatched = NULL;
	return err;
}

static int open_object(struct prog *prog, const struct iface *iface)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = PROG_NAME);

	if (prog->object)
		return 0;
	prog->object = bpf_object__open_mem(object_file, sizeof(object_file), &opts);
	if (!prog->object)
		return explain(-errno, "read the XDP program", iface);
	return 0;
}

static int prog_attach_as(struct prog *prog, const struct iface *iface, const struct options *o)
{
	bool able = libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) == 1;
	int err;

	if (o->attach != ATTACH_LINK && able) {
		libbpf_said[0] = '\0';
		err = attach_dispatcher(prog, o->mode);
		if (!err)
			return 0;
		if (o->attach == ATTACH_DISPATCHER)
			return explain(err, "attach through libxdp's dispatcher", iface);
		if (open_object(prog, iface))
			return -1;
	} else if (o->attach == ATTACH_DISPATCHER) {
		return fail("this kernel refuses programs of type EXT, which libxdp's dispatcher "
			    "for %s needs; take --attach link",
			    iface->name);
	}
	libbpf_said[0] = '\0';
	return attach_link(prog, iface, o->mode);
}

int prog_attach(struct prog *prog, const struct iface *iface, const struct options *o)
{
	struct wanted wanted = {
		.port = { htons(o->responder.dns_port), htons(o->responder.echo_port) },
	};
	struct bpf_object *object;
	uint32_t key = 0;
	int fd;

	memcpy(wanted.mac, iface->mac, sizeof(wanted.mac));
	prog->index = iface->index;
	if (open_object(prog, iface) || prog_attach_as(prog, iface, o))
		return -1;
	object = prog->dispatched ? xdp_program__bpf_obj(prog->dispatched) : prog->object;
	prog->sockets_fd = bpf_object__find_map_fd_by_name(object, "sockets");
	fd = bpf_object__find_map_fd_by_name(object, "wanted");
	if (prog->sockets_fd < 0 || fd < 0 || bpf_map_update_elem(fd, &key, &wanted, BPF_ANY))
		return explain(-errno, "set up the XDP program's maps", iface);
	return 0;
}

int prog_add_socket(struct prog *prog, unsigned int queue, int fd)
{
	uint32_t key = queue;

	if (bpf_map_update_elem(prog->sockets_fd, &key, &fd, BPF_ANY))
		return fail("cannot put the socket of queue %u into the XSKMAP: %s", queue,
			    strerror(errno));
	return 0;
}

void prog_detach(struct prog *prog)
{
	if (prog->link_fd >= 0)
		close(prog->link_fd);
	prog->link_fd = -1;
	if (prog->dispatched) {
		xdp_program__detach(prog->dispatched, prog->index,
				    prog->mode == MODE_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE, 0);
		xdp_program__close(prog->dispatched);
	}
	prog->dispatched = NULL;
	if (prog->object)
		bpf_object__close(prog->object);
	prog->object = NULL;
	prog->sockets_fd = -1;
}
