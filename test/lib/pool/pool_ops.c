/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pool_ops.c - the operations, and what must be true after each of them
 */
#include <errno.h>
#include <string.h>

#include "pool/pool_ops.h"

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
	int life = __atomic_load_n(&known(m, page)->life, __ATOMIC_RELAXED);

	return life < 0 ? NULL : &m->lives[life];
}

static struct model_life *present(struct model *m, unsigned int i)
{
	return &m->lives[m->life[i]];
}

/* ---- references ------------------------------------------------------------------------------ */

static void keep(struct model *m, struct model_ref ref)
{
	require(m->nrefs < MODEL_REFS);
	m->refs[m->nrefs++] = ref;
}

static struct model_ref pick(struct model *m)
{
	unsigned int i = (choose(m, 256) << 2 | (m->nrefs & 3)) % m->nrefs;
	struct model_ref ref = m->refs[i];

	m->refs[i] = m->refs[--m->nrefs];
	return ref;
}

/* One reference more, of bytes that are ours alone. */
static void begin(struct model *m, struct model_ref ref)
{
	struct model_page *mp = known(m, ref.page);

	ref.stamp = ++m->stamp;
	memcpy(ref.page->addr + ref.offset, &ref.stamp, sizeof(ref.stamp));
	if (ref.of_pool && __atomic_fetch_add(&mp->of_pool, 1, __ATOMIC_ACQ_REL) == 0)
		__atomic_fetch_add(&life_of(m, ref.page)->out, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&mp->holders, 1, __ATOMIC_ACQ_REL);
	keep(m, ref);
}

/* The library gave us a page: it was home, and is as new. */
static void taken(struct model *m, struct pp_page *page, int life)
{
	struct model_page *mp = known(m, page);

	require(__atomic_load_n(&mp->holders, __ATOMIC_ACQUIRE) == 0);
	page_is_fresh(m->zone, page);
	require(page->pool == (life < 0 ? NULL : m->lives[life].pool));
	__atomic_store_n(&mp->life, life, __ATOMIC_RELAXED);
	if (life >= 0)
		m->lives[life].allocs++;
	begin(m, (struct model_ref){ page, life >= 0, page->data_off, 0, 0 });
}

/* A part of a page, which others may have parts of: these bytes are nobody's. */
static void taken_part(struct model *m, struct pp_page *page, int life, uint32_t offset,
		       uint32_t size)
{
	uint32_t units = (size + 63) / 64;
	uint32_t bits = (units < 32 ? (1u << units) - 1 : ~0u) << offset / 64;
	struct model_page *mp = known(m, page);

	require(offset % 64 == 0 && offset + size <= pp_page_size(page));
	require(page->pool == m->lives[life].pool);
	require(!__atomic_load_n(&mp->holders, __ATOMIC_ACQUIRE) || mp->life == life);
	require(!(__atomic_fetch_or(&mp->parts, bits, __ATOMIC_ACQ_REL) & bits));
	__atomic_store_n(&mp->life, life, __ATOMIC_RELAXED);
	m->lives[life].parts = true;
	begin(m, (struct model_ref){ page, true, offset, bits, 0 });
}

static void forget(struct model *m, struct model_ref ref)
{
	struct model_page *mp = known(m, ref.page);
	struct model_life *life = life_of(m, ref.page);

	/* what nobody but us may have written is as we left it */
	require(!memcmp(ref.page->addr + ref.offset, &ref.stamp, sizeof(ref.stamp)));
	__atomic_fetch_and(&mp->parts, ~ref.parts, __ATOMIC_RELEASE);
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

/* The promise: nothing is free anywhere. Other threads may just have given some. */
static void nothing_left(struct model *m)
{
	struct pp_zone_stats z = zone_stats(m->zone);
	struct page_pool_stats s;
	unsigned int i;

	if (m->others)
		return;
	require(z.free + z.cached == 0);
	for (i = 0; i < MODEL_POOLS; i++) {
		s = pool_stats(present(m, i)->pool);
		require(s.cache + s.ring == 0);
	}
}

/* @got of @n pages, of which the limit may have left fewer. */
static void answered(struct model *m, struct model_life *life, unsigned int n, unsigned int got)
{
	uint64_t out = pool_stats(life->pool).outstanding - got;

	require(got <= n);
	if (life->limit && !m->others) {
		life->limited += out + n > life->limit;
		if (out + n > life->limit)
			n = out < life->limit ? (unsigned int)(life->limit - out) : 0;
	}
	if (got == n || (life->limit && m->others))
		return;
	life->failures++;
	nothing_left(m);
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
	answered(m, life, n, got);
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
	answered(m, life, 1, page ? 1 : 0);
	if (page)
		taken(m, page, (int)m->life[i]);
}

static void op_put_page(struct model *m, unsigned int i)
{
	struct model_ref ref;

	if (!m->nrefs)
		return;
	ref = pick(m);
	model_drop(m, &ref, 1, false);
}

/* by a thread that says that it is the owner, and is */
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
	answered(m, life, 1, page ? 1 : 0);
	if (!page)
		return;
	taken(m, page, (int)m->life[i]);
	page_pool_fragment_page(page, (int)n);
	mp = known(m, page);
	__atomic_store_n(&mp->of_pool, n, __ATOMIC_RELAXED);
	__atomic_store_n(&mp->holders, n, __ATOMIC_RELEASE);
	while (--n)
		keep(m, m->refs[m->nrefs - 1]);
}

/* a second reference beside @ref: another user of the pool's page, or one that does not know it */
static void another(struct model *m, struct model_ref ref, bool of_pool)
{
	struct model_page *mp = known(m, ref.page);

	__atomic_fetch_add(&mp->holders, 1, __ATOMIC_ACQ_REL);
	if (of_pool) {
		__atomic_fetch_add(&mp->of_pool, 1, __ATOMIC_ACQ_REL);
		page_pool_ref_page(ref.page);
	} else {
		pp_page_get(ref.page);
	}
	keep(m, ref);
	ref.of_pool = of_pool;
	ref.parts = 0;
	keep(m, ref);
}

static void op_ref_page(struct model *m, unsigned int i)
{
	struct model_ref ref;

	if (!m->nrefs || !room(m, 2))
		return;
	ref = pick(m);
	another(m, ref, ref.of_pool);
}

static void op_page_get(struct model *m, unsigned int i)
{
	if (m->nrefs && room(m, 2))
		another(m, pick(m), false);
}

static void op_alloc_frag(struct model *m, unsigned int i)
{
	unsigned int size = choose(m, 256) << choose(m, 5), offset;
	struct page_pool *pool = present(m, i)->pool;
	struct pp_page *page;

	if (!room(m, 1))
		return;
	present(m, i)->parts = true;
	page = page_pool_alloc_frag(pool, &offset, size);
	require(!page || (size && size <= pp_zone_page_size(m->zone)));
	if (page)
		taken_part(m, page, (int)m->life[i], offset, size);
}

/* a page or a part, whichever fits */
static void op_alloc(struct model *m, unsigned int i)
{
	unsigned int most = pp_zone_page_size(m->zone), offset;
	unsigned int want = choose(m, 256) << choose(m, 5), size = want;
	struct pp_page *page;

	if (!room(m, 1))
		return;
	present(m, i)->parts = true;
	page = page_pool_alloc(present(m, i)->pool, &offset, &size);
	if (!page)
		return;
	require(want && want <= most && size >= want);
	if (want * 2 > most) {
		require(offset == 0 && size == most);
		taken(m, page, (int)m->life[i]);
	} else {
		taken_part(m, page, (int)m->life[i], offset, size);
	}
}

static void op_unref_page(struct model *m, unsigned int i)
{
	struct page_pool *pool;
	struct model_ref ref;

	if (!m->nrefs)
		return;
	ref = pick(m);
	if (!ref.of_pool) {
		model_drop(m, &ref, 1, false);
		return;
	}
	pool = life_of(m, ref.page)->pool;
	forget(m, ref);
	if (!page_pool_unref_page(ref.page, 1))
		page_pool_put_unrefed_page(pool, ref.page, false);
}

/* a debug build aborts */
static void op_put_twice(struct model *m, unsigned int i)
{
	struct page_pool *pool;
	struct model_ref ref;

	if (PP_DEBUG || m->others || !m->nrefs)
		return;
	ref = pick(m);
	if (!ref.of_pool || known(m, ref.page)->holders != 1 || life_of(m, ref.page)->ended ||
	    ref.page->pp_refs != 1) {
		model_drop(m, &ref, 1, false);
		return;
	}
	pool = life_of(m, ref.page)->pool;
	model_drop(m, &ref, 1, false);
	page_pool_put_page(pool, ref.page, false);
	m->twice++;
}

static void op_alloc_reserve(struct model *m, unsigned int i)
{
	struct model_life *life = present(m, i);
	unsigned int n = 1 + choose(m, 16), got, k;
	struct page_pool_stats before = pool_stats(life->pool), after;
	struct pp_page *pages[16];

	if (!room(m, n))
		return;
	got = page_pool_alloc_reserve_bulk(life->pool, pages, n);
	after = pool_stats(life->pool);
	require(got <= n && (got == n || !after.reserve));
	/* the same as without a reserve, as far as that went */
	life->failures += after.alloc_failures - before.alloc_failures;
	life->limited += after.alloc_limited - before.alloc_limited;
	for (k = 0; k < got; k++)
		taken(m, pages[k], (int)m->life[i]);
}

static void op_trim(struct model *m, unsigned int i)
{
	unsigned int keep_most = choose(m, 64);
	struct page_pool_stats s;
	long n = page_pool_trim(present(m, i)->pool, keep_most, 1000000);

	require(n >= 0);
	s = pool_stats(present(m, i)->pool);
	require(m->others || s.cache + s.ring <= keep_most);
}

static void op_give_away(struct model *m, unsigned int i)
{
	unsigned int n = choose(m, 40);
	struct model_ref ref;

	while (m->give_away && n-- && m->nrefs) {
		ref = pick(m);
		if (!m->give_away(m, ref))
			keep(m, ref);
	}
}

static void op_zone_alloc(struct model *m, unsigned int i)
{
	unsigned int n = 1 + choose(m, 40), got, k;
	struct pp_page *pages[40];

	if (!room(m, n))
		return;
	got = pp_zone_alloc_bulk(m->zone, pages, n);
	if (got < n)
		nothing_left(m);
	for (k = 0; k < got; k++)
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
	struct page_pool_params p = { .sz = sizeof(p), .zone = m->zone };

	life->cache = p.cache_size = 1 + choose(m, 64);
	life->ring = p.pool_size = 2u << choose(m, 6);
	p.refill = 1 + choose(m, life->cache);
	life->limit = p.max_outstanding = choose(m, 3) ? 0 : 1 + choose(m, 200);
	life->reserve = p.reserve = choose(m, 3) ? 0 : choose(m, 16);
	life->pool = page_pool_create(&p);
	if (!life->pool) {
		life->reserve = p.reserve = 0; /* there are not so many */
		life->pool = page_pool_create(&p);
	}
	require(life->pool);
	m->life[i] = m->nlives++;
}

/* its pages come home later, or not before the end */
static void op_destroy(struct model *m, unsigned int i)
{
	struct page_pool_end end = { .sz = sizeof(end) };
	struct model_life *life = present(m, i);
	int err;

	if (m->nlives == MODEL_LIVES)
		return;
	op_check(m, i);
	pthread_mutex_lock(&m->ending);
	life->ended = true;
	if (choose(m, 2)) {
		err = page_pool_destroy_wait(life->pool, &end);
		require(m->others || err == (life->out ? -ETIMEDOUT : 0));
	} else {
		page_pool_destroy(life->pool);
	}
	begin_life(m, i);
	pthread_mutex_unlock(&m->ending);
}

/* One line each; twice: twice as often. */
static void (*const ops[])(struct model *m, unsigned int i) = {
	op_alloc_bulk,	  op_alloc_bulk,    op_alloc_pages,  op_alloc_frag,	 op_alloc_frag,
	op_alloc,	  op_alloc_reserve, op_put_page,     op_put_direct,	 op_put_bulk,
	op_put_bulk,	  op_put_bulk,	    op_put_as_other, op_put_wrong_owner, op_put_twice,
	op_fragment_page, op_ref_page,	    op_unref_page,   op_page_get,	 op_give_away,
	op_give_away,	  op_trim,	    op_zone_alloc,   op_zone_drain,	 op_zone_close,
	op_zone_maintain, op_check,	    op_destroy,
};

/* ---- checks ---------------------------------------------------------------------------------- */

/* More references than a user here can have: the pool cuts parts from it. */
static bool is_cut(const struct pp_page *page)
{
	return page->pp_refs > 1 << 20;
}

static void check_page(struct model *m, const struct pp_page *page)
{
	const struct model_page *mp = known(m, page);
	uint32_t foreign = mp->holders - mp->of_pool;

	require(page->owner == 0);
	/* all that count for the pool are one holder of the page, however many there are */
	if (is_cut(page)) {
		require(page->refs == foreign + 1);
		return;
	}
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
	require(page->refs == foreign + (mp->of_pool ? 1 : 0));
}

/* Pages that the pool cuts parts from, of which nobody has one. @held: a user has the page. */
static unsigned int only_cut(struct model *m, const struct model_life *life, bool *held)
{
	const struct pp_page *table = pp_zone_page_table(m->zone);
	unsigned int i, n = 0;

	for (i = 0; i < MODEL_PAGES; i++) {
		if (!is_cut(&table[i]) || table[i].pool != life->pool || m->pages[i].of_pool)
			continue;
		*held = m->pages[i].holders;
		n++;
	}
	require(n <= 1);
	return n;
}

/* Pages that the pool has, one way or another, and users have not. */
static uint64_t check_life(struct model *m, const struct model_life *life)
{
	struct page_pool_stats s = pool_stats(life->pool);
	bool held = false;
	unsigned int cut = only_cut(m, life, &held);

	require(s.outstanding == (uint64_t)life->out + cut);
	require((uint64_t)page_pool_inflight(life->pool) ==
		s.cache + s.ring + s.reserve + s.outstanding);
	require(s.cache <= life->cache && s.ring <= life->ring && s.reserve <= life->reserve);
	require(s.wrong_owner == life->wrong);
	if (!life->parts) {
		require(s.alloc_fast + s.alloc_refill + s.alloc_slow + s.alloc_reserve ==
			life->allocs);
		require(s.recycle_cached + s.recycle_ring + s.recycle_ring_full +
				s.recycle_released_ref ==
			life->finals);
		require((life->limit && m->gave) || s.alloc_failures == life->failures);
		require((life->limit && m->gave) || s.alloc_limited == life->limited);
	}
	return s.cache + s.ring + s.reserve + (cut && !held);
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
		if (m->lives[i].ended)
			continue;
		out += check_life(m, &m->lives[i]);
	}
	require(zone_stats(m->zone).double_puts == m->twice);
	zone_check(m->zone, out);
	if (m->closed)
		require(zone_stats(m->zone).cached == 0);
}

void model_init(struct model *m, const uint8_t *data, size_t size, uint64_t stream)
{
	struct pp_zone_params p = zone_params(MODEL_PAGES);
	unsigned int i;

	memset(m, 0, sizeof(*m));
	pthread_mutex_init(&m->ending, NULL);
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
	pthread_mutex_destroy(&m->ending);
	zone_end(m->zone);
}
