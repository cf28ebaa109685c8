/* SPDX-License-Identifier: BSD-3-Clause */
/* iface.h - the network interface below a port: its state, and its events */
#ifndef PP_IFACE_H
#define PP_IFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <pagepool/netdev.h>

#define PP_ETH_OVERHEAD 18u /* header and one VLAN tag, beyond the MTU */

/*
 * struct pp_iface - an interface, as it was last reported
 * @ctl:      a socket of the namespace that the port was opened in, to ask through; -1: not open
 * @promisc:  a packet socket that keeps the interface promiscuous while it is open; -1: none
 * @channels: (af_xdp) queues that it has; 0: it does not tell
 * @prog_there: (af_xdp) the XDP program is another program's, so that no rights are needed for one
 * @link:     atomic, enum pp_link: how it was last seen, by any thread
 * @downs:    atomic: how often it was seen to go down, or away
 * @told:     @link as the last event told it
 * @news:     the last event
 */
struct pp_iface {
	char name[IFNAMSIZ];
	int index;
	int ctl;
	int promisc;
	unsigned int mtu;
	unsigned int channels;
	bool prog_there;
	unsigned char mac[6];
	int link;
	uint64_t downs;
	enum pp_link told;
	char news[192];
};

/* before anything else: pp_iface_close() may follow at any point */
void pp_iface_init(struct pp_iface *iface);
/* 0, or -errno with pp_set_error(): it is missing, down, or cannot be asked */
int pp_iface_query(const char *name, struct pp_iface *iface);
void pp_iface_close(struct pp_iface *iface);

/*
 * Packets for other addresses arrive too, until pp_iface_promisc_end() or the end of the
 * process, also by a kill. 0 or -errno, without a sentence.
 */
int pp_iface_promisc(struct pp_iface *iface);
void pp_iface_promisc_end(struct pp_iface *iface);

/* how it is now; @now: name and MTU */
enum pp_link pp_iface_look(const struct pp_iface *iface, struct pp_iface *now);

/* a thread saw the interface in this state */
void pp_iface_link_seen(struct pp_iface *iface, enum pp_link link);

/*
 * The next event since the last call; NULL: there is none. @longest: bytes
 * of the largest packet that the port receives. One thread at a time.
 */
const char *pp_iface_event(struct pp_iface *iface, uint32_t longest);

/* of a queue without its interface: no packet comes, and sent packets are dropped and counted */
extern const struct pp_queue_ops pp_iface_gone_ops;

#endif /* PP_IFACE_H */
