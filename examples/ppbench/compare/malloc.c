/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compare/malloc.c - general allocators doing the work of `ppbench compare`
 *
 * Each has a process of its own: this program started again with the allocator preloaded,
 * as users do it. So no two share a heap, and an allocator that needs the dynamic linker's
 * help from the start, as jemalloc for its thread-local storage, has it. The process waits on a
 * socket for jobs, so that all rivals take turns.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compare/compare.h"

static const char child_name[] = "ppbench-malloc";

struct hello {
	char from[200]; /* file that malloc() is in */
};

static struct server {
	const char *name;
	const char *library; /* NULL: the C library's */
	const char *within; /* the name that the file must have */
	const char *package;
	char why[160];
	int fd;
	pid_t pid;
} servers[CMP_MALLOCS] = {
	{ .name = "glibc", .within = "libc.so" },
	{ "mimalloc", "libmimalloc.so.2", "libmimalloc", "libmimalloc2.0", "", 0, 0 },
	{ "jemalloc", "libjemalloc.so.2", "libjemalloc", "libjemalloc2", "", 0, 0 },
	{ "tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc", "libtcmalloc-minimal4", "", 0, 0 },
};

static inline unsigned int malloc_get(void **objects, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		objects[i] = malloc(BENCH_PAGE_SIZE);
		if (unlikely(!objects[i]))
			break;
	}
	return i;
}

static inline void malloc_put(void **objects, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		free(objects[i]);
}

#define WORK(name)	     malloc_##name
#define WORK_GET(pool, o, n) ((void)(pool), malloc_get(o, n))
#define WORK_PUT(pool, o, n) ((void)(pool), malloc_put(o, n))
#include "compare/work_impl.h"

bool bench_is_child(const char *argv0)
{
	return argv0 && !strcmp(argv0, child_name);
}

/* false: the other side is gone */
static bool receive_all(int fd, void *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool transmit_all(int fd, const void *data, size_t size)
{
	return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* serves jobs until the other side closes the socket */
int bench_child(void)
{
	void *(*where)(size_t) = malloc;
	struct hello hello = { "unknown" };
	struct cmp_rival none = { .pool = NULL };
	struct cmp_result res;
	struct cmp_job job;
	void *symbol;
	Dl_info info;

	memcpy(&symbol, &where, sizeof(symbol));
	if (dladdr(symbol, &info) && info.dli_fname)
		snprintf(hello.from, sizeof(hello.from), "%s", info.dli_fname);
	if (!transmit_all(STDIN_FILENO, &hello, sizeof(hello)))
		return 1;
	while (receive_all(STDIN_FILENO, &job, sizeof(job))) {
		if (bench_pin(job.core[0]) || malloc_run(&none, &job, &res))
			return 1;
		if (!transmit_all(STDIN_FILENO, &res, sizeof(res)))
			return 1;
	}
	return 0;
}

/* in the new process; comes back only if it cannot */
static void become_server(struct server *s, int fd)
{
	char name[sizeof(child_name)];
	char *argv[] = { name, NULL };

	memcpy(name, child_name, sizeof(name));
	if (s->library)
		setenv("LD_PRELOAD", s->library, 1);
	else
		unsetenv("LD_PRELOAD");
	/* a missing library has a better message here than the dynamic linker's */
	if (dup2(fd, STDIN_FILENO) < 0 || !freopen("/dev/null", "w", stderr))
		return;
	execv("/proc/self/exe", argv);
}

static int server_start(struct server *s)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	s->pid = fork();
	if (!s->pid) {
		become_server(s, pair[1]);
		_exit(127);
	}
	close(pair[1]);
	s->fd = pair[0];
	return s->pid < 0 ? -1 : 0;
}

static void server_end(struct server *s)
{
	if (s->pid <= 0)
		return;
	close(s->fd);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

static void server_died(struct server *s)
{
	int status = 0;

	close(s->fd);
	waitpid(s->pid, &status, 0);
	s->pid = 0;
	snprintf(s->why, sizeof(s->why), "its process ended, %s %d",
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static int run_server(struct cmp_rival *r, const struct cmp_job *job, struct cmp_result *res)
{
	struct server *s = r->pool;

	if (transmit_all(s->fd, job, sizeof(*job)) && receive_all(s->fd, res, sizeof(*res)))
		return 0;
	server_died(s);
	r->missing = s->why;
	return -1;
}

static void server_greet(struct server *s, struct cmp_rival *r)
{
	struct hello hello;

	if (server_start(s)) {
		snprintf(s->why, sizeof(s->why), "no process for it: %s", strerror(errno));
	} else if (!receive_all(s->fd, &hello, sizeof(hello))) {
		server_died(s);
	} else if (!strstr(hello.from, s->within)) {
		server_end(s);
		snprintf(s->why, sizeof(s->why), "%s was not found; apt-get install %s",
			 s->library ? s->library : "the C library", s->package ? s->package : "-");
	} else {
		return;
	}
	r->missing = s->why;
}

int cmp_malloc_open(struct cmp_rival *r, unsigned int *n)
{
	struct cmp_rival *one;
	unsigned int i;

	for (i = 0; i < CMP_MALLOCS; i++) {
		one = cmp_add(r, n, CMP_ALL_RAW, run_server, &servers[i], "malloc %s",
			      servers[i].name);
		server_greet(&servers[i], one);
	}
	return 0;
}

void cmp_malloc_close(void)
{
	unsigned int i;

	for (i = 0; i < CMP_MALLOCS; i++)
		server_end(&servers[i]);
}
