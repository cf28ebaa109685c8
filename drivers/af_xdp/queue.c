/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/queue.c - a queue's calls: those of the engine, and looks at the interface */
#include <errno.h>
#include <sys/socket.h>

#include "af_xdp/port.h"

/* why the kernel did not send; the engine has counted it */
static __attribute__((noinline, cold)) void kick_failed(struct xdp_queue *x)
{
	if (x->xsk->t.err == ENETDOWN)
		pp_iface_link_seen(&to_xdp_dev(x->q.dev)->xif, PP_LINK_DOWN);
	x->xsk->t.err = 0;
}

/* keeps frames moving in either direction, whichever call the user makes */
static inline unsigned int xdp_turn(struct xdp_queue *x)
{
	unsigned int n = xsk_sending(x->xsk) ? pp_xsk_complete(x->xsk) : 0;

	if (xsk_owed(x->xsk))
		pp_xsk_refill(x->xsk);
	if (unlikely(x->xsk->t.err))
		kick_failed(x);
	return n;
}

/*
 * A user that only sends learns from here that the interface is gone. One that receives as well
 * first gets the packets left in the RX ring.
 */
static inline bool xdp_left(struct xdp_queue *x)
{
	if (likely(!x->xsk->t.gone) || (xsk_cons_nb_avail(&x->xsk->r.rx, 1) && x->look--))
		return false;
	pp_xdp_gone(x);
	return true;
}

static unsigned int xdp_tx_clean(struct pp_queue *q)
{
	struct xdp_queue *x = to_xdp(q);

	return xdp_left(x) ? 0 : xdp_turn(x);
}

static unsigned int xdp_tx_completed(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct xdp_queue *x = to_xdp(q);
	unsigned int k;

	if (!q->dev->params.tx_keep)
		return 0; /* other calls bring them all home */
	k = pp_xsk_completed(x->xsk, pages, n);
	if (!k && !xdp_left(x))
		xdp_turn(x);
	return k;
}

static inline void xdp_rx_idle(struct xdp_queue *x)
{
	if (unlikely(x->xsk->t.gone || !x->look--))
		pp_xdp_look(x);
	else if (x->busy_poll)
		(void)recvfrom(x->s.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	else if (x->napi.suspended)
		(void)pp_napi_look(&x->napi); /* no interrupt does meanwhile */
}

static unsigned int xdp_rx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct xdp_queue *x = to_xdp(q);
	unsigned int k = pp_xsk_rx(x->xsk, pages, n);

	if (!k)
		xdp_rx_idle(x);
	if (likely(!x->xsk->t.gone || k))
		xdp_turn(x);
	return k;
}

static unsigned int xdp_tx_burst(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct xdp_queue *x = to_xdp(q);
	unsigned int k = pp_xsk_tx(x->xsk, pages, n);

	if (unlikely(x->xsk->t.err))
		kick_failed(x);
	return k;
}

/*
 * Readable as long as the RX ring has packets. poll() of a socket wakes the driver where it asks
 * for that; pp_rx_burst() has done so before.
 */
static int xdp_fd(struct pp_queue *q)
{
	struct xdp_queue *x = to_xdp(q);

	return x->napi.ep >= 0 ? x->napi.ep : x->s.fd;
}

/* with an empty fill ring no packet would end a sleep */
static int xdp_arm(struct pp_queue *q)
{
	struct xdp_queue *x = to_xdp(q);

	if (pp_xsk_debt(x->xsk))
		return 1;
	return x->napi.ep >= 0 && pp_napi_look(&x->napi) ? 1 : 0;
}

const struct pp_queue_ops pp_xdp_queue_ops = {
	.rx_burst = xdp_rx_burst,
	.tx_burst = xdp_tx_burst,
	.tx_clean = xdp_tx_clean,
	.fd = xdp_fd,
	.arm = xdp_arm,
	.tx_completed = xdp_tx_completed,
};
