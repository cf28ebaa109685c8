/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot_fixture.h - a depot of objects that nobody can touch, in memory that children share
 *
 * The objects are the addresses of pages without access, and pages without access lie before
 * and behind the depot's own memory: whatever is written where it should not be is a crash.
 */
#ifndef PP_TEST_DEPOT_FIXTURE_H
#define PP_TEST_DEPOT_FIXTURE_H

#include <pagepool/depot.h>

#include "harness.h"

struct depot_fixture {
	struct pp_depot_params params;
	struct pp_depot *depot;
	void *memory;
	size_t size; /* of the depot */
	size_t mapped; /* with the pages around it */
	char *objects; /* a page each */
	unsigned int n;
};

/* the policy of argv[1], or the default; for every test of a program */
extern const char *depot_policy;

/* Sets depot_policy from a test's argument. Exits with 77 and a line if it cannot run here. */
void depot_policy_parse(int argc, char **argv);

struct pp_depot_params depot_params(unsigned int objects, uint32_t high, uint32_t batch);
/* pp_depot_get_bulk(): how many, @n or 0 */
unsigned int depot_take(struct pp_depot *depot, void **objs, unsigned int n);
/* built and filled with params.objects objects */
void depot_new(struct depot_fixture *f, const struct pp_depot_params *params);
/* the same in memory that is there already, which is cleared */
void depot_again(struct depot_fixture *f);
void depot_adopt(struct depot_fixture *f);
/* everything is home, then the end */
void depot_end(struct depot_fixture *f);

/* the number of an object; it is one of ours */
unsigned int depot_index(const struct depot_fixture *f, const void *obj);
/* objs are @n different objects of ours */
void depot_distinct(const struct depot_fixture *f, void *const *objs, unsigned int n);
struct pp_zone_stats depot_stats(struct pp_depot *depot);
struct pp_audit depot_audit(const struct depot_fixture *f);
/* the ledger with @out objects with the test, and nothing running */
void depot_check(const struct depot_fixture *f, uint64_t out);

#endif /* PP_TEST_DEPOT_FIXTURE_H */
