/* SPDX-License-Identifier: BSD-3-Clause */
/* control/socket.c - the control socket's name: chosen, cleared of the dead, removed */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/verbs.h"

bool control_peer_allowed(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	return cred.uid == 0 || cred.uid == geteuid();
}

/* ---- where ----------------------------------------------------------------------------------- */

#define RUN_DIR "/run/pagepool"

/* A directory of this user, or root's that this user may write to; not open to all. */
static bool is_usable(const char *dir)
{
	struct stat st;

	return !stat(dir, &st) && S_ISDIR(st.st_mode) && !(st.st_mode & S_IWOTH) &&
	       (st.st_uid == geteuid() || st.st_uid == 0) &&
	       !faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS);
}

/* In /tmp any user may take any name first: then one that cannot be known before. */
static int make_own_dir(struct control_socket *s, char *dir, size_t size)
{
	unsigned int uid = geteuid();
	struct stat st;

	snprintf(dir, size, "/tmp/pagepool.%u", uid);
	if (!mkdir(dir, 0700))
		return 0;
	if (errno == EEXIST && !lstat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == uid &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(dir, size, "/tmp/pagepool.%u.XXXXXX", uid);
	s->made_dir = mkdtemp(dir);
	return s->made_dir ? 0
			   : pp_set_error(errno, "control socket %s: %s; name another", dir,
					  strerror(errno));
}

static int default_dir(struct control_socket *s, char *dir, size_t size)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");

	if (runtime && *runtime == '/' && is_usable(runtime)) {
		snprintf(dir, size, "%s", runtime);
		return 0;
	}
	mkdir(RUN_DIR, 0700); /* root may, and others need not */
	if (!is_usable(RUN_DIR))
		return make_own_dir(s, dir, size);
	snprintf(dir, size, RUN_DIR);
	return 0;
}

static int set_path(struct control_socket *s, const char *path)
{
	char dir[sizeof(s->path)] = "";
	int n, err;

	s->made_dir = false;
	err = path ? 0 : default_dir(s, dir, sizeof(dir));
	if (err)
		return err;
	if (path)
		n = snprintf(s->path, sizeof(s->path), "%s", path);
	else
		n = snprintf(s->path, sizeof(s->path), "%s/pagepool.%d.sock", dir, (int)getpid());
	if (n > 0 && (size_t)n < sizeof(s->path))
		return 0;
	if (!n)
		return pp_set_error(EINVAL, "control socket: its name is empty");
	return pp_set_error(ENAMETOOLONG, "control socket %.40s...: at most %zu bytes",
			    path ? path : s->path, sizeof(s->path) - 1);
}

static void remove_dir(struct control_socket *s)
{
	char *slash = strrchr(s->path, '/');

	if (!s->made_dir || !slash)
		return;
	*slash = '\0';
	rmdir(s->path);
	*slash = '/';
}

static struct sockaddr_un address_of(const struct control_socket *s)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, s->path, sizeof(addr.sun_path));
	return addr;
}

/*
 * One process at a time looks whether a name is free and takes it. The lock is on the directory,
 * which leaves nothing behind. -1: the directory cannot be locked, or another process keeps it
 * locked: then two that begin at once may lose one of the sockets.
 */
static int lock_dir(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const char *slash = strrchr(path, '/');
	char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = ".";
	int fd, tries;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)max(slash - path, (ptrdiff_t)1), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (tries = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && tries < 50; tries++)
		nanosleep(&pause, NULL);
	return fd;
}

/* ---- the socket that was there --------------------------------------------------------------- */

/*
 * The process that called listen() lives. A dead listener's child may still hold the socket, but
 * has no thread that answers; SO_PEERCRED names the process that called listen().
 */
static bool is_alive(const struct control_socket *s)
{
	struct sockaddr_un addr = address_of(s);
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	bool alive;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	/* EAGAIN: so many are waiting that there is no room */
	alive = !connect(fd, (struct sockaddr *)&addr, sizeof(addr)) || errno == EAGAIN;
	if (alive && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.pid > 0)
		alive = !kill(cred.pid, 0) || errno != ESRCH;
	close(fd);
	return alive;
}

/* The name is taken: remove a dead process's socket. */
static int clear_path(const struct control_socket *s)
{
	struct stat st;

	if (lstat(s->path, &st))
		return errno == ENOENT ? 0
				       : pp_set_error(errno, "control socket %s: %s", s->path,
						      strerror(errno));
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return pp_set_error(EEXIST,
				    "control socket %s: that is not a socket of this user; remove "
				    "it, or name another",
				    s->path);
	if (is_alive(s))
		return pp_set_error(EADDRINUSE,
				    "control socket %s: a running process listens there; name "
				    "another",
				    s->path);
	if (unlink(s->path) && errno != ENOENT)
		return pp_set_error(errno, "control socket %s: %s", s->path, strerror(errno));
	return 0;
}

static int bind_path(struct control_socket *s)
{
	struct sockaddr_un addr = address_of(s);
	struct stat st;
	int err;

	/* the name gets this mode when it is made: there is no moment when others may connect */
	fchmod(s->fd, 0600);
	if (bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return pp_set_error(errno, "control socket %s: %s", s->path, strerror(errno));
	if (!lstat(s->path, &st) && !listen(s->fd, 64)) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		return 0;
	}
	err = pp_set_error(errno, "control socket %s: %s", s->path, strerror(errno));
	unlink(s->path);
	return err;
}

int control_socket_open(struct control_socket *s, const char *path)
{
	int err, dir;

	err = set_path(s, path);
	if (err)
		return err;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0) {
		err = pp_set_error(errno, "control socket: %s", strerror(errno));
		goto fail;
	}
	dir = lock_dir(s->path);
	err = clear_path(s);
	if (!err)
		err = bind_path(s);
	if (dir >= 0)
		close(dir);
	if (!err)
		return 0;
	close(s->fd);
fail:
	remove_dir(s);
	errno = -err;
	return err;
}

void control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (!lstat(s->path, &st) && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	remove_dir(s);
	close(s->fd);
}
