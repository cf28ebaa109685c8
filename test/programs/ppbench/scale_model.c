/* SPDX-License-Identifier: BSD-3-Clause */
/* scale_model.c - the simulated queue against results that queueing theory has in closed form */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scale/model.h"

#define MANY 400000u

static void near(double value, double expected, double percent, const char *what)
{
	if (fabs(value - expected) > percent / 100 * fabs(expected) + 1e-12)
		fail_msg("%s: %.6g is not %.6g within %g %%", what, value, expected, percent);
}

static struct scale_params params(unsigned int cores, double think, double hold,
				  enum scale_dist dist)
{
	return (struct scale_params){
		.cores = cores,
		.nodes = 1,
		.think = think,
		.hold = { hold, hold, hold },
		.think_dist = dist,
		.hold_dist = dist,
		.visits = MANY,
		.seed = 1,
	};
}

/*
 * Exponential think and hold are the machine repair model, M/M/1//N: with r = hold / think the
 * lock is idle with probability 1 / sum of r^k N! / (N - k)!.
 */
static void repair_model(unsigned int cores, double think, double hold)
{
	struct scale_params p = params(cores, think, hold, SCALE_EXPONENTIAL);
	double term = 1, sum = 1, rate;
	struct scale_result res;
	unsigned int k;

	for (k = 0; k < cores; k++) {
		term *= (cores - k) * hold / think;
		sum += term;
	}
	rate = (1 - 1 / sum) / hold;
	res = scale_simulate(&p);
	near(res.rate, rate, 1, "rate");
	near(res.busy, rate * hold, 1, "busy");
	/* Little: cores = rate * (think + wait + hold) */
	near(res.wait + think + hold, cores / rate, 1, "cycle");
}

static void test_repair_model(void **state)
{
	(void)state;
	repair_model(1, 1000, 250);
	repair_model(2, 300, 300);
	repair_model(5, 1000, 250);
	repair_model(20, 1000, 40);
	repair_model(64, 1000, 10);
	repair_model(64, 1000, 100);
}

/* Many cores that come seldom are Poisson arrivals: M/D/1 waits r / (2 (1 - r)) holds */
static void test_fixed_hold(void **state)
{
	struct scale_params p = params(256, 50000, 100, SCALE_EXPONENTIAL);
	struct scale_result res;

	(void)state;
	p.hold_dist = SCALE_FIXED;
	p.visits = 4 * MANY;
	res = scale_simulate(&p);
	near(res.wait, 100 * res.busy / (2 * (1 - res.busy)), 5, "wait");
}

static void test_saturation(void **state)
{
	struct scale_params p = params(64, 10, 50, SCALE_FIXED);
	struct scale_result res;

	(void)state;
	p.hold[1] = 80;
	p.hold[2] = 1000;
	p.transfer[1] = 20;
	res = scale_simulate(&p);
	/* another core is always there before */
	near(res.rate, 1 / 100.0, 0.1, "one hold and one transfer after the other");
	near(res.busy, 1, 0.1, "busy");
	/* alone nothing is transferred */
	p.cores = 1;
	res = scale_simulate(&p);
	near(res.rate, 1 / 60.0, 0.1, "one core");
	near(res.wait, 0, 0, "one core waits for nobody");
}

static void test_linear(void **state)
{
	struct scale_params p = params(1, 1000, 0, SCALE_FIXED);
	double one = scale_simulate(&p).rate;

	(void)state;
	near(one, 1 / 1000.0, 0.01, "one core");
	for (p.cores = 2; p.cores <= SCALE_CORES_MAX; p.cores *= 2) {
		near(scale_simulate(&p).rate, p.cores * one, 0.1, "without a hold: linear");
		near(scale_simulate(&p).wait, 0, 0, "nobody waits");
	}
}

static void test_monotonic(void **state)
{
	struct scale_params p = params(32, 1000, 1, SCALE_EXPONENTIAL);
	double rate, last = INFINITY;
	unsigned int i;

	(void)state;
	p.hold_dist = SCALE_FIXED;
	for (i = 0; i < 12; i++) {
		rate = scale_simulate(&p).rate;
		assert_true(rate < last);
		last = rate;
		p.hold[0] *= 2;
		p.hold[1] *= 2;
	}
}

static void test_nodes(void **state)
{
	struct scale_params p = params(256, 1000, 100, SCALE_EXPONENTIAL);
	struct scale_params node = params(32, 1000, 100, SCALE_EXPONENTIAL);
	double one_zone, near_only;

	(void)state;
	p.hold[2] = node.hold[2] = 250;
	near_only = scale_simulate(&p).rate;
	p.nodes = 8;
	one_zone = scale_simulate(&p).rate;
	/* 7 of 8 visits follow one from another node: 1 / (250 * 7 / 8 + 100 / 8) */
	near(one_zone, 1 / 231.25, 3, "one zone");
	near(near_only, 1 / 100.0, 3, "one node");
	p.zone_per_node = true;
	near(scale_simulate(&p).rate, 8 * scale_simulate(&node).rate, 1, "zones of their own");
	near(scale_simulate(&p).busy, scale_simulate(&node).busy, 1, "busy is a mean");
}

static void test_seed(void **state)
{
	struct scale_params p = params(16, 500, 60, SCALE_EXPONENTIAL);
	struct scale_result a = scale_simulate(&p), b = scale_simulate(&p);

	(void)state;
	assert_true(a.rate == b.rate && a.busy == b.busy && a.wait == b.wait);
	p.seed = 2;
	b = scale_simulate(&p);
	assert_true(a.rate != b.rate);
	near(a.rate, b.rate, 1, "another seed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repair_model), cmocka_unit_test(test_fixed_hold),
		cmocka_unit_test(test_saturation),   cmocka_unit_test(test_linear),
		cmocka_unit_test(test_monotonic),    cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
