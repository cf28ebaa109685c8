/* SPDX-License-Identifier: BSD-3-Clause */
/* internal.c - the reason of the last failure, parameter structs, the version, places, mappings */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <pagepool/version.h>

#include "base/internal.h"

static __thread char error_text[240];

const char *pp_error(void)
{
	return error_text;
}

int pp_set_error(int err, const char *fmt, ...)
{
	va_list args;
	char *c;

	va_start(args, fmt);
	vsnprintf(error_text, sizeof(error_text), fmt, args);
	va_end(args);
	/* a name that it quotes may hold anything, but one line is promised */
	for (c = error_text; *c; c++) {
		if ((unsigned char)*c < ' ')
			*c = '?';
	}
	errno = err;
	return -err;
}

/* No struct of parameters will ever be larger: beyond it lies memory that is not the caller's. */
#define PARAMS_MAX 4096u

int params_copy(void *to, size_t size, const void *from)
{
	const unsigned char *p = from;
	size_t sz, i;

	memset(to, 0, size);
	if (!from)
		return pp_set_error(EINVAL, "no parameters given");
	memcpy(&sz, from, sizeof(sz));
	if (sz < sizeof(sz))
		return pp_set_error(EINVAL, "parameters: sz is %zu; set it to sizeof the struct",
				    sz);
	if (sz > PARAMS_MAX)
		return pp_set_error(E2BIG, "parameters: sz is %zu, more than any struct has", sz);
	for (i = size; i < sz; i++) {
		if (p[i])
			return pp_set_error(E2BIG,
					    "parameters: byte %zu is set, but this library knows "
					    "only %zu; update the library",
					    i, size);
	}
	memcpy(to, from, min(size, sz));
	return 0;
}

int stats_copy(void *to, const void *from, size_t size)
{
	size_t sz;

	memcpy(&sz, to, sizeof(sz));
	if (sz < sizeof(sz) || sz > size)
		return pp_set_error(E2BIG, "statistics: sz is %zu, this library knows %zu bytes",
				    sz, size);
	memcpy((char *)to + sizeof(sz), (const char *)from + sizeof(sz), sz - sizeof(sz));
	return 0;
}

const char *pp_version(void)
{
	return PP_VERSION;
}

static bool serves_version(unsigned int major, unsigned int minor, unsigned int patch)
{
	if (major != PP_VERSION_MAJOR)
		return false;
	if (minor != PP_VERSION_MINOR)
		return major > 0 && minor < PP_VERSION_MINOR;
	return patch <= PP_VERSION_PATCH;
}

int pp_check_version(unsigned int major, unsigned int minor, unsigned int patch)
{
	if (serves_version(major, minor, patch))
		return 0;
	return pp_set_error(ENOTSUP,
			    "version: the program needs pagepool %u.%u.%u, and %s is loaded", major,
			    minor, patch, PP_VERSION);
}

const char *site_text(const void *site, char *buffer, size_t size)
{
	const char *at = site;
	Dl_info info;

	if (!site)
		snprintf(buffer, size, "unknown");
	else if (dladdr(site, &info) && info.dli_sname)
		snprintf(buffer, size, "%s+0x%lx", info.dli_sname,
			 (unsigned long)(at - (const char *)info.dli_saddr));
	else if (dladdr(site, &info) && info.dli_fname)
		snprintf(buffer, size, "%s+0x%lx", info.dli_fname,
			 (unsigned long)(at - (const char *)info.dli_fbase));
	else
		snprintf(buffer, size, "%p", site);
	return buffer;
}

void *map_zeros(size_t size, const char *what)
{
	void *zeros = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (zeros != MAP_FAILED)
		return zeros;
	pp_set_error(ENOMEM, "no memory for %s: %zu bytes", what, size);
	return NULL;
}

void unmap_zeros(void *zeros, size_t size)
{
	if (zeros)
		munmap(zeros, size);
}

void bug(const char *what, const void *page)
{
	fprintf(stderr, "pagepool: BUG: %s, page %p\n", what, page);
	abort();
}
