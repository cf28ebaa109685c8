/* SPDX-License-Identifier: BSD-3-Clause */
/* cable.c - the cables of the process, by the names of their ends */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/cable.h"

#define SIZE_DEFAULT 1024u

/* taken by open and close only */
static pthread_mutex_t cables_lock = PTHREAD_MUTEX_INITIALIZER;
static struct loop_cable *cables;

static void free_cable(struct loop_cable *cable)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		free(cable->wire[i].slots);
		if (cable->wire[i].fd >= 0)
			close(cable->wire[i].fd);
	}
	free(cable);
}

static struct loop_cable *new_cable(const char *name, const char *peer, uint32_t size)
{
	struct loop_cable *cable = aligned_alloc(WIRE_ALIGN, sizeof(*cable));
	unsigned int i;

	if (!cable)
		return NULL;
	memset(cable, 0, sizeof(*cable));
	cable->wire[0].fd = cable->wire[1].fd = -1;
	cable->ends = strcmp(name, peer) ? 2 : 1;
	strcpy(cable->name[0], name);
	strcpy(cable->name[1], peer);
	for (i = 0; i < cable->ends; i++) {
		cable->wire[i].size = size;
		cable->wire[i].slots = calloc(size, sizeof(*cable->wire[i].slots));
		if (!cable->wire[i].slots) {
			free_cable(cable);
			return NULL;
		}
	}
	return cable;
}

/* the cable that has @name at one of its ends, or NULL with *end = 0 */
static struct loop_cable *find_cable(const char *name, unsigned int *end)
{
	struct loop_cable *cable;

	for (cable = cables; cable; cable = cable->next)
		for (*end = 0; *end < cable->ends; ++*end)
			if (!strcmp(cable->name[*end], name))
				return cable;
	*end = 0;
	return NULL;
}

/* 0: a port that names @peer and @size may take this end */
static int check_cable(const struct loop_cable *cable, unsigned int end, const char *peer,
		       uint32_t size)
{
	const char *name = cable->name[end];
	const char *other = cable->name[cable->ends - 1 - end];

	if (cable->used[end])
		return pp_set_error(EBUSY, "loop: port '%s' is open already; choose another name",
				    name);
	if (strcmp(other, peer))
		return pp_set_error(EINVAL,
				    "loop: port '%s' names '%s' its peer; write "
				    "loop:%s,peer=%s",
				    other, name, name, other);
	if (size && size != cable->wire[0].size)
		return pp_set_error(EINVAL,
				    "loop: size=%u, but '%s' opened the cable with %u; "
				    "give both ends the same",
				    size, other, cable->wire[0].size);
	return 0;
}

static int plug_locked(const char *name, const char *peer, uint32_t size, struct loop_cable **found,
		       unsigned int *end)
{
	struct loop_cable *cable = find_cable(name, end);
	unsigned int peer_end;
	int err;

	if (cable) {
		err = check_cable(cable, *end, peer, size);
		if (err)
			return err;
	} else {
		cable = find_cable(peer, &peer_end);
		if (cable)
			return pp_set_error(EBUSY,
					    "loop: port '%s' is cabled to '%s'; choose "
					    "another peer",
					    peer, cable->name[cable->ends - 1 - peer_end]);
		cable = new_cable(name, peer, size ? size : SIZE_DEFAULT);
		if (!cable)
			return pp_set_error(ENOMEM, "loop: no memory for %u ring entries",
					    size ? size : SIZE_DEFAULT);
		cable->next = cables;
		cables = cable;
	}
	cable->used[*end] = true;
	*found = cable;
	return 0;
}

int cable_plug(const char *name, const char *peer, uint32_t size, struct loop_cable **cable,
	       unsigned int *end)
{
	int err;

	pthread_mutex_lock(&cables_lock);
	err = plug_locked(name, peer, size, cable, end);
	pthread_mutex_unlock(&cables_lock);
	return err;
}

void cable_unplug(struct loop_cable *cable, unsigned int end)
{
	struct loop_cable **link;

	pthread_mutex_lock(&cables_lock);
	cable->used[end] = false;
	if (!cable->used[0] && !cable->used[1]) {
		for (link = &cables; *link != cable; link = &(*link)->next)
			;
		*link = cable->next;
		free_cable(cable);
	}
	pthread_mutex_unlock(&cables_lock);
}
