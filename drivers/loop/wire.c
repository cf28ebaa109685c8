/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire.c - a receiver that sleeps until its wire has a packet
 *
 * The receiver sets armed, then looks at head; the sender moves head, then looks at armed. One
 * of them must see the other's store, which takes a full barrier on both sides. The receiver
 * pays for both: membarrier() makes the sender's CPU execute its one.
 */
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "loop/wire.h"

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

int wire_fd(struct loop_wire *w)
{
	if (w->fd >= 0)
		return w->fd;
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		return pp_set_error(ENOTSUP,
				    "loop: this kernel has no membarrier(2), without which "
				    "a sleeping receiver misses packets; poll");
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd >= 0 ? w->fd : pp_set_error(errno, "loop: eventfd: %s", strerror(errno));
}

/* the caller is the wire's reader */
int wire_arm(struct loop_wire *w)
{
	eventfd_t count;

	(void)eventfd_read(w->fd, &count); /* of an earlier turn; EAGAIN: there was none */
	__atomic_exchange_n(&w->armed, 1, __ATOMIC_SEQ_CST);
	/* pairs with the fence in wire_wake(), and is a full barrier here, too */
	(void)membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	if (__atomic_load_n(&w->head, __ATOMIC_ACQUIRE) == w->tail)
		return 0;
	__atomic_store_n(&w->armed, 0, __ATOMIC_RELAXED);
	return 1;
}

void wire_wake_slow(struct loop_wire *w)
{
	if (__atomic_exchange_n(&w->armed, 0, __ATOMIC_ACQ_REL))
		(void)eventfd_write(w->fd, 1);
}
