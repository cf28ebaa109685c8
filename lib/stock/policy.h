/* SPDX-License-Identifier: BSD-3-Clause */
/* policy.h - the policies by name */
#ifndef PP_POLICY_H
#define PP_POLICY_H

#include "stock/pcp.h"

/* The number of a policy that has all of @flags, PCP_*; -1 with errno and pp_error(). */
int stock_find_policy(const char *name, unsigned int flags);
/* The parameters of a cache: 0, or -EINVAL with pp_error(). */
int stock_check_cache(uint32_t high, uint32_t high_max, uint32_t batch);

#endif /* PP_POLICY_H */
