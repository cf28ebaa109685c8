/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/complete.h - functions that senders of pages and of chunks share */
#ifndef PP_XSK_COMPLETE_H
#define PP_XSK_COMPLETE_H

#include "xsk/priv.h"

/* slots for up to @n packets, each with one of the completion ring */
static inline uint32_t xsk_tx_space(struct pp_xsk *xsk, uint32_t n)
{
	uint32_t space = xsk_prod_nb_free(&xsk->t.tx, n);
	uint32_t room = xsk->t.comp.size - xsk->t.out;

	return space < room ? space : room;
}

/* the same; if these are too few, completes first */
static inline uint32_t xsk_tx_room(struct pp_xsk *xsk, uint32_t n)
{
	uint32_t space = xsk_tx_space(xsk, n);

	if (likely(space >= n))
		return space;
	pp_xsk_complete(xsk);
	return xsk_tx_space(xsk, n);
}

/*
 * Room for packets that the TX ring has not taken: completes, and sleeps until the kernel sends
 * some. False: xsk->wait_ms since the first call, with *@end == 0, are over, or no wait helps.
 */
bool pp_xsk_tx_wait(struct pp_xsk *xsk, uint64_t *end);

/* the kernel may send the last @sent descriptors */
void pp_xsk_tx_submit(struct pp_xsk *xsk, uint32_t sent);

#endif /* PP_XSK_COMPLETE_H */
