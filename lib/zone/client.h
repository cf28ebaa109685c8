/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * client.h - a zone's clients: they keep free pages of it, or hold pages that others may want
 *
 * A client enters the zone's list when it is whole, and leaves before it gives up its pages. A
 * client that is pinned (registry.h) stays, and so does its zone.
 */
#ifndef PP_ZONE_CLIENT_H
#define PP_ZONE_CLIENT_H

#include "base/lock.h"
#include "base/registry.h"

struct page_pool;
struct pp_page;
struct pp_zone;
struct zone_client;

/* Clients that one round trims together: one membarrier serves all of them. */
#define ZONE_ROUND 32u

/* What a trim did. */
struct zone_trim {
	uint64_t moved; /* pages that came to the zone itself */
	bool some; /* at least one client gave pages, perhaps to another zone of a set */
	bool timeout; /* a client was in use, and its user did not let go in time */
};

/* A verb that is NULL does nothing. */
struct zone_client_ops {
	/* Free pages that it keeps; a gauge. Under the registry's lock, as moves(). */
	uint64_t (*kept)(const struct zone_client *client);
	/* Free pages that moved in it so far; true: some are on their way. See zone_run_moves(). */
	bool (*moves)(const struct zone_client *client, uint64_t *moves);
	/*
	 * Give back all that these pinned clients keep. They have the same verbs, and come in the
	 * order of their registration, so that their locks have one order. Not for handlers.
	 */
	void (*trim)(struct zone_client *const *clients, unsigned int n, unsigned int timeout_us,
		     struct zone_trim *done);
	/* It keeps pages, and was not used for as long as its owner set. */
	bool (*idle)(const struct zone_client *client);
	/*
	 * Append a piece of a sentence about the zone's pages that its users have. False: there was
	 * no room for it. The client is pinned; it must not wait.
	 */
	bool (*name)(const struct zone_client *client, char *text, size_t size);
	/* Pages [@first, @first + @n) are wanted: give them back, now or later. */
	void (*reclaim)(struct zone_client *client, uint64_t first, uint64_t n);
};

struct zone_client {
	struct registered registered;
	const struct zone_client_ops *ops;
	struct pp_zone *zone;
	bool mixed; /* it keeps pages of several zones, perhaps none of this one */
};

struct zone_clients {
	struct registry list;
	struct pp_lock reclaiming; /* one thread at a time asks for ranges */
};

static inline void clients_add(struct zone_clients *clients, struct zone_client *client)
{
	registry_add(&clients->list, &client->registered);
}

/*
 * Clients give back what they keep, until @want pages came; true: some gave. The pages lie in
 * cores' caches then. @timeout becomes true if one could not in time. Not for handlers.
 */
bool clients_trim(struct zone_clients *clients, uint64_t want, unsigned int timeout_us,
		  bool *timeout);
/* Those that are idle. */
void clients_trim_idle(struct zone_clients *clients);
/* The clients' part of zone_run_moves(). */
uint64_t clients_moves(struct zone_clients *clients, bool *on_their_way);
/* Pages that clients of this zone alone keep; a gauge. */
uint64_t clients_kept(struct zone_clients *clients);
/* The names of clients with pages out: a piece of a sentence, "" if there are none. */
void clients_name(struct zone_clients *clients, char *text, size_t size);
/* Ask each client for these pages, one thread at a time. */
void clients_reclaim(struct zone_clients *clients, uint64_t first, uint64_t n);

/* What the floor of pools does with their pages, set before a page can be a pool's. */
struct pool_page_ops {
	/* the last reference to a page that was put while others held it */
	void (*last_put)(struct pp_page *page);
	/* a put of a page that is at home already */
	void (*put_twice)(struct page_pool *pool);
};
extern const struct pool_page_ops *pool_page_ops;

#endif /* PP_ZONE_CLIENT_H */
