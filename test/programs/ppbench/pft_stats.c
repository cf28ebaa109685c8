/* SPDX-License-Identifier: BSD-3-Clause */
/* pft_stats.c - percentages, stars and client counts against published tables and known values */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pft/stats.h"

#define ROOM 32u

static void near(double value, double expected, double within)
{
	if (fabs(value - expected) > within)
		fail_msg("%.9g is not %.9g, within %.2g", value, expected, within);
}

/* critical values of Student's t as every textbook's table has them */
static void test_student(void **state)
{
	static const struct {
		unsigned int df;
		double t;
		double p;
	} table[] = {
		{ 1, 6.314, 0.10 },   { 1, 12.706, 0.05 },  { 2, 2.920, 0.10 },
		{ 2, 4.303, 0.05 },   { 3, 2.353, 0.10 },   { 5, 4.032, 0.01 },
		{ 8, 1.860, 0.10 },   { 9, 3.250, 0.01 },   { 20, 1.725, 0.10 },
		{ 29, 2.045, 0.05 },  { 30, 1.697, 0.10 },  { 58, 1.672, 0.10 },
		{ 100, 1.660, 0.10 }, { 999, 1.962, 0.05 }, { 1996, 1.646, 0.10 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		near(pft_student(table[i].t, table[i].df), table[i].p, 0.00015);
		near(pft_student(-table[i].t, table[i].df), table[i].p, 0.00015);
	}
	near(pft_student(0, 7), 1, 1e-12);
	near(pft_student(0, 8), 1, 1e-12);
	assert_true(pft_student(50, 58) < 1e-12);
}

static void test_sample(void **state)
{
	const double values[] = { 1, 2, 4 };
	struct pft_sample s;

	(void)state;
	s = pft_sample(values, 3, false);
	near(s.mean, 7.0 / 3, 1e-12);
	near(s.stddev, sqrt(7.0 / 3), 1e-12);
	s = pft_sample(values, 3, true);
	near(s.mean, 12.0 / 7, 1e-12);
	near(s.stddev, sqrt(7.0 / 3), 1e-12); /* around the arithmetic mean */
	s = pft_sample(values, 1, false);
	near(s.stddev, 0, 0);
}

static void test_percent(void **state)
{
	(void)state;
	near(pft_percent(58.52, 58.92, false), -0.68, 0.005);
	near(pft_percent(200, 100, false), 50, 1e-12);
	near(pft_percent(200, 100, true), -50, 1e-12);
	near(pft_percent(100, 250, true), 150, 1e-12);
	near(pft_percent(100, 250, false), -150, 1e-12);
	near(pft_percent(0, 0, false), 0, 0);
	near(pft_percent(0, 1, false), -99, 0);
	near(pft_percent(1, 0, false), 100, 0);
	near(pft_percent(0, 1, true), 100, 0);
	near(pft_percent(1, 0, true), -99, 0);
}

static bool star(double base, double now, double stddev, unsigned int n, enum pft_rule rule)
{
	struct pft_sample a = { base, stddev, n }, b = { now, stddev, n };

	return pft_star(&a, &b, rule);
}

/*
 * With equal spreads s and n = 30: t = d / (s * sqrt(2 / 30)) against 1.6716 at df 58, so the rule
 * of 2022 turns at d = 0.43161 s; that of 2024 at 2 * 1.95996 s.
 */
static void test_star(void **state)
{
	(void)state;
	assert_false(star(100, 100.43155, 1, 30, PFT_STARS_2022));
	assert_true(star(100, 100.43168, 1, 30, PFT_STARS_2022));
	assert_true(star(100, 99.5683, 1, 30, PFT_STARS_2022));
	assert_false(star(100, 103.9199, 1, 30, PFT_STARS_2024));
	assert_true(star(100, 103.9200, 1, 30, PFT_STARS_2024));
	assert_true(star(100, 96.0800, 1, 30, PFT_STARS_2024));
	/* no spread at all: whatever differs */
	assert_true(star(100, 100.001, 0, 30, PFT_STARS_2022));
	assert_true(star(100, 100.001, 0, 30, PFT_STARS_2024));
	assert_false(star(100, 100, 0, 30, PFT_STARS_2022));
	/* one value is not a sample */
	assert_false(star(100, 200, 0, 1, PFT_STARS_2022));
}

static void clients(unsigned int max, const unsigned int *expected)
{
	unsigned int counts[ROOM], n = pft_clients(max, counts, ROOM), i;

	for (i = 0; expected[i]; i++)
		if (i >= n || counts[i] != expected[i])
			fail_msg("%u: place %u is not %u", max, i, expected[i]);
	assert_int_equal(n, i);
}

#define CLIENTS(max, ...) clients(max, (const unsigned int[]){ __VA_ARGS__, 0 })

static void test_clients(void **state)
{
	unsigned int counts[ROOM], n, i, max;

	(void)state;
	CLIENTS(1, 1);
	CLIENTS(2, 1, 2);
	CLIENTS(3, 1, 3);
	CLIENTS(4, 1, 3, 4);
	CLIENTS(8, 1, 3, 5, 7, 8);
	CLIENTS(16, 1, 3, 5, 7, 12, 16);
	CLIENTS(32, 1, 3, 5, 7, 12, 18, 24, 30, 32);
	CLIENTS(80, 1, 4, 7, 12, 21, 30, 48, 79, 80);
	CLIENTS(128, 1, 4, 7, 12, 21, 30, 48, 79, 110, 128);
	for (max = 1; max <= 2000; max++) {
		n = pft_clients(max, counts, ROOM);
		assert_true(n && n <= ROOM && counts[0] == 1 && counts[n - 1] == max);
		for (i = 1; i < n; i++)
			assert_true(counts[i - 1] < counts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_student), cmocka_unit_test(test_sample),
		cmocka_unit_test(test_percent), cmocka_unit_test(test_star),
		cmocka_unit_test(test_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
