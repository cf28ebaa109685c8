/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * socket.c - the control socket: its users, and clients that misbehave; names.c has its name
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <pagepool/control.h>
#include <pagepool/zone.h>

static char dir[64];
static char path[100];

static struct pp_control *open_socket(uint32_t clients)
{
	struct pp_control_params p = { .sz = sizeof(p), .path = path, .clients = clients };
	struct pp_control *control = pp_control_open(&p);

	if (!control)
		fail_msg("%s", pp_error());
	return control;
}

static int refused(const char *name)
{
	struct pp_control_params p = { .sz = sizeof(p), .path = name };

	assert_null(pp_control_open(&p));
	assert_non_null(strstr(pp_error(), "control socket"));
	return errno;
}

static int try_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, path, sizeof(path));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

static int client(void)
{
	int fd = try_connect();

	assert_true(fd >= 0);
	return fd;
}

/* Bytes until a newline, the end, or 3 s: their number; -1: nothing in time. */
static ssize_t hear(int fd, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	while (len + 1 < size && poll(&p, 1, 3000) > 0) {
		n = recv(fd, buf + len, size - len - 1, 0);
		if (n <= 0) {
			buf[len] = '\0';
			return (ssize_t)len;
		}
		len += (size_t)n;
		buf[len] = '\0';
		if (buf[len - 1] == '\n')
			return (ssize_t)len;
	}
	return -1;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void answers(int fd, const char *part)
{
	static char buf[65536];

	assert_true(hear(fd, buf, sizeof(buf)) > 0);
	if (!strstr(buf, part))
		fail_msg("%s is not in: %s", part, buf);
}

/* The other end has closed. */
static void is_cut_off(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[4096];

	do
		assert_int_equal(poll(&p, 1, 3000), 1);
	while (recv(fd, buf, sizeof(buf), 0) > 0);
	close(fd);
}

static void name_and_mode(void **unused)
{
	mode_t mask = umask(0);
	struct pp_control *control = open_socket(0);
	struct stat st;

	umask(mask);
	assert_string_equal(pp_control_path(control), path);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(refused(path), EADDRINUSE);
	pp_control_close(control);
	assert_int_equal(lstat(path, &st), -1);
	pp_control_close(NULL);
}

static void bad_names(void **unused)
{
	char name[200], target[100];
	struct stat st;
	int fd;

	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[150] = '\0';
	assert_int_equal(refused(name), ENAMETOOLONG);
	assert_int_equal(refused(""), EINVAL);
	assert_int_equal(refused("/nonexistent/dir/socket"), ENOENT);
	/* another user's file, or a link to it, is left alone */
	snprintf(target, sizeof(target), "%s/file", dir);
	fd = open(target, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "keep", 4), 4);
	close(fd);
	assert_int_equal(refused(target), EEXIST);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(refused(path), EEXIST);
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_size, 4);
	unlink(path);
	unlink(target);
}

static void bad_parameters(void **unused)
{
	struct {
		struct pp_control_params p;
		uint64_t more;
	} p = { { .sz = sizeof(p), .path = path }, 1 };

	assert_null(pp_control_open(&p.p));
	assert_int_equal(errno, E2BIG);
	p.more = 0;
	p.p.clients = 65;
	assert_null(pp_control_open(&p.p));
	assert_int_equal(errno, EINVAL);
	p.p.clients = 1;
	p.p.flags = 0x80;
	assert_null(pp_control_open(&p.p));
	assert_int_equal(errno, EINVAL);
}

/* What a killed process left is replaced, also if a child of it holds the socket. */
static void stale(void **unused)
{
	struct pp_control *control;
	pid_t pid = fork(), child;
	int pipe_fd[2], status;

	if (!pid) {
		open_socket(0);
		raise(SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(try_connect(), -1);
	control = open_socket(0);
	pp_control_close(control);

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	if (!pid) {
		open_socket(0);
		child = fork();
		if (!child) {
			alarm(20);
			pause();
			_exit(0);
		}
		if (write(pipe_fd[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(read(pipe_fd[0], &child, sizeof(child)), sizeof(child));
	waitpid(pid, &status, 0);
	control = open_socket(0);
	pp_control_close(control);
	kill(child, SIGKILL);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* Only what is ours is removed. */
static void name_taken_over(void **unused)
{
	struct pp_control *control = open_socket(0), *next;

	unlink(path);
	next = open_socket(0);
	pp_control_close(control);
	assert_int_equal(access(path, F_OK), 0);
	pp_control_close(next);
	assert_int_equal(access(path, F_OK), -1);
}

static void one_after_the_other(void **unused)
{
	struct pp_control *control = open_socket(0);
	int fd = client();

	say(fd, "1 help\n");
	answers(fd, "\"verb\":\"help\"");
	say(fd, "1 st");
	say(fd, "at\n");
	answers(fd, "\"verb\":\"stat\"");
	close(fd);
	/* several at once, and then the end: all are answered */
	fd = client();
	say(fd, "1 help\n1 frob\n1 drain\n");
	shutdown(fd, SHUT_WR);
	answers(fd, "\"verb\":\"help\"");
	is_cut_off(fd);
	/* the end in the middle of a line */
	fd = client();
	say(fd, "1 st");
	shutdown(fd, SHUT_WR);
	is_cut_off(fd);
	pp_control_close(control);
}

static void too_long(void **unused)
{
	struct pp_control *control = open_socket(0);
	int fd = client(), i;

	/* it may be cut off before the end */
	for (i = 0; i < 100; i++)
		send(fd, "1 stat 1 stat 1 stat ", 21, MSG_NOSIGNAL);
	answers(fd, "\"code\":\"bad_request\"");
	/* the unread rest makes it a reset, not an end */
	i = (int)recv(fd, &i, 1, 0);
	assert_true(i <= 0);
	close(fd);
	fd = client();
	say(fd, "1 help\n");
	answers(fd, "\"verb\":\"help\"");
	close(fd);
	pp_control_close(control);
}

/*
 * The library's clock and ours, which a test may put forward: see meson.build. What waits in
 * poll() does not notice, and looks at the clock when it is asked something.
 */
static unsigned int forward_s;
int __real_clock_gettime(clockid_t id, struct timespec *ts);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int err = __real_clock_gettime(id, ts);

	if (!err)
		ts->tv_sec += __atomic_load_n(&forward_s, __ATOMIC_RELAXED);
	return err;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* One never reads, one never ends its line: the third does not notice; and they are cut off. */
static void stalled(void **unused)
{
	struct pp_control *control = open_socket(0);
	int silent = client(), slow = client(), fd = client(), i, small = 1024;
	struct pollfd end = { .fd = silent, .events = POLLRDHUP };
	double start = seconds();
	char c;

	setsockopt(silent, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (i = 0; i < 20000; i++)
		if (send(silent, "1 help\n", 7, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
	say(slow, "1 he");
	for (i = 0; i < 100; i++) {
		say(fd, "1 help\n");
		answers(fd, "\"verb\":\"help\"");
	}
	assert_true(seconds() - start < 4);
	__atomic_fetch_add(&forward_s, 4, __ATOMIC_RELAXED);
	say(fd, "1 help\n");
	answers(fd, "\"verb\":\"help\"");
	while (recv(slow, &c, 1, 0) > 0)
		;
	assert_true(seconds() - start > 4.5 && seconds() - start < 15);
	close(slow);
	/* not by reading: then it would go on */
	assert_int_equal(poll(&end, 1, 10000), 1);
	is_cut_off(silent);
	/* a silent client is not */
	say(fd, "1 help\n");
	answers(fd, "\"verb\":\"help\"");
	close(fd);
	pp_control_close(control);
}

static void too_many(void **unused)
{
	struct pp_control *control = open_socket(3);
	const struct timespec pause = { .tv_nsec = 2000000 };
	int fd[4], i;

	for (i = 0; i < 3; i++) {
		fd[i] = client();
		say(fd[i], "1 help\n");
		answers(fd[i], "\"verb\":\"help\"");
		nanosleep(&pause, NULL);
	}
	say(fd[0], "1 help\n");
	answers(fd[0], "\"verb\":\"help\"");
	fd[3] = client();
	say(fd[3], "1 help\n");
	answers(fd[3], "\"verb\":\"help\"");
	is_cut_off(fd[1]);
	for (i = 0; i < 4; i += i ? 1 : 2) {
		say(fd[i], "1 help\n");
		answers(fd[i], "\"verb\":\"help\"");
		close(fd[i]);
	}
	pp_control_close(control);
}

/* A client that disabled with a lease may die. */
static void lease_ends(void **unused)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = 1024, .name = "z", .high = 64 };
	struct pp_control *control = open_socket(0);
	struct pp_zone *zone = pp_zone_create(&p);
	int fd = client();
	double start = seconds();

	say(fd, "1 disable z lease_ms=300\n");
	answers(fd, "\"verb\":\"disable\"");
	close(fd);
	assert_int_equal(pp_zone_pcp_set(zone, 32, 8), -EBUSY);
	while (pp_zone_pcp_set(zone, 32, 8) && seconds() - start < 5)
		usleep(10000);
	assert_true(seconds() - start > 0.25 && seconds() - start < 3);
	/* and without one they are enabled when the socket is closed */
	fd = client();
	say(fd, "1 disable z\n");
	answers(fd, "\"verb\":\"disable\"");
	close(fd);
	pp_control_close(control);
	assert_int_equal(pp_zone_pcp_set(zone, 32, 8), 0);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* Another user that got hold of the socket all the same. */
static void other_user(void **unused)
{
	struct pp_control *control;
	int status;
	pid_t pid;

	if (geteuid()) {
		puts("SKIP: another user's requests: only root can be one");
		return;
	}
	control = open_socket(0);
	chmod(path, 0666);
	chmod(dir, 0755);
	pid = fork();
	if (!pid) {
		char c;
		int fd;

		if (setgid(65534) || setuid(65534))
			_exit(3);
		fd = try_connect();
		if (fd < 0)
			_exit(2);
		send(fd, "1 help\n", 7, MSG_NOSIGNAL);
		_exit(recv(fd, &c, 1, 0) > 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	pp_control_close(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_and_mode),   cmocka_unit_test(bad_names),
		cmocka_unit_test(bad_parameters),  cmocka_unit_test(stale),
		cmocka_unit_test(name_taken_over), cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(too_long),	   cmocka_unit_test(stalled),
		cmocka_unit_test(too_many),	   cmocka_unit_test(lease_ends),
		cmocka_unit_test(other_user),
	};
	int failed;

	alarm(60);
	snprintf(dir, sizeof(dir), "/tmp/pstest.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
