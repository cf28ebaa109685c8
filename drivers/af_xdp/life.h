/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/life.h - the events of a queue besides packets */
#ifndef PP_AF_XDP_LIFE_H
#define PP_AF_XDP_LIFE_H

#include "af_xdp/port.h"

/* idle: ask the kernel whether the socket still has its interface */
void pp_xdp_look(struct xdp_queue *x);

/* the interface is gone: take the queue apart, by its own thread */
void pp_xdp_gone(struct xdp_queue *x);

/* the next event of the interface since the last call; NULL: there is none */
const char *pp_xdp_event(struct pp_netdev *dev);

/* give the kernel @ms to send its packets; returns the ms left */
unsigned int pp_xdp_flush(struct xdp_queue *x, unsigned int ms);

/* close the socket, and take back every frame that the kernel had; the counters stay */
void pp_xdp_close_queue(struct xdp_queue *x);

/* add the counters of engine and kernel; the last answer once the socket is closed */
void pp_xdp_queue_stats(struct xdp_queue *x, struct pp_netdev_stats *stats);

#endif /* PP_AF_XDP_LIFE_H */
