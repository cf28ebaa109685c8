/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.h - lists of the zones and the live pools of the process
 *
 * For a thread that visits all of them: an allocation that runs short, and ppstat. Entries enter
 * when they are whole. A visitor pins the entry that it looks at, so that the entry stays alive and
 * in its list; registry_del() waits for the pins.
 *
 * The registry's lock is a leaf: under it nothing but counters is looked at, nothing else is locked
 * and nothing is awaited. So no visitor keeps another thread from making or ending zones and pools.
 */
#ifndef PP_REGISTRY_H
#define PP_REGISTRY_H

#include "base/internal.h"

struct registered {
	struct registered *next;
	uint32_t pins; /* futex */
	bool leaving; /* visitors pass it by */
};

struct registry {
	struct registered *first; /* in the order of creation */
};

extern struct registry registered_zones, registered_pools;

void registry_add(struct registry *list, struct registered *entry);
/* Take @entry out; returns when no visitor has it pinned. */
void registry_del(struct registry *list, struct registered *entry);

/* Pin the entry behind @entry, or the first one for NULL, and unpin @entry; NULL: no more. */
struct registered *registry_next(struct registry *list, struct registered *entry);
/* The same, and entries pass by that @fits() does not want: under the lock, as @look() below. */
struct registered *registry_next_that(struct registry *list, struct registered *entry,
				      bool (*fits)(const struct registered *entry, const void *arg),
				      const void *arg);
/* Call @look() with each entry, under the lock: it reads counters, and does nothing else. */
void registry_look(struct registry *list, void (*look)(const struct registered *entry, void *arg),
		   void *arg);
/* Pin @entry, which the caller has pinned, once more: to keep it while the visit goes on. */
void registry_pin(struct registered *entry);
/* A visitor that stops before the end leaves the entry that it has. */
void registry_unpin(struct registered *entry);

/* This thread holds the lock: a handler that interrupted it must not wait for it. */
bool registry_held(void);

#endif /* PP_REGISTRY_H */
