/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_ops.c - the operations, and what must be true after each of them
 */
#include <string.h>

#include "pool_ops.h"

static unsigned int choose(struct model *m, unsigned int n)
{
	struct choices *c = &m->from;

	if (!c->data)
		return rng_below(&c->rng, n);
	if (!c->left)
		return 0;
	c->left--;
	return *c->data++ % n;
}

static struct model_page *known(struct model *m, const struct pp_page *page)
{
	return &m->pages[page_index(m->zone, page)];
}

/* The pool that a page is from; NULL: the zone. */
static struct model_life *life_of(struct model *m, const struct pp_page *page)
{
	int life = known(m, page)->life;

	return life < 0 ? NULL : &m->lives[life];
}

static struct model_life *present(struct model *m, unsigned int i)
{
	return &m->lives[m->life[i]];
}

/* ---- references ------------------------------------------------------------------------------ */

static void keep(struct model *m, struct pp_page *page, bool of_pool)
{
	require(m->nrefs < MODEL_REFS);
	m->refs[m->nrefs++] = (struct model_ref){ page, of_pool };
}

static struct model_ref pick(struct model *m)
{
	unsigned int i = (choose(m, 256) << 2 | (m->nrefs & 3)) % m->nrefs;
	struct model_ref ref = m->refs[i];

	m->refs[i] = m->refs[--m->nrefs];
	return ref;
}

/* The library gave us a page: it was home, and is as new. */
static void taken(struct model *m, struct pp_page *page, int life)
{
	struct model_page *mp = known(m, page);

	require(__atomic_load_n(&mp->holders, __ATOMIC_ACQUIRE) == 0);
	page_is_fresh(m->zone, page);
	require(page->pool == (life < 0 ? NULL : m->lives[life].pool));
	__atomic_store_n(&mp->of_pool, life < 0 ? 0 : 1, __ATOMIC_RELAXED);
	__atomic_store_n(&mp->holders, 1, __ATOMIC_RELEASE);
	mp->life = life;
	mp->stamp = ++m->stamp;
	memcpy(page->addr + page->data_off, &mp->stamp, sizeof(mp->stamp));
	if (life >= 0) {
		m->lives[life].allocs++;
		__atomic_fetch_add(&m->lives[life].out, 1, __ATOMIC_RELAXED);
	}
	keep(m, page, life >= 0);
}

/* What nobody but us may have written is as we left it. */
static void untouched(struct model *m, const struct pp_page *page)
{
	struct model_page *mp = known(m, page);

	require(!memcmp(page->addr + page->data_off, &mp->stamp, sizeof(mp->stamp)));
}

static void forget(struct model *m, struct model_ref ref)
{
	struct model_page *mp = known(m, ref.page);
	struct model_life *life = life_of(m, ref.page);

	untouched(m, ref.page);
	if (ref.of_pool && __atomic_sub_fetch(&mp->of_pool, 1, __ATOMIC_ACQ_REL) == 0) {
		__atomic_fetch_add(&life->finals, 1, __ATOMIC_RELAXED);
		__atomic_fetch_sub(&life->out, 1, __ATOMIC_RELAXED);
	}
	require(__atomic_fetch_sub(&mp->holders, 1, __ATOMIC_ACQ_REL) >= 1);
}

void model_drop(struct model *m, const struct model_ref *refs, unsigned int n, bool bulk)
{
	struct pp_page *pages[PP_BULK_MAX];
	struct model_life *life;
	unsigned int i, k = 0;

	for (i = 0; i < n; i++) {
		life = life_of(m, refs[i].page);
		forget(m, refs[i]);
		/* page_pool_put_bulk() takes what a page's pool counts, or else a zone's page */
		if (refs[i].of_pool && !bulk)
			page_pool_put_page(life->pool, refs[i].page, false);
		else if (refs[i].of_pool || (bulk && !life))
			pages[k++] = refs[i].page;
		else
			pp_page_put(refs[i].page);
	}
	page_pool_put_bulk(pages, k);
}

/* ---- operations ------------------------------------------------------------------------------ */

static bool room(const struct model *m, unsigned int n)
{
	return m->nrefs + n <= MODEL_REFS;
}

/* A short answer is right only if there was nothing; other threads may just have given some. */
static void fewer(struct model *m, struct model_life *life)
{
	struct pp_zone_stats z = zone_stats(m->zone);

	life->failures++;
	require(m->others || z.free + z.cached == 0);
	require(m->others || pool_stats(life->pool).cache == 0);
	require(m->others || pool_stats(life->pool).ring == 0);
}

static void op_alloc_bulk(struct model *m, unsigned int i)
{
	static const unsigned int sizes[] = { 1, 2, 7, 16, 33, 64, 100, 300 };
	unsigned int n = sizes[choose(m, ARRAY_LEN(sizes))], got, k;
	struct model_life *life = present(m, i);
	struct pp_page *pages[300];

	if (!room(m, n))
		return;
	got = page_pool_alloc_bulk(life->pool, pages, n);
	require(got <= n);
	if (got < n)
		fewer(m, life);
	for (k = 0; k < got; k++)
		taken(m, pages[k], (int)m->life[i]);
}

static void op_alloc_pages(struct model *m, unsigned int i)
{
	struct model_life *life = present(m, i);
	struct pp_page *page;

	if (!room(m, 1))
		return;
	page = page_pool_alloc_pages(life->pool);
	if (page)
		taken(m, page, (int)m->life[i]);
	else
		fewer(m, life);
}

static void op_put_page(struct model *m, unsigned int i)
{
	struct model_ref ref;

	if (!m->nrefs)
		return;
	ref = pick(m);
	model_drop(m, &ref, 1, false);
}

/* by somebody who says that he is the owner, and is */
static void op_put_direct(struct model *m, unsigned int i)
{
	struct model_life *life;
	struct model_ref ref;

	if (!m->nrefs)
		return;
	ref = pick(m);
	life = life_of(m, ref.page);
	if (!ref.of_pool || life->ended) {
		model_drop(m, &ref, 1, true);
		return;
	}
	forget(m, ref);
	page_pool_recycle_direct(life->pool, ref.page);
}

/* pages of any pools and of none */
static void op_put_bulk(struct model *m, unsigned int i)
{
	struct model_ref refs[200];
	unsigned int n = choose(m, ARRAY_LEN(refs)), k;

	n = n < m->nrefs ? n : m->nrefs;
	for (k = 0; k < n; k++)
		refs[k] = pick(m);
	model_drop(m, refs, n, true);
}

/* a pool without an owner: what comes back goes where other threads' pages go */
static void op_put_as_other(struct model *m, unsigned int i)
{
	page_pool_disable_direct_recycling(present(m, i)->pool);
	op_put_bulk(m, i);
	page_pool_enable_direct_recycling(present(m, i)->pool);
}

/* a debug build aborts */
static void op_put_wrong_owner(struct model *m, unsigned int i)
{
	struct model_life *life;
	struct model_ref ref;

	if (PP_DEBUG || !m->nrefs)
		return;
	ref = pick(m);
	life = life_of(m, ref.page);
	if (!ref.of_pool || life->ended) {
		model_drop(m, &ref, 1, true);
		return;
	}
	page_pool_disable_direct_recycling(life->pool);
	forget(m, ref);
	life->wrong++;
	page_pool_put_page(life->pool, ref.page, true);
	page_pool_enable_direct_recycling(life->pool);
}

/* one fresh page for several users */
static void op_fragment_page(struct model *m, unsigned int i)
{
	struct model_life *life = present(m, i);
	unsigned int n = 1 + choose(m, 5);
	struct model_page *mp;
	struct pp_page *page;

	if (!room(m, n))
		return;
	page = page_pool_alloc_pages(life->pool);
	if (!page) {
		fewer(m, life);
		return;
	}
	taken(m, page, (int)m->life[i]);
	page_pool_fragment_page(page, (int)n);
	mp = known(m, page);
	__atomic_store_n(&mp->of_pool, n, __ATOMIC_RELAXED);
	__atomic_store_n(&mp->holders, n, __ATOMIC_RELEASE);
	while (--n)
		keep(m, page, true);
}

static void op_ref_page(struct model *m, unsigned int i)
{
	struct model_page *mp;
	struct model_ref ref;

	if (!m->nrefs || !room(m, 1))
		return;
	ref = pick(m);
	mp = known(m, ref.page);
	__atomic_fetch_add(&mp->holders, 1, __ATOMIC_ACQ_REL);
	if (ref.of_pool) {
		__atomic_fetch_add(&mp->of_pool, 1, __ATOMIC_ACQ_REL);
		page_pool_ref_page(ref.page);
	} else {
		pp_page_get(ref.page);
	}
	keep(m, ref.page, ref.of_pool);
	keep(m, ref.page, ref.of_pool);
}

/* somebody who does not know the pool */
static void op_page_get(struct model *m, unsigned int i)
{
	struct model_ref ref;

	if (!m->nrefs || !room(m, 1))
		return;
	ref = pick(m);
	__atomic_fetch_add(&known(m, ref.page)->holders, 1, __ATOMIC_ACQ_REL);
	pp_page_get(ref.page);
	keep(m, ref.page, ref.of_pool);
	keep(m, ref.page, false);
}

static void op_give_away(struct model *m, unsigned int i)
{
	unsigned int n = choose(m, 40);
	struct model_ref ref;

	while (m->give_away && n-- && m->nrefs) {
		ref = pick(m);
		if (!m->give_away(m, ref))
			keep(m, ref.page, ref.of_pool);
	}
}

static void op_zone_alloc(struct model *m, unsigned int i)
{
	unsigned int n = 1 + choose(m, 40), k;
	struct pp_page *pages[40];

	if (!room(m, n))
		return;
	n = pp_zone_alloc_bulk(m->zone, pages, n);
	for (k = 0; k < n; k++)
		taken(m, pages[k], -1);
}

static void op_zone_drain(struct model *m, unsigned int i)
{
	drain_done(pp_zone_drain_all(m->zone, 100000));
}

static void op_zone_close(struct model *m, unsigned int i)
{
	if (m->closed) {
		pp_zone_pcp_enable(m->zone);
		m->closed--;
	} else if (drain_done(pp_zone_pcp_disable(m->zone, 100000))) {
		m->closed++;
	}
}

static void op_zone_maintain(struct model *m, unsigned int i)
{
	pp_zone_maintain(m->zone);
}

static void op_check(struct model *m, unsigned int i)
{
	if (!m->others)
		model_check(m);
}

static void begin_life(struct model *m, unsigned int i)
{
	struct model_life *life = &m->lives[m->nlives];

	m->life[i] = m->nlives++;
	life->cache = 1 + choose(m, 64);
	life->ring = 2u << choose(m, 6);
	life->pool = pool_new(m->zone, life->ring, life->cache, 1 + choose(m, life->cache));
}

/* its pages come home later, or not before the end */
static void op_destroy(struct model *m, unsigned int i)
{
	if (m->nlives == MODEL_LIVES)
		return;
	op_check(m, i);
	present(m, i)->ended = true;
	page_pool_destroy(present(m, i)->pool);
	begin_life(m, i);
}

/* One line each; twice: twice as often. */
static void (*const ops[])(struct model *m, unsigned int i) = {
	op_alloc_bulk,	  op_alloc_bulk, op_alloc_pages, op_put_page,	   op_put_direct,
	op_put_bulk,	  op_put_bulk,	 op_put_bulk,	 op_put_as_other,  op_put_wrong_owner,
	op_fragment_page, op_ref_page,	 op_page_get,	 op_give_away,	   op_give_away,
	op_zone_alloc,	  op_zone_drain, op_zone_close,	 op_zone_maintain, op_check,
	op_destroy,
};

/* ---- checks ---------------------------------------------------------------------------------- */

static void check_page(struct model *m, const struct pp_page *page)
{
	const struct model_page *mp = known(m, page);
	uint32_t foreign = mp->holders - mp->of_pool;

	require(page->owner == 0);
	if (!mp->holders) {
		require(page->refs == 1 && page->pp_refs == 1);
		return;
	}
	if (mp->of_pool) {
		require(page->pool == m->lives[mp->life].pool);
		require((uint32_t)page->pp_refs == mp->of_pool);
	} else {
		require(!page->pool && page->pp_refs == 1);
	}
	/* whoever counts for the pool is one holder of the page, however many there are */
	require(page->refs == foreign + (mp->of_pool ? 1 : 0));
}

static void check_life(struct model *m, const struct model_life *life)
{
	struct page_pool_stats s;

	if (life->ended)
		return;
	s = pool_stats(life->pool);
	pool_check(life->pool, (uint64_t)life->out);
	require(s.alloc_fast + s.alloc_refill + s.alloc_slow == life->allocs);
	require(s.recycle_cached + s.recycle_ring + s.recycle_ring_full + s.recycle_released_ref ==
		life->finals);
	require(s.alloc_failures == life->failures);
	require(s.wrong_owner == life->wrong);
	require(s.cache <= life->cache && s.ring <= life->ring);
}

void model_check(struct model *m)
{
	const struct pp_page *table = pp_zone_page_table(m->zone);
	uint64_t out = 0;
	unsigned int i;

	for (i = 0; i < MODEL_PAGES; i++) {
		check_page(m, &table[i]);
		out += m->pages[i].holders > 0;
	}
	for (i = 0; i < m->nlives; i++) {
		check_life(m, &m->lives[i]);
		if (!m->lives[i].ended) {
			struct page_pool_stats s = pool_stats(m->lives[i].pool);

			out += s.cache + s.ring;
		}
	}
	zone_check(m->zone, out);
	if (m->closed)
		require(zone_stats(m->zone).cached == 0);
}

void model_init(struct model *m, const uint8_t *data, size_t size, uint64_t stream)
{
	struct pp_zone_params p = zone_params(MODEL_PAGES);
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->from = (struct choices){ data, size, rng_init(stream) };
	p.headroom = 64;
	p.batch = 8;
	p.high = 16;
	p.high_max = choose(m, 2) ? 48 : 0;
	m->zone = zone_new(&p);
	for (i = 0; i < MODEL_POOLS; i++)
		begin_life(m, i);
}

bool model_step(struct model *m)
{
	unsigned int what;

	if (m->from.data && !m->from.left)
		return false;
	what = choose(m, ARRAY_LEN(ops) * MODEL_POOLS);
	ops[what / MODEL_POOLS](m, what % MODEL_POOLS);
	m->steps++;
	return true;
}

void model_fini(struct model *m)
{
	unsigned int i;

	model_check(m);
	while (m->nrefs) {
		m->nrefs--;
		model_drop(m, &m->refs[m->nrefs], 1, m->nrefs & 1);
	}
	model_check(m);
	for (i = 0; i < MODEL_POOLS; i++)
		page_pool_destroy(present(m, i)->pool);
	while (m->closed--)
		pp_zone_pcp_enable(m->zone);
	zone_end(m->zone);
}
