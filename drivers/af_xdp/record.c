/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/record.c - files with settings that a port has to restore after a kill */
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

void pp_record_open(struct pp_record *r, const char *name, bool create, char *text, size_t size)
{
	ssize_t n;

	text[0] = '\0';
	snprintf(r->path, sizeof(r->path), RECORDS "/%s", name);
	if (create)
		mkdir(RECORDS, 0700);
	r->fd = open(r->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
	if (r->fd < 0)
		return;
	if (flock(r->fd, LOCK_EX | LOCK_NB)) {
		close(r->fd);
		r->fd = -1;
		return;
	}
	n = pread(r->fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
}

void pp_record_write(const struct pp_record *r, const char *text)
{
	size_t len = strlen(text);

	if (r->fd >= 0 && pwrite(r->fd, text, len, 0) < (ssize_t)len)
		unlink(r->path);
}

void pp_record_end(struct pp_record *r)
{
	if (r->fd < 0)
		return;
	unlink(r->path);
	close(r->fd);
	r->fd = -1;
}
