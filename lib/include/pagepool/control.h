/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - let ppstat, or anything that speaks lines and JSON, look into this program
 *
 * A unix stream socket with a thread of its own: a request is a line, "1 stat", the answer one
 * JSON object on a line. It tells of all zones and pools of the process, drains and trims them,
 * and closes and opens the cores' caches. The protocol is in doc/ppstat.md.
 */
#ifndef PAGEPOOL_CONTROL_H
#define PAGEPOOL_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pp_control;

/** PP_CONTROL_VERSION - the version of the protocol, with which each request begins */
#define PP_CONTROL_VERSION 1
/** PP_CONTROL_READ_ONLY - refuse all verbs that change anything */
#define PP_CONTROL_READ_ONLY (1u << 0)

/**
 * struct pp_control_params - what to open; zero means the default everywhere
 * @sz:      sizeof(struct pp_control_params)
 * @path:    the socket's name, at most 107 bytes; NULL: pagepool.PID.sock in $XDG_RUNTIME_DIR, else
 *           in /run/pagepool, which root makes if it is missing, else in /tmp/pagepool.UID, which
 *           is made for this user alone; only where no stranger may write. `ppstat PID` finds it
 * @clients: clients at a time, 1 .. 64; 0: 8. One more cuts off the longest silent one
 * @flags:   PP_CONTROL_*
 */
struct pp_control_params {
	size_t sz;
	const char *path;
	uint32_t clients;
	uint32_t flags;
};

/**
 * pp_control_open() - listen for ppstat
 * @params: what to open, or NULL: all defaults
 *
 * The socket has mode 0600, and a client must be of this process's user, or root. A socket of a
 * dead process at @path is replaced. The thread blocks all signals. It takes no part in
 * anything but requests: drains and the like are those of zone.h and page_pool.h, which a client
 * may ask for at any time.
 *
 * Context: any thread; sleeps.
 * Cost:    a thread, a socket and an eventfd; nothing while no client asks.
 * Return:  the socket, or NULL with errno and a sentence in pp_error():
 *          EINVAL: a parameter out of range, or an empty path;
 *          EADDRINUSE: a living process listens there;
 *          EEXIST: @path is something else than a socket of this user;
 *          E2BIG: params longer than known and not zero there, or longer than any;
 *          ENAMETOOLONG: a path of more than 107 bytes;
 *          ENOMEM: for the socket, its clients, or the thread;
 *          EACCES, ENOENT, ENOTDIR, EROFS, ENOSPC: no socket can be made at that path;
 *          EMFILE, ENFILE: no descriptor is left;
 *          EAGAIN: no thread is left;
 *          and whatever else socket(), bind() and pthread_create() say.
 * Source:  rte_telemetry_init(), in spirit. Differs: a program opens it itself.
 */
struct pp_control *pp_control_open(const struct pp_control_params *params);

/**
 * pp_control_close() - stop listening, and remove the socket
 * @control: socket, or NULL
 *
 * Waits for a request that is being answered. Caches that a client had disabled are enabled.
 *
 * Context: any thread but the socket's own.
 * Cost:    the wait, and some system calls.
 * Source:  none.
 */
void pp_control_close(struct pp_control *control);

/**
 * pp_control_path() - where it listens
 * @control: socket
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  the path; valid until pp_control_close().
 * Source:  rte_eal_get_runtime_dir(), in spirit.
 */
const char *pp_control_path(const struct pp_control *control);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_CONTROL_H */
