/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/record.c - files with settings that a port has to restore after a kill */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "af_xdp/priv.h"

#define RECORDS "/run/pagepool"

ino_t pp_record_net(void)
{
	struct stat st = { 0 };

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* a locked descriptor of the file, or -errno; its owner may end between the two calls */
static int open_locked(const char *path, bool create)
{
	struct stat st;
	int fd, err;

	for (;;) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
		if (fd < 0)
			return -errno;
		err = flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st) ? -errno : 0;
		if (!err && st.st_nlink)
			return fd;
		close(fd);
		if (err)
			return err;
	}
}

int pp_record_open(struct pp_record *r, const char *name, bool create, char *text, size_t size)
{
	ssize_t n = 0;
	int fd;

	snprintf(r->path, sizeof(r->path), RECORDS "/%s", name);
	if (create)
		mkdir(RECORDS, 0700);
	fd = open_locked(r->path, create);
	r->fd = fd < 0 ? -1 : fd;
	if (fd >= 0)
		n = pread(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return fd < 0 ? fd : 0;
}

bool pp_record_done(int err)
{
	return !err || err == -ENODEV || err == -ENOENT;
}

void pp_record_write(const struct pp_record *r, const char *text)
{
	size_t len = strlen(text);

	if (r->fd >= 0 && pwrite(r->fd, text, len, 0) < (ssize_t)len)
		unlink(r->path);
}

void pp_record_end(struct pp_record *r, bool done)
{
	if (r->fd < 0)
		return;
	if (done)
		unlink(r->path);
	close(r->fd);
	r->fd = -1;
}
