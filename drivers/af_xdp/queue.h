/* SPDX-License-Identifier: BSD-3-Clause */
/* af_xdp/queue.h - a queue's calls */
#ifndef PP_AF_XDP_QUEUE_H
#define PP_AF_XDP_QUEUE_H

#include "af_xdp/port.h"

extern const struct pp_queue_ops pp_xdp_queue_ops;

#endif /* PP_AF_XDP_QUEUE_H */
