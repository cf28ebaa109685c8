/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault_malloc.c - each allocation of the heap fails once: ENOMEM, nothing lost, no exit
 *
 * This program's malloc() is that of every library in it. Each object is made with
 * its first allocation refused, then with its second, until none is left to refuse. A library
 * that ends the process ends this test.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <pagepool/control.h>
#include <pagepool/depot.h>
#include <pagepool/memory.h>
#include <pagepool/zone_set.h>

#include "harness.h"

/* glibc's own, below the names that this program takes */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static long refuse_after = -1; /* allocations; below 0: refuse none */
static long refused;
static long allocated; /* blocks of the heap */

static bool refuses(void)
{
	if (__atomic_load_n(&refuse_after, __ATOMIC_RELAXED) < 0 ||
	    __atomic_fetch_sub(&refuse_after, 1, __ATOMIC_RELAXED) != 0)
		return false;
	__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
	errno = ENOMEM;
	return true;
}

static void *count(void *p)
{
	if (p)
		__atomic_fetch_add(&allocated, 1, __ATOMIC_RELAXED);
	return p;
}

void *malloc(size_t size)
{
	return refuses() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return refuses() ? NULL : count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
	if (refuses())
		return NULL;
	return p ? __libc_realloc(p, size) : count(__libc_realloc(p, size));
}

void *aligned_alloc(size_t align, size_t size)
{
	return refuses() ? NULL : count(__libc_memalign(align, size));
}

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = aligned_alloc(align, size);
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	if (p)
		__atomic_fetch_sub(&allocated, 1, __ATOMIC_RELAXED);
	__libc_free(p);
}

/* ---- one object ------------------------------------------------------------------------------ */

/* Made and ended in turn; @make leaves errno and pp_error() if it gives NULL. */
struct object {
	const char *name;
	void *(*make)(void);
	void (*end)(void *object);
};

static void refuse_each(const struct object *o)
{
	long before, n, failed = 0;
	void *object;

	/* once without: what a library keeps for good is there */
	object = o->make();
	if (!object)
		print_message("# %s: %s\n", o->name, pp_error());
	require(object);
	o->end(object);
	for (n = 0;; n++) {
		before = __atomic_load_n(&allocated, __ATOMIC_RELAXED);
		refused = 0;
		__atomic_store_n(&refuse_after, n, __ATOMIC_RELAXED);
		errno = 0;
		object = o->make();
		__atomic_store_n(&refuse_after, -1, __ATOMIC_RELAXED);
		if (!object) {
			/* EAGAIN: pthread_create()'s word for it */
			require(errno == ENOMEM || errno == EAGAIN);
			require(*pp_error() && !strchr(pp_error(), '\n'));
			failed++;
		} else {
			o->end(object);
		}
		require(__atomic_load_n(&allocated, __ATOMIC_RELAXED) == before);
		if (!refused)
			break;
	}
	print_message("# %s: %ld allocations, %ld of which it needs\n", o->name, n, failed);
	require(n && failed);
}

/* ---- which ----------------------------------------------------------------------------------- */

static void *make_zone(enum pp_mem mem, uint32_t flags, const char *policy)
{
	struct pp_zone_params p = zone_params(512);

	p.mem = mem;
	p.flags = flags;
	p.policy = policy;
	return pp_zone_create(&p);
}

static void end_zone(void *zone)
{
	require(!pp_zone_destroy(zone));
}

static void *make_plain(void)
{
	return make_zone(PP_MEM_ANON, 0, "trylock");
}

static void *make_memfd(void)
{
	return make_zone(PP_MEM_MEMFD, PP_ZONE_TRACE, "rcu");
}

static void *make_lazy(void)
{
	return make_zone(PP_MEM_ANON, PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD, "llist");
}

static void *make_per_thread(void)
{
	return make_zone(PP_MEM_ANON, PP_ZONE_PER_THREAD | PP_ZONE_SIGNAL_SAFE, "trylock");
}

static void *make_on_node(void)
{
	struct pp_zone_params p = zone_params(512);

	p.node = pp_node_param(0);
	return pp_zone_create(&p);
}

static void *make_set(void)
{
	struct pp_zone_params zp = zone_params(512);
	struct pp_zone_set_params p = { .sz = sizeof(p), .zone = &zp };

	return pp_zone_set_create(&p);
}

static void end_set(void *set)
{
	require(!pp_zone_set_destroy(set));
}

static struct pp_zone *zone;
static struct pp_zone_set *set;

static void *make_pool(void)
{
	struct page_pool_params p = { .sz = sizeof(p), .zone = zone };

	return page_pool_create(&p);
}

static void *make_pool_of_runs(void)
{
	struct page_pool_params p = { .sz = sizeof(p), .zone = zone, .order = 2 };

	return page_pool_create(&p);
}

static void *make_pool_over_set(void)
{
	struct page_pool_params p = { .sz = sizeof(p), .set = set };

	return page_pool_create(&p);
}

static void end_pool(void *pool)
{
	page_pool_destroy(pool);
}

static void *make_control(void)
{
	struct pp_control_params p = { .sz = sizeof(p), .path = "fault_malloc.sock" };

	return pp_control_open(&p);
}

static void end_control(void *control)
{
	pp_control_close(control);
}

static void zones(void **state)
{
	static const struct object objects[] = {
		{ "a zone", make_plain, end_zone },
		{ "a traced memfd zone", make_memfd, end_zone },
		{ "a lazy zone", make_lazy, end_zone },
		{ "a zone of threads' caches", make_per_thread, end_zone },
		{ "a zone on node 0", make_on_node, end_zone },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(objects); i++)
		refuse_each(&objects[i]);
}

static void zone_sets(void **state)
{
	static const struct object object = { "a zone set", make_set, end_set };

	refuse_each(&object);
}

static void pools(void **state)
{
	static const struct object objects[] = {
		{ "a pool", make_pool, end_pool },
		{ "a pool of runs", make_pool_of_runs, end_pool },
		{ "a pool over a set", make_pool_over_set, end_pool },
	};
	unsigned int i;

	zone = make_plain();
	set = make_set();
	require(zone && set);
	for (i = 0; i < ARRAY_LEN(objects); i++)
		refuse_each(&objects[i]);
	end_set(set);
	end_zone(zone);
}

static void control_sockets(void **state)
{
	static const struct object object = { "a control socket", make_control, end_control };
	char dir[] = "/tmp/ppfault.XXXXXX";

	require(mkdtemp(dir) && !chdir(dir));
	refuse_each(&object);
	require(!chdir("/") && !rmdir(dir));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones),
		cmocka_unit_test(zone_sets),
		cmocka_unit_test(pools),
		cmocka_unit_test(control_sockets),
	};

	return test_main("fault_malloc", tests, ARRAY_LEN(tests), 120);
}
