/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.h - lists of entries that come and go while other threads visit them
 *
 * An object adds its entry when it is complete. A visitor pins the entry that it works on, so that
 * the entry stays alive and in its list; registry_del() waits for the pins of that entry.
 *
 * The lock of the lists is a leaf: under it a look() or fits() reads counters, and locks and awaits
 * nothing. So no visitor keeps another thread from adding or deleting entries.
 */
#ifndef PP_REGISTRY_H
#define PP_REGISTRY_H

#include "base/internal.h"

struct registry;

struct registered {
	struct registry *list; /* NULL: in none */
	struct registered *next;
	struct registered **link; /* the pointer to this entry */
	uint32_t pins; /* futex */
	bool leaving; /* visitors pass it by */
};

struct registry {
	struct registered *first; /* in the order of registry_add() */
	struct registered **last; /* next of the last entry, unless the list is empty */
};

void registry_add(struct registry *list, struct registered *entry);
/* Take @entry out of its list, if it is in one; returns when no visitor has it pinned. */
void registry_del(struct registered *entry);
/* Take all entries out in the same way: the list is about to go. */
void registry_close(struct registry *list);

/*
 * Pin the entry behind @entry, or the first one for NULL, and unpin @entry; NULL: no more. Only
 * entries that @fits(), which runs under the lock, as @look() below; NULL: all.
 */
struct registered *registry_next(struct registry *list, struct registered *entry,
				 bool (*fits)(const struct registered *entry));
/* Call @look() with each entry, under the lock: it reads counters, and does nothing else. */
void registry_look(struct registry *list, void (*look)(const struct registered *entry, void *arg),
		   void *arg);
/* Pin @entry, unless it is in no list, or leaves its list; false: it is not pinned. */
bool registry_pin(struct registered *entry);
/* A visitor that stops before the end leaves the entry that it has. */
void registry_unpin(struct registered *entry);

#endif /* PP_REGISTRY_H */
