/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <stdio.h>

#include "base/site.h"

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
