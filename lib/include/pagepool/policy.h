/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.h - the policies by name: how the cores' caches of zones and depots are shared
 *
 * doc/sync.md says what each promises and costs.
 */
#ifndef PAGEPOOL_POLICY_H
#define PAGEPOOL_POLICY_H

#ifdef __cplusplus
extern "C" {
#endif

struct pp_depot;

/** struct pp_depot_calls - pp_depot_get_bulk() and pp_depot_put_bulk() of one depot's policy */
struct pp_depot_calls {
	int (*get)(struct pp_depot *depot, void **objs, unsigned int n);
	int (*put)(struct pp_depot *depot, void *const *objs, unsigned int n);
};

/**
 * pp_policy_check() - can this machine run a policy?
 * @name: one of pp_policy_names()
 *
 * Context: any thread; may register the process with membarrier.
 * Cost:    comparing names; rseq: two system calls.
 * Return:  0; with a sentence in pp_error(): -EINVAL: no such policy; -ENOTSUP: it can not, which
 *          the sentence explains.
 * Source:  none.
 */
int pp_policy_check(const char *name);

/**
 * pp_policy_names() - the policies that this library was built with
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  array of names, ended by NULL, default first.
 * Source:  none.
 */
const char *const *pp_policy_names(void);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_POLICY_H */
