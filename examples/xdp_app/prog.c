/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prog.c - the BPF program: part of this program's file, and attached by a bpf_link
 *
 * A link belongs to one program alone, and ends with the process, however that ends.
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
#include "common/clock.h"

#define PROG_NAME "xdp_app"

#define RETRY_MS 1000
#define STEP_MS	 5

static const unsigned char object_file[] __attribute__((aligned(8))) = {
#include <xdp_app.bpf.inc>
};

static char libbpf_said[200];

/* libbpf explains itself in several lines, of which the first is the reason */
static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level != LIBBPF_WARN || libbpf_said[0])
		return 0;
	vsnprintf(libbpf_said, sizeof(libbpf_said), fmt, args);
	libbpf_said[strcspn(libbpf_said, "\n")] = '\0';
	return 0;
}

void prog_init(struct prog *prog)
{
	*prog = (struct prog){ .link_fd = -1, .sockets_fd = -1 };
	libbpf_set_print(keep_warning);
}

const char *prog_mode(const struct prog *prog)
{
	return prog->mode == MODE_SKB ? "skb" : "native";
}

static int explain_error(int err, const char *what, const struct iface *iface)
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

/*
 * A program of this name, or of an unknown one, may be that of a process that is just being
 * killed: wait for its end.
 */
static int link_once_free(struct prog *prog, int fd, const struct iface *iface, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	char name[BPF_OBJ_NAME_LEN];
	unsigned int ms;
	int err = 0;

	for (ms = 0; ms <= RETRY_MS; ms += STEP_MS) {
		prog->link_fd = bpf_link_create(fd, iface->index, BPF_XDP, &opts);
		if (prog->link_fd >= 0)
			return 0;
		err = -errno;
		if (err != -EBUSY && err != -EEXIST)
			return err;
		if (prog_there(iface->index, name, sizeof(name)) && name[0] &&
		    strcmp(name, PROG_NAME))
			return -EBUSY;
		sleep_ms(STEP_MS);
	}
	return -EBUSY;
}

static int attach_prog(struct prog *prog, const struct iface *iface, enum mode mode)
{
	int err, fd;

	fd = bpf_program__fd(bpf_object__find_program_by_name(prog->object, PROG_NAME));
	prog->mode = mode == MODE_SKB ? MODE_SKB : MODE_NATIVE;
	err = link_once_free(prog, fd, iface,
			     mode == MODE_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	if (err && err != -EBUSY && mode == MODE_AUTO) {
		prog->mode = MODE_SKB;
		err = link_once_free(prog, fd, iface, XDP_FLAGS_SKB_MODE);
	}
	if (err == -EBUSY)
		return explain_busy(iface);
	if (err && mode == MODE_NATIVE)
		return fail("no native XDP on %s: %s; take --mode auto or skb", iface->name,
			    strerror(-err));
	return err ? explain_error(err, "attach the XDP program", iface) : 0;
}

static int load_prog(struct prog *prog, const struct iface *iface)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = PROG_NAME);
	int err;

	prog->object = bpf_object__open_mem(object_file, sizeof(object_file), &opts);
	if (!prog->object)
		return explain_error(-errno, "read the XDP program", iface);
	err = bpf_object__load(prog->object);
	return err ? explain_error(err, "load the XDP program", iface) : 0;
}

int prog_attach(struct prog *prog, const struct iface *iface, const struct options *o)
{
	struct wanted wanted = {
		.port = { htons((uint16_t)o->responder.dns_port),
			  htons((uint16_t)o->responder.echo_port) },
	};
	uint32_t key = 0;
	int fd;

	memcpy(wanted.mac, iface->mac, sizeof(wanted.mac));
	if (load_prog(prog, iface) || attach_prog(prog, iface, o->mode))
		return -1;
	prog->sockets_fd = bpf_object__find_map_fd_by_name(prog->object, "sockets");
	fd = bpf_object__find_map_fd_by_name(prog->object, "wanted");
	if (prog->sockets_fd < 0 || fd < 0 || bpf_map_update_elem(fd, &key, &wanted, BPF_ANY))
		return explain_error(-errno, "set up the XDP program's maps", iface);
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
	bpf_object__close(prog->object);
	prog->object = NULL;
	prog->sockets_fd = -1;
}
