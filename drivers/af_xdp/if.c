/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/if.c - refusals of the kernel, and the capabilities that are missing */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include <pagepool/error.h>

#include "af_xdp/priv.h"

void pp_xdp_sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

uint64_t pp_xdp_caps(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &header, data))
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/* writes the capabilities that the process lacks, "CAP_NET_ADMIN and CAP_BPF"; how many */
static unsigned int caps_missing(const struct pp_iface *xif, char *text, size_t len)
{
	static const struct {
		unsigned int cap;
		const char *name;
	} needs[] = {
		{ CAP_NET_RAW, "CAP_NET_RAW" },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
		{ CAP_BPF, "CAP_BPF" },
	};
	unsigned int i, missing[3], nmissing = 0, total = xif->prog_there ? 1 : 3;
	uint64_t has = pp_xdp_caps();
	const char *sep;
	size_t at = 0;

	if (has >> CAP_SYS_ADMIN & 1)
		has |= 1ull << CAP_BPF; /* the kernel takes the one for the other */
	for (i = 0; i < total; i++)
		if (!(has >> needs[i].cap & 1))
			missing[nmissing++] = i;
	text[0] = '\0';
	for (i = 0; i < nmissing; i++) {
		sep = i + 1 < nmissing ? ", " : " and ";
		at += (size_t)snprintf(text + at, len - at, "%s%s", i ? sep : "",
				       needs[missing[i]].name);
	}
	return nmissing;
}

bool pp_xdp_caps_lack(const struct pp_iface *xif)
{
	char caps[64];

	return caps_missing(xif, caps, sizeof(caps));
}

int pp_xdp_error(int err, const struct pp_iface *xif, const char *what)
{
	char caps[64];

	if ((err == -EPERM || err == -EACCES) && caps_missing(xif, caps, sizeof(caps)))
		return pp_set_error(-err, "no permission to %s for %s; run as root, or add %s",
				    what, xif->name, caps);
	if (err == -EPERM || err == -EACCES)
		return pp_set_error(-err,
				    "no permission to %s for %s, with the capabilities for it; run "
				    "outside of user namespaces, seccomp filters and the like",
				    what, xif->name);
	return pp_set_error(-err, "cannot %s for %s: %s", what, xif->name, strerror(-err));
}
