/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/meta.h - TX metadata: requests to the device besides sending */
#ifndef PP_XSK_META_H
#define PP_XSK_META_H

#include "xsk/priv.h"

/* do, or ask the device for, what the socket was created for; returns options of the descriptor */
uint32_t pp_xsk_tx_meta(struct pp_xsk *xsk, struct pp_page *page);

/* move a packet that begins too low; it has room behind */
void pp_xsk_tx_make_room(const struct pp_xsk *xsk, struct pp_page *page);

/* it was sent: its tstamp is that time, or PP_TSTAMP_NONE; @lost: it was not */
void pp_xsk_tx_stamped(struct pp_xsk *xsk, struct pp_page *page, bool lost);

#endif /* PP_XSK_META_H */
