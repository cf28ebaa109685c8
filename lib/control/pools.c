/* SPDX-License-Identifier: BSD-3-Clause */
/* control/pools.c - the verbs for pools: trim and holders */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/verbs.h"
#include "pool/page_pool.h"

#define POOLS_MAX 256u

/*
 * A request works on a list of struct pool_ended: pools that were there when it came, and that may
 * end or be freed at any time. ended_ns is 0 for a pool that was live then.
 */

/* The pool, pinned, if it has not ended. */
static struct page_pool *find_pool(const struct pool_ended *selected)
{
	struct page_pool *pool = NULL;

	while ((pool = pool_next(pool)) && pool->id != selected->id)
		;
	return pool;
}

static bool pool_matches(const char *name, uint64_t id, const char *word)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	return !word || !strcmp(name, word) || !strcmp(text, word);
}

/*
 * The pools that @word means, allocated; @ended: also those that have ended. None: NULL, and the
 * answer says so.
 */
static struct pool_ended *select_pools(const char *word, bool ended, unsigned int *n,
				       struct json_writer *answer)
{
	struct pool_ended *s = calloc(POOLS_MAX, sizeof(*s));
	struct page_pool *pool = NULL;
	unsigned int i, last;

	*n = 0;
	if (!s) {
		control_error(answer, "busy", "no memory; try again");
		return NULL;
	}
	while ((pool = pool_next(pool))) {
		if (!pool_matches(pool->name, pool->id, word) || *n == POOLS_MAX)
			continue;
		s[*n].id = pool->id;
		memcpy(s[(*n)++].name, pool->name, sizeof(pool->name));
	}
	last = ended ? min(*n + pools_ended(s + *n, POOLS_MAX - *n), POOLS_MAX) : *n;
	for (i = *n; i < last; i++) {
		if (pool_matches(s[i].name, s[i].id, word))
			s[(*n)++] = s[i];
	}
	if (*n)
		return s;
	if (word)
		control_error(answer, "not_found",
			      "pool %s: there is none of that name or id; see stat", word);
	else
		control_error(answer, "not_found", "this process has no pool");
	free(s);
	return NULL;
}

/* ---- trim ------------------------------------------------------------------------------------ */

static void trim_one(const struct control_request *req, const struct pool_ended *selected,
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
	struct pool_ended *selected;
	unsigned int n, i;

	selected = select_pools(req->word[0], false, &n, answer);
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

/* What a look at a pool leaves, so that it is told of after its lock is released. */
struct found {
	uint64_t ages[PP_HOLDER_AGES];
	bool tracked;
	unsigned int n;
	unsigned int room;
	struct found_holder {
		struct pp_holder holder; /* its page may be gone */
		uint64_t zone; /* id */
		uint64_t page; /* its number in the zone */
	} * of;
	struct pp_holder *holders; /* room for as many */
};

/* Of a page of @pool. Not by page->zone: an acceptor may be writing it. */
static const struct pp_zone *zone_of(const struct page_pool *pool, const struct pp_page *page)
{
	const struct pool_client *c = pool->clients;

	while (!zone_has(c->client.zone, page))
		c++;
	return c->client.zone;
}

/* The caller keeps @pool and its zone. */
static void look_at_holders(void *arg, const struct page_pool *pool)
{
	struct found *found = arg;
	const struct pp_page *page;
	const struct pp_zone *zone;
	unsigned int i;

	found->tracked = READ_ONCE(pool->holders);
	if (!found->tracked) /* otherwise returns are not written down, and what is there is old */
		return;
	found->n = page_pool_holders(pool, found->holders, found->room, found->ages);
	for (i = 0; i < found->n; i++) {
		page = found->holders[i].page;
		zone = zone_of(pool, page);
		found->of[i].holder = found->holders[i];
		found->of[i].zone = zone->id;
		found->of[i].page = (uint64_t)(page - zone->pages);
	}
}

void control_add_thread(struct json_writer *answer, uint64_t tid)
{
	char path[64], name[32] = "";
	ssize_t n;
	int fd;

	jw_count(answer, "thread", tid);
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

static void add_holder(struct json_writer *answer, const struct found_holder *found)
{
	const struct pp_holder *holder = &found->holder;
	char site[256];

	jw_begin(answer, NULL, '{');
	jw_count(answer, "age_ns", holder->age_ns);
	jw_count(answer, "zone", found->zone);
	jw_count(answer, "page", found->page);
	control_add_thread(answer, holder->thread);
	jw_text(answer, "site", pp_holder_site(holder, site, sizeof(site)));
	jw_bool(answer, "in_driver", holder->driver);
	jw_end(answer, '}');
}

static void add_found(struct json_writer *answer, const struct found *found)
{
	unsigned int i;

	jw_bool(answer, "tracked", found->tracked);
	if (!found->tracked)
		return;
	jw_begin(answer, "ages", '[');
	for (i = 0; i < PP_HOLDER_AGES; i++)
		jw_count(answer, NULL, found->ages[i]);
	jw_end(answer, ']');
	jw_begin(answer, "holders", '[');
	for (i = 0; i < found->n; i++)
		add_holder(answer, &found->of[i]);
	jw_end(answer, ']');
}

/* Live pools only: an ended one hands out no page that could be tagged. -errno and pp_error(). */
static int look_at_live(const struct control_request *req, const struct pool_ended *selected,
			struct found *found)
{
	struct page_pool *pool = find_pool(selected);
	int err;

	if (!pool)
		return -ENOENT;
	/* what was tagged is told before the tags go */
	err = req->track == CONTROL_ON ? page_pool_holders_enable(pool, true) : 0;
	look_at_holders(found, pool);
	if (req->track == CONTROL_OFF)
		page_pool_holders_enable(pool, false);
	pool_unpin(pool);
	return err;
}

static void holders_of(const struct control_request *req, const struct pool_ended *selected,
		       struct found *found, struct json_writer *answer)
{
	bool ended = selected->ended_ns;
	int err = 0;

	found->n = 0;
	found->tracked = false;
	if (!ended)
		err = look_at_live(req, selected, found);
	if (err == -ENOENT) { /* it ended meanwhile */
		ended = true;
		err = 0;
	}
	if (ended && !pool_ended_look(selected->id, look_at_holders, found))
		return;
	jw_begin(answer, NULL, '{');
	jw_count(answer, "id", selected->id);
	jw_text(answer, "name", selected->name);
	if (ended)
		jw_bool(answer, "ended", true);
	if (err)
		jw_text(answer, "failed", pp_error());
	add_found(answer, found);
	jw_end(answer, '}');
}

void control_holders(const struct control_request *req, struct json_writer *answer)
{
	struct found found = { .room = (unsigned int)req->oldest };
	struct pool_ended *selected;
	unsigned int n, i;

	selected = select_pools(req->word[0], true, &n, answer);
	if (!selected)
		return;
	found.of = calloc(found.room, sizeof(*found.of));
	found.holders = calloc(found.room, sizeof(*found.holders));
	if (!found.of || !found.holders) {
		control_error(answer, "busy", "no memory; try again");
		goto out;
	}
	control_begin(answer, "holders");
	jw_begin(answer, "pools", '[');
	for (i = 0; i < n; i++)
		holders_of(req, &selected[i], &found, answer);
	jw_end(answer, ']');
	control_end(answer);
out:
	free(found.holders);
	free(found.of);
	free(selected);
}
