/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.c - memory that is refused, and processes that are killed: one sentence each, and
 * no page lost, not for the system and not for whoever shares the memory
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "harness.h"

#define BLOCK	  512u /* pages of 4 KiB */
#define BLOCKS	  8u
#define PAGES	  (BLOCKS * BLOCK)
#define BLOCK_LEN (2ul << 20)
#define HUGE_DIR  "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static struct pp_page *held[PAGES];

/* What a child tells its parent, whatever becomes of it. */
static struct shared {
	int fd;
	unsigned int in_accept;
	unsigned int in_unaccept;
	unsigned int hang_in_accept; /* at so many more calls; 0: never */
	unsigned int hang_in_unaccept;
	uint64_t rounds;
	unsigned char used[PAGES]; /* the child has it, and has written its number into it */
} * shared;

static int make_shared(void **state)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED;
}

static struct pp_zone_params params(enum pp_mem mem, uint32_t flags)
{
	struct pp_zone_params p = zone_params(PAGES);

	p.page_size = 4096;
	p.mem = mem;
	p.flags = flags;
	return p;
}

static unsigned int take_all(struct pp_zone *zone)
{
	unsigned int n = 0;

	while (n < PAGES && pp_zone_alloc_bulk(zone, held + n, 1))
		memset(held[n++]->addr, 0x77, 4096);
	return n;
}

static void give_all(struct pp_zone *zone, unsigned int n)
{
	while (n--)
		pp_zone_free_bulk(zone, &held[n], 1);
}

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

	fflush(NULL);
	pid = fork();
	require(pid >= 0);
	if (!pid) {
		alarm(60);
		fn();
		fflush(NULL);
		_exit(0);
	}
	require(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- hugepages ------------------------------------------------------------------------------- */

static long huge(const char *what)
{
	char path[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), HUGE_DIR "%s_hugepages", what);
	f = fopen(path, "re");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static long set_huge(long n)
{
	FILE *f = fopen(HUGE_DIR "nr_hugepages", "we");

	if (f) {
		fprintf(f, "%ld", n);
		fclose(f);
	}
	return huge("free") - huge("resv");
}

static long reserved_before;

static void need_huge(long n)
{
	reserved_before = huge("nr");
	if (set_huge(reserved_before + n) >= n)
		return;
	set_huge(reserved_before);
	skip_because("%ld hugepages could not be reserved: run as root, with memory", n);
}

/* The kernel takes them back when the process is gone, and not before: a moment. */
static void wait_free_huge(long n)
{
	double end = now_s() + 10;

	while (huge("free") != n && now_s() < end)
		sleep_us(1000);
	require(huge("free") == n);
}

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
	require(huge("free") == before);
	p.flags = PP_ZONE_LAZY;
	zone = zone_new(&p);
	require(pp_zone_pin(zone) == -ENOMEM);
	failed_with(ENOMEM, "no hugepage is left");
	zone_check(zone, 0);
	require(pp_zone_shrink(zone, 0) >= 0);
	require(huge("free") == before);
	if (before <= BLOCKS) {
		n = take_all(zone);
		require(n == (before < BLOCKS ? (unsigned int)before * BLOCK : PAGES));
		require(zone_stats(zone).accept_failures > 0 || n == PAGES);
		zone_check(zone, n);
		give_all(zone, n);
	}
	/* some more appear: it goes on as if nothing had been */
	require(set_huge(reserved_before + 8) >= 5);
	require(pp_zone_pin(zone) == 0);
	require(huge("free") == 0);
	pp_zone_unpin(zone);
	zone_end(zone);
	set_huge(reserved_before);
}

/* ---- system calls that are refused ----------------------------------------------------------- */

static void refuse(unsigned int call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(code), code };

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	require(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
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
	/* who does not care where it is needs no mbind() */
	p.node = pp_node_param(PP_NODE_ANY);
	zone = zone_new(&p);
	require(take_all(zone) == PAGES);
	give_all(zone, PAGES);
	zone_end(zone);
}

static void mbind_refused(void **state)
{
	int status = in_child(without_mbind);

	if (status == 77)
		skip_because("no mbind() was called: libnuma or a kernel with NUMA is missing");
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
	long before;
	int status;

	if (access("/sys/devices/system/node/node0", F_OK))
		skip_because("the kernel has no NUMA");
	need_huge(BLOCKS);
	before = huge("free");
	status = in_child(without_mbind_later);
	wait_free_huge(before);
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

	/* root may lock whatever the limit says, so be somebody else */
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

/* ---- killed ---------------------------------------------------------------------------------- */

static void stand_still(unsigned int *left, unsigned int *in)
{
	__atomic_fetch_add(in, 1, __ATOMIC_SEQ_CST);
	if (!*left || --*left)
		return;
	__atomic_store_n(in, UINT32_MAX, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static int accept_slowly(void *arg, void *base, size_t len)
{
	stand_still(&shared->hang_in_accept, &shared->in_accept);
	return 0;
}

static void unaccept_slowly(void *arg, void *base, size_t len)
{
	stand_still(&shared->hang_in_unaccept, &shared->in_unaccept);
}

static const struct pp_zone_ops slow_ops = { accept_slowly, unaccept_slowly };

static void write_number(struct pp_zone *zone, struct pp_page *page)
{
	uint32_t i = (uint32_t)page_index(zone, page);

	memcpy(page->addr, &i, sizeof(i));
	memcpy(page->addr + 4092, &i, sizeof(i));
	__atomic_store_n(&shared->used[i], 1, __ATOMIC_RELEASE);
}

static void give_one(struct pp_zone *zone, struct pp_page *page)
{
	__atomic_store_n(&shared->used[page_index(zone, page)], 0, __ATOMIC_RELEASE);
	pp_zone_free_bulk(zone, &page, 1);
}

static unsigned int give_down_to(struct pp_zone *zone, unsigned int n, unsigned int keep)
{
	unsigned int i;

	for (i = keep; i < n; i++)
		give_one(zone, held[i]);
	return n > keep ? n - keep : 0;
}

/* Grows and shrinks for ever; whatever it has, has its number in it. */
static void grow_and_shrink(enum pp_mem mem)
{
	struct pp_zone_params p = params(mem, PP_ZONE_LAZY);
	struct rng r = rng_init((uint64_t)getpid());
	unsigned int n = 0, k, i;
	struct pp_zone *zone;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	p.ops = &slow_ops;
	zone = zone_new(&p);
	__atomic_store_n(&shared->fd, pp_zone_fd(zone), __ATOMIC_RELEASE);
	for (;;) {
		while (n < PAGES * 3 / 4 && pp_zone_alloc_bulk(zone, held + n, 1))
			write_number(zone, held[n++]);
		for (k = rng_below(&r, n); k; k--) {
			i = rng_below(&r, n);
			give_one(zone, held[i]);
			held[i] = held[--n];
		}
		/* every other time nearly all: what is in use does not go */
		if (rng_below(&r, 2))
			n -= give_down_to(zone, n, 20);
		require(pp_zone_shrink(zone, 0) >= 0);
		__atomic_fetch_add(&shared->rounds, 1, __ATOMIC_RELEASE);
	}
}

struct victim {
	pid_t pid;
	const unsigned char *view; /* of its memfd */
};

static void start_victim(struct victim *v, enum pp_mem mem, unsigned int in_accept,
			 unsigned int in_unaccept)
{
	char path[64];
	int fd;

	memset(shared, 0, sizeof(*shared));
	shared->fd = -2;
	shared->hang_in_accept = in_accept;
	shared->hang_in_unaccept = in_unaccept;
	fflush(NULL);
	v->pid = fork();
	require(v->pid >= 0);
	if (!v->pid)
		grow_and_shrink(mem);
	while (__atomic_load_n(&shared->fd, __ATOMIC_ACQUIRE) == -2)
		sleep_us(200);
	if (mem != PP_MEM_MEMFD)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", v->pid, shared->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	require(fd >= 0);
	v->view = mmap(NULL, BLOCKS * BLOCK_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require(v->view != MAP_FAILED);
	close(fd);
}

/* At a point of its choice, or at any. */
static void kill_victim(struct victim *v, struct rng *r)
{
	const unsigned int *in = shared->hang_in_accept	    ? &shared->in_accept
				 : shared->hang_in_unaccept ? &shared->in_unaccept
							    : NULL;

	while (in && __atomic_load_n(in, __ATOMIC_SEQ_CST) != UINT32_MAX)
		sleep_us(200);
	if (!in)
		sleep_us(500 + rng_below(r, 30000));
	require(!kill(v->pid, SIGKILL));
	require(waitpid(v->pid, NULL, 0) == v->pid);
}

/* { nth accept, nth unaccept } in which it is killed; { 0, 0 }: anywhere */
static const unsigned int points[][2] = { { 1, 0 }, { 5, 0 }, { 12, 0 }, { 0, 1 }, { 0, 4 },
					  { 0, 9 }, { 0, 0 }, { 0, 0 },	 { 0, 0 }, { 0, 0 } };

static void killed_with_hugepages(void **state)
{
	struct rng r = rng_init(1);
	struct victim v = { 0 };
	unsigned int i;
	long before;

	need_huge(BLOCKS);
	before = huge("free");
	for (i = 0; i < ARRAY_LEN(points); i++) {
		start_victim(&v, PP_MEM_HUGETLB, points[i][0], points[i][1]);
		kill_victim(&v, &r);
		wait_free_huge(before);
		require(huge("resv") == 0);
	}
	set_huge(reserved_before);
}

/* The survivor takes over: all pages of it, which are the memfd's, and those only. */
static void take_over(const struct victim *v)
{
	struct pp_zone_params p = params(PP_MEM_USER, 0);
	struct pp_zone *zone;

	p.region = (void *)v->view;
	p.region_len = BLOCKS * BLOCK_LEN;
	zone = zone_new(&p);
	require(take_all(zone) == PAGES);
	zone_check(zone, PAGES);
	give_all(zone, PAGES);
	zone_end(zone);
}

static void killed_beside_a_survivor(void **state)
{
	struct rng r = rng_init(2);
	unsigned int i, used = 0;
	uint32_t k, first, last;
	struct victim v = { 0 };

	for (i = 0; i < ARRAY_LEN(points); i++) {
		start_victim(&v, PP_MEM_MEMFD, points[i][0], points[i][1]);
		kill_victim(&v, &r);
		for (k = 0; k < PAGES; k++) {
			if (!shared->used[k])
				continue;
			memcpy(&first, v.view + k * 4096ul, sizeof(first));
			memcpy(&last, v.view + k * 4096ul + 4092, sizeof(last));
			require(first == k && last == k);
			used++;
		}
		take_over(&v);
		munmap((void *)v.view, BLOCKS * BLOCK_LEN);
	}
	print_message("# %u pages in use when their owner died, all there\n", used);
	assert_true(used > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(too_few_hugepages, make_shared),
		cmocka_unit_test(mbind_refused),
		cmocka_unit_test(mbind_refused_later),
		cmocka_unit_test(what_was_refused_is_given_back),
		cmocka_unit_test(lock_limited),
		cmocka_unit_test(killed_with_hugepages),
		cmocka_unit_test(killed_beside_a_survivor),
	};

	return test_main("fault", tests, ARRAY_LEN(tests), 120);
}
