/* SPDX-License-Identifier: BSD-3-Clause */
/* control.h - the requests of the control socket, for its thread and for tests without a socket */
#ifndef PP_CONTROL_INTERNAL_H
#define PP_CONTROL_INTERNAL_H

#include "control/answer.h"
#include "control/fault.h"
#include "control/parse.h"
#include "control/pools.h"
#include "control/reply.h"
#include "control/stat.h"

#endif /* PP_CONTROL_INTERNAL_H */
