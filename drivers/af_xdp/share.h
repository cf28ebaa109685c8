/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/share.h - how many frames the queues of a zone may post, all together
 *
 * No port posts more than a quarter of the zone, nor more than half of the pages left of three
 * quarters: so, with any number of ports, pages remain to send and to hold.
 */
#ifndef PP_AF_XDP_SHARE_H
#define PP_AF_XDP_SHARE_H

#include <stdint.h>

struct pp_zone;

/* up to @want frames for one of a port's @nqueues queues; 0: there are none left */
uint32_t pp_xdp_share_take(const struct pp_zone *zone, uint32_t want, unsigned int nqueues);
void pp_xdp_share_drop(const struct pp_zone *zone, uint32_t frames);

#endif /* PP_AF_XDP_SHARE_H */
