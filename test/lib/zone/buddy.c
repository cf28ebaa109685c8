/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * buddy.c - the buddy inside the library, against a naive model: one byte a page
 */
#include <string.h>

#include "harness.h"
#include "zone/zone.h"

#define PAGES 5000u /* the last block is a part of one */
#define BLOCK 512u

enum where {
	OUT,
	IN,
};

static struct pp_page pages[PAGES];
static unsigned char model[PAGES];
static unsigned int isolated[PAGES / BLOCK + 1];
static struct pp_zone zone;

#define buddy (zone.buddy)

static void start(void)
{
	memset(pages, 0, sizeof(pages));
	memset(model, OUT, sizeof(model));
	memset(isolated, 0, sizeof(isolated));
	require(!buddy_init(&buddy, pages, PAGES, BLOCK));
	buddy.home = 1;
}

static void give_all(void)
{
	buddy_free_range(&buddy, 0, PAGES);
	memset(model, IN, sizeof(model));
}

/* Lists, state, and counts agree with each other and with the model; runs can not merge further. */
static void check(void)
{
	uint64_t count[BUDDY_SETS] = { 0 }, want[BUDDY_SETS] = { 0 }, i, n;
	unsigned int set, order;
	struct pp_page *page;

	for (set = 0; set < BUDDY_SETS; set++)
		for (order = 0; order < BUDDY_ORDERS; order++)
			for (page = buddy.head[set][order]; page; page = buddy_next(page)) {
				i = (uint64_t)(page - pages);
				require(i % (1u << order) == 0);
				require(buddy.state[i] == order + 1);
				require(!!isolated[i / BLOCK] == set);
				n = i ^ (1u << order);
				require(order == buddy.max_order || n >= PAGES ||
					buddy.state[n] != order + 1);
				for (n = 0; n < 1u << order; n++)
					require(model[i + n] == IN);
				count[set] += 1u << order;
			}
	for (i = 0; i < PAGES; i++)
		want[isolated[i / BLOCK] ? 1 : 0] += model[i] == IN;
	for (set = 0; set < BUDDY_SETS; set++) {
		require(count[set] == want[set]);
		require(buddy.count[set] == want[set]);
	}
	for (i = 0; i <= PAGES / BLOCK; i++) {
		for (n = 0, set = 0; n < block_pages(&buddy, i); n++)
			set += model[i * BLOCK + n] == IN;
		require(buddy.block_free[i] == set);
	}
}

static void took(uint64_t first, uint64_t n)
{
	for (; n; n--, first++) {
		require(first < PAGES && model[first] == IN);
		require(!isolated[first / BLOCK]);
		model[first] = OUT;
	}
}

static void step(struct rng *r)
{
	unsigned int order = rng_below(r, 10), i = rng_below(r, PAGES), n, k;
	void *objs[300];
	struct pp_page *page;

	switch (rng_below(r, 8)) {
	case 0 ... 1:
		page = buddy_alloc(&buddy, order);
		if (page) {
			require((page - pages) % (1 << order) == 0);
			took((uint64_t)(page - pages), 1u << order);
		}
		break;
	case 2:
		n = buddy_take(&buddy, objs, k = 1 + rng_below(r, 300));
		require(n == k || !buddy.count[BUDDY_USABLE]);
		while (n--)
			took((uint64_t)((struct pp_page *)objs[n] - pages), 1);
		break;
	case 3 ... 4: /* what is out between here and there, run by run */
		for (n = 0; n < 700 && i + n < PAGES; n += k) {
			for (k = 0; i + n + k < PAGES && model[i + n + k] == OUT; k++)
				model[i + n + k] = IN;
			buddy_free_range(&buddy, i + n, k);
			k += !k;
		}
		break;
	case 5:
		for (n = 0; i + n < PAGES && model[i + n] == IN; n++)
			;
		require(buddy_run(&buddy, i, PAGES - i) == n);
		for (k = 0; k < n && !isolated[(i + k) / BLOCK] && k < 900; k++)
			;
		buddy_take_range(&buddy, i, k);
		took(i, k);
		break;
	case 6:
		isolated[i / BLOCK]++;
		buddy_isolate(&buddy, i / BLOCK);
		break;
	default:
		for (k = 0; k < 3; k++, i = (i + BLOCK) % PAGES)
			if (isolated[i / BLOCK]) {
				isolated[i / BLOCK]--;
				buddy_restore(&buddy, i / BLOCK);
			}
	}
}

static void against_model(void **state)
{
	struct rng r = rng_init(1);
	unsigned int i;

	start();
	give_all();
	for (i = 0; i < 20000; i++) {
		step(&r);
		if (i % 50 == 0 || i < 200)
			check();
	}
	buddy_fini(&buddy);
}

/* Page by page in any order: whole blocks at the end. */
static void merges_to_full(void **state)
{
	struct rng r = rng_init(2);
	unsigned int order[PAGES], i, k, t, full = 0;
	struct pp_page *page;

	start();
	for (i = 0; i < PAGES; i++)
		order[i] = i;
	for (i = PAGES - 1; i; i--) {
		k = rng_below(&r, i + 1);
		t = order[i], order[i] = order[k], order[k] = t;
	}
	for (i = 0; i < PAGES; i++)
		buddy_free(&buddy, pages + order[i], 0);
	memset(model, IN, sizeof(model));
	check();
	for (page = buddy.head[BUDDY_USABLE][9]; page; page = buddy_next(page))
		full++;
	assert_int_equal(full, PAGES / BLOCK);
	while ((page = buddy_alloc(&buddy, 9)))
		full--;
	assert_int_equal(full, 0);
	buddy_fini(&buddy);
}

static void freed_twice(void **state)
{
	start();
	give_all();
	buddy_free(&buddy, pages + 77, 0);
	assert_int_equal(buddy.refused, 1);
	check();
	buddy_fini(&buddy);
}

/* Lowest address first, and last in the array, where the top of a stack is. */
static void addresses(void **state)
{
	void *objs[64];

	start();
	buddy_free_range(&buddy, 0, BLOCK);
	assert_int_equal(buddy_take(&buddy, objs, 64), 64);
	assert_ptr_equal(objs[63], pages);
	assert_ptr_equal(objs[0], pages + 63);
	assert_ptr_equal(buddy_alloc(&buddy, 6), pages + 64);
	buddy_fini(&buddy);
}

/* ---- the stack in front of it, while there are isolated blocks */

#define STACK 2000u /* of blocks 0 .. 3, of which 1 and 3 are isolated */

static struct pp_zone zone;
#define area (zone.stock->area)

static void start_stack(void *objs[])
{
	unsigned int i;

	start();
	require(!free_area_init(&area, PAGES));
	for (i = 0; i < STACK; i++)
		objs[i] = pages + i * 7 % STACK;
}

static void isolate_two(void)
{
	buddy_isolate(&buddy, 1);
	buddy_isolate(&buddy, 3);
	area.ops = &isolating_ops;
}

static unsigned int in_isolated(void *const *objs, unsigned int n)
{
	unsigned int i, k = 0;

	for (i = 0; i < n; i++)
		k += page_isolated(&buddy, objs[i]);
	return k;
}

static void end_stack(void)
{
	free_area_fini(&area);
	buddy_fini(&buddy);
}

/* What was there before: popped from, or swept in parts, none of it goes out. */
static void popped_and_swept(void **state)
{
	static void *objs[STACK], *got[STACK];
	unsigned int n, sweep;
	uint64_t from;

	for (sweep = 0; sweep < 2; sweep++) {
		start_stack(objs);
		free_area_push(&area, objs, STACK);
		isolate_two();
		for (n = 0, from = 0; n < 700;) {
			n += free_area_pop(&area, got + n, 7);
			if (sweep)
				area_sweep(&zone, &from, 3);
		}
		while (sweep && !area_sweep(&zone, &from, 100))
			;
		assert_int_equal(in_isolated(area.obj, (unsigned int)area.count) > 0, !sweep);
		while (area.count)
			n += free_area_pop(&area, got + n, 64);
		assert_int_equal(in_isolated(got, n), 0);
		assert_int_equal(n, 2 * BLOCK);
		assert_int_equal(buddy.count[BUDDY_ISOLATED], STACK - n);
		end_stack();
	}
}

/* What comes later does not stay. */
static void pushed(void **state)
{
	static void *objs[STACK];

	start_stack(objs);
	isolate_two();
	free_area_push(&area, objs, STACK / 2);
	free_area_push(&area, objs + STACK / 2, STACK - STACK / 2);
	assert_int_equal(in_isolated(area.obj, (unsigned int)area.count), 0);
	assert_int_equal(area.count + buddy.count[BUDDY_ISOLATED], STACK);
	assert_int_equal(area.count, 2 * BLOCK);
	end_stack();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_model),    cmocka_unit_test(merges_to_full),
		cmocka_unit_test(freed_twice),	    cmocka_unit_test(addresses),
		cmocka_unit_test(popped_and_swept), cmocka_unit_test(pushed),
	};

	return test_main("buddy", tests, ARRAY_LEN(tests), 120);
}
