/* SPDX-License-Identifier: BSD-3-Clause */
/* control/fault.h - requests for faults */
#ifndef PP_CONTROL_FAULT_H
#define PP_CONTROL_FAULT_H

#include "control/json_writer.h"
#include "control/parse.h"

void control_fault(const struct control_request *req, struct json_writer *answer);
/* @all: also points where no fault is set */
void control_add_faults(struct json_writer *json, bool all);

#endif /* PP_CONTROL_FAULT_H */
