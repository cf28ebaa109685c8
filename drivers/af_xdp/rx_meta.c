/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/rx_meta.c - the XDP program that asks the device about each packet: rx_meta, vlan=insert
 *
 * The kernel loads such a program for one device, and attaches it in native mode only.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>

#include <pagepool/error.h>
#include <pagepool/rx_meta.h>

#include "af_xdp/priv.h"
#include "af_xdp/rx_meta.h"
#include "xsk/genl.h"
#include "xsk/uapi.h"

#define SECOND_NS 1000000000

/* one byte where there was no clang to compile it */
static const unsigned char own_object[] __attribute__((aligned(8))) = {
#include <rx_meta.bpf.inc>
};

/* by bit, which are also the kernel's NETDEV_XDP_RX_METADATA_* */
static const char *const names[] = { "tstamp", "hash", "vlan" };

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *pp_xdp_rx_meta_words(uint32_t mask, char *buf, size_t size)
{
	unsigned int i;
	size_t at = 0;

	snprintf(buf, size, "nothing");
	for (i = 0; i < NAMES && at < size; i++)
		if (mask >> i & 1)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? "+" : "",
					       names[i]);
	return buf;
}

int pp_xdp_rx_meta_parse(const char *text, uint32_t *mask)
{
	size_t len;
	unsigned int i;

	*mask = 0;
	for (; text; text = text[len] ? text + len + 1 : NULL) {
		len = strcspn(text, "+");
		for (i = 0; i < NAMES; i++)
			if (len == strlen(names[i]) && !strncmp(text, names[i], len))
				break;
		if (i == NAMES)
			return pp_set_error(EINVAL,
					    "rx_meta: '%.*s' is not one of tstamp, hash, vlan; "
					    "write for instance rx_meta=tstamp+hash",
					    (int)len, text);
		*mask |= 1u << i;
	}
	return 0;
}

int pp_xdp_rx_meta_check(const struct pp_iface *xif, const struct xdp_prog_params *params,
			 uint32_t *offered)
{
	uint32_t asked = params->rx_meta | (params->vlan_insert ? PP_RX_META_VLAN : 0), lacks;
	char has[32], missing[32];

	*offered = 0;
	if (!asked)
		return 0;
	*offered = (uint32_t)pp_xdp_dev_features(xif->index, NETDEV_A_DEV_XDP_RX_METADATA_FEATURES);
	lacks = asked & ~*offered;
	if (!lacks)
		return 0;
	pp_xdp_rx_meta_words(lacks, missing, sizeof(missing));
	return pp_set_error(EOPNOTSUPP,
			    "the driver of %s offers %s to XDP programs, and no %s; leave %s%s out",
			    xif->name, pp_xdp_rx_meta_words(*offered, has, sizeof(has)), missing,
			    params->rx_meta & lacks ? "rx_meta=" : "vlan=insert",
			    params->rx_meta & lacks ? missing : "");
}

/* whole seconds, which only a leap second, or a time daemon that starts later, changes */
static int64_t tai_ahead_ns(void)
{
	struct timespec tai, day;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &day);
	clock_gettime(CLOCK_TAI, &tai);
	ns = (int64_t)(tai.tv_sec - day.tv_sec) * SECOND_NS + (tai.tv_nsec - day.tv_nsec);
	return (ns + SECOND_NS / 2) / SECOND_NS * SECOND_NS;
}

int pp_xdp_rx_meta_open(const struct xdp_prog *prog, const struct pp_iface *xif,
			struct bpf_object **obj)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = PROG_NAME);
	const struct xdp_rx_meta_how how = { prog->rx_meta, prog->vlan_insert, tai_ahead_ns() };
	struct bpf_program *p;
	int err;

	if (sizeof(own_object) == 1)
		return pp_set_error(EOPNOTSUPP, "this pagepool was built without clang and has no "
						"XDP program for rx_meta and vlan=insert; leave "
						"them out");
	*obj = bpf_object__open_mem(own_object, sizeof(own_object), &opts);
	err = (int)libbpf_get_error(*obj);
	if (err)
		return pp_xdp_error(err, xif, "read the XDP program");
	p = bpf_object__next_program(*obj, NULL);
	bpf_program__set_ifindex(p, (uint32_t)xif->index);
	err = bpf_program__set_flags(p, BPF_F_XDP_DEV_BOUND_ONLY |
						(prog->frags ? BPF_F_XDP_HAS_FRAGS : 0));
	if (!err)
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(*obj, MAP_NAME),
					       prog->queues);
	if (!err)
		err = bpf_map__set_initial_value(bpf_object__find_map_by_name(*obj, ".rodata.how"),
						 &how, sizeof(how));
	if (!err)
		return 0;
	bpf_object__close(*obj);
	return pp_xdp_error(err, xif, "prepare the XDP program");
}
