/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * find.c - the sockets of running programs, where the library puts them
 */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ppstat.h"

static void add_dir(glob_t *found, const char *dir, const char *pid)
{
	char pattern[256];
	int n;

	n = snprintf(pattern, sizeof(pattern), "%s/pagepool.%s.sock", dir, pid);
	if (n > 0 && (size_t)n < sizeof(pattern))
		glob(pattern, found->gl_pathc ? GLOB_APPEND : 0, NULL, found);
}

/* Of process @pid, or "*". The same directory may come twice. */
static void find_all(glob_t *found, const char *pid)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	memset(found, 0, sizeof(*found));
	if (runtime && *runtime == '/')
		add_dir(found, runtime, pid);
	add_dir(found, "/run/user/*", pid);
	add_dir(found, "/run", pid);
	add_dir(found, "/tmp", pid);
}

static bool is_double(const glob_t *found, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (!strcmp(found->gl_pathv[k], found->gl_pathv[i]))
			return true;
	return false;
}

static const char *command_of(int pid, char *buf, size_t size)
{
	char name[64];
	char *nl;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	f = fopen(name, "re");
	if (!f || !fgets(buf, (int)size, f))
		snprintf(buf, size, "?");
	if (f)
		fclose(f);
	nl = strchr(buf, '\n');
	if (nl)
		*nl = '\0';
	return buf;
}

static int copy_path(char path[108], const char *from)
{
	int n = snprintf(path, 108, "%s", from);

	if (n > 0 && n < 108)
		return 0;
	complain("%s: longer than a socket's name can be, 107 bytes; name it by a shorter path",
		 from);
	return -1;
}

static int find_pid(const char *text, char path[108])
{
	int pid, want = atoi(text), err = -1;
	glob_t found;
	size_t i;

	find_all(&found, text);
	for (i = 0; i < found.gl_pathc && err; i++) {
		/* the pid is only a name: whoever listens must be that process, if one can tell */
		if (peer_is_open(found.gl_pathv[i], &pid) && (pid == want || pid <= 0))
			err = copy_path(path, found.gl_pathv[i]);
	}
	if (err)
		complain("process %s: no control socket pagepool.%s.sock of it in "
			 "$XDG_RUNTIME_DIR, /run or /tmp; name its socket, or see ppstat list",
			 text, text);
	globfree(&found);
	return err;
}

/* "123 (ppfwd), 456 (x)" */
static void add_name(char *names, size_t size, int pid)
{
	size_t len = strlen(names);
	char comm[64];

	snprintf(names + len, size - len, "%s%d (%s)", len ? ", " : "", pid,
		 command_of(pid, comm, sizeof(comm)));
}

static int find_only(char path[108])
{
	char names[512] = "";
	unsigned int n = 0;
	glob_t found;
	int pid, err = -1;
	size_t i;

	find_all(&found, "*");
	for (i = 0; i < found.gl_pathc; i++) {
		if (is_double(&found, i) || !peer_is_open(found.gl_pathv[i], &pid))
			continue;
		err = copy_path(path, found.gl_pathv[i]);
		add_name(names, sizeof(names), pid);
		n++;
	}
	globfree(&found);
	if (n == 1)
		return err;
	if (n)
		complain("%u programs: %s; give one's pid", n, names);
	else
		complain("no program with a control socket in $XDG_RUNTIME_DIR, /run or /tmp; "
			 "start one with ppfwd --control auto, or name its socket");
	return -1;
}

unsigned int find_list(FILE *out)
{
	char comm[64], name[128], clean[64];
	unsigned int n = 0;
	glob_t found;
	size_t i;
	int pid;

	find_all(&found, "*");
	for (i = 0; i < found.gl_pathc; i++) {
		if (is_double(&found, i) || !peer_is_open(found.gl_pathv[i], &pid))
			continue;
		command_of(pid, comm, sizeof(comm));
		fprintf(out, "%7d  %-15s  %s\n", pid, printable(comm, clean, sizeof(clean)),
			printable(found.gl_pathv[i], name, sizeof(name)));
		n++;
	}
	globfree(&found);
	return n;
}

int find_target(const char *target, char path[108])
{
	if (!target)
		return find_only(path);
	if (strlen(target) < 10 && target[strspn(target, "0123456789")] == '\0')
		return find_pid(target, path);
	return copy_path(path, target);
}
