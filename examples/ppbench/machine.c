/* SPDX-License-Identifier: BSD-3-Clause */
/* machine.c - the machine, the kernel, the compiler and the commit of the figures */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "commit.h"

static void cpu_name(char *name, size_t size)
{
	char line[256];
	char *value;
	FILE *f;

	snprintf(name, size, "unknown");
	f = fopen("/proc/cpuinfo", "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		value = strchr(line, ':');
		if (strncmp(line, "model name", 10) || !value)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "%s", value + 1 + strspn(value + 1, " "));
		break;
	}
	fclose(f);
}

void bench_machine(struct bench_machine *m)
{
	struct utsname un;

	cpu_name(m->cpu, sizeof(m->cpu));
	m->cores = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	if (uname(&un))
		snprintf(un.release, sizeof(un.release), "unknown");
	snprintf(m->kernel, sizeof(m->kernel), "%s", un.release);
	m->compiler = PP_COMPILER;
	m->commit = PP_COMMIT;
	m->tsc_hz = pp_cycles_hz();
}
