/* SPDX-License-Identifier: BSD-3-Clause */
/* control/pools.h - requests for pools */
#ifndef PP_CONTROL_POOLS_H
#define PP_CONTROL_POOLS_H

#include "control/json_writer.h"
#include "control/parse.h"

void control_add_thread(struct json_writer *answer, uint64_t tid);
void control_trim(const struct control_request *req, struct json_writer *answer);
void control_holders(const struct control_request *req, struct json_writer *answer);

#endif /* PP_CONTROL_POOLS_H */
