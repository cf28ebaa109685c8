/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * names.c - where the control socket is when no name is given, and what strangers do about it
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <pagepool/control.h>
#include <pagepool/error.h>

static char dir[64];

static void default_name(void **unused)
{
	struct pp_control *control;
	char want[128];

	setenv("XDG_RUNTIME_DIR", dir, 1);
	control = pp_control_open(NULL);
	assert_non_null(control);
	snprintf(want, sizeof(want), "%s/pagepool.%d.sock", dir, (int)getpid());
	assert_string_equal(pp_control_path(control), want);
	assert_int_equal(access(want, F_OK), 0);
	assert_null(pp_control_open(NULL));
	pp_control_close(control);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	control = pp_control_open(NULL);
	assert_non_null(control);
	assert_int_equal(pp_control_path(control)[0], '/');
	pp_control_close(control);
	/* in a directory that any user may write to, a name may be taken before */
	setenv("XDG_RUNTIME_DIR", dir, 1);
	chmod(dir, 0777);
	control = pp_control_open(NULL);
	assert_non_null(control);
	assert_null(strstr(pp_control_path(control), dir));
	pp_control_close(control);
	chmod(dir, 0700);
}

/* ---- where other users make names, too; with a /run and a /tmp of its own -------------------- */

/* 0: it listens at @want, below a directory of @mode; a failed step's number */
static int listens_at(const char *want, mode_t mode)
{
	struct pp_control *control = pp_control_open(NULL);
	char at[128], below[128];
	struct stat st;
	int bad = 0;

	if (!control) {
		fprintf(stderr, "not at %s: %s\n", want, pp_error());
		return 1;
	}
	snprintf(at, sizeof(at), "%s", pp_control_path(control));
	snprintf(below, sizeof(below), "%.*s", (int)(strrchr(at, '/') - at), at);
	if (strncmp(at, want, strlen(want)))
		bad = 2;
	else if (stat(below, &st) || (st.st_mode & 07777) != mode || st.st_uid != geteuid())
		bad = 3;
	pp_control_close(control);
	/* what was made for this socket alone goes with it */
	if (!access(at, F_OK) || (strstr(want, "65534.") && !access(below, F_OK)))
		bad = 4;
	if (bad)
		fprintf(stderr, "%d: %s, not below %s\n", bad, at, want);
	return bad;
}

static int as_other_user(const char *want)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(setgid(65534) || setuid(65534) ? 99 : listens_at(want, 0700));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int scenes(void)
{
	int bad = 0;

	unsetenv("XDG_RUNTIME_DIR");
	umask(0);
	bad |= listens_at("/run/pagepool/pagepool.", 0700);
	/* root's */
	bad |= as_other_user("/tmp/pagepool.65534/pagepool.");
	bad |= as_other_user("/tmp/pagepool.65534/pagepool.");
	/* an administrator's, for all or for a group that has this user */
	bad |= chmod("/run/pagepool", 01777) || listens_at("/tmp/pagepool.0/pagepool.", 0700);
	bad |= chmod("/run/pagepool", 0755) || listens_at("/run/pagepool/pagepool.", 0755);
	/* the name that everybody can guess is another user's, or leads elsewhere */
	bad |= rmdir("/tmp/pagepool.65534") || mkdir("/tmp/pagepool.65534", 0777);
	bad |= as_other_user("/tmp/pagepool.65534.");
	bad |= rmdir("/tmp/pagepool.65534") || symlink("/tmp/pagepool.0", "/tmp/pagepool.65534");
	bad |= as_other_user("/tmp/pagepool.65534.");
	return bad;
}

static void strangers_names(void **unused)
{
	int status;
	pid_t pid;

	if (geteuid()) {
		puts("SKIP: names of other users: only root can be one");
		return;
	}
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/run", "tmpfs", 0, "mode=755") ||
		    mount("none", "/tmp", "tmpfs", 0, "mode=1777"))
			_exit(77);
		_exit(scenes());
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		puts("SKIP: names of other users: no mount namespace here");
	else
		assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_name),
		cmocka_unit_test(strangers_names),
	};
	int failed;

	alarm(60);
	snprintf(dir, sizeof(dir), "/tmp/pstest.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
