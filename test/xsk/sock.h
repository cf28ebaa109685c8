/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sock.h - AF_XDP sockets by system calls alone, on a veth pair of a namespace of our own
 *
 * For programs that have neither libxdp nor our drivers. Whatever fails ends the
 * program with a line that says what and why; without root it ends as skipped.
 */
#ifndef PP_TEST_XSK_SOCK_H
#define PP_TEST_XSK_SOCK_H

#include <stdint.h>

#include <pagepool/xsk.h>
#include <pagepool/zone.h>

#define IF_XSK	  "pxka" /* where the sockets are */
#define IF_PEER	  "pxkb" /* where packets come from */
#define FRAME_SEQ 42u /* offset of the sequence number in a generated frame: behind UDP */
#define FRAME_LEN 60u

enum {
	RING_RX,
	RING_FILL,
	RING_TX,
	RING_COMP,
	RINGS,
};

/*
 * a socket; 0 in the first four: the default
 * @chunk_size: of its UMEM: the zone's page size
 * @ring_size:  of its rings: 512; @rx_size: of the RX ring: as the others
 * @umem_pages: of the zone's pages in the UMEM: all
 * @bind_flags: besides XDP_COPY
 * @tx_metadata_len: of its UMEM: none
 */
struct sock {
	int fd;
	uint32_t chunk_size;
	uint32_t ring_size;
	uint32_t rx_size;
	uint64_t umem_pages;
	uint16_t bind_flags;
	uint32_t tx_metadata_len;
	struct {
		void *map;
		size_t len;
	} maps[RINGS];
	struct pp_xsk_ring rings[RINGS];
};

_Noreturn void die(const char *what);

/*
 * a namespace, IF_XSK and IF_PEER with @queues each, and a program that redirects by queue, native
 * or in @mode: XDP_FLAGS_*
 */
void net_open(unsigned int queues);
void net_open_in(unsigned int queues, uint32_t mode);
/* the same with a program and an XSKMAP of the caller's, attached in @mode: XDP_FLAGS_* */
void net_make(unsigned int queues);
void net_attach(int prog, int map, uint32_t mode);
/* what arrives at @queue of IF_XSK goes to @fd from now on; -1: to the stack */
void net_redirect(unsigned int queue, int fd);
void run(const char *cmd);

/* @flags: of XDP_UMEM_REG; @umem_fd: socket to share the UMEM of, or -1: register the zone here */
void sock_open(struct sock *s, struct pp_zone *zone, uint32_t flags, uint32_t headroom,
	       int umem_fd);
/* waits for a queue that had its last socket closed just now */
void sock_bind(struct sock *s, const char *ifname, unsigned int queue, int umem_fd);
/* the parameters of pp_xsk_create(), but for the pool */
struct pp_xsk_params sock_params(const struct sock *s);
/* unmaps the rings, which keep the socket alive otherwise, and closes it */
void sock_close(struct sock *s);

/*
 * a socket that sends to IF_XSK from IF_PEER; frames differ in UDP port, so in queue;
 * with @hears it also receives what comes from there, waiting 5 s at most
 */
int peer_open(bool hears);
void peer_send(int fd, uint64_t seq);

#endif /* PP_TEST_XSK_SOCK_H */
