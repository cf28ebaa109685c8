/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/object.c - XDP programs that the user brings: an object file, or just a map */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <pagepool/error.h>

#include "af_xdp/priv.h"

/* descriptors of our own: those of the object end with it */
static int object_keep(struct xdp_prog *prog, struct bpf_object *obj)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, MAP_NAME);

	prog->queues = bpf_map__max_entries(map);
	prog->map_fd = dup(bpf_map__fd(map));
	prog->prog_fd = dup(bpf_program__fd(bpf_object__next_program(obj, NULL)));
	return prog->map_fd < 0 || prog->prog_fd < 0
		       ? pp_set_error(EMFILE, "keep the XDP program: %s", strerror(errno))
		       : 0;
}

static int object_check(struct bpf_object *obj, const char *file)
{
	const struct bpf_program *p = bpf_object__next_program(obj, NULL);
	const struct bpf_map *map = bpf_object__find_map_by_name(obj, MAP_NAME);

	if (!p || bpf_program__type(p) != BPF_PROG_TYPE_XDP)
		return pp_set_error(EINVAL, "%s: its first program is not in section \"xdp\"",
				    file);
	if (!map || bpf_map__type(map) != BPF_MAP_TYPE_XSKMAP)
		return pp_set_error(EINVAL,
				    "%s has no map of type BPF_MAP_TYPE_XSKMAP named " MAP_NAME
				    "; add one, the port puts its sockets there",
				    file);
	return 0;
}

int pp_xdp_object_open(const char *file, struct bpf_object **obj)
{
	char why[128];
	int err;

	*obj = bpf_object__open_file(file, NULL);
	err = (int)libbpf_get_error(*obj);
	libbpf_strerror(err, why, sizeof(why)); /* libbpf has numbers of its own */
	if (err)
		return pp_set_error(-err < 4000 ? -err : EINVAL,
				    "cannot read the XDP program in %s: %s; compile it with "
				    "clang -O2 -g -target bpf",
				    file, why);
	err = object_check(*obj, file);
	if (err)
		bpf_object__close(*obj);
	return err;
}

static int object_load(struct xdp_prog *prog, const struct pp_iface *xif, const char *file)
{
	struct bpf_object *obj;
	int err = file ? pp_xdp_object_open(file, &obj) : pp_xdp_rx_meta_open(prog, xif, &obj);

	if (err)
		return err;
	err = bpf_object__load(obj);
	if (err)
		err = pp_xdp_error(err, xif, "load the XDP program");
	else
		err = object_keep(prog, obj);
	bpf_object__close(obj);
	return err;
}

int pp_xdp_object_load(struct xdp_prog *prog, const struct pp_iface *xif, const char *file)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL); /* libraries do not print */
	int err = object_load(prog, xif, file);

	libbpf_set_print(print);
	return err;
}

static int map_open(const char *map)
{
	char *end;
	unsigned long fd = strtoul(map, &end, 10);
	int dup_fd;

	if (*end || fd > 1 << 20)
		return bpf_obj_get(map);
	dup_fd = dup((int)fd); /* the port closes its own copy */
	return dup_fd < 0 ? -errno : dup_fd;
}

int pp_xdp_object_map(struct xdp_prog *prog, const struct pp_iface *xif, const char *map)
{
	struct bpf_map_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	prog->map_fd = map_open(map);
	if (prog->map_fd < 0)
		return pp_set_error(-prog->map_fd,
				    "map=%s of %s: %s; give the path of a pinned XSKMAP, or the "
				    "number of a descriptor that was passed on",
				    map, xif->name, strerror(-prog->map_fd));
	if (bpf_obj_get_info_by_fd(prog->map_fd, &info, &len) || info.type != BPF_MAP_TYPE_XSKMAP)
		return pp_set_error(EINVAL, "map=%s is no XSKMAP; give that of the program on %s",
				    map, xif->name);
	prog->queues = info.max_entries;
	return 0;
}
