/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/share.c - how many frames the queues of a zone may post, all together */
#include <pthread.h>
#include <stdlib.h>

#include <pagepool/zone.h>

#include "af_xdp/priv.h"

struct zone_share {
	struct zone_share *next;
	const struct pp_zone *zone;
	uint64_t frames;
	unsigned int queues;
};

static pthread_mutex_t shares_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone_share *shares;

/* up to @want frames; the queues of the zone have @taken */
static uint32_t share_of(const struct pp_zone *zone, uint64_t taken, uint32_t want,
			 unsigned int nqueues)
{
	uint64_t pages = pp_zone_pages(zone), most = pages / 4 / nqueues;

	if (most > (pages * 3 / 4 - taken) / 2)
		most = (pages * 3 / 4 - taken) / 2;
	if (want > most)
		want = most ? (uint32_t)most : 1;
	return taken + want > pages * 3 / 4 ? 0 : want;
}

static struct zone_share *share_new(const struct pp_zone *zone)
{
	struct zone_share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->zone = zone;
	share->next = shares;
	shares = share;
	return share;
}

uint32_t pp_xdp_share_take(const struct pp_zone *zone, uint32_t want, unsigned int nqueues)
{
	struct zone_share *share;

	pthread_mutex_lock(&shares_lock);
	for (share = shares; share && share->zone != zone; share = share->next)
		;
	want = share_of(zone, share ? share->frames : 0, want, nqueues);
	if (want && !share)
		share = share_new(zone); /* each entry has a queue that drops it */
	if (!share)
		want = 0;
	if (want) {
		share->frames += want;
		share->queues++;
	}
	pthread_mutex_unlock(&shares_lock);
	return want;
}

void pp_xdp_share_drop(const struct pp_zone *zone, uint32_t frames)
{
	struct zone_share **link, *share;

	pthread_mutex_lock(&shares_lock);
	for (link = &shares; (share = *link); link = &share->next) {
		if (share->zone != zone)
			continue;
		share->frames -= frames;
		if (!--share->queues) {
			*link = share->next;
			free(share);
		}
		break;
	}
	pthread_mutex_unlock(&shares_lock);
}
