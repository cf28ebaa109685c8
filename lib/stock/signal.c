/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * signal.c - a stock that signal handlers use: the lock, and the pages that they free without it
 *
 * base/handler.h has the rule and the signs by which a handler is told from a thread.
 */
#include "stock/stock.h"

bool stock_in_handler(const struct stock *stock)
{
	return unlikely(stock->signal_safe) && in_handler();
}

bool stock_step_begin(const struct stock *stock)
{
	if (likely(!stock->signal_safe) || handler_calls)
		return false;
	handler_call_begin();
	handler_excluded = true;
	return true;
}

void stock_step_end(bool began)
{
	if (began)
		handler_call_end();
}

/* ---- pages that no lock was taken for -------------------------------------------------------- */

/* A page in a chain keeps the mark of pages that are at home, bit 0 of next. */
static void chain(struct pp_page *page, const struct pp_page *to)
{
	WRITE_ONCE(page->next, (struct pp_page *)((uintptr_t)to | page_is_home(page)));
}

static struct pp_page *unchain(struct pp_page *page)
{
	uintptr_t home = page_is_home(page), next = (uintptr_t)page->next - home;

	WRITE_ONCE(page->next, home ? NEXT_HOME : NULL);
	return (struct pp_page *)next;
}

void stock_defer(struct stock *stock, void *const *objs, unsigned int n)
{
	struct pp_page *const *pages = (struct pp_page *const *)objs;
	struct pp_page *head = READ_ONCE(stock->deferred);
	unsigned int i;

	for (i = 0; i + 1 < n; i++)
		chain(pages[i], pages[i + 1]);
	do
		chain(pages[n - 1], head);
	/* release: pairs with the exchange in absorb_deferred() */
	while (!__atomic_compare_exchange_n(&stock->deferred, &head, pages[0], true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* Under the lock: what handlers left comes home with one exchange. */
static __noinline void absorb_deferred(struct stock *stock)
{
	struct pp_page *page;
	uint64_t n;
	void *obj;

	/* pairs with the release in stock_defer() */
	page = __atomic_exchange_n(&stock->deferred, NULL, __ATOMIC_ACQUIRE);
	for (n = 0; page; n++) {
		obj = page;
		page = unchain(page);
		free_area_push(&stock->area, &obj, 1);
	}
	count_add(stock->frees, n);
}

/* ---- the lock -------------------------------------------------------------------------------- */

/* False: this is a handler, which goes without. */
static __coldpath bool lock_contended(struct stock *stock)
{
	WRITE_ONCE(handler_locked, false); /* or it would speak for a handler */
	if (handler_calls && in_handler())
		return false;
	pp_lock(&stock->lock); /* a handler that comes before the next line sees handler_locks */
	WRITE_ONCE(handler_locked, true);
	compiler_barrier();
	return true;
}

bool stock_lock_safe(struct stock *stock)
{
	if (handler_locked)
		return false;
	WRITE_ONCE(handler_locked, true);
	compiler_barrier(); /* a handler from here on sees it */
	if (unlikely(!pp_trylock(&stock->lock)) && !lock_contended(stock))
		return false;
	if (unlikely(READ_ONCE(stock->deferred)))
		absorb_deferred(stock);
	return true;
}
