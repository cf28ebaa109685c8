/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.c - one zone, two processes: share [rseq|trylock]
 *
 * The other process is this program executed anew, so that its code lies elsewhere. It does what a
 * pipe tells it, one letter a command, and answers with a number.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>
#include <pagepool/share.h>
#include <pagepool/zone_set.h>

#include "harness.h"

#define PAGES 1000u
#define SOME  100u

static const char *policy = "trylock";

static struct pp_zone_params shared_params(void)
{
	struct pp_zone_params p = zone_params(PAGES);

	p.page_size = 2048;
	p.mem = PP_MEM_MEMFD;
	p.flags = PP_ZONE_SHARED;
	p.policy = policy;
	return p;
}

static struct pp_zone *shared_zone(void)
{
	struct pp_zone_params p = shared_params();
	struct pp_zone *zone = pp_zone_create(&p);

	if (!zone)
		fprintf(stderr, "pp_zone_create: %s\n", pp_error());
	require(zone);
	return zone;
}

/* All is home, and this process is the last one. */
static void shared_end(struct pp_zone *zone)
{
	require(pp_zone_processes(zone) == 1);
	require(pp_zone_held(zone, 0) == PAGES);
	zone_end(zone);
}

/* ---- the other process ----------------------------------------------------------------------- */

struct other {
	pid_t pid;
	int to;
	int from;
	uint32_t number;
};

struct order {
	char what;
	uint32_t number;
	uint32_t n;
};

static void answer(uint64_t value)
{
	require(write(1, &value, sizeof(value)) == sizeof(value));
}

static uint64_t obey(struct pp_zone *zone, const struct order *order, struct pp_page **pages)
{
	static struct page_pool *pool;
	static unsigned int n;
	unsigned int got;

	switch (order->what) {
	case 'a': /* take pages from the zone */
		got = pp_zone_alloc_bulk(zone, pages + n, order->n);
		n += got;
		return got;
	case 'p': /* through a pool */
		pool = pool ? pool : pool_new(zone, 64, 32, 16);
		got = page_pool_alloc_bulk(pool, pages + n, order->n);
		n += got;
		return got;
	case 'f': /* give them back */
		page_pool_put_bulk(pages, n);
		n = 0;
		return 0;
	case 'd':
		page_pool_destroy(pool);
		pool = NULL;
		return 0;
	case 'g': /* give page by number that it was given */
		pages[n++] = pp_zone_page_table(zone) + order->n;
		return 0;
	case 'h': /* hand all of its pages to another process */
		got = (unsigned int)-pp_zone_give_bulk(zone, pages, n, order->number);
		n = got ? n : 0;
		return got;
	case 'D': /* drain what others have cached */
		return (uint64_t)pp_zone_drain_all(zone, 100000);
	case 'q':
		return (uint64_t)-pp_zone_destroy(zone);
	default:
		return 0;
	}
}

/* share POLICY FD */
static int other_main(char **argv)
{
	static struct pp_page *pages[PAGES];
	struct pp_zone *zone;
	struct order order;
	char path[32];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)getppid(), argv[2]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	zone = pp_zone_attach(fd);
	if (!zone)
		fprintf(stderr, "pp_zone_attach: %s\n", pp_error());
	close(fd);
	answer(zone ? pp_zone_self(zone) : 0);
	while (zone && read(0, &order, sizeof(order)) == sizeof(order)) {
		answer(obey(zone, &order, pages));
		if (order.what == 'q')
			return 0;
	}
	return 1;
}

static uint64_t other_answer(const struct other *o)
{
	uint64_t value;

	require(read(o->from, &value, sizeof(value)) == sizeof(value));
	return value;
}

static struct other other_start(struct pp_zone *zone)
{
	struct other o = { 0 };
	int to[2], from[2];
	char fd[16];

	require(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	snprintf(fd, sizeof(fd), "%d", pp_zone_fd(zone));
	o.pid = child_fork();
	if (!o.pid) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execl("/proc/self/exe", "share", "other", fd, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	o.to = to[1];
	o.from = from[0];
	o.number = (uint32_t)other_answer(&o);
	require(o.number);
	return o;
}

static uint64_t tell(const struct other *o, char what, uint32_t number, uint32_t n)
{
	const struct order order = { what, number, n };

	require(write(o->to, &order, sizeof(order)) == sizeof(order));
	return other_answer(o);
}

static void other_end(struct other *o, int signal)
{
	int status;

	if (signal)
		require(!kill(o->pid, signal));
	else
		require(tell(o, 'q', 0, 0) == 0);
	require(waitpid(o->pid, &status, 0) == o->pid);
	require(signal ? WIFSIGNALED(status) : WIFEXITED(status) && !WEXITSTATUS(status));
	close(o->to);
	close(o->from);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_alone(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct page_pool *pool = pool_new(zone, 64, 32, 16);
	struct pp_page *pages[SOME];

	require(pp_zone_self(zone) != 0);
	require(pp_zone_processes(zone) == 1);
	require(pp_zone_alloc_bulk(zone, pages, SOME) == SOME);
	pages_distinct(zone, pages, SOME);
	page_is_fresh(zone, pages[0]);
	require(pp_zone_held(zone, pp_zone_self(zone)) == SOME);
	require(pp_zone_destroy(zone) == -EBUSY);
	pp_zone_free_bulk(zone, pages, SOME);
	require(page_pool_alloc_bulk(pool, pages, 40) == 40);
	memset(pp_page_data(pages[0]), 0xaa, 2048 - pages[0]->data_off);
	page_pool_put_bulk(pages, 40);
	require(pp_zone_maintain(zone) >= 0);
	page_pool_destroy(pool);
	zone_check(zone, 0);
	shared_end(zone);
}

static void refused(const struct pp_zone_params *p, int err, const char *word)
{
	errno = 0;
	require(!pp_zone_create(p));
	if (errno != err || !strstr(pp_error(), word))
		fprintf(stderr, "errno %d: %s\n", errno, pp_error());
	require(errno == err);
	require(strstr(pp_error(), word));
}

static void test_refused(void **state)
{
	static const uint32_t flags[] = { PP_ZONE_LAZY, PP_ZONE_TRACE, PP_ZONE_PER_THREAD,
					  PP_ZONE_SIGNAL_SAFE, PP_ZONE_HUGE_FALLBACK };
	static const struct pp_zone_ops ops;
	struct pp_zone_params p = shared_params();
	struct pp_zone_set_params set = { .sz = sizeof(set), .zone = &p };
	struct page_pool_params pool = { .sz = sizeof(pool), .order = 1 };
	struct pp_zone *zone = shared_zone();
	struct pp_page *page;
	unsigned int i;

	require(!pp_zone_set_create(&set) && errno == ENOTSUP);
	for (i = 0; i < ARRAY_LEN(flags); i++) {
		p.flags = PP_ZONE_SHARED | flags[i];
		refused(&p, ENOTSUP, "");
	}
	p = shared_params();
	p.mem = PP_MEM_ANON;
	refused(&p, ENOTSUP, "PP_MEM_MEMFD");
	p = shared_params();
	p.policy = "spin";
	refused(&p, ENOTSUP, "across processes");
	p = shared_params();
	p.ops = &ops;
	refused(&p, ENOTSUP, "ops");
	p = shared_params();
	p.idle_ms = 1;
	refused(&p, ENOTSUP, "idle_ms");
	pool.zone = zone;
	require(!page_pool_create(&pool) && errno == ENOTSUP);
	require(!pp_zone_alloc_order_bulk(zone, 1, &page, 1));
	require(pp_zone_alloc_contig(zone, 2, 1, PP_CONTIG_FAST, 0, &page) == -ENOTSUP);
	require(pp_zone_isolate(zone, 0, 1) == -ENOTSUP);
	require(pp_zone_isolate_hard(zone, 0, 1, 0) == -ENOTSUP);
	require(pp_zone_offline(zone, 0, PAGES, 0) == -ENOTSUP);
	require(pp_zone_shrink(zone, 1) == -ENOTSUP);
	require(!pp_zone_pin(zone));
	pp_zone_unpin(zone);
	shared_end(zone);
}

/* A zone of a build with other structs: the second word of the last page is their number. */
static void test_attach_layout(void **state)
{
	off_t place = -(off_t)sysconf(_SC_PAGESIZE) + (off_t)sizeof(uint64_t);
	struct pp_zone *zone = shared_zone();
	int fd = dup(pp_zone_fd(zone));
	uint64_t layout, other;

	shared_end(zone);
	place = lseek(fd, place, SEEK_END);
	require(place > 0 && pread(fd, &layout, sizeof(layout), place) == sizeof(layout));
	other = layout ^ 1;
	require(pwrite(fd, &other, sizeof(other), place) == sizeof(other));
	require(!pp_zone_attach(fd) && errno == EINVAL);
	require(strstr(pp_error(), "of another version"));
	require(pwrite(fd, &layout, sizeof(layout), place) == sizeof(layout));
	require(pp_zone_attach(fd) == zone);
	close(fd);
	shared_end(zone);
}

static void test_attach_errors(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct pp_zone *zone = shared_zone(), *plain;
	int fd = memfd_create("other", MFD_CLOEXEC);
	void *base = pp_zone_base(zone);
	pid_t pid;

	require(fd >= 0 && !ftruncate(fd, 1 << 20));
	require(!pp_zone_attach(fd) && errno == EINVAL);
	require(!pp_zone_attach(-1) && errno == EBADF);
	require(!pp_zone_attach(pp_zone_fd(zone)) && errno == EEXIST);
	p.mem = PP_MEM_MEMFD;
	plain = zone_new(&p);
	require(!pp_zone_attach(pp_zone_fd(plain)) && errno == EINVAL);
	require(pp_zone_processes(plain) == 1 && !pp_zone_self(plain));
	require(pp_zone_recover(plain, 0) == 0);
	zone_end(plain);
	close(fd);
	/* a process that has the zone's addresses for something else */
	fd = dup(pp_zone_fd(zone));
	shared_end(zone);
	pid = child_fork();
	if (!pid) {
		require(mmap(base, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			     0) == base);
		require(!pp_zone_attach(fd) && errno == EADDRINUSE);
		_exit(0);
	}
	child_ends_well(pid);
	/* the memory lives as long as its descriptor: the zone can be used again */
	zone = pp_zone_attach(fd);
	require(zone && pp_zone_base(zone) == base);
	close(fd);
	shared_end(zone);
}

static void test_two(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct other o = other_start(zone);
	struct pp_page *pages[PAGES];
	unsigned int n;

	require(pp_zone_processes(zone) == 2);
	require(o.number != pp_zone_self(zone));
	require(tell(&o, 'a', 0, SOME) == SOME);
	require(pp_zone_held(zone, o.number) == SOME);
	/* all that the other process does not have */
	n = pp_zone_alloc_bulk(zone, pages, PAGES);
	require(n == PAGES - SOME);
	pages_distinct(zone, pages, n);
	require(tell(&o, 'a', 0, 1) == 0);
	pp_zone_free_bulk(zone, pages, n);
	require(tell(&o, 'f', 0, 0) == 0);
	/* what the other one frees lies in caches, from where we get it */
	require(pp_zone_alloc_bulk(zone, pages, PAGES) == PAGES);
	pp_zone_free_bulk(zone, pages, PAGES);
	require(tell(&o, 'p', 0, 50) == 50);
	require(pp_zone_held(zone, o.number) >= 50);
	require(tell(&o, 'f', 0, 0) == 0);
	require(tell(&o, 'd', 0, 0) == 0);
	zone_check(zone, 0);
	require(tell(&o, 'D', 0, 0) <= PAGES);
	zone_check(zone, 0);
	other_end(&o, 0);
	require(pp_zone_recover(zone, 0) == 0);
	shared_end(zone);
}

static void test_give(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct page_pool *pool = pool_new(zone, 64, 32, 16);
	struct other o = other_start(zone);
	struct pp_page *pages[20], *page;
	unsigned int i;

	require(page_pool_alloc_bulk(pool, pages, 10) == 10);
	require(pp_zone_alloc_bulk(zone, pages + 10, 10) == 10);
	require(pp_zone_give_bulk(zone, pages, 10, o.number + PP_ZONE_PROCESSES) == -ESRCH);
	require(pp_zone_give_bulk(zone, pages, 10, 0) == -ESRCH);
	pp_page_get(pages[3]);
	require(pp_zone_give_bulk(zone, pages, 20, o.number) == -EBUSY);
	pp_page_put(pages[3]);
	pages[12]->owner = 7;
	require(pp_zone_give_bulk(zone, pages, 20, o.number) == -EBUSY);
	pages[12]->owner = 0;
	require(pp_zone_held(zone, o.number) == 0);
	require(pp_zone_give_bulk(zone, pages, 20, o.number) == 0);
	require(pp_zone_held(zone, o.number) == 20);
	require(pool_stats(pool).outstanding == 0);
	require(pp_zone_give_bulk(zone, pages, 1, o.number) == -EINVAL);
	for (i = 0; i < 20; i++)
		tell(&o, 'g', 0, (uint32_t)page_index(zone, pages[i]));
	/* it has them now, and gives them back to us or to the zone */
	require(tell(&o, 'h', pp_zone_self(zone), 0) == 0);
	require(pp_zone_held(zone, o.number) == 0);
	page = pages[0];
	require(pp_zone_give_bulk(zone, &page, 1, o.number) == 0);
	tell(&o, 'g', 0, (uint32_t)page_index(zone, page));
	tell(&o, 'f', 0, 0);
	page_pool_put_bulk(pages + 1, 19);
	page_pool_destroy(pool);
	other_end(&o, 0);
	shared_end(zone);
}

static void test_killed(void **state)
{
	struct pp_zone *zone = shared_zone();
	struct other o = other_start(zone);
	struct pp_zone_stats s;
	struct pp_page *pages[PAGES], *ring;
	uint64_t held;

	/* pages in its hand, in its pool, given to it and not seen, and in a ring of a driver */
	require(tell(&o, 'a', 0, SOME) == SOME);
	require(tell(&o, 'p', 0, 40) == 40);
	require(pp_zone_alloc_bulk(zone, pages, 10) == 10);
	require(pp_zone_give_bulk(zone, pages, 10, o.number) == 0);
	held = pp_zone_held(zone, o.number);
	require(held >= SOME + 50);
	ring = pages[0];
	ring->owner = 0x80000001;
	other_end(&o, SIGKILL);
	/* an allocation that runs short finds them, but for the ring's */
	require(pp_zone_alloc_bulk(zone, pages, PAGES) == PAGES - 1);
	pp_zone_free_bulk(zone, pages, PAGES - 1);
	require(pp_zone_give_bulk(zone, pages, 1, o.number) == -ESRCH);
	require(pp_zone_recover(zone, 0) == -ETIMEDOUT);
	require(pp_zone_held(zone, o.number) == 1);
	require(pp_zone_recover(zone, 2000000) == 1);
	require(ring->owner == 0);
	require(pp_zone_processes(zone) == 1);
	s = zone_stats(zone);
	require(s.died == 1);
	require(s.recovered == held);
	shared_end(zone);
}

/* A zone outlives the process that created it. */
static void test_creator_ends(void **state)
{
	struct pp_zone *zone;
	int fds[2], fd, status;
	char path[64];
	pid_t pid;
	char c = 0;

	require(!pipe(fds));
	pid = child_fork();
	if (!pid) {
		zone = shared_zone();
		fd = pp_zone_fd(zone);
		require(write(fds[1], &fd, sizeof(fd)) == sizeof(fd));
		pause();
	}
	require(read(fds[0], &fd, sizeof(fd)) == sizeof(fd));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	zone = pp_zone_attach(fd);
	require(zone);
	close(fd);
	require(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
	require(pp_zone_recover(zone, 1000000) == 0);
	require(c == 0);
	zone_check(zone, 0);
	shared_end(zone);
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alone),	      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_attach_errors), cmocka_unit_test(test_attach_layout),
		cmocka_unit_test(test_two),	      cmocka_unit_test(test_give),
		cmocka_unit_test(test_killed),	      cmocka_unit_test(test_creator_ends),
	};

	if (argc == 3)
		return other_main(argv);
	policy = argc > 1 ? argv[1] : policy;
	need_policy(policy);
	return test_main("share", tests, ARRAY_LEN(tests), 60);
}
