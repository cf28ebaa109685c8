/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool/holders.c - the thread, the place and the time that took a page, if the pool writes it down
 *
 * The tags lie in a table of their own beside the zone's pages, so that a pool without them pays
 * nothing: neither room in struct pp_page nor a store.
 */
#include <stdio.h>

#include <pagepool/share.h>

#include "pool/page_pool.h"

struct holder_tag {
	uint64_t when_ns; /* 0: the page has no user; atomic, like the others */
	const void *site;
	uint64_t thread;
};

static struct holder_tag *tag_in(const struct pp_zone *zone, const struct pp_page *page)
{
	/* pairs with the release in zone_make_tags() */
	struct holder_tag *tags = load_acquire(&zone->tags);

	return tags ? tags + (page - zone->pages) : NULL;
}

static struct holder_tag *tag_of(const struct pp_page *page)
{
	return page->zone ? tag_in(page->zone, page) : NULL;
}

void __coldpath pool_tag(struct pp_page *const *pages, unsigned int n, const void *site)
{
	uint64_t now = now_ns(), thread = thread_id();
	struct holder_tag *tag;
	unsigned int i;

	for (i = 0; i < n; i++) {
		tag = tag_of(pages[i]);
		if (!tag)
			continue;
		WRITE_ONCE(tag->site, site);
		WRITE_ONCE(tag->thread, thread);
		WRITE_ONCE(tag->when_ns, now);
	}
}

void __coldpath pool_untag(struct pp_page *const *pages, unsigned int n)
{
	struct holder_tag *tag;
	unsigned int i;

	for (i = 0; i < n; i++) {
		tag = tag_of(pages[i]);
		if (tag)
			WRITE_ONCE(tag->when_ns, 0);
	}
}

/* ---- on and off ------------------------------------------------------------------------------ */

/* Tags of pages that were taken when they were on, and came home when they were off. */
static void forget_old_tags(const struct page_pool *pool)
{
	const struct pool_client *c;
	const struct pp_zone *zone;
	struct holder_tag *tag;
	struct pp_page *page;
	uint64_t k;

	for_each_client(c, pool)
	{
		zone = c->client.zone;
		for (k = 0; k < zone->managed; k++) {
			page = &zone->pages[k];
			tag = tag_in(zone, page);
			if (tag && READ_ONCE(page->pool) == pool)
				WRITE_ONCE(tag->when_ns, 0);
		}
	}
}

int page_pool_holders_enable(struct page_pool *pool, bool on)
{
	struct pool_client *c;
	int err;

	if (!pool->zone)
		return pp_set_error(ENOTSUP, "pool %s: a provider knows its pages, we do not",
				    pool->name);
	for_each_client(c, pool)
	{
		err = on ? zone_make_tags(c->client.zone, sizeof(struct holder_tag)) : 0;
		if (err)
			return err;
	}
	if (on && !READ_ONCE(pool->holders))
		forget_old_tags(pool);
	WRITE_ONCE(pool->holders, on);
	if (on)
		__atomic_or_fetch(&pool->slow_reasons, POOL_HOLDERS, __ATOMIC_RELEASE);
	else
		__atomic_and_fetch(&pool->slow_reasons, ~POOL_HOLDERS, __ATOMIC_RELEASE);
	return 0;
}

/* ---- the holders of a pool ------------------------------------------------------------------- */

static const uint64_t ages_ns[PP_HOLDER_AGES - 1] = {
	1000000ull, 10000000ull, 100000000ull, 1000000000ull, 10000000000ull, 100000000000ull,
};

static unsigned int age_class(uint64_t age_ns)
{
	unsigned int i = 0;

	while (i < PP_HOLDER_AGES - 1 && age_ns >= ages_ns[i])
		i++;
	return i;
}

/* Into @out, oldest first, of which there are @have and room for @n. */
static unsigned int insert_by_age(struct pp_holder *out, unsigned int have, unsigned int n,
				  const struct pp_holder *holder)
{
	unsigned int i = have;

	if (have == n && (!n || out[n - 1].age_ns >= holder->age_ns))
		return have;
	if (have == n)
		i = n - 1;
	for (; i && out[i - 1].age_ns < holder->age_ns; i--)
		out[i] = out[i - 1];
	out[i] = *holder;
	return min(have + 1, n);
}

/*
 * Call @found with each page of @pool that is out and has a tag. An ended pool is walked without
 * tags, too: all pages that name it are out, and only place, thread and age are unknown.
 */
static void walk_holders(const struct page_pool *pool,
			 void (*found)(void *arg, const struct pp_holder *holder), void *arg)
{
	bool ended = READ_ONCE(pool->owner) == NO_OWNER && READ_ONCE(pool->ring.closed);
	const struct holder_tag *tag;
	uint64_t now = now_ns(), when, k;
	struct pp_holder holder;
	const struct pool_client *c;
	const struct pp_zone *zone;
	struct pp_page *page;

	for_each_client(c, pool)
	{
		zone = c->client.zone;
		for (k = 0; k < zone->managed; k++) {
			page = &zone->pages[k];
			/* another process's pool may have the same address */
			if (READ_ONCE(page->pool) != pool ||
			    pp_zone_holder(zone, page) != pp_zone_self(zone))
				continue;
			/* not by page->zone: an acceptor may be writing it */
			tag = tag_in(zone, page);
			when = tag ? READ_ONCE(tag->when_ns) : 0;
			if (!when && !ended)
				continue;
			holder = (struct pp_holder){
				.page = page,
				.age_ns = when && now > when ? now - when : 0,
				.site = when ? READ_ONCE(tag->site) : NULL,
				.thread = when ? READ_ONCE(tag->thread) : 0,
				.driver = READ_ONCE(page->owner),
			};
			found(arg, &holder);
		}
	}
}

struct oldest {
	struct pp_holder *out;
	unsigned int have;
	unsigned int n;
	uint64_t *ages;
	uint64_t *in_drivers;
};

static void keep_oldest(void *arg, const struct pp_holder *holder)
{
	struct oldest *o = arg;

	o->have = insert_by_age(o->out, o->have, o->n, holder);
	if (o->ages)
		o->ages[age_class(holder->age_ns)]++;
	if (o->in_drivers)
		*o->in_drivers += !!holder->driver;
}

unsigned int pool_find_holders(const struct page_pool *pool, struct pp_holder *out, unsigned int n,
			       uint64_t *ages, uint64_t *in_drivers)
{
	struct oldest o = { .out = out, .n = n, .ages = ages, .in_drivers = in_drivers };

	walk_holders(pool, keep_oldest, &o);
	return o.have;
}

static void add_to_thread(void *arg, const struct pp_holder *holder)
{
	struct pool_threads *t = arg;
	unsigned int i = 0;

	t->in_drivers += !!holder->driver;
	while (i < t->n && t->of[i].thread != holder->thread)
		i++;
	if (i == POOL_THREADS) {
		t->others++;
		return;
	}
	t->n = max(t->n, i + 1);
	t->of[i].thread = holder->thread;
	t->of[i].pages++;
	t->of[i].oldest_ns = max(t->of[i].oldest_ns, holder->age_ns);
}

void pool_threads(struct pool_threads *threads, const struct page_pool *pool)
{
	memset(threads, 0, sizeof(*threads));
	walk_holders(pool, add_to_thread, threads);
}

unsigned int page_pool_holders(const struct page_pool *pool, struct pp_holder *out, unsigned int n,
			       uint64_t ages[PP_HOLDER_AGES])
{
	if (ages)
		memset(ages, 0, PP_HOLDER_AGES * sizeof(*ages));
	return pool_find_holders(pool, out, n, ages, NULL);
}

const char *pp_holder_site(const struct pp_holder *holder, char *buffer, size_t size)
{
	return site_text(holder->site, buffer, size);
}
