/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * idle.c - --idle wait: a worker without packets sleeps until one comes
 *
 * A sleep ends after NAP_MAX_MS in any case: sent packets may have to be completed, and an
 * interface may be gone. The first sleeps are short, as most is under way then.
 */
#include <poll.h>
#include <stdlib.h>

#include <pagepool/error.h>

#include "common/error.h"
#include "engines/engine.h"
#include "ppfwd.h"

#define EMPTY_ROUNDS 64u /* rounds without a packet before the first sleep */
#define NAP_MAX_MS   100

int idle_create(struct worker *w)
{
	w->fds = calloc(w->ndirs + 1, sizeof(*w->fds));
	w->nap_ms = 1;
	return w->fds ? 0 : -1;
}

/* every queue that receives must have a descriptor; 0, or -1 after complain() */
int idle_check(struct worker *w)
{
	struct pp_queue *q;
	unsigned int i;

	for (i = 0; i < w->ndirs; i++) {
		q = w->dirs[i]->in;
		if (pp_netdev_done(q->dev) || pp_queue_fd(q) >= 0)
			continue;
		complain("--idle wait: port %s: %s", w->fwd->opts->ports[w->dirs[i]->in_port],
			 pp_error());
		return -1;
	}
	return 0;
}

/* how many descriptors of @w->fds are to be waited for; 0: do not wait */
static unsigned int arm_all(struct worker *w)
{
	unsigned int i, n = 1;
	struct pp_queue *q;
	int fd;

	w->fds[0] = (struct pollfd){ .fd = w->fwd->wake, .events = POLLIN };
	for (i = 0; i < w->ndirs; i++) {
		q = w->dirs[i]->in;
		if (pp_netdev_done(q->dev))
			continue;
		fd = pp_queue_fd(q);
		if (fd < 0 || pp_queue_arm(q))
			return 0;
		w->fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	return n;
}

/* after a round: sleep if there were no packets for some rounds */
void idle_round(struct worker *w, bool moved, bool waits)
{
	unsigned int n;

	if (moved) {
		w->empty_rounds = 0;
		w->nap_ms = 1;
		return;
	}
	if (++w->empty_rounds < EMPTY_ROUNDS)
		return;
	n = arm_all(w);
	if (!n)
		return;
	w->sleeps++;
	if (poll(w->fds, n, waits ? 1 : w->nap_ms))
		return;
	w->nap_ms = 2 * w->nap_ms < NAP_MAX_MS ? 2 * w->nap_ms : NAP_MAX_MS;
}
