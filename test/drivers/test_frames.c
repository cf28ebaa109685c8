/* SPDX-License-Identifier: BSD-3-Clause */
/* test_frames.c - the frames that queues of one zone may post, and the list of zones behind it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pagepool/zone.h>

#include "af_xdp/priv.h"

static int entries;
static bool no_memory;

void *__real_calloc(size_t n, size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *memory);

void *__wrap_calloc(size_t n, size_t size)
{
	if (no_memory)
		return NULL;
	entries++;
	return __real_calloc(n, size);
}

void __wrap_free(void *memory)
{
	entries--;
	__real_free(memory);
}

static struct pp_zone *zone_of(uint64_t pages)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = pages, .page_size = 2048 };
	struct pp_zone *zone = pp_zone_create(&p);

	assert_non_null(zone);
	return zone;
}

static void end(struct pp_zone *zone)
{
	assert_int_equal(pp_zone_destroy(zone), 0);
	assert_int_equal(entries, 0);
}

static void last_drop_forgets_the_zone(void **state)
{
	struct pp_zone *zone = zone_of(1024);
	uint32_t first = pp_xdp_share_take(zone, 4096, 2), second = pp_xdp_share_take(zone, 10, 2);

	assert_int_equal(first, 128);
	assert_int_equal(second, 10);
	assert_int_equal(entries, 1);
	pp_xdp_share_drop(zone, first);
	assert_int_equal(entries, 1);
	pp_xdp_share_drop(zone, second);
	end(zone);
}

/* Without frames there is nothing to drop, so nothing may stay. */
static void refusal_leaves_nothing(void **state)
{
	struct pp_zone *zone = zone_of(1);

	assert_int_equal(pp_xdp_share_take(zone, 64, 1), 0);
	assert_int_equal(entries, 0);
	end(zone);
	zone = zone_of(1024);
	assert_int_equal(pp_xdp_share_take(zone, 0, 1), 0);
	assert_int_equal(entries, 0);
	no_memory = true;
	assert_int_equal(pp_xdp_share_take(zone, 64, 1), 0);
	no_memory = false;
	end(zone);
}

/* The others' frames stay as they were. */
static void full_zone_refuses(void **state)
{
	struct pp_zone *zone = zone_of(4);
	unsigned int queues = 0;

	while (queues < 10 && pp_xdp_share_take(zone, 64, 1))
		queues++;
	assert_int_equal(queues, 3);
	while (queues--)
		pp_xdp_share_drop(zone, 1);
	end(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_drop_forgets_the_zone),
		cmocka_unit_test(refusal_leaves_nothing),
		cmocka_unit_test(full_zone_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
