/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy.c - the policies that there are, and which of them fit
 */
#include <pagepool/zone.h>

#include "stock/stock.h"

const struct pcp_policy *const pcp_policies[NR_POLICIES] = {
	&pcp_trylock, &pcp_spin, &pcp_irqsave, &pcp_softmask,
	&pcp_rcu,     &pcp_rseq, &pcp_request, &pcp_llist,
};

static const char *const policy_names[NR_POLICIES + 1] = {
	"trylock", "spin", "irqsave", "softmask", "rcu", "rseq", "request", "llist", NULL,
};

#define HIGH_MAX 65536u

const char *const *pp_policy_names(void)
{
	return policy_names;
}

static int policy_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_POLICIES; i++) {
		if (!strcmp(name, pcp_policies[i]->name))
			return (int)i;
	}
	pp_set_error(EINVAL,
		     "policy: \"%s\" is not known; there are auto, trylock, spin, irqsave, "
		     "softmask, rcu, rseq, request and llist",
		     name);
	return -1;
}

static int policy_probe(int i)
{
	return pcp_policies[i]->probe ? pcp_policies[i]->probe() : 0;
}

int pp_policy_check(const char *name)
{
	int i = policy_by_name(name);

	return i < 0 ? -EINVAL : policy_probe(i);
}

int stock_find_policy(const char *name, unsigned int flags)
{
	const struct pcp_policy *policy;
	int i = name ? policy_by_name(name) : 0;

	if (i < 0 || policy_probe(i))
		return -1;
	policy = pcp_policies[i];
	if ((flags & PCP_SIGNAL_SAFE) && !(policy->flags & PCP_SIGNAL_SAFE)) {
		pp_set_error(ENOTSUP,
			     "policy: %s can not be used from signal handlers; take "
			     "trylock, irqsave, softmask, rseq or llist",
			     policy->name);
		return -1;
	}
	if ((flags & PCP_SHAREABLE) && !(policy->flags & PCP_SHAREABLE)) {
		pp_set_error(ENOTSUP,
			     "policy: %s does not work across processes; take rseq or "
			     "trylock",
			     policy->name);
		return -1;
	}
	return i;
}

int stock_check_cache(uint32_t high, uint32_t high_max, uint32_t batch)
{
	if (high > HIGH_MAX || high_max > HIGH_MAX)
		return pp_set_error(EINVAL, "high: %u or high_max: %u is above %u", high, high_max,
				    HIGH_MAX);
	if (high_max < high)
		return pp_set_error(EINVAL, "high_max: %u is below high %u", high_max, high);
	if (batch > PP_BULK_MAX || batch > high)
		return pp_set_error(EINVAL, "batch: %u is above high %u, or above %u", batch, high,
				    PP_BULK_MAX);
	return 0;
}
