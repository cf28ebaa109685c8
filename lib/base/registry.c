/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/futex.h"
#include "base/lock.h"
#include "base/registry.h"

struct registry registered_zones, registered_pools;

static struct pp_lock lock;
static __thread bool held;

bool registry_held(void)
{
	return held;
}

static void registry_lock(void)
{
	held = true;
	compiler_barrier(); /* a handler from here on sees it */
	pp_lock(&lock);
}

static void registry_unlock(void)
{
	pp_unlock(&lock);
	compiler_barrier();
	held = false;
}

/* There are few entries, and they come and go rarely. */
void registry_add(struct registry *list, struct registered *entry)
{
	struct registered **at = &list->first;

	registry_lock();
	while (*at)
		at = &(*at)->next;
	entry->next = NULL;
	*at = entry;
	registry_unlock();
}

void registry_del(struct registry *list, struct registered *entry)
{
	struct registered **at = &list->first;
	uint32_t pins;

	registry_lock();
	entry->leaving = true;
	while ((pins = entry->pins)) {
		registry_unlock();
		futex_wait(&entry->pins, pins, 10000);
		registry_lock();
	}
	while (*at && *at != entry)
		at = &(*at)->next;
	if (*at)
		*at = entry->next;
	registry_unlock();
}

/* Under the lock; true: registry_del() is to be woken. */
static bool unpin(struct registered *entry)
{
	WRITE_ONCE(entry->pins, entry->pins - 1);
	return entry->leaving && !entry->pins;
}

struct registered *registry_next_that(struct registry *list, struct registered *entry,
				      bool (*fits)(const struct registered *entry, const void *arg),
				      const void *arg)
{
	struct registered *next;
	bool wake = false;

	registry_lock();
	next = entry ? entry->next : list->first;
	while (next && (next->leaving || (fits && !fits(next, arg))))
		next = next->next;
	if (next)
		WRITE_ONCE(next->pins, next->pins + 1);
	if (entry)
		wake = unpin(entry);
	registry_unlock();
	/* the entry may be gone by now: its address alone is used */
	if (wake)
		futex_wake_all(&entry->pins);
	return next;
}

struct registered *registry_next(struct registry *list, struct registered *entry)
{
	return registry_next_that(list, entry, NULL, NULL);
}

void registry_look(struct registry *list, void (*look)(const struct registered *entry, void *arg),
		   void *arg)
{
	const struct registered *entry;

	registry_lock();
	for (entry = list->first; entry; entry = entry->next) {
		if (!entry->leaving)
			look(entry, arg);
	}
	registry_unlock();
}

void registry_pin(struct registered *entry)
{
	registry_lock();
	WRITE_ONCE(entry->pins, entry->pins + 1);
	registry_unlock();
}

void registry_unpin(struct registered *entry)
{
	bool wake;

	registry_lock();
	wake = unpin(entry);
	registry_unlock();
	if (wake)
		futex_wake_all(&entry->pins);
}
