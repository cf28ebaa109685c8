/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/genl.h - the kernel's families of generic netlink that are about devices
 *
 * Everything is local and answered at once. Ports take it from the library of the engine, too.
 */
#ifndef PP_XSK_GENL_H
#define PP_XSK_GENL_H

#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

/* @fd: a socket of the namespace that it was opened in; -1: closed */
struct pp_genl {
	int fd;
	uint16_t family;
};

/* of a question */
struct pp_genl_attr {
	uint16_t type;
	uint16_t len;
	const void *value;
};

/* an answer, aligned for its headers */
struct pp_genl_answer {
	struct nlmsghdr nl;
	char rest[8176];
};

/* @family: "netdev" or "ethtool"; 0 or -errno: a kernel without it */
int pp_genl_open(struct pp_genl *g, const char *family);
void pp_genl_close(struct pp_genl *g);

/* 0 or -errno: the kernel's, or no answer. NLM_F_ACK in @flags: the answer is just that. */
int pp_genl_ask(struct pp_genl *g, uint8_t command, uint16_t flags,
		const struct pp_genl_attr *attrs, unsigned int n, struct pp_genl_answer *answer);

/* the kernel's sentence in an answer that brings an error; "": there is none */
const char *pp_genl_reason(const struct pp_genl_answer *answer);

/* call @each with each of the answers; 0 or -errno */
int pp_genl_dump(struct pp_genl *g, uint8_t command, const struct pp_genl_attr *attrs,
		 unsigned int n, void (*each)(const struct nlmsghdr *nl, void *arg), void *arg);

/* copy attribute @type of @len bytes; 0, or -1: it is not there, or not well formed */
int pp_genl_get(const struct nlmsghdr *nl, uint16_t type, void *value, uint16_t len);
/* the same for a number of 8 bytes, which the kernel may send in 4 */
int pp_genl_get_uint(const struct nlmsghdr *nl, uint16_t type, uint64_t *value);

/*
 * Features of the interface's driver: NETDEV_A_DEV_XSK_FEATURES for sockets in zero-copy mode,
 * NETDEV_A_DEV_XDP_RX_METADATA_FEATURES. No answer, or one that does not parse, counts as 0.
 */
uint64_t pp_xdp_dev_features(int ifindex, uint16_t attribute);

#endif /* PP_XSK_GENL_H */
