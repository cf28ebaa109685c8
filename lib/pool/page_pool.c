/* SPDX-License-Identifier: BSD-3-Clause */
/* pool/page_pool.c - numbers of owners, and the lists that pools stand in */
#include <stdio.h>

#include "pool/page_pool.h"

struct registry registered_pools;

__thread uint64_t self_number;

uint64_t self_acquire(void)
{
	static uint64_t last;

	not_a_handler();
	self_number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
	return self_number;
}

/* Pools of several zones have the same order in each of them: that of their locks in a round. */
void pool_join(struct page_pool *pool, const struct zone_client_ops *ops)
{
	static struct pp_lock lock;
	struct pool_client *c;

	pp_lock(&lock);
	for_each_client(c, pool)
	{
		c->client.ops = ops;
		clients_add(&c->client.zone->clients, &c->client);
	}
	pp_unlock(&lock);
}

void pool_leave(struct page_pool *pool)
{
	struct pool_client *c;

	for_each_client(c, pool) registry_del(&c->client.registered);
}

bool pool_name_to(const struct page_pool *pool, uint64_t pages, const char *state, char *text,
		  size_t size)
{
	size_t len = strlen(text);
	int n;

	n = snprintf(text + len, size - len, "%s%s%llu with pool %s, %s", len ? "; " : "",
		     pool->p.set ? "up to " : "", (unsigned long long)pages << pool->p.order,
		     pool->name, state);
	if (n >= 0 && (size_t)n < size - len)
		return true;
	text[len] = '\0';
	return false;
}

void pool_move_begin(struct page_pool *pool)
{
	struct pool_client *c;

	for_each_client(c, pool) zone_move_begin(c->client.zone);
}

void pool_move_end(struct page_pool *pool)
{
	struct pool_client *c;

	for_each_client(c, pool) zone_move_end(c->client.zone);
}
