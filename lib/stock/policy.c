/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.c - the policies that there are, and which of them fit */
#include <stdio.h>

#include "stock/pcp.h"

const struct pcp_policy *const pcp_policies[NR_POLICIES] = {
#define POLICY(name) &pcp_##name,
#include "stock/sync/policies.def"
#undef POLICY
};

static const char *const policy_names[NR_POLICIES + 1] = {
#define POLICY(name) #name,
#include "stock/sync/policies.def"
#undef POLICY
};

#define HIGH_MAX 65536u

const char *const *pp_policy_names(void)
{
	return policy_names;
}

/* "trylock, irqsave or llist": the policies that have all of @flags. */
static const char *names_with(unsigned int flags, char *text, size_t size)
{
	unsigned int i, left = 0;
	size_t len = 0;

	for (i = 0; i < NR_POLICIES; i++)
		left += (pcp_policies[i]->flags & flags) == flags;
	text[0] = '\0';
	for (i = 0; i < NR_POLICIES && len < size; i++) {
		if ((pcp_policies[i]->flags & flags) != flags)
			continue;
		left--;
		len += (size_t)snprintf(text + len, size - len, "%s%s", policy_names[i],
					left > 1 ? ", "
					: left	 ? " or "
						 : "");
	}
	return text;
}

static int policy_by_name(const char *name)
{
	char text[256];
	unsigned int i;

	for (i = 0; i < NR_POLICIES; i++) {
		if (!strcmp(name, policy_names[i]))
			return (int)i;
	}
	return pp_set_error(EINVAL, "policy: \"%s\" is not known; take auto, %s", name,
			    names_with(0, text, sizeof(text)));
}

static int policy_probe(int i)
{
	return pcp_policies[i]->probe ? pcp_policies[i]->probe() : 0;
}

int pp_policy_check(const char *name)
{
	int i = policy_by_name(name);

	return i < 0 ? i : policy_probe(i);
}

int stock_find_policy(const char *name, unsigned int flags)
{
	const struct pcp_policy *policy;
	int i = name ? policy_by_name(name) : 0;
	int err = i < 0 ? i : policy_probe(i);
	char text[256];

	if (err)
		return err;
	policy = pcp_policies[i];
	if ((flags & PCP_SIGNAL_SAFE) && !(policy->flags & PCP_SIGNAL_SAFE))
		return pp_set_error(ENOTSUP,
				    "policy: %s can not be used from signal handlers; take %s",
				    policy->name, names_with(PCP_SIGNAL_SAFE, text, sizeof(text)));
	if ((flags & PCP_SHAREABLE) && !(policy->flags & PCP_SHAREABLE))
		return pp_set_error(ENOTSUP, "policy: %s does not work across processes; take %s",
				    policy->name, names_with(PCP_SHAREABLE, text, sizeof(text)));
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
