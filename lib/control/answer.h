/* SPDX-License-Identifier: BSD-3-Clause */
/* control/answer.h - do what a line of the control socket asks for */
#ifndef PP_CONTROL_ANSWER_H
#define PP_CONTROL_ANSWER_H

#include "control/json_writer.h"
#include "control/state.h"

/* Do what a line asks for, and append the answer, a line too. */
void control_answer(struct control_state *state, const char *line, size_t len,
		    struct json_writer *answer);

/* Enable what was disabled for a time that is over; when the next one is, UINT64_MAX: never. */
uint64_t control_expire(struct control_state *state, uint64_t now);
void control_enable_all(struct control_state *state);

#endif /* PP_CONTROL_ANSWER_H */
