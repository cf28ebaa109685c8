/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>

#include "base/handler.h"
#include "base/slot.h"

#include "base/lock.h"

__thread int slot_of_thread = -1;

static struct pp_lock slots_lock;
static bool taken[PP_SLOTS];
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool have_key;

static void give_back(void *arg)
{
	unsigned int slot = (unsigned int)(uintptr_t)arg - 1;

	slot_of_thread = -2; /* a later destructor of this thread takes the zone path */
	pp_lock(&slots_lock);
	taken[slot] = false;
	pp_unlock(&slots_lock);
}

static void make_key(void)
{
	have_key = !pthread_key_create(&at_exit, give_back);
}

int __coldpath slot_acquire(void)
{
	unsigned int i;

	if (slot_of_thread == -2)
		return -1;
	/* it may wait, and allocate: the thread's first call outside of a handler does it */
	if (handler_calls && in_handler())
		return -1;
	slot_of_thread = -2; /* a signal handler that comes now must not start this again */
	pthread_once(&once, make_key);
	if (!have_key)
		return -1;
	pp_lock(&slots_lock);
	for (i = 0; i < PP_SLOTS && taken[i]; i++)
		;
	if (i < PP_SLOTS)
		taken[i] = true;
	pp_unlock(&slots_lock);
	if (i == PP_SLOTS)
		return -1;
	if (pthread_setspecific(at_exit, (void *)(uintptr_t)(i + 1))) {
		give_back((void *)(uintptr_t)(i + 1));
		return -1;
	}
	slot_of_thread = (int)i;
	return (int)i;
}

bool slot_lock_unowned(unsigned int slot)
{
	pp_lock(&slots_lock);
	if (!taken[slot])
		return true;
	pp_unlock(&slots_lock);
	return false;
}

void slot_unlock(void)
{
	pp_unlock(&slots_lock);
}
