/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c - where a zone's pages come from: anonymous, hugetlb, memfd, the caller's own
 *
 * Memory is bound to its node before the first touch and populated before the
 * zone exists, so that running out is an error here and not a signal later.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/internal.h"
#include "zone/memory.h"
#include "base/node.h"

#define HUGE_SIZE	   ((size_t)2 << 20)
#define MAP_HUGE_2M	   (21 << 26)
#define POPULATE_WRITE	   23 /* MADV_POPULATE_WRITE, Linux 5.14 */
#define align_up(x, align) (((x) + (align)-1) & ~((align)-1))

static const char *size_text(size_t len)
{
	static __thread char text[32];

	snprintf(text, sizeof(text), "%zu MiB", (len + (1 << 20) - 1) >> 20);
	return text;
}

/* A number of /proc/meminfo in bytes; SIZE_MAX if it is not there. */
static size_t meminfo(const char *key)
{
	FILE *f = fopen("/proc/meminfo", "re");
	size_t kib = SIZE_MAX >> 10, found;
	char line[128], format[64];

	if (!f)
		return SIZE_MAX;
	snprintf(format, sizeof(format), "%s: %%zu", key);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, format, &found) == 1) {
			kib = found;
			break;
		}
	}
	fclose(f);
	return kib << 10;
}

/*
 * Populating more than there is would wake the kernel's OOM killer, which often takes
 * another process: refuse before that.
 */
static int check_available(const struct region *region, uint64_t metadata)
{
	size_t available = meminfo("MemAvailable");

	if (region->node >= 0)
		available = min(available, topology->available(region->node));

	if (metadata + (region->mem == PP_MEM_HUGETLB ? 0 : region->len) < available)
		return 0;
	return pp_set_error(ENOMEM,
			    "not enough memory for %s: %zu MiB are available; ask for "
			    "fewer pages",
			    size_text(region->len), available >> 20);
}

/*
 * Where the kernel does not know the call (before 5.14), or a filter refuses it. The kernel itself
 * writes to each page: where none is left, it answers EFAULT, and our own touch would be SIGBUS.
 */
static int touch_pages(const struct region *region, unsigned char *start, size_t len)
{
	size_t step = region->mem == PP_MEM_HUGETLB ? HUGE_SIZE : 4096, i;
	const size_t size = _NSIG / 8; /* of the kernel's sigset_t */

	for (i = 0; i < len; i += step) {
		if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, start + i, size) &&
		    errno == EFAULT)
			return -1;
		memset(start + i, 0, size);
	}
	return 0;
}

static int populate(const struct region *region, uint64_t offset, size_t len)
{
	unsigned char *start = region->base + offset;

	if (!madvise(start, len, POPULATE_WRITE))
		return 0;
	if ((errno == EINVAL || errno == ENOSYS || errno == EPERM || errno == EACCES) &&
	    !touch_pages(region, start, len))
		return 0;
	if (region->mem == PP_MEM_HUGETLB)
		return pp_set_error(ENOMEM,
				    "no hugepage is left for %s of memory; raise vm.nr_hugepages",
				    size_text(len));
	return pp_set_error(ENOMEM, "cannot populate %s of memory: %s", size_text(len),
			    strerror(errno));
}

static int lock_memory(const struct region *region, uint64_t offset, size_t len)
{
	if (!mlock(region->base + offset, len))
		return 0;
	return pp_set_error(errno == EAGAIN ? ENOMEM : errno,
			    "cannot lock %s of memory: %s; raise the limit (ulimit -l)",
			    size_text(len), strerror(errno));
}

static int bind_node(const struct region *region, uint64_t offset, size_t len)
{
	return region->node < 0 ? 0 : topology->bind(region->base + offset, len, region->node);
}

/* What of @len bytes is mapped: whole hugepages, and nothing behind the region's end. */
static size_t region_span(const struct region *region, uint64_t offset, size_t len)
{
	len = align_up(len, region->mem == PP_MEM_HUGETLB ? HUGE_SIZE : 4096);
	return min(len, region->len - offset);
}

/* Two MiB aligned, so that transparent hugepages can back it. */
static int map_aligned(struct region *region, int flags)
{
	size_t len = region->len + HUGE_SIZE;
	unsigned char *p, *start;

	p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		goto fail;
	start = (unsigned char *)align_up((uintptr_t)p, HUGE_SIZE);
	region->base =
		mmap(start, region->len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, region->fd, 0);
	if (region->base == MAP_FAILED) {
		munmap(p, len);
		goto fail;
	}
	if (start > p)
		munmap(p, (size_t)(start - p));
	munmap(start + region->len, len - region->len - (size_t)(start - p));
	return 0;
fail:
	region->base = NULL;
	return pp_set_error(ENOMEM, "cannot map %s of memory: %s", size_text(region->len),
			    strerror(errno));
}

static int map_anon(struct region *region, bool lazy)
{
	int err = map_aligned(region, MAP_PRIVATE | MAP_ANONYMOUS | (lazy ? MAP_NORESERVE : 0));

	if (!err)
		madvise(region->base, region->len, MADV_HUGEPAGE); /* a wish, not a need */
	return err;
}

/*
 * Lazy: no page is promised, and running out is an error of the acceptance. With a fallback the
 * hugepages are reserved, because only a refused mapping can still become another kind.
 */
static int map_hugetlb(struct region *region, bool fallback, bool lazy)
{
	size_t need = region->len;

	region->len = align_up(need, HUGE_SIZE);
	region->base = mmap(NULL, region->len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2M |
				    (lazy && !fallback ? MAP_NORESERVE : 0),
			    -1, 0);
	if (region->base != MAP_FAILED)
		return 0;
	region->base = NULL;
	if (fallback) {
		region->len = need;
		region->mem = PP_MEM_ANON;
		return map_anon(region, lazy);
	}
	return pp_set_error(ENOMEM,
			    "not enough hugepages: %zu of 2 MiB are needed; set vm.nr_hugepages, "
			    "or allow ordinary memory",
			    region->len / HUGE_SIZE);
}

/*
 * A place that is likely to be free in other processes, too: between what programs and what the
 * kernel map by themselves, and another one each time. ThreadSanitizer has its shadow there.
 */
#define SHARED_AT   0x600000000000u
#define SHARED_SPAN 0x100000000000u

static bool map_for_all(struct region *region)
{
	uint64_t random = (now_ns() ^ (uint64_t)getpid() << 32) * 0x9e3779b97f4a7c15u;
	uint64_t at = SHARED_AT + random % SHARED_SPAN / HUGE_SIZE * HUGE_SIZE;
	void *p;

	if (PP_TSAN)
		return false;
	p = mmap((void *)(uintptr_t)at, region->len, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED_NOREPLACE, region->fd, 0);
	if ((uintptr_t)p == at)
		region->base = p;
	else if (p != MAP_FAILED)
		munmap(p, region->len); /* before Linux 4.17 the address is a wish */
	return region->base;
}

static int map_memfd(struct region *region, const char *name, bool for_all)
{
	region->fd = memfd_create(name, MFD_CLOEXEC);
	if (region->fd < 0)
		return pp_set_error(errno, "memfd_create: %s", strerror(errno));
	if (ftruncate(region->fd, (off_t)region->len))
		return pp_set_error(errno, "memfd of %s: %s", size_text(region->len),
				    strerror(errno));
	return for_all && map_for_all(region) ? 0 : map_aligned(region, MAP_SHARED);
}

static int map_user(struct region *region, const struct pp_zone_params *p)
{
	if (!p->region)
		return pp_set_error(EINVAL, "region: PP_MEM_USER needs the caller's memory");
	if ((uintptr_t)p->region & (p->page_size - 1))
		return pp_set_error(EINVAL, "region: %p is not aligned to the page size %u",
				    p->region, p->page_size);
	if (p->region_len < region->len)
		return pp_set_error(EINVAL, "region_len: %zu bytes hold less than %llu pages of %u",
				    p->region_len, (unsigned long long)p->pages, p->page_size);
	region->base = p->region;
	return 0;
}

int region_map(struct region *region, const struct pp_zone_params *p)
{
	bool lazy = p->flags & PP_ZONE_LAZY;
	int err;

	*region = (struct region){
		.len = p->pages * p->page_size,
		.mem = p->mem,
		.fd = -1,
		.node = p->node - 1,
	};
	err = topology->check(region->node);
	if (!err && p->mem != PP_MEM_USER && !lazy)
		err = check_available(region, p->pages * (sizeof(struct pp_page) + sizeof(void *)));
	if (err)
		return err;
	switch (p->mem) {
	case PP_MEM_HUGETLB:
		err = map_hugetlb(region, p->flags & PP_ZONE_HUGE_FALLBACK, lazy);
		break;
	case PP_MEM_MEMFD:
		err = map_memfd(region, p->name ? p->name : "pagepool", false);
		break;
	case PP_MEM_USER:
		return map_user(region, p);
	default:
		err = map_anon(region, lazy);
		break;
	}
	if (!err)
		err = bind_node(region, 0, region->len);
	if (!err)
		err = lazy ? 0 : populate(region, 0, region->len);
	if (!err && !lazy && (p->flags & PP_ZONE_LOCK))
		err = lock_memory(region, 0, region->len);
	if (err)
		region_unmap(region);
	return err;
}

int region_lock_shared(struct region *region, uint32_t flags)
{
	return flags & PP_ZONE_LOCK ? lock_memory(region, 0, region->len) : 0;
}

int region_map_shared(struct region *region, const struct pp_zone_params *p, size_t size)
{
	char name[64];
	int err;

	*region = (struct region){ .len = size, .mem = p->mem, .fd = -1, .node = p->node - 1 };
	snprintf(name, sizeof(name), "pagepool:%.40s", p->name);
	err = topology->check(region->node);
	if (!err)
		err = check_available(region, 0);
	if (!err)
		err = map_memfd(region, name, true);
	if (!err)
		err = bind_node(region, 0, size);
	if (!err)
		err = populate(region, 0, size);
	region->len = p->pages * p->page_size;
	if (!err)
		err = region_lock_shared(region, p->flags);
	if (err)
		region_unmap_shared(region, size);
	return err;
}

void region_unmap_shared(struct region *region, size_t size)
{
	region->len = size;
	region_unmap(region);
}

/*
 * Hugetlb: a new mapping in the place of the old one, which also gives up what that had
 * reserved; MADV_DONTNEED would keep the reservation.
 */
static int release_hugetlb(unsigned char *start, size_t len)
{
	void *p = mmap(start, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2M | MAP_NORESERVE |
			       MAP_FIXED,
		       -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

int region_release(struct region *region, uint64_t offset, size_t len)
{
	unsigned char *start = region->base + offset;
	int err;

	len = region_span(region, offset, len);
	switch (region->mem) {
	case PP_MEM_USER:
		return 0;
	case PP_MEM_HUGETLB:
		err = release_hugetlb(start, len);
		break;
	case PP_MEM_MEMFD:
		munlock(start, len);
		err = fallocate(region->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)offset, (off_t)len);
		break;
	default:
		munlock(start, len);
		err = madvise(start, len, MADV_DONTNEED);
		break;
	}
	return err ? pp_set_error(errno, "cannot give %s back: %s", size_text(len), strerror(errno))
		   : 0;
}

void region_unmap(struct region *region)
{
	int err = errno; /* called on error paths, after pp_set_error() */

	if (region->mem != PP_MEM_USER && region->base)
		munmap(region->base, region->len);
	if (region->fd >= 0)
		close(region->fd);
	region->base = NULL;
	region->fd = -1;
	errno = err;
}

static int try_accept(struct region *region, uint64_t offset, size_t len, bool lock)
{
	int err = 0;

	if (region->mem != PP_MEM_HUGETLB && meminfo("MemAvailable") < 2 * HUGE_SIZE)
		return pp_set_error(ENOMEM, "the system has no memory left for another %s",
				    size_text(len));
	/* a mapping that took another one's place has forgotten its node */
	if (region->mem == PP_MEM_HUGETLB)
		err = bind_node(region, offset, len);
	if (!err)
		err = populate(region, offset, len);
	if (!err && lock)
		err = lock_memory(region, offset, len);
	return err;
}

int region_accept(struct region *region, uint64_t offset, size_t len, bool lock)
{
	int err;

	if (region->mem == PP_MEM_USER)
		return 0;
	err = try_accept(region, offset, region_span(region, offset, len), lock);
	if (err) {
		region_release(region, offset, len);
		errno = -err;
	}
	return err;
}
