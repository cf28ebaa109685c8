/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload.h - work on packets that an interface, or a veth's far end, leaves to a device
 *
 * An AF_XDP socket gets a packet's bytes and nothing else: a VLAN tag, a checksum or a split that
 * is left to a device is lost.
 */
#ifndef PP_OFFLOAD_H
#define PP_OFFLOAD_H

#include "netdev/iface.h"

struct pp_offload;

/*
 * Looks at the interface's offloads, and at those of its far end if it is a veth. @fix: switches
 * those in the way off, as far as the rights go, until pp_offload_close(). What a killed process
 * left switched off is taken over, or without @fix restored. @handled: what the port puts right by
 * itself, CSUM_BITS and VLAN_BITS of features.h. NULL: no memory, nothing was done.
 */
struct pp_offload *pp_offload_open(const struct pp_iface *iface, bool fix, uint32_t handled);
void pp_offload_close(struct pp_offload *off);

/* the offloads in the way, and the command against them, as one sentence; "": none */
const char *pp_offload_text(const struct pp_offload *off);
/* the same in a few words, "va needs txvlan off" */
const char *pp_offload_brief(const struct pp_offload *off);

#endif /* PP_OFFLOAD_H */
