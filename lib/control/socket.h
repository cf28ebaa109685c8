/* SPDX-License-Identifier: BSD-3-Clause */
/* control/socket.h - the control socket's name in the file system, and its peers */
#ifndef PP_CONTROL_SOCKET_H
#define PP_CONTROL_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>

#include <pagepool/control.h>

#include "base/internal.h"

struct control_socket {
	int fd;
	dev_t dev; /* of the name, so that only ours is removed */
	ino_t ino;
	bool made_dir; /* for this socket alone, and to be removed with it */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

/* @path NULL: the default. 0, or -errno and pp_error(). */
int control_socket_open(struct control_socket *s, const char *path);
void control_socket_close(struct control_socket *s);

/* The other end is a process of this user, or root's. */
bool control_peer_allowed(int fd);

#endif /* PP_CONTROL_SOCKET_H */
