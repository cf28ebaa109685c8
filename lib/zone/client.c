/* SPDX-License-Identifier: BSD-3-Clause */
/* zone/client.c - what a zone asks of its clients: trims, counters for a search, names, ranges */
#include <stdio.h>

#include "zone/client.h"

const struct pool_page_ops *pool_page_ops;

/* ---- the list -------------------------------------------------------------------------------- */

static struct zone_client *client_of(const struct registered *entry)
{
	return container_of(entry, struct zone_client, registered);
}

/* Every client in turn: the next one is pinned, @client no more. */
static struct zone_client *next_client(struct zone_clients *clients, struct zone_client *client,
				       bool (*fits)(const struct registered *entry))
{
	struct registered *next =
		registry_next(&clients->list, client ? &client->registered : NULL, fits);

	return next ? client_of(next) : NULL;
}

/* ---- trim ------------------------------------------------------------------------------------ */

static bool keeps_pages(const struct registered *entry)
{
	const struct zone_client *client = client_of(entry);

	return client->ops->kept && client->ops->kept(client);
}

static bool is_idle(const struct registered *entry)
{
	const struct zone_client *client = client_of(entry);

	return client->ops->idle && client->ops->idle(client);
}

static void trim_round(struct zone_client *const *round, unsigned int n, unsigned int timeout_us,
		       struct zone_trim *done)
{
	unsigned int i;

	if (n)
		round[0]->ops->trim(round, n, timeout_us, done);
	for (i = 0; i < n; i++)
		registry_unpin(&round[i]->registered);
}

/* As many clients a round as seem to have what is wanted: the others go on undisturbed. */
static void trim_those(struct zone_clients *clients, bool (*fits)(const struct registered *entry),
		       uint64_t want, unsigned int timeout_us, struct zone_trim *done)
{
	struct zone_client *round[ZONE_ROUND], *client = NULL;
	uint64_t expected;
	unsigned int n;

	do {
		n = 0;
		expected = done->moved;
		while (expected < want && n < ZONE_ROUND &&
		       (client = next_client(clients, client, fits))) {
			if (!registry_pin(&client->registered))
				continue; /* it ends, which counts as a move */
			round[n++] = client;
			expected += client->mixed ? 0 : client->ops->kept(client);
		}
		trim_round(round, n, timeout_us, done);
	} while (client && done->moved < want);
	if (client)
		registry_unpin(&client->registered);
}

bool clients_trim(struct zone_clients *clients, uint64_t want, unsigned int timeout_us,
		  bool *timeout)
{
	struct zone_trim done = { 0 };

	trim_those(clients, keeps_pages, want, timeout_us, &done);
	*timeout |= done.timeout;
	return done.some;
}

void clients_trim_idle(struct zone_clients *clients)
{
	struct zone_trim done = { 0 };

	trim_those(clients, is_idle, UINT64_MAX, 0, &done);
}

/* ---- counters for a search ------------------------------------------------------------------- */

struct sum {
	uint64_t n;
	bool on_their_way;
};

static void add_moves(const struct registered *entry, void *arg)
{
	const struct zone_client *client = client_of(entry);
	struct sum *sum = arg;

	if (client->ops->moves)
		sum->on_their_way |= client->ops->moves(client, &sum->n);
}

uint64_t clients_moves(struct zone_clients *clients, bool *on_their_way)
{
	struct sum sum = { 0 };

	registry_look(&clients->list, add_moves, &sum);
	*on_their_way |= sum.on_their_way;
	return sum.n;
}

static void add_kept(const struct registered *entry, void *arg)
{
	const struct zone_client *client = client_of(entry);
	struct sum *sum = arg;

	if (client->ops->kept && !client->mixed)
		sum->n += client->ops->kept(client);
}

uint64_t clients_kept(struct zone_clients *clients)
{
	struct sum sum = { 0 };

	registry_look(&clients->list, add_kept, &sum);
	return sum.n;
}

/* ---- names ----------------------------------------------------------------------------------- */

void clients_name(struct zone_clients *clients, char *text, size_t size)
{
	static const char tail[] = "; and 4294967295 pools more";
	size_t room = size - sizeof(tail) + 1, len;
	struct zone_client *client = NULL;
	unsigned int left_out = 0;

	text[0] = '\0';
	while ((client = next_client(clients, client, NULL))) {
		if (client->ops->name)
			left_out += !client->ops->name(client, text, room);
	}
	len = strlen(text);
	if (left_out)
		snprintf(text + len, size - len, "; and %u pools more", left_out);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

void clients_reclaim(struct zone_clients *clients, uint64_t first, uint64_t n)
{
	struct zone_client *client = NULL;

	pp_lock(&clients->reclaiming);
	while ((client = next_client(clients, client, NULL))) {
		if (client->ops->reclaim)
			client->ops->reclaim(client, first, n);
	}
	pp_unlock(&clients->reclaiming);
}
