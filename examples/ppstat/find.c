/* SPDX-License-Identifier: BSD-3-Clause */
/* find.c - the sockets of running programs, where the library puts them */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
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
	add_dir(found, "/run/pagepool", pid);
	add_dir(found, "/tmp/pagepool.*", pid);
}

/* A directory that leads elsewhere shows a program twice, or under a stranger's name. */
static bool is_direct(const char *path)
{
	char dir[256];
	struct stat st;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	return strncmp(dir, "/tmp/", 5) || (!lstat(dir, &st) && S_ISDIR(st.st_mode));
}

static bool is_open(const char *path, int *pid, unsigned int *uid)
{
	return is_direct(path) && peer_is_open(path, pid, uid);
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
	unsigned int uid;
	glob_t found;
	size_t i;

	find_all(&found, text);
	for (i = 0; i < found.gl_pathc && err; i++) {
		/* the pid is only a name: the listener must be that process, if the kernel tells */
		if (is_open(found.gl_pathv[i], &pid, &uid) && (pid == want || pid <= 0))
			err = copy_path(path, found.gl_pathv[i]);
	}
	if (err)
		complain("process %s: no control socket pagepool.%s.sock of it in "
			 "$XDG_RUNTIME_DIR, /run/pagepool or /tmp; name its socket, "
			 "or see ppstat list",
			 text, text);
	globfree(&found);
	return err;
}

/* "123 (ppfwd), 456 (x of alice)" */
static void add_name(char *names, size_t size, int pid, unsigned int uid)
{
	size_t len = strlen(names);
	char comm[64], user[40];

	snprintf(names + len, size - len, "%s%d (%s%s)", len ? ", " : "", pid,
		 command_of(pid, comm, sizeof(comm)), foreign_user(uid, user, sizeof(user)));
}

static int find_only(char path[108])
{
	unsigned int n = 0, uid, only = geteuid();
	char names[512] = "";
	glob_t found;
	int pid, err = -1;
	size_t i;

	find_all(&found, "*");
	for (i = 0; i < found.gl_pathc; i++) {
		if (is_double(&found, i) || !is_open(found.gl_pathv[i], &pid, &uid))
			continue;
		err = copy_path(path, found.gl_pathv[i]);
		add_name(names, sizeof(names), pid, uid);
		only = uid;
		n++;
	}
	globfree(&found);
	if (n == 1 && only != geteuid())
		complain("the only program is another user's: %s", names);
	if (n == 1)
		return err;
	if (n)
		complain("%u programs: %s; give one's pid", n, names);
	else
		complain("no program has a control socket in $XDG_RUNTIME_DIR, /run/pagepool or "
			 "/tmp; start one with ppfwd --control auto, or name its socket");
	return -1;
}

unsigned int find_list(FILE *out)
{
	char comm[64], name[128], clean[64], user[40];
	unsigned int n = 0, uid;
	glob_t found;
	size_t i;
	int pid;

	find_all(&found, "*");
	for (i = 0; i < found.gl_pathc; i++) {
		if (is_double(&found, i) || !is_open(found.gl_pathv[i], &pid, &uid))
			continue;
		command_of(pid, comm, sizeof(comm));
		fprintf(out, "%7d  %s  %s%s\n", pid,
			printable_field(comm, clean, sizeof(clean), 15),
			printable(found.gl_pathv[i], name, sizeof(name)),
			foreign_user(uid, user, sizeof(user)));
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
