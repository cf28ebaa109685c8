/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/dispatcher.c - the XDP program beside other programs, by libxdp's dispatcher
 *
 * The dispatcher is a program that calls up to ten others in turn. libxdp loads each of these as
 * a program of type EXT, which replaces a function of the dispatcher, and pins it below
 * /sys/fs/bpf/xdp. So the program stays on the interface after a kill. Its map has no socket then,
 * and it passes everything on. The next port with attach=dispatcher on the interface removes it:
 * a program of this name that no process has open is such a one.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <pagepool/error.h>

#include "af_xdp/priv.h"

/* one byte where there was no clang to compile it */
static const unsigned char own_object[] __attribute__((aligned(8))) = {
#include <dispatched.bpf.inc>
};

/* ---- libxdp's own messages: the first warning is the reason -----------------------------------*/

static char said[128];

static int warning_keep(const char *fmt, va_list args)
{
	if (said[0])
		return 0;
	vsnprintf(said, sizeof(said), fmt, args);
	said[strcspn(said, "\n")] = '\0';
	return 0;
}

static int on_libxdp(enum libxdp_print_level level, const char *fmt, va_list args)
{
	return level == LIBXDP_WARN ? warning_keep(fmt, args) : 0;
}

static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? warning_keep(fmt, args) : 0;
}

/* ---- programs that a killed process has left --------------------------------------------------*/

static bool fd_is_of(int dir, const char *fd, const char *line)
{
	char text[1024];
	ssize_t n;
	int file = openat(dir, fd, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return false;
	n = read(file, text, sizeof(text) - 1);
	close(file);
	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, line);
}

/* does the process have a descriptor with @line in its fdinfo? true if it cannot be asked */
static bool process_has(const char *pid, const char *line)
{
	struct dirent *entry;
	bool has = false;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		return errno != ENOENT; /* it has ended */
	while (!has && (entry = readdir(dir)))
		has = fd_is_of(dirfd(dir), entry->d_name, line);
	closedir(dir);
	return has;
}

/* Does another process have program @id open? This one has it open here. */
static bool prog_is_held(uint32_t id)
{
	struct dirent *entry;
	bool held = false;
	char line[32];
	DIR *proc = opendir("/proc");

	if (!proc)
		return true;
	snprintf(line, sizeof(line), "prog_id:\t%u\n", id);
	while (!held && (entry = readdir(proc)))
		held = isdigit((unsigned char)entry->d_name[0]) &&
		       atoi(entry->d_name) != getpid() && process_has(entry->d_name, line);
	closedir(proc);
	return held;
}

/* true: one was there, and is removed */
static bool remove_leftover(int ifindex, const char *name)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *p = NULL;
	bool removed = false;

	if (libxdp_get_error(mp))
		return false;
	if (!xdp_multiprog__is_legacy(mp))
		while ((p = xdp_multiprog__next_prog(p, mp)))
			if (!strcmp(xdp_program__name(p), name) &&
			    !prog_is_held(xdp_program__id(p)))
				break;
	if (p)
		removed = !xdp_program__detach(p, ifindex, xdp_multiprog__attach_mode(mp), 0);
	xdp_multiprog__close(mp);
	return removed;
}

/* ---- attach -----------------------------------------------------------------------------------*/

static int object_open(const char *file, const struct pp_iface *xif, struct bpf_object **obj)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = PROG_NAME);

	if (file)
		return pp_xdp_object_open(file, obj);
	if (sizeof(own_object) == 1)
		return pp_set_error(EOPNOTSUPP,
				    "this pagepool was built without clang and has no XDP program "
				    "for attach=dispatcher; give prog=FILE, or take attach=link");
	*obj = bpf_object__open_mem(own_object, sizeof(own_object), &opts);
	return *obj ? 0 : pp_xdp_error(-errno, xif, "read the XDP program");
}

/* the program, not loaded yet; the object goes with it */
static int program_open(struct xdp_prog *prog, const struct pp_iface *xif, const char *file)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts);
	struct bpf_object *obj = NULL;
	struct bpf_map *map;
	int err = object_open(file, xif, &obj);

	if (err)
		return err;
	map = bpf_object__find_map_by_name(obj, MAP_NAME);
	if (!file && bpf_map__set_max_entries(map, prog->queues))
		err = pp_xdp_error(-EINVAL, xif, "size the XSKMAP");
	opts.obj = obj;
	opts.prog_name = bpf_program__name(bpf_object__next_program(obj, NULL));
	if (!err)
		prog->dispatched = xdp_program__create(&opts);
	if (!err && libxdp_get_error(prog->dispatched)) {
		err = pp_xdp_error((int)libxdp_get_error(prog->dispatched), xif,
				   "open the XDP program");
		prog->dispatched = NULL;
	}
	if (err)
		bpf_object__close(obj);
	else if (prog->frags)
		xdp_program__set_xdp_frags_support(prog->dispatched, true);
	return err;
}

/* libxdp attaches a plain program where it cannot have a dispatcher */
static bool is_dispatched(int ifindex)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	bool yes;

	if (libxdp_get_error(mp))
		return false;
	yes = !xdp_multiprog__is_legacy(mp);
	xdp_multiprog__close(mp);
	return yes;
}

static enum xdp_attach_mode attach_mode(const struct xdp_prog *prog)
{
	return prog->mode == PP_XDP_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE;
}

static int program_attach(struct xdp_prog *prog, const struct pp_iface *xif, enum xdp_mode mode)
{
	int err;

	prog->mode = mode;
	err = xdp_program__attach(prog->dispatched, xif->index, attach_mode(prog), 0);
	if (err)
		return err;
	prog->attached = true;
	return is_dispatched(xif->index) ? 0 : -EOPNOTSUPP;
}

static void program_close(struct xdp_prog *prog)
{
	if (prog->attached)
		xdp_program__detach(prog->dispatched, prog->ifindex, attach_mode(prog), 0);
	prog->attached = false;
	xdp_program__close(prog->dispatched);
	prog->dispatched = NULL;
}

/* native, or skbs where that is not to be had */
static int program_attach_auto(struct xdp_prog *prog, const struct pp_iface *xif,
			       const struct xdp_prog_params *params)
{
	int err;

	err = program_attach(prog, xif, params->mode == PP_XDP_SKB ? PP_XDP_SKB : PP_XDP_NATIVE);
	if (!err || err == -EBUSY || params->mode != PP_XDP_AUTO)
		return err;
	snprintf(prog->fallback, sizeof(prog->fallback), "%s", strerror(-err));
	program_close(prog);
	if (program_open(prog, xif, params->file))
		return err;
	return program_attach(prog, xif, PP_XDP_SKB);
}

static int dispatch_program(struct xdp_prog *prog, const struct pp_iface *xif,
			    const struct xdp_prog_params *params)
{
	const struct bpf_map *map;
	int err;

	err = program_open(prog, xif, params->file);
	if (err)
		return err;
	while (remove_leftover(xif->index, xdp_program__name(prog->dispatched)))
		;
	said[0] = '\0';
	err = program_attach_auto(prog, xif, params);
	if (err)
		return pp_set_error(-err, "cannot attach by libxdp's dispatcher to %s: %s%s%s",
				    xif->name, strerror(-err), said[0] ? "; " : "", said);
	map = bpf_object__find_map_by_name(xdp_program__bpf_obj(prog->dispatched), MAP_NAME);
	prog->queues = bpf_map__max_entries(map);
	prog->map_fd = dup(bpf_map__fd(map));
	return prog->map_fd < 0 ? pp_xdp_error(-errno, xif, "keep the XSKMAP") : 0;
}

/* libraries do not print */
struct prints {
	libxdp_print_fn_t xdp;
	libbpf_print_fn_t bpf;
};

static struct prints prints_catch(void)
{
	said[0] = '\0';
	return (struct prints){ libxdp_set_print(on_libxdp), libbpf_set_print(on_libbpf) };
}

static void prints_restore(struct prints prints)
{
	libxdp_set_print(prints.xdp);
	libbpf_set_print(prints.bpf);
}

static int dispatch_if_able(struct xdp_prog *prog, const struct pp_iface *xif,
			    const struct xdp_prog_params *params)
{
	if (pp_xdp_caps_lack(xif))
		return pp_xdp_error(-EPERM, xif, "attach the XDP program");
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_EXT, NULL) != 1)
		return pp_set_error(EOPNOTSUPP,
				    "this kernel refuses programs of type EXT, which libxdp's "
				    "dispatcher for %s needs; take attach=link",
				    xif->name);
	return dispatch_program(prog, xif, params);
}

int pp_xdp_dispatch(struct xdp_prog *prog, const struct pp_iface *xif,
		    const struct xdp_prog_params *params)
{
	struct prints prints = prints_catch();
	int err = dispatch_if_able(prog, xif, params);

	prints_restore(prints);
	return err;
}

void pp_xdp_undispatch(struct xdp_prog *prog)
{
	struct prints prints;

	if (!prog->dispatched)
		return;
	prints = prints_catch();
	program_close(prog);
	prints_restore(prints);
}

bool pp_xdp_remove_leftovers(int ifindex)
{
	struct prints prints = prints_catch();
	bool removed = false;

	while (remove_leftover(ifindex, PROG_NAME))
		removed = true;
	prints_restore(prints);
	return removed;
}
