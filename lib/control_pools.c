/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_pools.c - what a line of the control socket asks of pools: trim, holders
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control.h"
#include "page_pool.h"

#define POOLS_MAX 256u

/* A pool that was there when the request came; it may end at any time. */
struct selected {
	const struct page_pool *pool;
	uint64_t id;
};

/* @selected, pinned, if it is there; one that took its place serves, too. */
static struct page_pool *find_pool(const struct selected *selected)
{
	struct page_pool *pool = NULL;

	while ((pool = pool_next(pool)) && pool != selected->pool)
		;
	return pool;
}

static bool pool_matches(const struct page_pool *pool, uint64_t id, const char *word)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	return !word || !strcmp(page_pool_name(pool), word) || !strcmp(text, word);
}

/* Those that @word means, allocated; none: NULL, and the answer says so. */
static struct selected *select_pools(const char *word, unsigned int *n, struct json_writer *answer)
{
	struct selected *selected = calloc(POOLS_MAX, sizeof(*selected));
	struct page_pool *pool = NULL;
	uint64_t id = 0;

	*n = 0;
	if (!selected) {
		control_error(answer, "busy", "no memory; try again");
		return NULL;
	}
	while ((pool = pool_next(pool))) {
		if (pool_matches(pool, ++id, word) && *n < POOLS_MAX)
			selected[(*n)++] = (struct selected){ pool, id };
	}
	if (*n)
		return selected;
	if (word)
		control_error(answer, "not_found",
			      "pool %s: there is none of that name or id; see stat", word);
	else
		control_error(answer, "not_found", "this process has no pool");
	free(selected);
	return NULL;
}

/* ---- trim ------------------------------------------------------------------------------------ */

static void trim_one(const struct control_request *req, const struct selected *selected,
		     uint64_t end_ns, struct json_writer *answer)
{
	uint64_t now = now_ns(), left = now < end_ns ? (end_ns - now) / 1000 : 0;
	struct page_pool *pool = find_pool(selected);
	long moved;

	if (!pool)
		return;
	moved = page_pool_trim(pool, (unsigned int)req->keep,
			       (unsigned int)min(left, (uint64_t)CONTROL_HOLD_US));
	jw_begin(answer, NULL, '{');
	jw_count(answer, "id", selected->id);
	jw_text(answer, "name", page_pool_name(pool));
	jw_count(answer, "trimmed", (uint64_t)max(moved, 0l));
	if (moved < 0)
		jw_text(answer, "failed", strerror((int)-moved));
	jw_end(answer, '}');
	pool_unpin(pool);
}

void control_trim(const struct control_request *req, struct json_writer *answer)
{
	uint64_t end_ns = now_ns() + req->timeout_us * 1000;
	struct selected *selected;
	unsigned int n, i;

	selected = select_pools(req->word[0], &n, answer);
	if (!selected)
		return;
	control_begin(answer, "trim");
	jw_begin(answer, "pools", '[');
	for (i = 0; i < n; i++)
		trim_one(req, &selected[i], end_ns, answer);
	jw_end(answer, ']');
	control_end(answer);
	free(selected);
}

/* ---- holders --------------------------------------------------------------------------------- */

static void add_thread_name(struct json_writer *answer, uint64_t tid)
{
	char path[64], name[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%llu/comm", (unsigned long long)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* it has ended */
	n = read(fd, name, sizeof(name) - 1);
	close(fd);
	name[max(n, (ssize_t)0)] = '\0';
	name[strcspn(name, "\n")] = '\0';
	jw_text(answer, "thread_name", name);
}

static void add_holder(struct json_writer *answer, const struct pp_holder *holder)
{
	const struct pp_zone *zone = holder->page->zone;
	char site[256];

	jw_begin(answer, NULL, '{');
	jw_count(answer, "age_ns", holder->age_ns);
	if (zone) {
		jw_count(answer, "zone", zone->id);
		jw_count(answer, "page", (uint64_t)(holder->page - zone->pages));
	}
	jw_count(answer, "thread", holder->thread);
	add_thread_name(answer, holder->thread);
	jw_text(answer, "site", pp_holder_site(holder, site, sizeof(site)));
	jw_bool(answer, "in_driver", holder->driver);
	jw_end(answer, '}');
}

static void add_holders(struct json_writer *answer, const struct page_pool *pool,
			struct pp_holder *holders, unsigned int oldest)
{
	uint64_t ages[PP_HOLDER_AGES] = { 0 };
	unsigned int n, i;

	n = page_pool_holders(pool, holders, oldest, ages);
	jw_begin(answer, "ages", '[');
	for (i = 0; i < PP_HOLDER_AGES; i++)
		jw_count(answer, NULL, ages[i]);
	jw_end(answer, ']');
	jw_begin(answer, "holders", '[');
	for (i = 0; i < n; i++)
		add_holder(answer, &holders[i]);
	jw_end(answer, ']');
}

static void holders_of(const struct control_request *req, const struct selected *selected,
		       struct pp_holder *holders, struct json_writer *answer)
{
	struct page_pool *pool = find_pool(selected);
	bool tracked;

	if (!pool)
		return;
	jw_begin(answer, NULL, '{');
	jw_count(answer, "id", selected->id);
	jw_text(answer, "name", page_pool_name(pool));
	/* what was tagged is told before the tags go */
	if (req->track == CONTROL_ON && page_pool_holders_enable(pool, true))
		jw_text(answer, "failed", pp_error());
	tracked = READ_ONCE(pool->holders);
	jw_bool(answer, "tracked", tracked);
	if (tracked) /* otherwise returns are not written down, and what is there is old */
		add_holders(answer, pool, holders, (unsigned int)req->oldest);
	if (req->track == CONTROL_OFF)
		page_pool_holders_enable(pool, false);
	jw_end(answer, '}');
	pool_unpin(pool);
}

void control_holders(const struct control_request *req, struct json_writer *answer)
{
	struct selected *selected;
	struct pp_holder *holders;
	unsigned int n, i;

	selected = select_pools(req->word[0], &n, answer);
	if (!selected)
		return;
	holders = calloc(req->oldest, sizeof(*holders));
	if (!holders) {
		control_error(answer, "busy", "no memory; try again");
		goto out;
	}
	control_begin(answer, "holders");
	jw_begin(answer, "pools", '[');
	for (i = 0; i < n; i++)
		holders_of(req, &selected[i], holders, answer);
	jw_end(answer, ']');
	control_end(answer);
	free(holders);
out:
	free(selected);
}
