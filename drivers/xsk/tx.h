/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xsk/tx.h - transmission, for pages and for chunks smaller than pages
 */
#ifndef PP_XSK_TX_H
#define PP_XSK_TX_H

#include "xsk/priv.h"

/* slots for up to @n packets; if these are too few, completes first */
uint32_t pp_xsk_tx_room(struct pp_xsk *xsk, uint32_t n);

/* the kernel may send the last @sent descriptors */
void pp_xsk_tx_submit(struct pp_xsk *xsk, uint32_t sent);

#endif /* PP_XSK_TX_H */
