/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * version.c - the version of this library
 */
#include <pagepool/version.h>

#include "base/internal.h"

const char *pp_version(void)
{
	return PP_VERSION;
}

static bool serves(unsigned int major, unsigned int minor, unsigned int patch)
{
	if (major != PP_VERSION_MAJOR)
		return false;
	if (minor != PP_VERSION_MINOR)
		return major > 0 && minor < PP_VERSION_MINOR;
	return patch <= PP_VERSION_PATCH;
}

int pp_check_version(unsigned int major, unsigned int minor, unsigned int patch)
{
	if (serves(major, minor, patch))
		return 0;
	return pp_set_error(ENOTSUP,
			    "version: the program needs pagepool %u.%u.%u, and %s is loaded", major,
			    minor, patch, PP_VERSION);
}
