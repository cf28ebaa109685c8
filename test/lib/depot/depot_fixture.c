/* SPDX-License-Identifier: BSD-3-Clause */
/* depot_fixture.c - build it, count it, take it down */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "depot/depot_fixture.h"

#define PAGE 4096u

const char *depot_policy;

void depot_policy_parse(int argc, char **argv)
{
	depot_policy = argc > 1 ? argv[1] : "rseq";
	need_policy(depot_policy);
}

struct pp_depot_params depot_params(unsigned int objects, uint32_t high, uint32_t batch)
{
	struct pp_depot_params p = {
		.sz = sizeof(p),
		.name = "test",
		.objects = objects,
		.policy = depot_policy,
		.high = high,
		.batch = batch,
	};

	return p;
}

unsigned int depot_take(struct pp_depot *depot, void **objs, unsigned int n)
{
	int err = pp_depot_get_bulk(depot, objs, n);

	require(err == 0 || err == -ENOBUFS);
	return err ? 0 : n;
}

void depot_adopt(struct depot_fixture *f)
{
	unsigned int i;
	void *obj;

	for (i = 0; i < f->n; i++) {
		obj = f->objects + (size_t)i * PAGE;
		require(pp_depot_adopt(f->depot, &obj, 1) == 0);
	}
}

void depot_again(struct depot_fixture *f)
{
	memset(f->memory, 0, f->size);
	f->depot = pp_depot_init(&f->params, f->memory);
	if (!f->depot)
		fprintf(stderr, "pp_depot_init: %s\n", pp_error());
	require(f->depot);
	depot_adopt(f);
}

void depot_new(struct depot_fixture *f, const struct pp_depot_params *params)
{
	char *map;

	f->params = *params;
	f->n = (unsigned int)params->objects;
	f->size = pp_depot_size(params);
	if (!f->size)
		fprintf(stderr, "pp_depot_size: %s\n", pp_error());
	require(f->size);
	f->mapped = (f->size + PAGE - 1) / PAGE * PAGE + 2 * PAGE;
	map = mmap(NULL, f->mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(map != MAP_FAILED);
	require(!mprotect(map, PAGE, PROT_NONE));
	require(!mprotect(map + f->mapped - PAGE, PAGE, PROT_NONE));
	/* its end meets the page behind, as far as the alignment allows */
	f->memory = map + (f->mapped - PAGE - f->size) / 128 * 128;
	f->objects = mmap(NULL, (size_t)f->n * PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	require(f->objects != MAP_FAILED);
	depot_again(f);
}

void depot_end(struct depot_fixture *f)
{
	depot_check(f, 0);
	pp_depot_detach(f->depot);
	pp_depot_fini(f->depot);
	munmap(f->objects, (size_t)f->n * PAGE);
	munmap((char *)((uintptr_t)f->memory / PAGE * PAGE) - PAGE, f->mapped);
}

unsigned int depot_index(const struct depot_fixture *f, const void *obj)
{
	size_t at = (size_t)((const char *)obj - f->objects);

	require(at % PAGE == 0);
	require(at / PAGE < f->n);
	return (unsigned int)(at / PAGE);
}

void depot_distinct(const struct depot_fixture *f, void *const *objs, unsigned int n)
{
	unsigned char *seen = calloc(f->n, 1);
	unsigned int i;

	require(seen);
	for (i = 0; i < n; i++)
		require(seen[depot_index(f, objs[i])]++ == 0);
	free(seen);
}

struct pp_zone_stats depot_stats(struct pp_depot *depot)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	require(pp_depot_get_stats(depot, &s) == 0);
	return s;
}

struct pp_audit depot_audit(const struct depot_fixture *f)
{
	struct pp_audit a = { .sz = sizeof(a) };

	require(pp_depot_audit(f->depot, &a) == 0);
	return a;
}

void depot_check(const struct depot_fixture *f, uint64_t out)
{
	struct pp_audit a = depot_audit(f);
	struct pp_zone_stats s = depot_stats(f->depot);
	uint64_t cached = 0;
	unsigned int i;

	for (i = 0; i < pp_depot_cores(f->depot); i++)
		cached += pp_depot_cached(f->depot, i);
	require(s.managed == pp_depot_objects(f->depot));
	require(s.cached == cached);
	require(s.free + s.cached + s.in_flight == s.managed);
	require(s.in_flight == out);
	require(pp_depot_count(f->depot) == s.managed - out);
	require(a.managed == s.managed);
	require(a.double_free == 0);
	require(a.leaked == out);
	require(a.home == s.managed - out);
}
