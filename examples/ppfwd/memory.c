/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.c - a thread that isolates, takes ranges of, offlines and shrinks the memory of the run */
#include <string.h>
#include <time.h>

#include <pagepool/memory.h>

#include "common/clock.h"
#include "common/error.h"
#include "ppfwd.h"

#define WAIT_US 1000u
#define KINDS	7u /* of turns */

static void isolate_range(struct fwd *fwd, uint64_t turn)
{
	uint32_t block = pp_zone_block_pages(fwd->zone);
	uint64_t first = turn * block % pp_zone_pages(fwd->zone);
	bool hard = turn & 1;
	int err;

	err = hard ? pp_zone_isolate_hard(fwd->zone, first, 1, WAIT_US)
		   : pp_zone_isolate(fwd->zone, first, 1);
	if (err) {
		fwd->memory.busy++;
		return;
	}
	if (hard)
		pp_zone_isolate_hard_undo(fwd->zone, first, 1);
	else
		pp_zone_isolate_undo(fwd->zone, first, 1);
	fwd->memory.isolated++;
}

static void take_range(struct fwd *fwd, enum pp_contig mode)
{
	uint64_t n = pp_zone_pages(fwd->zone) / 16 + 1;
	struct pp_page *first;

	if (pp_zone_alloc_contig(fwd->zone, n, 1, mode, WAIT_US, &first)) {
		fwd->memory.busy++;
		return;
	}
	pp_zone_free_contig(fwd->zone, first, n);
	fwd->memory.taken[mode]++;
}

/* Another block each time; a block in use all the while, or pinned by a port, is refused. */
static void offline_block(struct fwd *fwd, uint64_t time)
{
	uint64_t pages = pp_zone_pages(fwd->zone), block = pp_zone_block_pages(fwd->zone);
	uint64_t first = time % ((pages + block - 1) / block) * block;
	uint64_t n = block < pages - first ? block : pages - first;

	if (pp_zone_offline(fwd->zone, first, n, WAIT_US))
		fwd->memory.busy++;
	else
		fwd->memory.offlined++;
}

static void shrink_zone(struct fwd *fwd)
{
	int64_t bytes = pp_zone_shrink(fwd->zone, 0);

	if (bytes < 0)
		fwd->memory.busy++;
	else
		fwd->memory.shrunk += (uint64_t)bytes;
}

/* In steps: the end of the run must not wait for the next turn. */
static void wait_for(const struct fwd *fwd, uint64_t until_ns)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	uint64_t now = now_ns();
	struct timespec rest;

	for (; now < until_ns && !__atomic_load_n(&fwd->stop, __ATOMIC_RELAXED); now = now_ns()) {
		rest = nap;
		if (until_ns - now < (uint64_t)nap.tv_nsec)
			rest.tv_nsec = (long)(until_ns - now);
		nanosleep(&rest, NULL);
	}
}

static void *keeper_main(void *arg)
{
	struct fwd *fwd = arg;
	uint32_t hz = fwd->opts->memory_hz ? fwd->opts->memory_hz : 10;
	uint64_t start = now_ns(), turn;

	for (turn = 0; !__atomic_load_n(&fwd->stop, __ATOMIC_RELAXED); turn++) {
		if (fwd->opts->idle_ms)
			pp_zone_maintain(fwd->zone);
		if (!fwd->opts->memory_hz)
			;
		else if (turn % KINDS < 2)
			isolate_range(fwd, turn);
		else if (turn % KINDS < 5)
			take_range(fwd, (enum pp_contig)(turn % KINDS - 2));
		else if (turn % KINDS < 6)
			offline_block(fwd, turn / KINDS);
		else
			shrink_zone(fwd);
		wait_for(fwd, start + (turn + 1) * 1000000000 / hz);
	}
	return NULL;
}

int keeper_start(struct fwd *fwd)
{
	int err;

	if (!fwd->opts->memory_hz && !fwd->opts->idle_ms)
		return 0;
	err = pthread_create(&fwd->keeper, NULL, keeper_main, fwd);
	fwd->keeping = !err;
	if (err)
		complain("thread for --memory-hz and --idle-ms: %s; end other programs",
			 strerror(err));
	return err;
}

void keeper_join(struct fwd *fwd)
{
	if (fwd->keeping)
		pthread_join(fwd->keeper, NULL);
}
