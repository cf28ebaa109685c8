/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/open.h - building a queue */
#ifndef PP_AF_XDP_OPEN_H
#define PP_AF_XDP_OPEN_H

#include "af_xdp/port.h"

/* 0 or -errno with pp_set_error(); a half built queue is closed as any other */
int pp_xdp_open_queue(struct xdp_dev *xd, unsigned int queue);

#endif /* PP_AF_XDP_OPEN_H */
