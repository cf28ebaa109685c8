/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/lock.h"
#include "base/registry.h"

static struct pp_lock lock; /* of all lists: each hold is short */

void registry_add(struct registry *list, struct registered *entry)
{
	pp_lock(&lock);
	entry->list = list;
	entry->next = NULL;
	entry->link = list->first ? list->last : &list->first;
	entry->leaving = false;
	*entry->link = entry;
	list->last = &entry->next;
	pp_unlock(&lock);
}

/* Under the lock; true: no visitor has @entry, and it is in no list. */
static bool leave_list(struct registered *entry)
{
	if (!entry->list)
		return true;
	entry->leaving = true;
	if (entry->pins)
		return false;
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	else
		entry->list->last = entry->link;
	entry->list = NULL;
	return true;
}

/* The lock is held, and is again. Where @entry may be gone meanwhile, its address alone is used. */
static void await_pins(struct registered *entry)
{
	uint32_t pins = entry->pins;

	pp_unlock(&lock);
	futex_wait(&entry->pins, pins, 10000);
	pp_lock(&lock);
}

void registry_del(struct registered *entry)
{
	pp_lock(&lock);
	while (!leave_list(entry))
		await_pins(entry);
	pp_unlock(&lock);
}

void registry_close(struct registry *list)
{
	struct registered *entry;

	pp_lock(&lock);
	while ((entry = list->first)) {
		if (!leave_list(entry))
			await_pins(entry);
	}
	pp_unlock(&lock);
}

/* Under the lock; true: wake registry_del(). */
static bool unpin_entry(struct registered *entry)
{
	WRITE_ONCE(entry->pins, entry->pins - 1);
	return entry->leaving && !entry->pins;
}

struct registered *registry_next(struct registry *list, struct registered *entry,
				 bool (*fits)(const struct registered *entry))
{
	struct registered *next;
	bool wake = false;

	pp_lock(&lock);
	next = entry ? entry->next : list->first;
	while (next && (next->leaving || (fits && !fits(next))))
		next = next->next;
	if (next)
		WRITE_ONCE(next->pins, next->pins + 1);
	if (entry)
		wake = unpin_entry(entry);
	pp_unlock(&lock);
	/* the entry may be gone by now: its address alone is used */
	if (wake)
		futex_wake_all(&entry->pins);
	return next;
}

void registry_look(struct registry *list, void (*look)(const struct registered *entry, void *arg),
		   void *arg)
{
	const struct registered *entry;

	pp_lock(&lock);
	for (entry = list->first; entry; entry = entry->next) {
		if (!entry->leaving)
			look(entry, arg);
	}
	pp_unlock(&lock);
}

bool registry_pin(struct registered *entry)
{
	bool there;

	pp_lock(&lock);
	there = entry->list && !entry->leaving;
	WRITE_ONCE(entry->pins, entry->pins + there);
	pp_unlock(&lock);
	return there;
}

void registry_unpin(struct registered *entry)
{
	bool wake;

	pp_lock(&lock);
	wake = unpin_entry(entry);
	pp_unlock(&lock);
	if (wake)
		futex_wake_all(&entry->pins);
}
