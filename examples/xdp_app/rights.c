/* SPDX-License-Identifier: BSD-3-Clause */
/* rights.c - one line for a failure, and the capabilities that are missing if the kernel refuses */
#include <linux/capability.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app.h"
#include "common/error.h"

static const struct {
	unsigned int cap;
	const char *name;
} needed[] = {
	{ CAP_NET_RAW, "CAP_NET_RAW" }, /* sockets */
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" }, /* a program on an interface */
	{ CAP_BPF, "CAP_BPF" }, /* loaded at all */
};

#define NEEDED (sizeof(needed) / sizeof(needed[0]))

int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain_va(fmt, args);
	va_end(args);
	return -1;
}

static uint64_t effective_caps(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	uint64_t has;

	if (syscall(SYS_capget, &header, data))
		return 0;
	has = (uint64_t)data[1].effective << 32 | data[0].effective;
	/* the kernel takes CAP_SYS_ADMIN for CAP_BPF, too */
	return has >> CAP_SYS_ADMIN & 1 ? has | 1ull << CAP_BPF : has;
}

int no_permission(const char *what, const char *interface)
{
	const char *missing[NEEDED] = { "", "", "" };
	static const char *const between[NEEDED + 1][2] = {
		{ "", "" }, { "", "" }, { " and ", "" }, { ", ", " and " }
	};
	uint64_t has = effective_caps();
	unsigned int i, n = 0;

	for (i = 0; i < NEEDED; i++)
		if (!(has >> needed[i].cap & 1))
			missing[n++] = needed[i].name;
	if (!n)
		return fail("no permission to %s for %s, with the capabilities for it; run outside "
			    "of user namespaces, seccomp filters and the like",
			    what, interface);
	return fail("no permission to %s for %s; run as root, or add %s%s%s%s%s", what, interface,
		    missing[0], between[n][0], missing[1], between[n][1], missing[2]);
}
