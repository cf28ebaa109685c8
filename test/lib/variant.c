/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * variant.c - policies and kinds of zones by name, and what they refuse
 */
#include <errno.h>
#include <string.h>

#include "variant.h"

struct variant variant;

static _Noreturn void usage(const char *program)
{
	fprintf(stderr, "usage: %s POLICY [traced] [per-thread] [signal-safe] [tuned] [N]\n",
		program);
	exit(2);
}

unsigned int variant_parse(int argc, char **argv)
{
	int i;

	if (argc < 2)
		usage(argv[0]);
	variant.policy = argv[1];
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "traced"))
			variant.flags |= PP_ZONE_TRACE;
		else if (!strcmp(argv[i], "per-thread"))
			variant.flags |= PP_ZONE_PER_THREAD;
		else if (!strcmp(argv[i], "signal-safe"))
			variant.flags |= PP_ZONE_SIGNAL_SAFE;
		else if (!strcmp(argv[i], "tuned"))
			variant.tuned = true;
		else if (i == argc - 1 && atoi(argv[i]) > 0)
			return (unsigned int)atoi(argv[i]);
		else
			usage(argv[0]);
	}
	return 0;
}

bool policy_is(const char *name)
{
	return !strcmp(variant.policy, name);
}

bool variant_of_threads(void)
{
	return variant.flags & PP_ZONE_PER_THREAD || policy_is("softmask") || policy_is("rcu") ||
	       policy_is("request");
}

bool variant_drains_idle(void)
{
	return !policy_is("request");
}

bool variant_tunes(void)
{
	return variant.tuned && !policy_is("rseq") && !policy_is("llist");
}

bool variant_is_signal_safe(void)
{
	return variant.flags & PP_ZONE_SIGNAL_SAFE;
}

/* the table of zone.h */
static bool flags_allowed(void)
{
	bool handlers = policy_is("trylock") || policy_is("irqsave") || policy_is("softmask") ||
			policy_is("rseq") || policy_is("llist");

	if (variant.flags & PP_ZONE_PER_THREAD && (policy_is("rseq") || policy_is("llist")))
		return false;
	return handlers || !variant_is_signal_safe();
}

int variant_refused(void)
{
	struct pp_zone_params p = variant_params(64, 0, 0);
	bool runs_here = pp_policy_check(variant.policy) == 0;
	char why[256];
	struct pp_zone *zone;

	snprintf(why, sizeof(why), "%s", pp_error());
	if (runs_here && flags_allowed())
		return -1;
	errno = 0;
	zone = pp_zone_create(&p);
	if (zone || errno != ENOTSUP || !pp_error()[0] || strchr(pp_error(), '\n')) {
		printf("FAILED: %s, flags 0x%x: must be refused with ENOTSUP and a sentence\n",
		       variant.policy, variant.flags);
		return 1;
	}
	if (runs_here) {
		printf("refused, as it must be: %s\n", pp_error());
		return strstr(pp_error(), variant.policy) ? 0 : 1;
	}
	printf("SKIP: policy %s does not run here: %s\n", variant.policy, why);
	if (strcmp(why, pp_error())) {
		printf("FAILED: pp_zone_create() says otherwise: %s\n", pp_error());
		return 1;
	}
	return policy_is("trylock") || policy_is("spin") ? 1 : 77;
}

struct pp_zone_params variant_params(uint64_t pages, uint32_t batch, uint32_t high)
{
	struct pp_zone_params p = zone_params(pages);

	p.policy = variant.policy;
	p.flags = variant.flags;
	p.batch = batch;
	p.high = high;
	if (variant.tuned)
		p.high_max = 4 * high;
	return p;
}

struct pp_zone *variant_zone(uint64_t pages, uint32_t batch, uint32_t high)
{
	struct pp_zone_params p = variant_params(pages, batch, high);
	struct pp_zone *zone = zone_new(&p);

	require(!strcmp(pp_zone_policy(zone), variant.policy));
	return zone;
}

unsigned int cached_pages(struct pp_zone *zone)
{
	unsigned int i, sum = 0;

	for (i = 0; i < pp_zone_cores(zone); i++)
		sum += pp_zone_cached(zone, i);
	return sum;
}

static void puppet_main(void *arg)
{
	struct puppet *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->over) {
		if (p->busy) {
			p->fn(p->arg);
			p->busy = false;
			pthread_cond_broadcast(&p->changed);
		} else {
			pthread_cond_wait(&p->changed, &p->lock);
		}
	}
	pthread_mutex_unlock(&p->lock);
}

void puppet_start(struct puppet *p, int cpu)
{
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->busy = p->over = false;
	pinned_start(&p->thread, cpu, puppet_main, p);
}

void puppet_do(struct puppet *p, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&p->lock);
	p->fn = fn;
	p->arg = arg;
	p->busy = true;
	pthread_cond_broadcast(&p->changed);
	while (p->busy)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

void puppet_end(struct puppet *p)
{
	pthread_mutex_lock(&p->lock);
	p->over = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	pinned_join(&p->thread);
}
