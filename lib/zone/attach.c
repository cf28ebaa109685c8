/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/attach.c - another process joins a zone */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/handler.h"
#include "zone/share.h"

/* How long an attachment waits for its turn to free the place of a dead process. */
#define BEGIN_US 1000000u

static int read_trailer(int fd, struct zone_trailer *trailer)
{
	off_t last = (off_t)zone_system_page();
	struct stat st;

	if (fstat(fd, &st))
		return pp_set_error(errno, "fd %d: %s", fd, strerror(errno));
	if (st.st_size < 2 * last ||
	    pread(fd, trailer, sizeof(*trailer), st.st_size - last) != sizeof(*trailer) ||
	    trailer->magic != SHARE_MAGIC || trailer->size != (size_t)st.st_size)
		return pp_set_error(EINVAL,
				    "fd %d is no zone with PP_ZONE_SHARED, or one of "
				    "another build of the library",
				    fd);
	if (trailer->layout != zone_layout())
		return pp_set_error(EINVAL, "fd %d: the zone is of another version of the library",
				    fd);
	return 0;
}

/* A child of fork() has it in place. */
static bool is_mapped(const struct zone_trailer *trailer, int fd)
{
	struct pp_zone *zone = NULL;
	struct stat a, b;

	while ((zone = zone_next(zone))) {
		if (zone != trailer->zone)
			continue;
		zone_unpin(zone);
		return !fstat(fd, &a) && !fstat(zone->region.fd, &b) && a.st_ino == b.st_ino &&
		       a.st_dev == b.st_dev;
	}
	return false;
}

static int begin(struct pp_zone *zone)
{
	int err = zone_share_begin(zone);

	/* the places may be those of the dead; listed in the stock, so that our death is seen */
	if (err == -ENOSPC && !share_attach(zone->stock)) {
		zone_bury(zone, BEGIN_US);
		err = zone_share_begin(zone);
	}
	return err;
}

static struct pp_zone *attach_child(struct pp_zone *zone)
{
	if (zone->process == process_self()) {
		pp_set_error(EEXIST, "zone %s: this process is attached already",
			     zone->stock->name);
		return NULL;
	}
	/* pools, and what they did, are the parent's */
	zone->clients = (struct zone_clients){ 0 };
	zone->moving = 0;
	return begin(zone) ? NULL : zone;
}

/* Memory in this process, at the place that it has in the others. */
static int map_whole(const struct zone_trailer *trailer, int fd)
{
	void *base = mmap(trailer->base, trailer->size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	int err;

	if (base == trailer->base) {
		err = zone_map_own_half(trailer->zone);
		if (err)
			munmap(base, trailer->size);
		return err;
	}
	if (base != MAP_FAILED)
		munmap(base, trailer->size); /* before Linux 4.17 the address is a wish */
	if (base != MAP_FAILED || errno == EEXIST)
		return pp_set_error(EADDRINUSE,
				    "the zone's %zu MiB at %p are taken in this process; attach "
				    "before other memory is mapped",
				    trailer->size >> 20, trailer->base);
	return pp_set_error(errno, "cannot map the zone's %zu MiB at %p: %s", trailer->size >> 20,
			    trailer->base, strerror(errno));
}

static int begin_own_half(struct pp_zone *zone, int fd)
{
	int err;

	zone->region = zone->shared->region;
	zone->region.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (zone->region.fd < 0)
		return pp_set_error(errno, "fd %d: %s", fd, strerror(errno));
	err = region_lock_shared(&zone->region, zone->shared->flags);
	return err ? err : zone_make_own_half(zone);
}

struct pp_zone *pp_zone_attach(int fd)
{
	struct zone_trailer trailer;
	struct pp_zone *zone;

	not_a_handler();
	if (read_trailer(fd, &trailer))
		return NULL;
	zone = trailer.zone;
	if (is_mapped(&trailer, fd)) {
		zone = attach_child(zone);
	} else if (map_whole(&trailer, fd)) {
		return NULL;
	} else if (begin_own_half(zone, fd) || begin(zone)) {
		zone_free(zone);
		return NULL;
	} else {
		zone_register(zone);
	}
	if (zone)
		pp_zone_recover(zone, 20000);
	return zone;
}
