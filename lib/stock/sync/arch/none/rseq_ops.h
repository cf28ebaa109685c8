/* SPDX-License-Identifier: BSD-3-Clause */
/* rseq_ops.h - for architectures and C libraries without restartable sequences */
#ifndef PP_RSEQ_OPS_H
#define PP_RSEQ_OPS_H

#include "stock/stock.h"

static inline int rseq_registered(void)
{
	return pp_set_error(ENOTSUP, "restartable sequences are not built in for this machine");
}

static inline unsigned int rseq_pop(const struct stock *stock, void **objs, unsigned int n)
{
	return 0;
}

static inline bool rseq_push(const struct stock *stock, void *const *objs, unsigned int n)
{
	return false;
}

#endif /* PP_RSEQ_OPS_H */
