/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * errors.c - the errors that the headers' comments list, where no other test meets them
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <pagepool/control.h>
#include <pagepool/depot.h>
#include <pagepool/memory.h>
#include <pagepool/share.h>
#include <pagepool/zone_set.h>

#include "harness.h"

#define PAGES 1024u

/* a constructor's answer: NULL, @err, and a sentence */
static void no_object(const void *object, int err)
{
	assert_null(object);
	assert_int_equal(errno, err);
	assert_true(pp_error()[0]);
}

static void no_zone(const struct pp_zone_params *p, int err)
{
	no_object(pp_zone_create(p), err);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static void of_zones(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	struct pp_zone *zone = zone_new(&p);
	struct pp_window_stats windows = { 0 };
	struct pp_zone_stats stats = { 0 };
	struct pp_audit audit = { 0 };
	struct pp_page *page;

	assert_int_equal(pp_zone_get_stats(zone, &stats), -E2BIG);
	assert_int_equal(pp_zone_audit(zone, &audit), -E2BIG);
	assert_int_equal(pp_zone_windows(zone, &windows), -ENODATA);
	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	assert_int_equal(pp_zone_give_bulk(zone, &page, 1, 1), -EINVAL);
	pp_zone_free_bulk(zone, &page, 1);
	assert_int_equal(pp_zone_recover(zone, 0), 0);
	zone_end(zone);
	p.node = -5;
	no_zone(&p, ENOTSUP);
	p = zone_params(PAGES);
	p.flags = PP_ZONE_SHARED;
	no_zone(&p, ENOTSUP);
}

static unsigned int give_none(void *arg, struct page_pool *pool, struct pp_page **pages,
			      unsigned int n)
{
	return 0;
}

static void take_back(void *arg, struct page_pool *pool, struct pp_page **pages, unsigned int n)
{
}

static void of_pools(void **state)
{
	const struct page_pool_provider provider = { .alloc_bulk = give_none,
						     .release_bulk = take_back };
	struct page_pool_params p = { .sz = sizeof(p), .provider = &provider };
	struct {
		struct page_pool_end end;
		uint64_t later;
	} longer = { { .sz = sizeof(longer) }, 1 };
	struct pp_zone_params zp = zone_params(PAGES);
	struct pp_zone *zone = zone_new(&zp);
	struct page_pool *pool = pool_new(zone, 0, 0, 0);
	struct page_pool_stats stats = { 0 };

	assert_int_equal(page_pool_get_stats(pool, &stats), -E2BIG);
	/* neither ends the pool */
	assert_int_equal(page_pool_destroy_wait(pool, NULL), -EINVAL);
	assert_int_equal(page_pool_destroy_wait(pool, &longer.end), -E2BIG);
	pool_check(pool, 0);
	page_pool_destroy(pool);
	p.flags = PAGE_POOL_HOLDERS;
	no_object(page_pool_create(&p), ENOTSUP);
	p = (struct page_pool_params){ .sz = sizeof(p), .zone = zone, .low_water = 3 };
	no_object(page_pool_create(&p), EINVAL);
	zone_end(zone);
}

static void of_depots(void **state)
{
	struct {
		struct pp_depot_params depot;
		uint64_t later;
	} p = { { .sz = sizeof(p), .objects = 10 }, 1 };

	assert_int_equal(pp_depot_size(&p.depot), 0);
	assert_int_equal(errno, E2BIG);
	p.depot.sz = sizeof(p.depot);
	no_object(pp_depot_init(&p.depot, (char *)&p + 1), EINVAL);
	assert_int_equal(pp_depot_attach(NULL), -EINVAL);
}

static void of_control(void **state)
{
	struct pp_control_params p = { .sz = sizeof(p), .path = "/dev/null/socket" };

	no_object(pp_control_open(&p), ENOTDIR);
	p.path = "/dev/no-such-directory/socket";
	no_object(pp_control_open(&p), ENOENT);
	p.path = "";
	no_object(pp_control_open(&p), EINVAL);
}

/* ---- zones that processes share -------------------------------------------------------------- */

static void of_shared_zones(void **state)
{
	struct pp_zone_params p = zone_params(PAGES);
	const struct pp_zone_set_params set = { .sz = sizeof(set), .zone = &p };
	struct page_pool_params pool = { .sz = sizeof(pool), .order = 1 };
	struct pp_page *page;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	no_object(pp_zone_attach(-1), EBADF);
	no_object(pp_zone_attach(null), EINVAL);
	close(null);
	p.mem = PP_MEM_MEMFD;
	p.flags = PP_ZONE_SHARED;
	pool.zone = zone_new(&p);
	no_object(pp_zone_attach(pp_zone_fd(pool.zone)), EEXIST);
	no_object(page_pool_create(&pool), ENOTSUP);
	no_object(pp_zone_set_create(&set), ENOTSUP);
	assert_int_equal(pp_zone_isolate(pool.zone, 0, 1), -ENOTSUP);
	assert_int_equal(pp_zone_isolate_hard(pool.zone, 0, 1, 0), -ENOTSUP);
	assert_int_equal(pp_zone_alloc_contig(pool.zone, 2, 0, PP_CONTIG_FAST, 0, &page), -ENOTSUP);
	assert_int_equal(pp_zone_offline(pool.zone, 0, PAGES, 0), -ENOTSUP);
	assert_int_equal(pp_zone_shrink(pool.zone, 0), -ENOTSUP);
	assert_int_equal(pp_zone_alloc_order_bulk(pool.zone, 1, &page, 1), 0);
	assert_int_equal(errno, EINVAL);
	zone_end(pool.zone);
}

/* ---- what the system refuses: in a child, with limits of its own --------------------------- */

static void limit(int what, rlim_t most)
{
	const struct rlimit r = { most, most };

	require(!setrlimit(what, &r));
}

/* @fn in a child without the rights of root, which no limit binds */
static void in_child(void (*fn)(struct pp_zone_params *p))
{
	struct pp_zone_params p = zone_params(PAGES);
	pid_t pid = child_fork();

	if (!pid) {
		require(geteuid() || !setuid(65534));
		fn(&p);
		_exit(0);
	}
	child_ends_well(pid);
}

static void refused(const struct pp_zone_params *p, int err)
{
	errno = 0;
	require(!pp_zone_create(p) && errno == err);
}

static void no_descriptor(struct pp_zone_params *p)
{
	p->mem = PP_MEM_MEMFD;
	limit(RLIMIT_NOFILE, 0);
	refused(p, EMFILE);
}

static void file_too_large(struct pp_zone_params *p)
{
	p->mem = PP_MEM_MEMFD;
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, 4096);
	refused(p, EFBIG);
}

/* sanitizers leave mlock() out */
static bool locks(size_t len, int err)
{
	return mlock(mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), len) &&
	       errno == err;
}

static void may_not_lock(struct pp_zone_params *p)
{
	p->flags = PP_ZONE_LOCK;
	limit(RLIMIT_MEMLOCK, 0);
	if (locks(1 << 20, EPERM))
		refused(p, EPERM);
}

static void locks_too_much(struct pp_zone_params *p)
{
	struct pp_zone *zone;

	p->flags = PP_ZONE_LOCK;
	limit(RLIMIT_MEMLOCK, 65536);
	if (!locks(1 << 20, ENOMEM))
		return;
	refused(p, ENOMEM);
	p->flags |= PP_ZONE_LAZY;
	zone = pp_zone_create(p);
	require(zone && pp_zone_pin(zone) == -ENOMEM);
}

static void no_thread(struct pp_zone_params *p)
{
	p->flags = PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD;
	limit(RLIMIT_NPROC, 0);
	refused(p, EAGAIN);
}

static void of_the_system(void **state)
{
	in_child(no_descriptor);
	in_child(file_too_large);
	in_child(may_not_lock);
	in_child(locks_too_much);
	in_child(no_thread);
}

/* ---- a device -------------------------------------------------------------------------------- */

static int refuse(void *arg, void *base, size_t len)
{
	return -EXFULL;
}

static void of_a_device(void **state)
{
	const struct pp_zone_ops ops = { .accept = refuse };
	struct pp_zone_params p = zone_params(PAGES);
	struct pp_page *first;
	struct pp_zone *zone;

	p.ops = &ops;
	no_zone(&p, EXFULL);
	p.flags = PP_ZONE_LAZY;
	zone = zone_new(&p);
	assert_int_equal(pp_zone_pin(zone), -EXFULL);
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES, 0, PP_CONTIG_NORMAL, 0, &first),
			 -EXFULL);
	assert_non_null(strstr(pp_error(), "was not accepted"));
	assert_int_equal(pp_zone_alloc_contig(zone, PAGES, 0, PP_CONTIG_HARD, 1000, &first),
			 -EXFULL);
	assert_non_null(strstr(pp_error(), "was not accepted"));
	zone_end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_zones),	   cmocka_unit_test(of_pools),
		cmocka_unit_test(of_depots),	   cmocka_unit_test(of_control),
		cmocka_unit_test(of_shared_zones), cmocka_unit_test(of_the_system),
		cmocka_unit_test(of_a_device),
	};

	return test_main("errors", tests, ARRAY_LEN(tests), 60);
}
