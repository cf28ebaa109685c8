/* SPDX-License-Identifier: BSD-3-Clause */
/* machine.c - see machine.h */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/json.h"
#include "common/machine.h"

/* "model name : Intel..." of the first CPU */
static void read_cpu(char *name, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256], *value;

	snprintf(name, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		value = strchr(line, ':');
		if (!value || strncmp(line, "model name", 10))
			continue;
		value += strspn(value, ": \t");
		snprintf(name, size, "%.*s", (int)strcspn(value, "\n"), value);
		break;
	}
	if (f)
		fclose(f);
}

void machine_read(struct machine *m)
{
	struct utsname un;

	read_cpu(m->cpu, sizeof(m->cpu));
	snprintf(m->kernel, sizeof(m->kernel), "%.79s", uname(&un) ? "unknown" : un.release);
	m->cores = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

void machine_json_open(struct json *j, const struct machine *m)
{
	json_open(j, "machine", '{');
	json_text(j, "cpu", m->cpu);
	json_count(j, "cores", m->cores);
	json_text(j, "kernel", m->kernel);
}
