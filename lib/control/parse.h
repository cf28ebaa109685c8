/* SPDX-License-Identifier: BSD-3-Clause */
/* control/parse.h - a request, taken apart */
#ifndef PP_CONTROL_PARSE_H
#define PP_CONTROL_PARSE_H

#include <pagepool/control.h>

#include "base/internal.h"
#include "control/json_writer.h"

/* Bytes of a request, its newline among them. */
#define CONTROL_LINE_MAX 256u

enum control_verb {
	VERB_STAT,
	VERB_DRAIN,
	VERB_TRIM,
	VERB_DISABLE,
	VERB_ENABLE,
	VERB_HOLDERS,
	VERB_FAULT,
	VERB_HELP,
};

/* track=... */
#define CONTROL_OFF 1u
#define CONTROL_ON  2u

/* A request, taken apart. */
struct control_request {
	enum control_verb verb;
	const char *word[2]; /* of @line; NULL: not given */
	uint64_t timeout_us;
	uint64_t lease_ms;
	uint64_t keep;
	uint64_t oldest;
	uint64_t track; /* 0: as it is */
	bool has_every;
	uint64_t every;
	uint64_t after;
	uint64_t thread;
	char line[CONTROL_LINE_MAX];
};

/*
 * Take @len bytes apart, which are a line without its newline. 0, or -1: @answer is the
 * error to send.
 */
int control_parse(struct control_request *req, const char *line, size_t len,
		  struct json_writer *answer);

void control_help(struct json_writer *json);

#endif /* PP_CONTROL_PARSE_H */
