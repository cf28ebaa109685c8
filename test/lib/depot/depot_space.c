/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot_space.c - processes in other namespaces, where a process looks dead: depot_space [POLICY]
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "depot/depot_fixture.h"

#define NEW_TIME 0x80 /* CLONE_NEWTIME, which older C libraries lack */

static struct depot_fixture f;

static void depot_set_up(void)
{
	struct pp_depot_params p = depot_params(1000, 64, 16);

	depot_new(&f, &p);
}

/* The exit status of @fn in a child. */
static int in_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		fn();
		_exit(0);
	}
	require(waitpid(pid, &status, 0) == pid);
	require(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void attach_exits(void)
{
	_exit(-pp_depot_attach(f.depot));
}

static void attach_in_pid_namespace(void)
{
	if (unshare(CLONE_NEWPID))
		_exit(200);
	_exit(in_child(attach_exits));
}

/* Children of this process are 1000 s later; 200: the kernel has no such namespaces. */
static void make_time_namespace(void)
{
	const char offsets[] = "boottime 1000 0\nmonotonic 1000 0\n";
	int fd;

	if (unshare(NEW_TIME))
		_exit(200);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	require(fd >= 0 && write(fd, offsets, strlen(offsets)) == (ssize_t)strlen(offsets));
	close(fd);
}

static void attach_in_time_namespace(void)
{
	make_time_namespace();
	_exit(in_child(attach_exits));
}

/* Attached, and then elsewhere: it goes on using the depot, and finds no process dead. */
static void move_to_time_namespace(void)
{
	void *obj;
	int fd;

	require(!pp_depot_attach(f.depot));
	make_time_namespace();
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	require(fd >= 0 && !setns(fd, NEW_TIME));
	close(fd);
	require(pp_depot_recover(f.depot, NULL) == 0);
	require(pp_depot_processes(f.depot) == 2);
	require(depot_take(f.depot, &obj, 1));
	pp_depot_put_bulk(f.depot, &obj, 1);
	require(pp_depot_drain_all(f.depot, 100000) >= 0);
	require(pp_depot_attach(f.depot) == -EXDEV);
	_exit(0);
}

/* Numbers and start times mean something else there: refused, and no process is taken for dead. */
static void refused_elsewhere(void (*attach)(void), const char *kind)
{
	int status;

	if (geteuid() != 0)
		skip_because("needs root, for a %s namespace", kind);
	depot_set_up();
	/* /proc is still the outer one's, so that it may also fail to find itself */
	status = in_child(attach);
	require(pp_depot_recover(f.depot, NULL) == 0);
	require(pp_depot_processes(f.depot) == 1);
	depot_check(&f, 0);
	depot_end(&f);
	if (status == 200)
		skip_because("this kernel has no %s namespaces", kind);
	assert_int_equal(status, EXDEV);
}

static void test_other_pid_namespace(void **state)
{
	refused_elsewhere(attach_in_pid_namespace, "PID");
}

static void test_other_time_namespace(void **state)
{
	refused_elsewhere(attach_in_time_namespace, "time");
}

static void test_moved_namespace(void **state)
{
	int status;

	if (geteuid() != 0)
		skip_because("needs root, for a time namespace");
	depot_set_up();
	status = in_child(move_to_time_namespace);
	if (status != 200) {
		assert_int_equal(status, 0);
		/* it is dead for certain now, and for us it began when it began */
		require(pp_depot_recover(f.depot, NULL) == 1);
		require(pp_depot_processes(f.depot) == 1);
		depot_check(&f, 0);
	}
	depot_end(&f);
	if (status == 200)
		skip_because("this kernel has no time namespaces");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_pid_namespace),
		cmocka_unit_test(test_other_time_namespace),
		cmocka_unit_test(test_moved_namespace),
	};

	depot_policy_parse(argc, argv);
	return test_main("depot_space", tests, ARRAY_LEN(tests), 60);
}
