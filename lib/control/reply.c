/* SPDX-License-Identifier: BSD-3-Clause */
/* control/reply.c - the frame of an answer */
#include <stdarg.h>
#include <stdio.h>

#include "control/verbs.h"

int control_error(struct json_writer *answer, const char *code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	answer->len = 0;
	answer->error = true;
	jw_begin(answer, NULL, '{');
	jw_count(answer, "version", PP_CONTROL_VERSION);
	jw_begin(answer, "error", '{');
	jw_text(answer, "code", code);
	jw_text(answer, "message", text);
	jw_end(answer, '}');
	jw_end(answer, '}');
	jw_newline(answer);
	return -1;
}

void control_begin(struct json_writer *answer, const char *verb)
{
	jw_begin(answer, NULL, '{');
	jw_count(answer, "version", PP_CONTROL_VERSION);
	jw_text(answer, "verb", verb);
}

void control_end(struct json_writer *answer)
{
	jw_end(answer, '}');
	jw_newline(answer);
}
