/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.c - memory that is refused: one sentence each, and no page lost; killed.c has the rest
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "base/fault_fixture.h"
#include "watchdog.h"

/* One sentence, with its reason. */
static void failed_with(int err, const char *what)
{
	print_message("# %s\n", pp_error());
	require(errno == err);
	require(strstr(pp_error(), what) && !strchr(pp_error(), '\n'));
}

/* Its exit status; -1 if a signal ended it. */
static int in_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		watchdog_start(60);
		fn();
		fflush(NULL);
		_exit(0);
	}
	require(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- hugepages ------------------------------------------------------------------------------- */

/* Fewer than the zone's addresses: what there is, then short answers, then more when there is. */
static void too_few_hugepages(void **state)
{
	struct pp_zone_params p = params(PP_MEM_HUGETLB, 0);
	struct pp_zone *zone;
	unsigned int n;
	long before;

	need_huge(3);
	before = huge("free");
	p.pages = (uint64_t)(before + 5) * BLOCK;
	require(!pp_zone_create(&p));
	failed_with(ENOMEM, "not enough hugepages");
	require(own_huge() == 0);
	p.flags = PP_ZONE_LAZY;
	zone = zone_new(&p);
	require(pp_zone_pin(zone) == -ENOMEM);
	failed_with(ENOMEM, "no hugepage is left");
	zone_check(zone, 0);
	require(pp_zone_shrink(zone, 0) >= 0);
	require(own_huge() == 0);
	if (before <= BLOCKS) {
		n = take_all(zone);
		require(n && n == (unsigned int)own_huge() * BLOCK);
		require(zone_stats(zone).accept_failures > 0 || n == PAGES);
		zone_check(zone, n);
		give_all(zone, n);
	}
	/* some more appear: it goes on as if nothing had been */
	require(set_huge(reserved_before + 8) >= 5);
	require(pp_zone_pin(zone) == 0);
	require((uint64_t)own_huge() * BLOCK == p.pages);
	pp_zone_unpin(zone);
	zone_end(zone);
	set_huge(reserved_before);
}

/* ---- system calls that are refused ----------------------------------------------------------- */

static void filter(struct sock_filter *code, unsigned short n)
{
	struct sock_fprog program = { n, code };

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	require(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void refuse(unsigned int call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(code, ARRAY_LEN(code));
}

/* madvise() with MADV_POPULATE_WRITE only. */
static void refuse_populate(int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 23, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(code, ARRAY_LEN(code));
}

static void without_mbind(void)
{
	struct pp_zone_params p = params(PP_MEM_ANON, 0);
	struct pp_zone *zone;

	refuse(SYS_mbind);
	p.node = pp_node_param(0);
	zone = pp_zone_create(&p);
	if (zone)
		_exit(77);
	failed_with(EPERM, "cannot bind memory to node 0");
	p.flags = PP_ZONE_LAZY;
	require(!pp_zone_create(&p));
	failed_with(EPERM, "cannot bind memory to node 0");
	/* a zone without a node needs no mbind() */
	p.node = pp_node_param(PP_NODE_ANY);
	zone = zone_new(&p);
	require(take_all(zone) == PAGES);
	give_all(zone, PAGES);
	zone_end(zone);
}

#define NO_MBIND "no mbind() was called: a kernel with NUMA is missing"

static bool binds; /* mbind_refused() has seen it */

static void mbind_refused(void **state)
{
	int status = in_child(without_mbind);

	if (status == 77)
		skip_because(NO_MBIND);
	binds = true;
	assert_int_equal(status, 0);
}

/* A mapping that came in another one's place is bound anew: refused in the middle of its life. */
static void without_mbind_later(void)
{
	struct pp_zone_params p = params(PP_MEM_HUGETLB, PP_ZONE_LAZY);
	struct pp_zone *zone;
	unsigned int n;

	p.node = pp_node_param(0);
	zone = zone_new(&p);
	for (n = 0; n < 2 * BLOCK; n++)
		require(pp_zone_alloc_bulk(zone, held + n, 1) == 1);
	refuse(SYS_mbind);
	n += take_all(zone);
	require(n < PAGES && n % BLOCK == 0);
	require(zone_stats(zone).accept_failures > 0);
	zone_check(zone, n);
	failed_with(errno, "cannot bind memory to node 0");
	_exit(0);
}

static void mbind_refused_later(void **state)
{
	int status;

	if (!binds)
		skip_because(NO_MBIND);
	need_huge(BLOCKS);
	status = in_child(without_mbind_later);
	set_huge(reserved_before);
	assert_int_equal(status, 0);
}

static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages;

	require(f && fscanf(f, "%*d %ld", &pages) == 1);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

/* ---- populating that is refused -------------------------------------------------------------- */

static int populate_error; /* of a filter, or of a kernel that does not know it */

static void without_populate(void)
{
	static const enum pp_mem mems[] = { PP_MEM_ANON, PP_MEM_MEMFD };
	struct pp_zone_params p;
	struct pp_zone *zone;
	unsigned int i;
	long before;

	refuse_populate(populate_error);
	for (i = 0; i < 2 * ARRAY_LEN(mems); i++) {
		p = params(mems[i / 2], i % 2 ? PP_ZONE_LAZY : 0);
		before = resident();
		zone = zone_new(&p);
		require(!(i % 2) == (resident() - before >= (long)PAGES * 4096));
		require(take_all(zone) == PAGES);
		give_all(zone, PAGES);
		require(!zone_stats(zone).accept_failures);
		require(!pp_zone_pin(zone));
		require(resident() - before >= (long)PAGES * 4096);
		pp_zone_unpin(zone);
		zone_end(zone);
	}
}

static void populate_refused(void **state)
{
	static const int errors[] = { EPERM, EINVAL, ENOSYS, EACCES };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(errors); i++) {
		populate_error = errors[i];
		assert_int_equal(in_child(without_populate), 0);
	}
}

/* As many hugepages as the zone has blocks, of which it may have three: no SIGBUS. */
static void without_populate_huge(void)
{
	struct pp_zone_params p = params(PP_MEM_HUGETLB, 0);
	struct pp_zone *zone;
	unsigned int n;
	long left;

	refuse_populate(populate_error);
	zone = zone_new(&p);
	require(take_all(zone) == PAGES);
	give_all(zone, PAGES);
	zone_end(zone);
	left = huge("free") - huge("resv");
	require(set_huge(huge("nr") - left + 3) == 3);
	p.flags = PP_ZONE_LAZY;
	zone = zone_new(&p);
	n = take_all(zone);
	require(n == 3 * BLOCK);
	require(zone_stats(zone).accept_failures > 0);
	failed_with(errno, "no hugepage is left");
	give_all(zone, n);
	require(pp_zone_shrink(zone, 0) == 3 * BLOCK_LEN);
	require(own_huge() == 0);
	require(take_all(zone) == 3 * BLOCK);
	give_all(zone, 3 * BLOCK);
	zone_end(zone);
}

static void populate_refused_huge(void **state)
{
	int status;

	need_huge(BLOCKS);
	populate_error = EPERM;
	status = in_child(without_populate_huge);
	set_huge(reserved_before);
	assert_int_equal(status, 0);
}

static int accept_never(void *arg, void *base, size_t len)
{
	return -EIO;
}

/* The memory was there already when the firmware said no: it is given back. */
static void what_was_refused_is_given_back(void **state)
{
	static const struct pp_zone_ops never = { .accept = accept_never };
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LAZY);
	struct pp_zone *zone;
	struct pp_page *page;
	unsigned int i;
	long before;

	for (i = 0; i < 2; i++) {
		p.mem = i ? PP_MEM_MEMFD : PP_MEM_ANON;
		p.ops = &never;
		zone = zone_new(&p);
		before = resident();
		require(!pp_zone_alloc_bulk(zone, &page, 1));
		require(zone_stats(zone).accept_failures >= 3);
		require(pp_zone_pin(zone) == -EIO);
		failed_with(EIO, "block 0 was not accepted");
		require(resident() - before < (long)BLOCK_LEN);
		zone_end(zone);
	}
}

/* Some may be locked, not all. */
static void with_little_to_lock(void)
{
	struct pp_zone_params p = params(PP_MEM_ANON, PP_ZONE_LOCK);
	struct rlimit some = { 3 * BLOCK_LEN, 3 * BLOCK_LEN };
	struct pp_zone *zone;
	unsigned int n;
	long before;
	void *other;

	/* root may lock whatever the limit says, so be another user */
	if (setrlimit(RLIMIT_MEMLOCK, &some) || (getuid() == 0 && setuid(65534)))
		_exit(3);
	other = mmap(NULL, 4 * BLOCK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (!mlock(other, 4 * BLOCK_LEN))
		_exit(77);
	require(!pp_zone_create(&p));
	failed_with(ENOMEM, "ulimit -l");
	p.flags |= PP_ZONE_LAZY;
	zone = zone_new(&p);
	before = resident();
	n = take_all(zone);
	require(n == 3 * BLOCK);
	/* what could not be locked is not kept */
	require(resident() - before < 4 * (long)BLOCK_LEN);
	zone_check(zone, n);
	give_all(zone, n);
	require(pp_zone_pin(zone) == -ENOMEM);
	failed_with(ENOMEM, "ulimit -l");
	/* what is given back may be locked again */
	require(pp_zone_shrink(zone, 0) == 3 * BLOCK_LEN);
	require(take_all(zone) == 3 * BLOCK);
	give_all(zone, n);
	zone_end(zone);
}

static void lock_limited(void **state)
{
	int status = in_child(with_little_to_lock);

	if (status == 77)
		skip_because("mlock() has no limit here: a sanitizer makes it do nothing");
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_few_hugepages),
		cmocka_unit_test(mbind_refused),
		cmocka_unit_test(mbind_refused_later),
		cmocka_unit_test(populate_refused),
		cmocka_unit_test(populate_refused_huge),
		cmocka_unit_test(what_was_refused_is_given_back),
		cmocka_unit_test(lock_limited),
	};

	return test_main("fault", tests, ARRAY_LEN(tests), 120);
}
