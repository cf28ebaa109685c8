/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slow.c - packets with a slow answer: one thread keeps them, for the others to go on
 *
 * A kept page is a page like any other. It is chained through pp_page.next, has its deadline in
 * pp_page.tstamp, and is given back by this thread, which owns no pool. The pool's owner finds it
 * in its ring.
 *
 * The answer leaves through a packet socket, because a TX ring has one thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "app.h"
#include "common/clock.h"

#define BATCH 32u

int slow_open(struct slow *slow, const struct iface *iface, const struct options *o)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = iface->index };
	pthread_condattr_t attr;

	slow->options = o;
	slow->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* protocol 0: receives nothing */
	if (slow->fd < 0 && errno == EPERM)
		return no_permission("open a packet socket", iface->name);
	if (slow->fd < 0 || bind(slow->fd, (struct sockaddr *)&at, sizeof(at)))
		return fail("cannot open a packet socket on %s: %s", iface->name, strerror(errno));
	pthread_mutex_init(&slow->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&slow->wake, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

/* several queues may pass at once, and exceed the limit by some packets */
enum slow_policy slow_room(const struct slow *slow)
{
	return counter_read(&slow->kept) < slow->options->slow_max ? SLOW_KEEP : SLOW_REFUSE;
}

void slow_keep(struct slow *slow, struct pp_page *page)
{
	pthread_mutex_lock(&slow->lock);
	page->tstamp = now_ns() + slow->options->slow_ms * 1000000ull;
	pp_list_add_tail(&slow->waiting, page);
	counter_add(&slow->kept, 1);
	if (slow->waiting.n == 1)
		pthread_cond_signal(&slow->wake);
	pthread_mutex_unlock(&slow->lock);
}

static void send_answer(struct slow *slow, struct pp_page *page)
{
	struct packet packet = {
		.data = pp_page_data(page),
		.room = page->len + pp_page_tailroom(page),
		.len = page->len,
	};

	if (respond(&slow->options->responder, &packet, SLOW_ANSWER) <= VERDICT_LAST_SENT &&
	    send(slow->fd, packet.data, packet.len, MSG_DONTWAIT) == (ssize_t)packet.len)
		counter_add(&slow->sent, 1);
	else
		counter_add(&slow->failed, 1);
}

/* under the lock: takes the packets that are due, up to a batch; at the end all packets are due */
static unsigned int take_due(struct slow *slow, struct pp_page **pages)
{
	uint64_t at = now_ns();
	unsigned int n = 0;

	while (n < BATCH && slow->waiting.head && (slow->stop || slow->waiting.head->tstamp <= at))
		pages[n++] = pp_list_pop(&slow->waiting);
	return n;
}

static void wait_until_due(struct slow *slow)
{
	struct timespec due;

	if (!slow->waiting.head) {
		pthread_cond_wait(&slow->wake, &slow->lock);
		return;
	}
	due = ns_to_timespec(slow->waiting.head->tstamp);
	pthread_cond_timedwait(&slow->wake, &slow->lock, &due);
}

static void *slow_thread(void *arg)
{
	struct pp_page *pages[BATCH];
	struct slow *slow = arg;
	unsigned int i, n;

	pthread_mutex_lock(&slow->lock);
	for (;;) {
		n = take_due(slow, pages);
		if (!n) {
			if (slow->stop)
				break;
			wait_until_due(slow);
			continue;
		}
		pthread_mutex_unlock(&slow->lock);
		for (i = 0; i < n; i++)
			send_answer(slow, pages[i]);
		page_pool_put_bulk(pages, n);
		pthread_mutex_lock(&slow->lock);
		counter_add(&slow->kept, -(uint64_t)n);
	}
	pthread_mutex_unlock(&slow->lock);
	return NULL;
}

int slow_start(struct slow *slow)
{
	int err = pthread_create(&slow->thread, NULL, slow_thread, slow);

	if (err)
		return fail("cannot start the slow path's thread: %s", strerror(err));
	slow->started = true;
	return 0;
}

void slow_join(struct slow *slow)
{
	if (!slow->started)
		return;
	pthread_mutex_lock(&slow->lock);
	slow->stop = true;
	pthread_cond_signal(&slow->wake);
	pthread_mutex_unlock(&slow->lock);
	pthread_join(slow->thread, NULL);
	slow->started = false;
}

void slow_close(struct slow *slow)
{
	if (slow->fd >= 0)
		close(slow->fd);
	slow->fd = -1;
}
