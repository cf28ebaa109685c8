/* SPDX-License-Identifier: BSD-3-Clause */
/* control/reply.h - what the answers of all requests have in common */
#ifndef PP_CONTROL_REPLY_H
#define PP_CONTROL_REPLY_H

#include "base/internal.h"
#include "control/json_writer.h"

/* No part of a request keeps a zone or a pool pinned longer by its own waits; us. */
#define CONTROL_HOLD_US 20000u

/* @code, for programs: one word; and a sentence in one line */
void control_error(struct json_writer *answer, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An answer's head and end: between them its members. */
void control_begin(struct json_writer *answer, const char *verb);
void control_end(struct json_writer *answer);

#endif /* PP_CONTROL_REPLY_H */
