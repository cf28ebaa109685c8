/* SPDX-License-Identifier: BSD-3-Clause */
/* signal.h - the side of signal handlers, which may not wait; the rule is in base/handler.h */
#ifndef PP_SIGNAL_H
#define PP_SIGNAL_H

#include "stock/stock.h"

static __always_inline void stock_call_begin(const struct stock *stock)
{
	if (unlikely(stock->signal_safe))
		handler_call_begin();
}

static __always_inline void stock_call_end(const struct stock *stock)
{
	if (unlikely(stock->signal_safe))
		handler_call_end();
}

/* stock_lock() of a stock that signal handlers use. */
bool stock_lock_safe(struct stock *stock);
/* A handler that may not lock leaves pages for the next holder. */
void stock_defer(struct stock *stock, void *const *objs, unsigned int n);
/* A step of a call that goes on, or a call by a thread: no handler drains or trims. */
bool stock_step_begin(const struct stock *stock);
void stock_step_end(bool began);
/* In a call: it is a signal handler's, which may not wait, nor drain or trim; see handler.h. */
bool stock_in_handler(const struct stock *stock);

#endif /* PP_SIGNAL_H */
