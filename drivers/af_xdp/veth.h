/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/veth.h - the other end of a veth's cable */
#ifndef PP_AF_XDP_VETH_H
#define PP_AF_XDP_VETH_H

#include "netdev/iface.h"

enum pp_far {
	PP_FAR_NONE, /* it is no veth */
	PP_FAR_FOUND,
	PP_FAR_HIDDEN, /* it is in a namespace that this process cannot find or enter */
};

/* @index, @ctl: its number, and a socket of its namespace to ask through */
enum pp_far pp_veth_far(const struct pp_iface *iface, int *index, int *ctl);

#endif /* PP_AF_XDP_VETH_H */
