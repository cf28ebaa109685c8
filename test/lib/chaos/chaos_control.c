/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_control.c - operations that look at caches, empty, tune, close and open them
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos/chaos.h"
#include "variant.h"

static void op_drain(struct chaos_worker *w)
{
	drain_done(pp_zone_drain(w->z->zone, rng_below(&w->rng, pp_zone_cores(w->z->zone)),
				 rng_below(&w->rng, 200)));
}

static void op_drain_all(struct chaos_worker *w)
{
	drain_done(pp_zone_drain_all(w->z->zone, rng_below(&w->rng, 1000)));
}

static void op_maintain(struct chaos_worker *w)
{
	int64_t hidden = w->z->flags & PP_ZONE_LAZY ? CHAOS_UNKNOWN : 0;

	/* gives idle blocks back */
	chaos_take(w->z, hidden);
	require(pp_zone_maintain(w->z->zone) >= 0);
	chaos_give(w->z, hidden);
}

static void op_pcp_set(struct chaos_worker *w)
{
	unsigned int high = 16 + rng_below(&w->rng, 33);
	int err = pp_zone_pcp_set(w->z->zone, high, 1 + rng_below(&w->rng, 16));

	require(!err || err == -EBUSY);
}

/* closed for a few operations of ours, and for those of the others meanwhile */
static void op_disable(struct chaos_worker *w)
{
	struct pp_page *pages[8];
	unsigned int n;

	if (!drain_done(pp_zone_pcp_disable(w->z->zone, 2000)))
		return;
	require(cached_pages(w->z->zone) == 0);
	chaos_call(w, 8);
	n = pp_zone_alloc_bulk(w->z->zone, pages, 8);
	chaos_answer(w, 8, n, true);
	pp_zone_free_bulk(w->z->zone, pages, n);
	chaos_give(w->z, n);
	require(cached_pages(w->z->zone) == 0);
	pp_zone_pcp_enable(w->z->zone);
}

static void op_stats(struct chaos_worker *w)
{
	struct pp_window_stats windows = { .sz = sizeof(windows) };
	struct pp_zone_stats s = zone_stats(w->z->zone);
	struct pp_zone_set_stats set = { .sz = sizeof(set) };

	require(s.managed == pp_zone_pages(w->z->zone) && s.double_puts == w->z->twice);
	require(pp_zone_this_core(w->z->zone) <= pp_zone_cores(w->z->zone));
	require(pp_zone_windows(w->z->zone, &windows) ==
		(w->z->flags & PP_ZONE_TRACE ? 0 : -ENODATA));
	require(!w->z->set || !pp_zone_set_get_stats(w->z->set, 0, &set));
}

static void op_move(struct chaos_worker *w)
{
	if (rng_below(&w->rng, 3))
		pin_to(test_cpu(rng_below(&w->rng, test_cpus())));
	else
		unpin();
}

/* the child has our memory and none of our threads: it leaves the zones alone */
static void a_fork(void)
{
	int status, err;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	require(pid > 0);
	do
		err = waitpid(pid, &status, 0) == pid ? 0 : errno;
	while (err == EINTR);
	require(!err && WIFEXITED(status) && !WEXITSTATUS(status));
}

static void op_yield(struct chaos_worker *w)
{
	/* rare, because it copies the process */
	if (rng_below(&w->rng, 2000) == 0)
		a_fork();
	else if (rng_below(&w->rng, 8))
		sched_yield();
	else
		sleep_us(rng_below(&w->rng, 300));
}

static void op_raise(struct chaos_worker *w)
{
	raise(SIGUSR1);
}

const struct chaos_op chaos_control_ops[] = {
	{ "pp_zone_drain", op_drain, 10 },
	{ "pp_zone_drain_all", op_drain_all, 5 },
	{ "pp_zone_maintain", op_maintain, 3 },
	{ "pp_zone_pcp_set", op_pcp_set, 5 },
	{ "pp_zone_pcp_disable", op_disable, 4 },
	{ "pp_zone_get_stats", op_stats, 5 },
	{ "a move to another CPU", op_move, 4 },
	{ "a yield", op_yield, 6 },
	{ "a signal", op_raise, 10 },
	{ NULL, NULL, 0 },
};
