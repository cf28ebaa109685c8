/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_priv.h - between af_xdp.c (sockets, rings) and af_xdp_prog.c (interface, program)
 */
#ifndef PP_AF_XDP_PRIV_H
#define PP_AF_XDP_PRIV_H

#include <net/if.h>
#include <stdint.h>

enum xdp_mode {
	XDP_MODE_AUTO,
	XDP_MODE_NATIVE,
	XDP_MODE_SKB,
};

/* how long to wait for what a killed process still holds, and in which steps */
#define XDP_RETRY_MS	  1000
#define XDP_RETRY_STEP_MS 2

/*
 * struct xdp_if - what the driver needs to know of an interface
 * @channels: queues that it has; 0: it does not tell
 */
struct xdp_if {
	char name[IFNAMSIZ];
	int index;
	unsigned int mtu;
	unsigned int channels;
	unsigned char mac[6];
};

/*
 * struct xdp_prog - the program on the interface
 * @mode:     native or skb, never auto, once it is attached
 * @fallback: why auto did not end in native; "" if it did
 * @busy_id:  program that was found on the interface instead, and its name if it could be read
 * Descriptors are -1 when they are not open.
 */
struct xdp_prog {
	int map_fd;
	int prog_fd;
	int link_fd;
	enum xdp_mode mode;
	char fallback[48];
	uint32_t busy_id;
	char busy_name[16];
};

/* All return 0, or -errno with pp_set_error(). */
int pp_xdp_if_query(const char *name, struct xdp_if *xif);
int pp_xdp_prog_attach(struct xdp_prog *prog, const struct xdp_if *xif, enum xdp_mode mode,
		       unsigned int queues);
int pp_xdp_prog_set(struct xdp_prog *prog, const struct xdp_if *xif, unsigned int queue, int fd);

/* -err with a sentence: could not do @what for the interface; EPERM names the capabilities */
int pp_xdp_error(int err, const struct xdp_if *xif, const char *what);

/* from here on the kernel's stack gets what arrives on @queue */
void pp_xdp_prog_unset(struct xdp_prog *prog, unsigned int queue);
void pp_xdp_prog_detach(struct xdp_prog *prog);

void pp_xdp_sleep_ms(unsigned int ms);

#endif /* PP_AF_XDP_PRIV_H */
