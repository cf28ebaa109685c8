/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/priv.h - the parts below a port: XDP programs, an interface's offloads, records for the
 * case of a kill, and shares of a zone
 */
#ifndef PP_AF_XDP_PRIV_H
#define PP_AF_XDP_PRIV_H

#include <sys/types.h>

#include "netdev/iface.h"

struct bpf_object;
struct pp_zone;
struct xdp_program;

/*
 * struct pp_net - a network namespace
 * @inode:  a later namespace may get it
 * @cookie: no later one gets it; 0: the kernel has none (before Linux 5.14)
 */
struct pp_net {
	ino_t inode;
	uint64_t cookie;
};

/* af_xdp/record.c: that of the thread, which socket @ctl is of, too */
struct pp_net pp_net_of(int ctl);
bool pp_net_same(const struct pp_net *a, const struct pp_net *b);

/* ---- XDP programs ---------------------------------------------------------------------------- */

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
 * struct xdp_prog_params - the program that a port asks for
 * @mode:        mode of attachment
 * @frags:       it takes packets in several pieces
 * @queues:      its map has room for that many, at least
 * @file:        object to load; NULL: our own program
 * @map:         path or descriptor of the map of a program that is attached already; NULL: none is
 * @dispatcher:  libxdp's dispatcher attaches it
 * @rx_meta:     PP_RX_META_* that it writes in front of each packet
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
 * @refs:       ports
 * @net:        network namespace
 * @map_fd, @prog_fd, @link_fd: -1: not open
 * @mode:       never auto, once it is attached
 * @fallback:   the reason why auto did not end in native; "" if it did
 * @dispatcher: libxdp's dispatcher attaches it
 * @attached:   the dispatcher has it on the interface
 * @dispatched: its handle in libxdp
 * @busy_id, @busy_name: the program found on the interface instead; the name if it could be read
 * @file:       the object's; "": it is our own program
 */
struct xdp_prog {
	struct xdp_prog *next;
	unsigned int refs;
	struct pp_net net;
	int ifindex;
	int map_fd;
	int prog_fd;
	int link_fd;
	bool frags;
	uint32_t queues;
	enum xdp_mode mode;
	char fallback[48];
	uint32_t rx_meta;
	bool vlan_insert;
	bool dispatcher;
	bool attached;
	struct xdp_program *dispatched;
	uint32_t busy_id;
	char busy_name[16];
	char file[];
};

/*
 * Each int below is 0, or -errno with pp_error().
 *
 * af_xdp/prog.c. get: NULL with errno and pp_error(): the program cannot be attached, or the ports
 * on the interface ask for different ones.
 */
struct xdp_prog *pp_xdp_prog_get(const struct pp_iface *xif, const struct xdp_prog_params *params);
int pp_xdp_prog_set(struct xdp_prog *prog, const struct pp_iface *xif, unsigned int queue, int fd);
/* from here on the kernel's stack gets the packets of @queue */
void pp_xdp_prog_unset(struct xdp_prog *prog, unsigned int queue);
void pp_xdp_prog_put(struct xdp_prog *prog); /* the last one detaches it */

/*
 * af_xdp/dispatcher.c, under the lock of the programs: open, load and attach the program, and set
 * map_fd; take it away again.
 */
int pp_xdp_dispatch(struct xdp_prog *prog, const struct pp_iface *xif,
		    const struct xdp_prog_params *params);
void pp_xdp_undispatch(struct xdp_prog *prog);
/* take programs of killed processes off the interface's dispatcher; true: there were some */
bool pp_xdp_remove_leftovers(int ifindex);

/* af_xdp/object.c: the object in a file, with an XDP program first and an XSKMAP */
int pp_xdp_object_open(const char *file, struct bpf_object **obj);
/* set map_fd, and prog_fd, of the program in @file; NULL: of ours for prog->rx_meta */
int pp_xdp_object_load(struct xdp_prog *prog, const struct pp_iface *xif, const char *file);
int pp_xdp_object_map(struct xdp_prog *prog, const struct pp_iface *xif, const char *map);

/* af_xdp/rx_meta.c: "tstamp+hash" as PP_RX_META_* and back; "nothing" for none */
int pp_xdp_rx_meta_parse(const char *text, uint32_t *mask);
const char *pp_xdp_rx_meta_words(uint32_t mask, char *buf, size_t size);
/* -EOPNOTSUPP: the driver lacks something that the port asks for; @offered: out, PP_RX_META_* */
int pp_xdp_rx_meta_check(const struct pp_iface *xif, const struct xdp_prog_params *params,
			 uint32_t *offered);
/* our program that asks for @prog->rx_meta, not loaded yet */
int pp_xdp_rx_meta_open(const struct xdp_prog *prog, const struct pp_iface *xif,
			struct bpf_object **obj);

/* ---- refusals of the kernel: af_xdp/if.c ----------------------------------------------------- */

/*
 * pp_set_error() that the port cannot @what for the interface; EPERM names the capabilities that
 * the process lacks. Return: @err.
 */
int pp_xdp_error(int err, const struct pp_iface *xif, const char *what);
/* the thread's effective capabilities, a bit each */
uint64_t pp_xdp_caps(void);
/* does the process lack a capability that the port needs? */
bool pp_xdp_caps_lack(const struct pp_iface *xif);
void pp_xdp_sleep_ms(unsigned int ms);

/* ---- offloads: work on packets that an interface, or a veth's far end, leaves to a device ---- */

/*
 * An AF_XDP socket gets a packet's bytes and nothing else: a VLAN tag, a checksum or a split that
 * is left to a device is lost.
 */
struct pp_offload;

/* masks of features; bits are indices into pp_xdp_features */
#define XDP_FEATURES 8u
#define VLAN_BITS    0x33u
#define CSUM_BITS    0xc0u
#define LRO_BITS     0x0cu
#define FAR_BITS     0xf0u /* of a veth's far end; the others are the interface's own */

/*
 * Looks at the interface's offloads, and at those of its far end if it is a veth. @fix: switches
 * those in the way off, as far as the rights go, until pp_offload_close(). A feature that a killed
 * process left switched off is taken over, or without @fix restored. @handled: CSUM_BITS and
 * VLAN_BITS that the port puts right by itself. NULL: no memory, nothing was done.
 */
struct pp_offload *pp_offload_open(const struct pp_iface *iface, bool fix, uint32_t handled);
void pp_offload_close(struct pp_offload *off);

/* the offloads in the way, and the command against them, as one sentence; "": none */
const char *pp_offload_text(const struct pp_offload *off);
/* the same in a few words, "va needs txvlan off" */
const char *pp_offload_brief(const struct pp_offload *off);

/* @name: the kernel's; @command: ethtool -K's */
struct pp_xdp_feature {
	const char *name;
	const char *command;
};

extern const struct pp_xdp_feature pp_xdp_features[XDP_FEATURES];

/* an interface: its number, and a socket of its namespace; @name: as it was last */
struct pp_xdp_end {
	int ctl;
	int index;
	char name[IFNAMSIZ];
};

/* af_xdp/features.c: an ioctl() of ethtool; 0 or -errno */
int pp_xdp_ethtool(struct pp_xdp_end *e, void *data);
/* by that: the features that are on; a device may have fixed some */
uint32_t pp_xdp_features_on(struct pp_xdp_end *e);
/* 0 or -errno */
int pp_xdp_features_set(struct pp_xdp_end *e, uint32_t mask, bool on);

enum pp_far {
	PP_FAR_NONE, /* it is no veth */
	PP_FAR_FOUND,
	PP_FAR_HIDDEN, /* it is in a namespace that this process cannot find or enter */
};

/* af_xdp/veth.c: the far end's number @index, and @ctl, a socket of its namespace to ask through */
enum pp_far pp_veth_far(const struct pp_iface *iface, int *index, int *ctl);

/* ---- channels, and the RSS table that spreads packets over them: af_xdp/spread.c ------------- */

struct pp_args;
struct pp_spread;

/*
 * struct pp_spread_params - the port's options; 0: not given
 * @channels: queues that the interface has
 * @rss:      those of them, from the first on, that packets are spread over
 */
struct pp_spread_params {
	uint32_t channels;
	uint32_t rss;
};

/* 0 or -EINVAL with pp_error() */
int pp_spread_parse(struct pp_spread_params *how, struct pp_args *args);

/*
 * Set both, until the last port of the process on the interface closes. Also without a request it
 * restores what a killed process has left. @spread: out, for pp_spread_close() also after a failed
 * call. Return: 0, or -errno with a sentence in pp_error(): the interface is as it was.
 */
int pp_spread_open(struct pp_spread **spread, const struct pp_iface *iface,
		   const struct pp_spread_params *how);
void pp_spread_close(struct pp_spread *spread);

/* ---- records in /run/pagepool: af_xdp/record.c ----------------------------------------------- */

/*
 * A setting of an interface stays after a kill. So a file has the value from before, and the
 * next port takes it over, or restores it. The file is locked as long as its port lives. It goes
 * once the setting is restored; a port that lacks the right leaves it to a later one.
 * @fd:       -1: there is none
 * @identity: the interface's, 0: unknown; the number of one that is gone may be another's now
 */
struct pp_record {
	int fd;
	unsigned long long identity;
	char path[112];
};

/*
 * Open and lock the file of @kind, interface @end and @tail, and read the text of a killed process
 * into @text of @size bytes. There is none if the file is missing and @create is false, or is of
 * another interface that had this number before. With @create, files of namespaces that are gone
 * are removed where the kernel can tell (Linux 6.18). Return: 0 or -errno; -EWOULDBLOCK: another
 * port has it.
 */
int pp_record_open(struct pp_record *r, const char *kind, const struct pp_xdp_end *end,
		   const char *tail, bool create, char *text, size_t size);
/* @err of restoring: false if a later port may succeed, as the right to do so lacks */
bool pp_record_done(int err);
/* before anything is set, as a kill may come at any point; each text of a file is equally long */
void pp_record_write(const struct pp_record *r, const char *text);
/* @done: all settings are restored; else the file is left to the next port */
void pp_record_end(struct pp_record *r, bool done);

/* ---- shares of a zone: af_xdp/share.c -------------------------------------------------------- */

/*
 * No port posts more than a quarter of the zone, nor more than half of the pages left of three
 * quarters: so, with any number of ports, pages remain to send and to hold.
 * Return: up to @want frames for one of a port's @nqueues queues; 0: there are none left.
 */
uint32_t pp_xdp_share_take(const struct pp_zone *zone, uint32_t want, unsigned int nqueues);
void pp_xdp_share_drop(const struct pp_zone *zone, uint32_t frames);

#endif /* PP_AF_XDP_PRIV_H */
