/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/parse.c - the options of a port's spec, and those that exclude each other */
#include <string.h>

#include "af_xdp/port.h"

#define XDP_FILL_SIZE (2 * XDP_RX_SIZE)
#define LOOK_US	      20u /* with suspend, unless busy_poll says otherwise */
#define BUDGET	      64u /* packets a poll, unless busy_budget says otherwise */

/* the first option that takes TX metadata; NULL: there is none */
static const char *xdp_wants_meta(const struct xdp_dev *xd)
{
	if (xd->tx_launch)
		return "tx_launch";
	if (xd->tx_tstamp)
		return "tx_tstamp";
	return xd->tx_csum == CSUM_DEVICE ? "tx_csum=on" : NULL;
}

/* prog, or map and socket: those that a process with more rights has made */
static int xdp_parse_prog(struct xdp_dev *xd, struct pp_args *args)
{
	const char *prog = pp_args_str(args, "prog");
	uint32_t fd = UINT32_MAX;
	bool passed;
	int err;

	xd->how.map = pp_args_str(args, "map");
	err = pp_args_u32(args, "socket", 0, 1u << 20, &fd);
	if (err)
		return err;
	xd->socket_fd = fd == UINT32_MAX ? -1 : (int)fd;
	if (prog && strcmp(prog, "none"))
		xd->how.file = prog;
	passed = xd->how.map || xd->socket_fd >= 0;
	if (xd->how.file && passed)
		return pp_set_error(EINVAL,
				    "prog=%s is not needed with map and socket: their program "
				    "is there already; leave it out",
				    prog);
	if (prog && !xd->how.file && !passed)
		return pp_set_error(EINVAL, "prog=none needs map=PATH or map=FD, the XSKMAP of the "
					    "program that is there");
	if (xd->socket_fd >= 0 && xdp_wants_meta(xd))
		return pp_set_error(EINVAL,
				    "%s is settled when a socket's memory is "
				    "registered, not with socket=FD; %s",
				    xdp_wants_meta(xd),
				    xd->tx_tstamp || xd->tx_launch ? "leave it out"
								   : "take tx_csum=sw");
	if (xd->socket_fd >= 0 && xd->nqueues > 1)
		return pp_set_error(EINVAL, "a socket is one queue; open a port for each");
	if (passed && xd->how.mode != PP_XDP_AUTO)
		return pp_set_error(EINVAL,
				    "mode is up to the program that is there; leave it out");
	if (passed && xd->attach)
		return pp_set_error(EINVAL,
				    "the program that is there is attached; leave attach out");
	return 0;
}

/* rx_meta and vlan: their program is our own, on a bpf_link, in native mode */
static int xdp_parse_meta(struct xdp_dev *xd, struct pp_args *args)
{
	static const char *const vlan[] = { "keep", "insert", NULL };
	const char *text = pp_args_str(args, "rx_meta");
	unsigned int insert = 0;
	int err = pp_args_word(args, "vlan", vlan, &insert);

	if (!err && text)
		err = pp_xdp_rx_meta_parse(text, &xd->how.rx_meta);
	xd->how.vlan_insert = insert;
	xd->dev.rx_meta = xd->how.rx_meta;
	if (err || (!xd->how.rx_meta && !insert))
		return err;
	if (xd->how.file || xd->how.map || xd->socket_fd >= 0 || xd->attach)
		return pp_set_error(EINVAL, "rx_meta and vlan=insert need the port's own XDP "
					    "program on a link; leave prog, map, socket and attach "
					    "out");
	if (xd->how.mode == PP_XDP_SKB)
		return pp_set_error(EINVAL, "rx_meta and vlan=insert need native XDP; leave "
					    "mode=skb out");
	xd->how.mode = PP_XDP_NATIVE;
	return 0;
}

static int xdp_parse_words(struct xdp_dev *xd, struct pp_args *args, unsigned int *mode)
{
	static const char *const modes[] = { "auto", "native", "skb", NULL };
	static const char *const auto_on_off[] = { "auto", "on", "off", NULL };
	static const char *const off_on[] = { "off", "on", NULL };
	static const char *const tx_csum[] = { "off", "on", "sw", NULL };
	static const char *const offloads[] = { "keep", "fix", NULL };
	static const char *const attach[] = { "link", "dispatcher", NULL };
	static const char *const chunks[] = { "aligned", "unaligned", NULL };
	const struct {
		const char *key;
		const char *const *names;
		unsigned int *value;
	} words[] = {
		{ "mode", modes, mode },
		{ "zerocopy", auto_on_off, &xd->zerocopy },
		{ "wakeup", off_on, &xd->wakeup },
		{ "sg", off_on, &xd->sg },
		{ "chunks", chunks, &xd->unaligned },
		{ "tx_csum", tx_csum, &xd->tx_csum },
		{ "tx_tstamp", off_on, &xd->tx_tstamp },
		{ "tx_launch", off_on, &xd->tx_launch },
		{ "offloads", offloads, &xd->fix_offloads },
		{ "attach", attach, &xd->attach },
		{ "promisc", off_on, &xd->promisc },
	};
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < sizeof(words) / sizeof(words[0]); i++)
		err = pp_args_word(args, words[i].key, words[i].names, words[i].value);
	return err;
}

static void ask_for(struct xdp_napi_params *how, enum xdp_napi_setting what, uint64_t value)
{
	how->asked.mask |= 1u << what;
	how->asked.v[what] = value;
}

static int xdp_parse_napi(struct xdp_napi_params *how, struct pp_args *args)
{
	static const char *const off_on[] = { "off", "on", NULL };
	uint32_t defer = UINT32_MAX, flush_us = UINT32_MAX;
	unsigned int threaded = UINT32_MAX;
	int err;

	how->look_us = LOOK_US;
	how->budget = BUDGET;
	err = pp_args_u32(args, "suspend", 1, 1000000, &how->suspend_us);
	if (!err)
		err = pp_args_u32(args, "defer_irqs", 0, 1000000, &defer);
	if (!err)
		err = pp_args_u32(args, "gro_flush", 0, 1000000, &flush_us);
	if (!err)
		err = pp_args_word(args, "threaded", off_on, &threaded);
	if (err)
		return err;
	if (defer != UINT32_MAX)
		ask_for(how, NAPI_DEFER, defer);
	if (flush_us != UINT32_MAX)
		ask_for(how, NAPI_FLUSH, 1000ull * flush_us);
	if (threaded != UINT32_MAX)
		ask_for(how, NAPI_THREADED, threaded);
	return 0;
}

static int xdp_parse_busy(struct xdp_dev *xd, struct pp_args *args)
{
	uint32_t budget = 0;
	int err = pp_args_u32(args, "busy_poll", 1, 100000, &xd->busy_poll_us);

	if (!err)
		err = xdp_parse_napi(&xd->napi, args);
	if (!err)
		err = pp_spread_parse(&xd->spread_how, args);
	if (!err)
		err = pp_args_u32(args, "busy_budget", 1, UINT16_MAX, &budget);
	if (err)
		return err;
	if (budget && !xd->busy_poll_us && !xd->napi.suspend_us)
		return pp_set_error(EINVAL, "busy_budget=%u needs busy_poll or suspend", budget);
	if (xd->busy_poll_us)
		xd->napi.look_us = xd->busy_poll_us;
	if (budget)
		xd->napi.budget = budget;
	return 0;
}

int pp_xdp_parse(struct xdp_dev *xd, struct pp_args *args)
{
	unsigned int mode = PP_XDP_AUTO;
	int err;

	xd->nqueues = 1;
	xd->fill_size = XDP_FILL_SIZE;
	xd->wakeup = true;
	xd->promisc = PROMISC_AUTO;
	err = pp_args_u32(args, "queues", 1, PP_QUEUES_MAX, &xd->nqueues);
	if (!err)
		err = pp_args_u32(args, "queue", 0, UINT16_MAX, &xd->first);
	if (!err)
		err = xdp_parse_words(xd, args, &mode);
	if (!err)
		err = xdp_parse_busy(xd, args);
	if (!err)
		err = pp_args_u32(args, "fill", 64, 32768, &xd->fill_size);
	if (err)
		return err;
	xd->how.mode = mode;
	xd->how.frags = xd->sg;
	xd->how.dispatcher = xd->attach;
	xd->dev.chains = xd->sg;
	xd->how.queues = xd->first + xd->nqueues;
	err = xdp_parse_prog(xd, args);
	if (!err)
		err = xdp_parse_meta(xd, args);
	if (err)
		return err;
	if (xd->fill_size & (xd->fill_size - 1))
		return pp_set_error(EINVAL, "fill=%u is no power of two; try fill=%u",
				    xd->fill_size, 1u << (31 - __builtin_clz(xd->fill_size)));
	if (xd->how.mode == PP_XDP_SKB && xd->zerocopy == ZC_ON)
		return pp_set_error(EINVAL, "zerocopy=on needs native XDP; take mode=native or "
					    "leave zerocopy out");
	return 0;
}
