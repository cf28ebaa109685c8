/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/priv.h - between the port (af_xdp.c), its interface (if.c) and the XDP program on that
 * (prog.c, object.c, dispatcher.c)
 */
#ifndef PP_AF_XDP_PRIV_H
#define PP_AF_XDP_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <pagepool/netdev.h>

#include "netdev/iface.h"

struct xdp_program;

enum xdp_mode {
	PP_XDP_AUTO,
	PP_XDP_NATIVE,
	PP_XDP_SKB,
	PP_XDP_OTHERS, /* the program is another process's */
};

#define PROG_NAME "pp_af_xdp"
#define MAP_NAME  "xsks_map"

/* how long a port waits for a killed process to let go, and in which steps */
#define XDP_RETRY_MS	  1000
#define XDP_RETRY_STEP_MS 2

/*
 * struct xdp_prog_params - which program
 * @mode:   asked for
 * @frags:  it is to take packets in several pieces
 * @queues: queues that there must be room for
 * @file:   object to load; NULL: our own program
 * @map:    path or descriptor of the map of a program that is attached already; NULL: none is
 * @dispatcher: attach it by libxdp's dispatcher
 * @rx_meta: PP_RX_META_* that it writes in front of each packet
 * @vlan_insert: it puts a VLAN tag that the device took out back into the packet
 */
struct xdp_prog_params {
	enum xdp_mode mode;
	bool frags;
	uint32_t queues;
	const char *file;
	const char *map;
	bool dispatcher;
	uint32_t rx_meta;
	bool vlan_insert;
};

/*
 * struct xdp_prog - the program on an interface, shared by the ports of the process there
 * @refs:     ports
 * @net:      network namespace (inode)
 * @mode:     never auto, once it is attached
 * @fallback: why auto did not end in native; "" if it did
 * @file:     where it is from; "": it is our own
 * @dispatcher: the ports want it so
 * @dispatched, @attached: its handle there, and whether it is on the interface
 * @busy_id:  program that was found on the interface instead, and its name if it could be read
 * Descriptors are -1 when they are not open.
 */
struct xdp_prog {
	struct xdp_prog *next;
	unsigned int refs;
	ino_t net;
	int ifindex;
	int map_fd;
	int prog_fd;
	int link_fd;
	bool frags;
	uint32_t queues;
	enum xdp_mode mode;
	char fallback[48];
	char file[256];
	uint32_t rx_meta;
	bool vlan_insert;
	bool dispatcher;
	bool attached;
	struct xdp_program *dispatched;
	uint32_t busy_id;
	char busy_name[16];
};

/* All return 0, or -errno with pp_set_error(). */
struct xdp_prog *pp_xdp_prog_get(const struct pp_iface *xif, const struct xdp_prog_params *params);
int pp_xdp_prog_set(struct xdp_prog *prog, const struct pp_iface *xif, unsigned int queue, int fd);

/*
 * -err with a sentence: could not do @what for the interface; EPERM names the
 * capabilities that are missing
 */
int pp_xdp_error(int err, const struct pp_iface *xif, const char *what);
/* does the process lack a capability that the port needs? */
bool pp_xdp_caps_lack(const struct pp_iface *xif);

/* from here on the kernel's stack gets the packets of @queue */
void pp_xdp_prog_unset(struct xdp_prog *prog, unsigned int queue);
void pp_xdp_prog_put(struct xdp_prog *prog); /* the last one detaches it */

/*
 * af_xdp/dispatcher.c: open, load and attach the program, and fill in map_fd; take it away again.
 * Under the lock of the programs.
 */
int pp_xdp_dispatch(struct xdp_prog *prog, const struct pp_iface *xif,
		    const struct xdp_prog_params *params);
void pp_xdp_undispatch(struct xdp_prog *prog);
/* take programs of killed processes off the interface's dispatcher; true: there were some */
bool pp_xdp_remove_leftovers(int ifindex);

/* af_xdp/object.c: the object in a file, with an XDP program first and an XSKMAP */
struct bpf_object;
int pp_xdp_object_open(const char *file, struct bpf_object **obj);
/* fill in map_fd, and prog_fd, of the program in @file; NULL: of ours for prog->rx_meta */
int pp_xdp_object_load(struct xdp_prog *prog, const struct pp_iface *xif, const char *file);
int pp_xdp_object_map(struct xdp_prog *prog, const struct pp_iface *xif, const char *map);

/*
 * af_xdp/netdev.c: features of the interface's driver, by attribute: NETDEV_A_DEV_XSK_FEATURES for
 * sockets in zero-copy mode, NETDEV_A_DEV_XDP_RX_METADATA_FEATURES; 0 also when the kernel does not
 * tell
 */
uint64_t pp_xdp_dev_features(int ifindex, uint16_t attribute);

/* af_xdp/rx_meta.c: "tstamp+hash" as PP_RX_META_* and back; "nothing" for none */
int pp_xdp_rx_meta_parse(const char *text, uint32_t *mask);
const char *pp_xdp_rx_meta_words(uint32_t mask, char *buf, size_t size);
/* -EOPNOTSUPP: the driver does not offer what is asked for; @offered: out */
int pp_xdp_rx_meta_check(const struct pp_iface *xif, const struct xdp_prog_params *params,
			 uint32_t *offered);
/* our program that asks for @prog->rx_meta, not loaded yet */
int pp_xdp_rx_meta_open(const struct xdp_prog *prog, const struct pp_iface *xif,
			struct bpf_object **obj);

/*
 * In copy mode the kernel builds this driver's packets of pages: before Linux 6.18 it does not look
 * at the metadata of these
 */
bool pp_xdp_builds_of_pages(const struct pp_iface *xif);

void pp_xdp_sleep_ms(unsigned int ms);

#endif /* PP_AF_XDP_PRIV_H */
