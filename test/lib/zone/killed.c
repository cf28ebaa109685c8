/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * killed.c - a process is killed while it accepts, while it gives back, and anywhere: no page is
 * lost, not for the system and not for others that share the memory
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "base/fault_fixture.h"

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

static void make_shared(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	require(shared != MAP_FAILED);
}

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
		cmocka_unit_test(killed_with_hugepages),
		cmocka_unit_test(killed_beside_a_survivor),
	};

	make_shared();
	return test_main("killed", tests, ARRAY_LEN(tests), 120);
}
