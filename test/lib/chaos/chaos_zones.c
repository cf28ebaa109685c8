/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chaos_zones.c - a zone of every policy and kind, and the ledger of each while nothing runs
 */
#include <errno.h>
#include <string.h>

#include "chaos/chaos.h"

#define FEW    900u /* pages: less than the threads would hold */
#define BLOCKS (1024u + 300u) /* a block and a part of one */

static const struct kind {
	const char *label;
	const char *policy;
	uint32_t flags;
	uint64_t pages;
	bool ranges;
	bool tuned;
	bool set;
} kinds[] = {
	{ "trylock signal-safe", "trylock", PP_ZONE_SIGNAL_SAFE, .pages = FEW },
	{ "trylock lazy", "trylock", PP_ZONE_LAZY, BLOCKS, .ranges = true },
	{ "trylock per-thread", "trylock", PP_ZONE_PER_THREAD, FEW, .tuned = true },
	{ "trylock traced", "trylock", PP_ZONE_TRACE, BLOCKS, .ranges = true },
	{ "spin", "spin", 0, FEW, .tuned = true },
	{ "spin lazy per-thread", "spin", PP_ZONE_LAZY | PP_ZONE_PER_THREAD, .pages = BLOCKS },
	{ "irqsave signal-safe", "irqsave", PP_ZONE_SIGNAL_SAFE, .pages = FEW },
	{ "irqsave lazy signal-safe", "irqsave",
	  PP_ZONE_LAZY | PP_ZONE_SIGNAL_SAFE | PP_ZONE_ACCEPT_THREAD, BLOCKS, .ranges = true },
	{ "softmask signal-safe", "softmask", PP_ZONE_SIGNAL_SAFE, .pages = FEW },
	{ "softmask lazy", "softmask", PP_ZONE_LAZY | PP_ZONE_ACCEPT_THREAD, .pages = BLOCKS },
	{ "rcu", "rcu", 0, FEW, .tuned = true },
	{ "rcu lazy", "rcu", PP_ZONE_LAZY, BLOCKS, .ranges = true },
	{ "rseq signal-safe", "rseq", PP_ZONE_SIGNAL_SAFE, .pages = FEW },
	{ "rseq lazy", "rseq", PP_ZONE_LAZY, BLOCKS, .ranges = true },
	{ "request", "request", 0, .pages = FEW },
	{ "llist signal-safe", "llist", PP_ZONE_SIGNAL_SAFE, .pages = FEW },
	{ "llist lazy", "llist", PP_ZONE_LAZY, BLOCKS, .ranges = true },
	{ "set of trylock", "trylock", 0, FEW, .set = true },
};

bool chaos_runs(const char *policy, uint32_t flags)
{
	struct pp_zone_params p = chaos_params(policy, flags, 64);
	struct pp_zone *zone;

	if (pp_policy_check(policy))
		return false;
	zone = pp_zone_create(&p);
	require(zone || errno == ENOTSUP);
	require(!pp_zone_destroy(zone));
	return zone;
}

struct pp_zone_params chaos_params(const char *policy, uint32_t flags, uint64_t pages)
{
	struct pp_zone_params p = zone_params(pages);

	p.name = "chaos";
	p.policy = policy;
	p.flags = flags;
	p.headroom = 64;
	p.batch = 16;
	p.high = 48;
	/* a holder that waits for a CPU is waited for; an idle owner, with request, is not */
	p.drain_us = strcmp(policy, "request") ? 5000000 : 200;
	p.idle_ms = flags & PP_ZONE_LAZY ? 5 : 0;
	return p;
}

static void new_zone(struct chaos_zone *z, const struct kind *kind)
{
	struct pp_zone_params p = chaos_params(kind->policy, kind->flags, kind->pages);
	struct pp_zone_set_params sp = { .sz = sizeof(sp), .zone = &p, .nodes = 1 };
	unsigned int i;

	if (kind->tuned)
		p.high_max = 128;
	if (kind->set) {
		z->set = pp_zone_set_create(&sp);
		require(z->set);
		z->zone = pp_zone_set_zone(z->set, 0);
	} else {
		z->zone = zone_new(&p);
	}
	z->size = pp_zone_pages(z->zone);
	z->label = kind->label;
	z->flags = kind->flags;
	z->ranges = kind->ranges;
	z->judged = strcmp(kind->policy, "request");
	z->user = calloc(kind->pages, sizeof(*z->user));
	require(z->user);
	for (i = 0; i < CHAOS_THREADS; i++)
		z->most[i] = -1;
}

void chaos_zones_new(void)
{
	const char *only = getenv("PP_CHAOS_ZONES");
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		if (only && !strstr(kinds[i].label, only))
			continue;
		if (chaos_runs(kinds[i].policy, kinds[i].flags))
			new_zone(&chaos_zones[chaos_nzones++], &kinds[i]);
		else
			printf("# %s does not run here: %s\n", kinds[i].label, pp_error());
	}
	require(chaos_nzones);
}

/* @exact: no pool has any page of it */
static bool adds_up(struct chaos_zone *z, bool exact)
{
	struct pp_audit a = { .sz = sizeof(a) };
	struct pp_zone_stats s = zone_stats(z->zone);
	uint64_t out = chaos_out(z);

	require(!pp_zone_audit(z->zone, &a));
	return s.free + s.cached + s.in_flight + s.isolated + s.unaccepted == s.managed &&
	       s.managed == pp_zone_pages(z->zone) && a.double_free == z->twice &&
	       s.double_puts == z->twice && a.leaked >= out && s.in_flight == a.leaked &&
	       s.isolated == 0 && (!exact || a.leaked == out);
}

static void tell(struct chaos_zone *z)
{
	struct pp_audit a = { .sz = sizeof(a) };
	struct pp_zone_stats s = zone_stats(z->zone);

	require(!pp_zone_audit(z->zone, &a));
	fprintf(stderr,
		"chaos: %s: %llu free, %llu cached, %llu in flight, %llu isolated, %llu "
		"unaccepted of %llu; %llu with users; audit: %llu leaked, %llu twice\n",
		z->label, (unsigned long long)s.free, (unsigned long long)s.cached,
		(unsigned long long)s.in_flight, (unsigned long long)s.isolated,
		(unsigned long long)s.unaccepted, (unsigned long long)s.managed,
		(unsigned long long)chaos_out(z), (unsigned long long)a.leaked,
		(unsigned long long)a.double_free);
}

/* Every page that no user has can be had now, and none that one has. */
static void take_all(struct chaos_zone *z)
{
	uint64_t pages = pp_zone_pages(z->zone), out = chaos_out(z), n = 0, i;
	struct pp_page **all = calloc(pages + PP_BULK_MAX, sizeof(struct pp_page *));
	double end = now_s() + 10;

	require(all);
	do {
		n += pp_zone_alloc_bulk(z->zone, all + n, PP_BULK_MAX);
		require(n <= pages - out);
		/* a thread of the zone's may be at accepting the rest */
	} while (n < pages - out && z->judged && now_s() < end);
	for (i = 0; i < n; i++)
		chaos_got(z, all[i], 0, UINT32_MAX);
	if (z->judged && n != pages - out)
		tell(z);
	require(!z->judged || n == pages - out);
	for (i = 0; i < n; i++)
		chaos_lose(z, all[i], 0);
	for (i = 0; i < n; i += PP_BULK_MAX)
		pp_zone_free_bulk(z->zone, all + i,
				  (unsigned int)(n - i < PP_BULK_MAX ? n - i : PP_BULK_MAX));
	free(all);
}

static void give(struct pp_zone *zone, struct pp_page *page, unsigned int how)
{
	struct pp_list list = PP_LIST_INIT;

	switch (how) {
	case 0:
		page_pool_put_bulk(&page, 1);
		break;
	case 1:
		pp_page_put(page);
		break;
	case 2:
		pp_zone_free_order_bulk(zone, &page, 1);
		break;
	case 3:
		pp_zone_free_contig(zone, page, 1);
		break;
	default:
		pp_list_add_tail(&list, page);
		pp_zone_free_bulk_list(zone, &list);
	}
}

/*
 * Given back twice by calls that mark a page and look: the second is refused and counted, and
 * take_all() is given the page once. Debug builds abort instead.
 */
static void give_twice(struct chaos_zone *z)
{
	struct rng rng = rng_init(2000 + z->twice);
	struct pp_page *page;

	if (PP_DEBUG || !pp_zone_alloc_bulk(z->zone, &page, 1))
		return;
	give(z->zone, page, rng_below(&rng, 5));
	give(z->zone, page, rng_below(&rng, 4));
	z->twice++;
}

void chaos_zones_check(bool pools_ended)
{
	struct chaos_zone *z;
	double end;
	bool ok;

	for (z = chaos_zones; z < chaos_zones + chaos_nzones; z++) {
		end = now_s() + 10;
		/* a thread of the zone's may be at accepting a block */
		while (!(ok = adds_up(z, pools_ended)) && z->flags & PP_ZONE_ACCEPT_THREAD &&
		       now_s() < end)
			sleep_us(1000);
		if (!ok)
			tell(z);
		require(ok);
		if (pools_ended && !getenv("PP_CHAOS_ONCE"))
			give_twice(z);
		if (pools_ended)
			take_all(z);
	}
}

void chaos_zones_end(void)
{
	struct chaos_zone *z;

	for (z = chaos_zones; z < chaos_zones + chaos_nzones; z++) {
		require(chaos_out(z) == 0);
		require(z->taken == 0);
		require(z->set ? !pp_zone_set_destroy(z->set) : !pp_zone_destroy(z->zone));
		free(z->user);
	}
}
