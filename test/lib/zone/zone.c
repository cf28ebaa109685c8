/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zone.c - parameters of a zone, each bad value by name, and how the struct may grow
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

struct longer_params {
	struct pp_zone_params p;
	uint64_t tail[4];
};

static void params_size(void **state)
{
	struct longer_params l = { .p = zone_params(16) };
	struct pp_zone *zone;

	/* a program older than the library: it knows nothing behind page_size */
	l.p.sz = offsetof(struct pp_zone_params, headroom);
	l.p.headroom = 0xffffffff;
	l.p.policy = "no such policy";
	zone = zone_new(&l.p);
	assert_int_equal(pp_zone_headroom(zone), 0);
	assert_string_equal(pp_zone_policy(zone), pp_policy_names()[0]);
	zone_end(zone);

	/* a newer one, that does not use what it knows beyond us */
	memset(&l, 0, sizeof(l));
	l.p = zone_params(16);
	l.p.sz = sizeof(l);
	zone_end(zone_new(&l.p));

	l.tail[3] = 1;
	errno = 0;
	assert_null(pp_zone_create(&l.p));
	assert_int_equal(errno, E2BIG);
	assert_true(pp_error()[0]);

	l.p.sz = 0;
	errno = 0;
	assert_null(pp_zone_create(&l.p));
	assert_int_equal(errno, EINVAL);
}

static void rejected(const struct pp_zone_params *p, int err, const char *name)
{
	errno = 0;
	if (pp_zone_create(p)) {
		print_error("a bad %s was accepted\n", name);
		fail();
	}
	if (errno != err || !strstr(pp_error(), name) || strchr(pp_error(), '\n')) {
		print_error("bad %s: errno %d, not %d; the sentence is \"%s\"\n", name, errno, err,
			    pp_error());
		fail();
	}
}

#define BAD(field, value)                                  \
	do {                                               \
		struct pp_zone_params p = zone_params(64); \
		p.field = (value);                         \
		rejected(&p, EINVAL, #field);              \
	} while (0)

static void params_bad(void **state)
{
	BAD(pages, 0);
	BAD(pages, 1ull << 32);
	BAD(pages, UINT64_MAX);
	BAD(page_size, 1);
	BAD(page_size, 1024);
	BAD(page_size, 2049);
	BAD(page_size, 3072);
	BAD(page_size, 131072);
	BAD(page_size, 0x80000000u);
	BAD(headroom, 2048);
	BAD(headroom, UINT32_MAX);
	BAD(mem, (enum pp_mem)(PP_MEM_USER + 1));
	BAD(mem, (enum pp_mem)1000000);
	BAD(flags, 1u << 31);
	BAD(flags, 1u << 9);
	BAD(flags, PP_ZONE_ACCEPT_THREAD);
	BAD(high_max, 65537);
	BAD(high, 65537);
	BAD(high, UINT32_MAX);
	BAD(batch, 513);
	BAD(batch, 65536);
	BAD(policy, "");
	BAD(policy, "trylocked");
	BAD(policy, "Spin");
}

static void params_bad_pairs(void **state)
{
	struct pp_zone_params p = zone_params(64);

	p.high = 16;
	p.batch = 17;
	rejected(&p, EINVAL, "batch");
	p.batch = 16;
	p.high_max = 15;
	rejected(&p, EINVAL, "high_max");
}

static void params_good_edges(void **state)
{
	struct pp_zone_params p = zone_params(1);
	struct pp_page *page;
	struct pp_zone *zone;

	p.headroom = 2047;
	p.high = 1;
	p.batch = 1;
	p.name = "edge";
	p.policy = "spin";
	zone = zone_new(&p);
	assert_string_equal(pp_zone_name(zone), "edge");
	assert_string_equal(pp_zone_policy(zone), "spin");
	assert_int_equal(pp_zone_pages(zone), 1);
	assert_int_equal(pp_zone_alloc_bulk(zone, &page, 1), 1);
	page_is_fresh(zone, page);
	pp_zone_free_bulk(zone, &page, 1);
	zone_end(zone);

	p = zone_params(70000);
	p.high = 65536;
	p.batch = 512;
	zone = zone_new(&p);
	assert_int_equal(zone_stats(zone).batch, 512);
	assert_int_equal(zone_stats(zone).high, 65536);
	zone_end(zone);
}

static void defaults(void **state)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = 40000 };
	struct pp_zone *zone = zone_new(&p);
	struct pp_zone_stats s = zone_stats(zone);
	uint64_t high = 40000 / 4 / pp_zone_cores(zone);

	if (high > 512)
		high = 512;
	assert_string_equal(pp_zone_name(zone), "zone");
	assert_string_equal(pp_zone_policy(zone), "trylock");
	assert_int_equal(pp_zone_page_size(zone), 4096);
	assert_int_equal(pp_zone_headroom(zone), 0);
	assert_int_equal(pp_zone_mem(zone), PP_MEM_ANON);
	assert_int_equal(pp_zone_fd(zone), -1);
	assert_true(pp_zone_cores(zone) > test_cpu(test_cpus() - 1));
	assert_int_equal(s.managed, 40000);
	assert_int_equal(s.free, 40000);
	assert_int_equal(s.cached, 0);
	assert_int_equal(s.page_size, 4096);
	assert_int_equal(s.high, high);
	assert_int_equal(s.batch, high / 4);
	zone_end(zone);

	/* the least high, and a batch that is never 0 */
	p.pages = 1;
	zone = zone_new(&p);
	assert_int_equal(zone_stats(zone).high, 4);
	assert_int_equal(zone_stats(zone).batch, 1);
	zone_end(zone);
}

static void policy_names(void **state)
{
	static const char *const expected[] = { PP_TEST_POLICIES, NULL };
	const char *const *names = pp_policy_names();
	unsigned int i;

	/* test/lib/meson.build runs the conformance suite over its own list: is it complete? */
	for (i = 0; expected[i] && names[i]; i++)
		assert_string_equal(names[i], expected[i]);
	assert_null(expected[i]);
	assert_null(names[i]);
}

static void node(void **state)
{
	struct pp_zone_params p = zone_params(16);
	struct pp_zone *zone;

	p.node = pp_node_param(0);
	zone = zone_new(&p);
	assert_int_equal(zone_stats(zone).node, 0);
	assert_int_equal(pp_zone_page_table(zone)->node, 0);
	zone_end(zone);
	p.node = pp_node_param(PP_NODE_ANY);
	zone_end(zone_new(&p));
	p.node = pp_node_param(4096);
	rejected(&p, ENOTSUP, "node");
	p.node = pp_node_param(63);
	rejected(&p, ENOTSUP, "node");
}

static void destroy_busy(void **state)
{
	struct pp_zone_params p = zone_params(16);
	struct pp_zone *zone = zone_new(&p);
	struct pp_page *pages[7];

	assert_int_equal(pp_zone_destroy(NULL), 0);
	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 7), 7);
	assert_int_equal(pp_zone_destroy(zone), -EBUSY);
	assert_non_null(strstr(pp_error(), "7"));
	zone_check(zone, 7);
	pp_zone_free_bulk(zone, pages, 6);
	assert_int_equal(pp_zone_destroy(zone), -EBUSY);
	pp_zone_free_bulk(zone, pages + 6, 1);
	zone_end(zone);
}

static void stats_size(void **state)
{
	struct pp_zone_params p = zone_params(16);
	struct pp_zone *zone = zone_new(&p);
	struct {
		struct pp_zone_stats s;
		uint64_t tail;
	} s = { .s.sz = sizeof(s), .tail = 77 };
	struct pp_audit a = { .sz = sizeof(a) + 8 };

	assert_int_equal(pp_zone_get_stats(zone, &s.s), -E2BIG);
	assert_int_equal(pp_zone_audit(zone, &a), -E2BIG);
	/* an old program's shorter struct: nothing is written behind it */
	s.s.sz = offsetof(struct pp_zone_stats, cached);
	s.s.cached = 4711;
	assert_int_equal(pp_zone_get_stats(zone, &s.s), 0);
	assert_int_equal(s.s.free, 16);
	assert_int_equal(s.s.cached, 4711);
	assert_int_equal(s.s.sz, offsetof(struct pp_zone_stats, cached));
	assert_int_equal(s.tail, 77);
	zone_end(zone);
}

/* in a child that the kernel would kill first, so that a bad answer costs only this test */
static void refused_without_oom(uint64_t pages, uint32_t page_size, enum pp_mem mem)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = pages, .page_size = page_size };
	int status;
	pid_t pid;
	FILE *f;

	p.mem = mem;
	pid = child_fork();
	if (!pid) {
		f = fopen("/proc/self/oom_score_adj", "w");
		if (f) {
			fputs("1000\n", f);
			fclose(f);
		}
		if (pp_zone_create(&p))
			_exit(1);
		_exit(errno != ENOMEM ? 2 : pp_error()[0] ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		print_error("%llu pages of %u bytes: wait status 0x%x\n", (unsigned long long)pages,
			    page_size, (unsigned int)status);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void audit_child(bool foreign)
{
	struct pp_zone_params p = zone_params(16);
	struct pp_zone *zone = zone_new(&p), *other = zone_new(&p);
	struct pp_audit a = { .sz = sizeof(a) };
	struct pp_page *pages[2], *stray;
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	require(pp_zone_alloc_bulk(zone, pages, 2) == 2);
	require(pp_zone_alloc_bulk(other, &stray, 1) == 1);
	pp_zone_free_bulk(zone, pages, 1);
	pp_zone_free_bulk(zone, foreign ? &stray : pages, 1);
	if (pp_zone_audit(zone, &a))
		_exit(1);
	_exit(a.managed == 16 && a.home == 15 && a.leaked == 1 && a.double_free == 1 ? 0 : 2);
}

/* one page kept, one freed twice, or freed into the wrong zone: found, or fatal in debug builds */
static void audit(void **state)
{
	int status, foreign;
	pid_t pid;

	for (foreign = 0; foreign < 2; foreign++) {
		pid = child_fork();
		if (!pid)
			audit_child(foreign);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (PP_DEBUG) {
			assert_true(WIFSIGNALED(status));
			assert_int_equal(WTERMSIG(status), SIGABRT);
		} else {
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
		}
	}
}

static void absurd_sizes(void **state)
{
	uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	refused_without_oom(UINT32_MAX, 65536, PP_MEM_ANON);
	refused_without_oom(UINT32_MAX, 4096, PP_MEM_ANON);
	refused_without_oom(UINT32_MAX, 4096, PP_MEM_MEMFD);
	refused_without_oom(UINT32_MAX, 2048, PP_MEM_HUGETLB);
	/* what the kernel would promise and could not keep */
	refused_without_oom(ram / 65536 + ram / 65536 / 8, 65536, PP_MEM_ANON);
	refused_without_oom(ram / 65536 + ram / 65536 / 8, 65536, PP_MEM_MEMFD);
}

static void error_text(void **state)
{
	struct pp_zone_params p = zone_params(0);

	assert_non_null(pp_error());
	assert_int_equal(pp_set_error(ENODEV, "%s is %d", "it", 5), -ENODEV);
	assert_int_equal(errno, ENODEV);
	assert_string_equal(pp_error(), "it is 5");
	assert_null(pp_zone_create(&p));
	assert_non_null(strstr(pp_error(), "pages"));
}

static void other_thread_error(void *arg)
{
	require(!strcmp(pp_error(), ""));
	pp_set_error(EIO, "other");
}

static void error_text_of_threads(void **state)
{
	pp_set_error(EIO, "mine");
	run_on(-1, other_thread_error, NULL);
	assert_string_equal(pp_error(), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(params_size),
		cmocka_unit_test(params_bad),
		cmocka_unit_test(params_bad_pairs),
		cmocka_unit_test(params_good_edges),
		cmocka_unit_test(defaults),
		cmocka_unit_test(policy_names),
		cmocka_unit_test(node),
		cmocka_unit_test(destroy_busy),
		cmocka_unit_test(stats_size),
		cmocka_unit_test(audit),
		cmocka_unit_test(absurd_sizes),
		cmocka_unit_test(error_text),
		cmocka_unit_test(error_text_of_threads),
	};

	return test_main("zone", tests, ARRAY_LEN(tests), 120);
}
