/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * poison.c - memory of pages at home: a write there is reported, with the place of the put; and
 * memory of pages that are out is not
 *
 * In a build for AddressSanitizer each case is a child of its own. In other builds with poison the
 * program runs itself under valgrind, with the number of a case.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>

#include "harness.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#define ASAN __has_feature(address_sanitizer)
#else
#define ASAN 0
#endif

#define PAGES 1024u
#define SIZE  2048u

static struct pp_zone *zone;
static struct page_pool *pool;
static const char *self;

static void write_at(struct pp_page *page, unsigned int offset)
{
	__atomic_store_n(page->addr + offset, 1, __ATOMIC_RELAXED);
}

static struct pp_page *from_zone(void)
{
	struct pp_page *page;

	require(pp_zone_alloc_bulk(zone, &page, 1) == 1);
	memset(page->addr, 1, SIZE);
	return page;
}

static struct pp_page *from_pool(void)
{
	struct pp_page *page = page_pool_alloc_pages(pool);

	require(page);
	memset(page->addr, 1, SIZE);
	return page;
}

/* ---- what is reported ------------------------------------------------------------------------ */

static struct pp_page *put_page(void)
{
	struct pp_page *page = from_pool();

	page_pool_put_page(pool, page, true);
	return page;
}

static struct pp_page *put_bulk(void)
{
	struct pp_page *page = from_pool();

	page_pool_put_bulk((struct pp_page *[]){ page }, 1);
	return page;
}

static struct pp_page *put_in_ring(void)
{
	struct pp_page *page = from_pool();

	page_pool_disable_direct_recycling(pool);
	page_pool_put_page(pool, page, false);
	return page;
}

static struct pp_page *put_and_trim(void)
{
	struct pp_page *page = put_page();

	require(page_pool_trim(pool, 0, 1000000) > 0);
	require(pp_zone_drain_all(zone, 1000000) > 0);
	return page;
}

static struct pp_page *put_unrefed(void)
{
	struct pp_page *page = from_pool();

	require(!page_pool_unref_page(page, 1));
	page_pool_put_unrefed_page(pool, page, false);
	return page;
}

static struct pp_page *free_va(void)
{
	unsigned int size = SIZE;
	unsigned char *va = page_pool_alloc_va(pool, &size);

	memset(va, 1, size);
	page_pool_free_va(pool, va + 5, true);
	return pp_zone_page_at(zone, (uint64_t)(va - (unsigned char *)pp_zone_base(zone)));
}

static struct pp_page *last_reference(void)
{
	struct pp_page *page = from_pool();

	pp_page_get(page);
	page_pool_put_page(pool, page, true);
	memset(page->addr, 2, SIZE); /* still ours */
	pp_page_put(page);
	return page;
}

static struct pp_page *put_zone_page(void)
{
	struct pp_page *page = from_zone();

	page_pool_put_bulk((struct pp_page *[]){ page }, 1);
	return page;
}

static struct pp_page *page_put(void)
{
	struct pp_page *page = from_zone();

	pp_page_put(page);
	return page;
}

static struct pp_page *free_bulk(void)
{
	struct pp_page *page = from_zone();

	pp_zone_free_bulk(zone, &page, 1);
	return page;
}

static struct pp_page *free_list(void)
{
	struct pp_list list = PP_LIST_INIT;
	struct pp_page *page = from_zone();

	pp_list_add_tail(&list, page);
	pp_zone_free_bulk_list(zone, &list);
	return page;
}

static struct pp_page *free_run(void)
{
	struct pp_page *run;

	require(pp_zone_alloc_order_bulk(zone, 2, &run, 1) == 1);
	memset(run->addr, 1, 4 * SIZE);
	pp_zone_free_order_bulk(zone, &run, 1);
	return run;
}

static struct pp_page *free_contig(void)
{
	struct pp_page *first;

	require(!pp_zone_alloc_contig(zone, 10, 1, PP_CONTIG_NORMAL, 0, &first));
	memset(first->addr, 1, 10 * SIZE);
	pp_zone_free_contig(zone, first, 10);
	return first + 9;
}

static struct pp_page *(*const puts_page[])(void) = {
	put_page,  put_bulk,	   put_in_ring,	  put_and_trim, put_unrefed,
	free_va,   last_reference, put_zone_page, page_put,	free_bulk,
	free_list, free_run,	   free_contig,
};

#define PUTS ((unsigned int)ARRAY_LEN(puts_page))

/* One byte behind a page, where the next one is at home; never handed out; not yet cut. */
static void beyond(unsigned int how)
{
	struct pp_page *pages[2], *page;
	unsigned int offset;

	if (how == 0) {
		require(!pp_zone_alloc_contig(zone, 2, 1, PP_CONTIG_NORMAL, 0, &page));
		pp_page_put(page + 1);
		write_at(page, SIZE);
	} else if (how == 1) {
		page = from_zone();
		pages[0] = pp_zone_page_table(zone) + PAGES - 1;
		require(page != pages[0]);
		write_at(pages[0], SIZE - 1);
	} else {
		page = page_pool_alloc_frag(pool, &offset, 500);
		require(page);
		memset(page->addr + offset, 1, 512);
		write_at(page, offset + 512);
	}
}

#define CASES (PUTS + 3)

/* ---- what is not ----------------------------------------------------------------------------- */

static void may_write(void *arg, void *base, size_t len)
{
	memset(base, 3, len);
}

static int may_accept(void *arg, void *base, size_t len)
{
	may_write(arg, base, len);
	return 0;
}

static const struct pp_zone_ops ops = { .accept = may_accept, .unaccept = may_write };

static void all_out(struct pp_zone *of)
{
	struct page_pool *p = pool_new(of, 64, 64, 32);
	struct pp_page *pages[96], *first;
	unsigned int i, n, offset, size, round;

	for (round = 0; round < 3; round++) {
		n = page_pool_alloc_bulk(p, pages, 64);
		n += pp_zone_alloc_bulk(of, pages + n, 32);
		for (i = 0; i < n; i++)
			memset(pages[i]->addr, 4, SIZE);
		page_pool_put_bulk(pages, n);
	}
	for (i = 0; i < 20; i++) {
		size = 100 + 90 * i;
		pages[i] = page_pool_alloc(p, &offset, &size);
		require(pages[i]);
		memset(pages[i]->addr + offset, 5, size);
	}
	page_pool_put_bulk(pages, 20);
	require(!pp_zone_alloc_contig(of, 20, 1, PP_CONTIG_NORMAL, 0, &first));
	memset(first->addr, 6, 20 * SIZE);
	for (i = 0; i < 20; i++) {
		pages[i] = first + i;
		require(first[i].addr[7] == 6);
	}
	page_pool_put_bulk(pages, 20);
	for (i = 1; i < 4; i++) {
		require(pp_zone_alloc_order_bulk(of, i, pages, 2) == 2);
		memset(pages[1]->addr, 7, SIZE << i);
		pp_zone_free_order_bulk(of, pages, 2);
	}
	page_pool_destroy(p);
	require(pp_zone_shrink(of, 0) >= 0);
	require(pp_zone_alloc_bulk(of, pages, 40) == 40);
	for (i = 0; i < 40; i++)
		memset(pages[i]->addr, 8, SIZE);
	pp_zone_free_bulk(of, pages, 40);
	require(!pp_zone_destroy(of));
}

/* Every way out, each kind of memory, lazy and eager; the caller's own is whole in the end. */
static void nothing_to_report(void)
{
	size_t len = (size_t)4 * PAGES * SIZE;
	struct pp_zone_params p = zone_params(4 * PAGES);
	enum pp_mem mem;
	void *mine = aligned_alloc(4096, len);
	unsigned int lazy;

	require(mine);
	p.ops = &ops;
	for (lazy = 0; lazy < 2; lazy++)
		for (mem = PP_MEM_ANON; mem <= PP_MEM_USER; mem++) {
			if (lazy && mem == PP_MEM_HUGETLB)
				continue; /* there may be none when one is wanted */
			p.mem = mem;
			p.flags = PP_ZONE_HUGE_FALLBACK | (lazy ? PP_ZONE_LAZY : 0);
			p.region = mem == PP_MEM_USER ? mine : NULL;
			p.region_len = mem == PP_MEM_USER ? len : 0;
			all_out(zone_new(&p));
		}
	memset(mine, 9, len);
	free(mine);
}

/* ---- the cases in processes of their own ----------------------------------------------------- */

static void run_case(unsigned int k)
{
	struct pp_zone_params p = zone_params(PAGES);

	if (k == CASES) {
		nothing_to_report();
		return;
	}
	zone = zone_new(&p);
	pool = pool_new(zone, 64, 64, 32);
	if (k < PUTS)
		write_at(puts_page[k](), 100);
	else
		beyond(k - PUTS);
}

/* What @k says on its way; true: something was wrong. */
static bool reported(unsigned int k, char *said, size_t size)
{
	char number[12];
	int ends[2], status;
	pid_t child;
	size_t n = 0;
	ssize_t got;

	require(!pipe(ends));
	child = fork();
	if (!child) {
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		snprintf(number, sizeof(number), "%u", k);
		if (!ASAN)
			execlp("valgrind", "valgrind", "-q", "--error-exitcode=9", self, number,
			       (char *)NULL);
		else
			run_case(k);
		_exit(ASAN ? 0 : 127);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + n, size - 1 - n)) > 0)
		n += (size_t)got;
	close(ends[0]);
	said[n] = '\0';
	require(waitpid(child, &status, 0) == child);
	require(!WIFEXITED(status) || WEXITSTATUS(status) != 127);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static void need_checker(void)
{
	if (!PP_POISON)
		skip_because("built without poison: -Dpoison=on, or -Db_sanitize=address");
	if (!ASAN && access("/usr/bin/valgrind", X_OK))
		skip_because("no valgrind, and not built for AddressSanitizer");
}

static void a_write_is_reported(void **state)
{
	static char said[1 << 16];
	unsigned int k, step = ASAN ? 1 : 5; /* valgrind takes a second to begin */

	need_checker();
	for (k = 0; k < CASES; k += step) {
		if (!reported(k, said, sizeof(said)) ||
		    !strstr(said, ASAN ? "use-after-poison" : "Invalid write"))
			fail_msg("case %u was not reported: %s", k, said);
		if (ASAN && k < PUTS && !strstr(said, "gave it back at"))
			fail_msg("case %u names no place: %s", k, said);
		if (ASAN && !strstr(said, "of zone "))
			fail_msg("case %u names no page: %s", k, said);
		if (!ASAN && k < PUTS && !strstr(said, "page that is at home"))
			fail_msg("case %u names no page: %s", k, said);
	}
}

static void what_is_out_is_not(void **state)
{
	static char said[1 << 16];

	need_checker();
	if (reported(CASES, said, sizeof(said)))
		fail_msg("a page that is out was reported: %s", said);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_is_reported),
		cmocka_unit_test(what_is_out_is_not),
	};

	self = argv[0];
	if (argc > 1) {
		run_case((unsigned int)atoi(argv[1]));
		return 0;
	}
	return test_main("poison", tests, ARRAY_LEN(tests), 120);
}
