/* SPDX-License-Identifier: BSD-3-Clause */
/* fault.c - each N-th allocation fails, once that is set */
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/lock.h"

static const char *const names[NR_FAULTS + 1] = { "page_pool_alloc", "zone_alloc", NULL };

/* All atomic. @every is written last: 0 while the others change. */
static struct fault {
	uint64_t every __line_aligned;
	uint64_t after;
	uint64_t thread;
	uint64_t calls;
	uint64_t injected;
	void (*arm)(bool on); /* NULL: no pool or zone was created yet */
} faults[NR_FAULTS];

__thread bool zone_fault;

const char *const *pp_fault_names(void)
{
	return names;
}

bool __coldpath fault_hit(enum fault_point point)
{
	struct fault *f = &faults[point];
	uint64_t every = load_acquire(&f->every); /* pairs with the release in set_point() */
	uint64_t thread = READ_ONCE(f->thread), after = READ_ONCE(f->after), n;

	if (!every || (thread && thread != thread_id()))
		return false;
	n = count_add_shared(f->calls, 1) + 1;
	if (n <= after || (n - after) % every)
		return false;
	count_add_shared(f->injected, 1);
	return true;
}

bool __coldpath zone_fault_hit(uint64_t *failures, unsigned int n)
{
	zone_fault = n && fault_hit(FAULT_ZONE_ALLOC);
	count_add_shared(*failures, zone_fault);
	return zone_fault;
}

/* ---- on and off ------------------------------------------------------------------------------ */

static bool is_set(enum fault_point point)
{
	return load_acquire(&faults[point].every);
}

static struct pp_lock arming; /* one thread at a time, so that the last setting stays */

static void arm_point(enum fault_point point)
{
	pp_lock(&arming);
	if (faults[point].arm)
		faults[point].arm(is_set(point));
	pp_unlock(&arming);
}

void fault_joined(enum fault_point point, void (*arm_all)(bool on))
{
	struct fault *f = &faults[point];

	if (unlikely(!READ_ONCE(f->arm))) {
		/* a setting before this hold is seen below, one after it sees @arm_all */
		pp_lock(&arming);
		WRITE_ONCE(f->arm, arm_all);
		pp_unlock(&arming);
	}
	/* @arm_all visits the registry after set_point(): it met the caller, or is_set() is true */
	if (unlikely(is_set(point)))
		arm_point(point);
}

static struct fault *find_point(const char *at)
{
	unsigned int i;

	for (i = 0; i < NR_FAULTS; i++)
		if (!strcmp(names[i], at))
			return &faults[i];
	pp_set_error(EINVAL, "fault: \"%s\" is not known; there are page_pool_alloc and zone_alloc",
		     at);
	return NULL;
}

static void set_point(struct fault *f, uint64_t every, uint64_t after, uint64_t thread)
{
	store_release(&f->every, 0);
	WRITE_ONCE(f->after, after);
	WRITE_ONCE(f->thread, thread);
	WRITE_ONCE(f->calls, 0);
	WRITE_ONCE(f->injected, 0);
	store_release(&f->every, every); /* pairs with the acquire in fault_hit() */
}

int pp_fault_set(const char *at, uint64_t every, uint64_t after, uint64_t thread)
{
	struct fault *f = find_point(at);

	if (!f)
		return -EINVAL;
	if (every)
		set_point(f, every, after, thread == PP_FAULT_SELF ? thread_id() : thread);
	else
		store_release(&f->every, 0); /* the counters stay to be read */
	arm_point((enum fault_point)(f - faults));
	return 0;
}

int pp_fault_get_stats(const char *at, struct pp_fault_stats *stats)
{
	const struct fault *f = find_point(at);
	struct pp_fault_stats s;

	if (!f)
		return -EINVAL;
	s = (struct pp_fault_stats){
		.every = READ_ONCE(f->every),
		.after = READ_ONCE(f->after),
		.thread = READ_ONCE(f->thread),
		.calls = READ_ONCE(f->calls),
		.injected = READ_ONCE(f->injected),
	};
	return stats_copy(stats, &s, sizeof(s));
}

/* ---- PAGEPOOL_FAULT=POINT:every=N[,after=M][;...] -------------------------------------------- */

#define SYNTAX "PAGEPOOL_FAULT: \"%s\"; write page_pool_alloc:every=N,after=M, or zone_alloc"

static int parse_point(const char *text)
{
	unsigned long long every = 0, after = 0;
	int end = 0, more = 0;
	struct fault *f;
	char at[32];

	if (sscanf(text, "%31[a-z_]:every=%18llu%n", at, &every, &end) != 2 || !every)
		return pp_set_error(EINVAL, SYNTAX, text);
	if (text[end] &&
	    (sscanf(text + end, ",after=%18llu%n", &after, &more) != 1 || text[end + more]))
		return pp_set_error(EINVAL, SYNTAX, text);
	f = find_point(at);
	if (!f)
		return -EINVAL;
	set_point(f, every, after, 0);
	return 0;
}

static int parse_points(const char *env)
{
	char text[256], *word, *rest = NULL;
	int err = 0;

	if (strlen(env) >= sizeof(text))
		return pp_set_error(EINVAL, "PAGEPOOL_FAULT: longer than %zu bytes", sizeof(text));
	snprintf(text, sizeof(text), "%s", env);
	for (word = strtok_r(text, ";", &rest); word && !err; word = strtok_r(NULL, ";", &rest))
		err = parse_point(word);
	return err;
}

int fault_from_env(void)
{
	static struct pp_lock lock;
	static bool done;
	const char *env;
	int err = 0;

	if (likely(load_acquire(&done)))
		return 0;
	pp_lock(&lock);
	env = done ? NULL : secure_getenv("PAGEPOOL_FAULT");
	err = env ? parse_points(env) : 0;
	/* pairs with the acquire above; an error is reported at each call */
	store_release(&done, !err);
	pp_unlock(&lock);
	return err;
}
