/* SPDX-License-Identifier: BSD-3-Clause */
/* control/stat.h - all zones, caches and pools of the process as JSON */
#ifndef PP_CONTROL_STAT_H
#define PP_CONTROL_STAT_H

#include "control/json_writer.h"
#include "control/state.h"

/* Members of an object that is open. */
void control_stat(const struct control_state *state, struct json_writer *json);

#endif /* PP_CONTROL_STAT_H */
