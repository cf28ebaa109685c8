/* SPDX-License-Identifier: BSD-3-Clause */
/* share_child.c - children of fork() on one zone: attached or not, many, and what each has alone */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/share.h>

#include "harness.h"

#define PAGES 1000u

static const char *policy = "trylock";

static struct pp_zone *shared_zone(void)
{
	struct pp_zone_params p = zone_params(PAGES);

	p.page_size = 2048;
	p.mem = PP_MEM_MEMFD;
	p.flags = PP_ZONE_SHARED;
	p.policy = policy;
	return zone_new(&p);
}

/* All is home, and this process is the last one. */
static void shared_end(struct pp_zone *zone)
{
	require(pp_zone_recover(zone, 1000000) >= 0);
	require(pp_zone_processes(zone) == 1);
	require(pp_zone_held(zone, 0) == PAGES);
	require(pp_zone_destroy(zone) == 0);
}

/* A child that did not attach ends nothing of its parent's. */
static void test_child_ends(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct pp_page *page;
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		require(pp_zone_destroy(zone) == 0);
		_exit(0);
	}
	child_ends_well(pid);
	require(pp_zone_processes(zone) == 1);
	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	require(pp_zone_give_bulk(zone, &page, 1, pp_zone_self(zone)) == 0);
	pp_zone_free_bulk(zone, &page, 1);
	shared_end(zone);
}

/* A child that has @n pages, or gave them to @receiver without a message, and stands. */
static pid_t child_with(struct pp_zone *zone, unsigned int n, uint32_t receiver)
{
	struct pp_page *pages[8];
	int status;
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		require(pp_zone_attach(pp_zone_fd(zone)) == zone);
		require(pp_zone_alloc_bulk(zone, pages, n) == n);
		if (receiver) {
			pages[0]->port = 77;
			require(!pp_zone_give_bulk(zone, pages, n, receiver));
		}
		raise(SIGSTOP);
		_exit(1);
	}
	require(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	return pid;
}

static pid_t attached_child(struct pp_zone *zone, unsigned int n)
{
	return child_with(zone, n, 0);
}

static void kill_child(pid_t pid)
{
	int status;

	require(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
}

static struct pp_page *page_elsewhere(struct pp_zone *zone)
{
	struct pp_page *page = pp_zone_page_table(zone);

	while (!pp_zone_holder(zone, page) || pp_zone_holder(zone, page) == pp_zone_self(zone))
		page++;
	return page;
}

/* The pool in a page that another process has is an address of that process. */
static void test_put_elsewhere(void **state)
{
	struct pp_zone *zone = shared_zone();
	pid_t pid = attached_child(zone, 1);
	struct pp_page *page = page_elsewhere(zone);
	uint32_t holder = pp_zone_holder(zone, page);

	page->pool = (struct page_pool *)4096;
	if (!PP_DEBUG) { /* which aborts */
		pp_zone_free_bulk(zone, &page, 1);
		require(zone_stats(zone).double_puts == 1);
	}
	require(pp_zone_holder(zone, page) == holder);
	kill_child(pid);
	shared_end(zone);
}

static void count_holders(void *arg, const struct page_pool_report *report)
{
	*(unsigned int *)arg = report->nholders;
}

/* The pools of two processes may have the same address. */
static void test_same_pool(void **state)
{
	unsigned int holders = 0;
	const struct page_pool_end end = { .sz = sizeof(end),
					   .report = count_holders,
					   .arg = &holders };
	struct pp_zone *zone = shared_zone();
	struct page_pool *pool = pool_new(zone, 64, 32, 16);
	pid_t pid = attached_child(zone, 1);
	struct pp_page *page;

	page_elsewhere(zone)->pool = pool;
	require(page_pool_alloc_bulk(pool, &page, 1) == 1);
	require(page_pool_destroy_wait(pool, &end) == -ETIMEDOUT);
	require(holders == 1);
	page_pool_put_bulk(&page, 1);
	kill_child(pid);
	shared_end(zone);
}

/* The death of a process that had closed the caches opens them. */
static void test_closed(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct pp_page *page;
	pid_t pid;

	pid = child_fork();
	if (!pid) {
		require(pp_zone_attach(pp_zone_fd(zone)) == zone);
		require(!pp_zone_pcp_disable(zone, 100000));
		_exit(0);
	}
	child_ends_well(pid);
	require(pp_zone_recover(zone, 1000000) == 0);
	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	pp_zone_free_bulk(zone, &page, 1);
	require(zone_stats(zone).cached > 0);
	shared_end(zone);
}

static pid_t giving_child(struct pp_zone *zone, unsigned int n)
{
	pid_t pid = child_with(zone, n, pp_zone_self(zone));

	require(pp_zone_held(zone, pp_zone_self(zone)) == n);
	return pid;
}

static struct pp_page *page_here(struct pp_zone *zone, unsigned int k)
{
	struct pp_page *page = pp_zone_page_table(zone);

	for (;; page++) {
		if (pp_zone_holder(zone, page) == pp_zone_self(zone) && !k--)
			return page;
	}
}

/* A page of a message is received once; one that is not the process's, not at all. */
static void test_receive(void **state)
{
	struct pp_zone *zone = shared_zone();
	pid_t pid = giving_child(zone, 3), other = attached_child(zone, 1);
	struct pp_page *mine = page_here(zone, 0), *next = page_here(zone, 1);
	struct pp_page *odd = (struct pp_page *)((char *)mine + 8);
	struct pp_page *pages[] = {
		page_elsewhere(zone), mine, NULL, odd, next, mine, pp_zone_page_table(zone) + PAGES
	};

	require(pp_zone_receive_bulk(zone, pages, ARRAY_LEN(pages)) == 2);
	require(pages[0] == mine && pages[1] == next);
	require(pp_zone_receive_bulk(zone, pages, 2) == 0);
	/* the giver lives: a message of the third may come */
	require(pp_zone_claim_bulk(zone, pages, 7) == 0);
	kill_child(pid);
	require(pp_zone_claim_bulk(zone, pages, 7) == 1);
	require(pages[0] != mine && pages[0] != next);
	require(pp_zone_receive_bulk(zone, pages, 1) == 0);
	pages[1] = mine;
	pages[2] = next;
	pp_zone_free_bulk(zone, pages, 3);
	kill_child(other);
	shared_end(zone);
}

/* Without the claim this process could not leave the zone. */
static void test_claim(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct pp_page *pages[PAGES];
	unsigned int n;

	kill_child(giving_child(zone, 5));
	require(pp_zone_destroy(zone) == -EBUSY);
	require(pp_zone_claim_bulk(zone, pages, 2) == 2);
	require(pp_zone_claim_bulk(zone, pages + 2, 8) == 3);
	require(pp_zone_claim_bulk(zone, pages + 5, 8) == 0);
	pages_distinct(zone, pages, 5);
	for (n = 0; n < 5 && pages[n]->port != 77;)
		n++;
	require(n < 5); /* the packet is as its giver left it */
	pp_zone_free_bulk(zone, pages, 5);
	/* freed without a receipt, and taken from the zone again: no process gave it */
	kill_child(giving_child(zone, 1));
	pages[0] = page_here(zone, 0);
	pp_zone_free_bulk(zone, pages, 1);
	n = pp_zone_alloc_bulk(zone, pages, PAGES);
	require(n == PAGES);
	require(pp_zone_claim_bulk(zone, pages, 1) == 0);
	require(pp_zone_receive_bulk(zone, pages, 1) == 0);
	pp_zone_free_bulk(zone, pages, n);
	shared_end(zone);
}

/* All places are taken; the place of a dead process is free, also if no other one has looked. */
static void test_most(void **state)
{
	struct pp_zone *zone = shared_zone();
	pid_t pids[PP_ZONE_PROCESSES], pid;
	unsigned int i;

	for (i = 1; i < PP_ZONE_PROCESSES; i++)
		pids[i] = attached_child(zone, 0);
	pid = child_fork();
	if (!pid) {
		for (i = 0; i < 2; i++)
			require(!pp_zone_attach(pp_zone_fd(zone)) && errno == ENOSPC);
		_exit(0);
	}
	child_ends_well(pid);
	kill_child(pids[1]);
	pids[1] = attached_child(zone, 0);
	for (i = 1; i < PP_ZONE_PROCESSES; i++)
		kill_child(pids[i]);
	shared_end(zone);
}

/* No memory for a process's own half: nothing of the process is touched. */
static void test_attach_no_memory(void **state)
{
	const struct rlimit none = { 4096, RLIM_INFINITY };
	struct pp_zone *zone = shared_zone();
	void *base = pp_zone_base(zone);
	int fd = dup(pp_zone_fd(zone));
	struct rlimit before;
	pid_t pid;

	shared_end(zone);
	pid = child_fork();
	if (!pid) {
		require(dup2(2, 0) == 0);
		require(!getrlimit(RLIMIT_DATA, &before) && !setrlimit(RLIMIT_DATA, &none));
		require(!pp_zone_attach(fd) && errno == ENOMEM);
		require(!setrlimit(RLIMIT_DATA, &before));
		require(fcntl(0, F_GETFD) >= 0);
		require(mmap(base, 4096, PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == base);
		_exit(0);
	}
	child_ends_well(pid);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_ends),	 cmocka_unit_test(test_most),
		cmocka_unit_test(test_put_elsewhere),	 cmocka_unit_test(test_same_pool),
		cmocka_unit_test(test_attach_no_memory), cmocka_unit_test(test_closed),
		cmocka_unit_test(test_receive),		 cmocka_unit_test(test_claim),
	};

	policy = argc > 1 ? argv[1] : policy;
	need_policy(policy);
	return test_main("share_child", tests, ARRAY_LEN(tests), 60);
}
