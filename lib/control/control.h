/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - the control socket's requests, for control*.c and whoever tests them without one
 */
#ifndef PP_CONTROL_INTERNAL_H
#define PP_CONTROL_INTERNAL_H

#include <pagepool/control.h>

#include "base/internal.h"
#include "control/json_writer.h"

/* Bytes of a request, its newline among them. */
#define CONTROL_LINE_MAX 256u
/* No part of a request keeps a zone or a pool pinned longer by its own waits; us. */
#define CONTROL_HOLD_US 20000u
/* Zones whose caches one socket keeps disabled at a time. */
#define CONTROL_DISABLED 16u

/* The caches of a zone are disabled by us; zone 0: a free slot. */
struct control_disabled {
	uint64_t zone; /* its id: the zone may be gone */
	uint64_t until_ns; /* of now_ns(); UINT64_MAX: until somebody enables them */
};

/* What requests leave behind; belongs to one thread. */
struct control_state {
	bool read_only;
	uint64_t requests;
	uint64_t errors;
	struct control_disabled disabled[CONTROL_DISABLED];
};

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

/* Do what a line asks for, and append the answer, a line too. */
void control_answer(struct control_state *state, const char *line, size_t len,
		    struct json_writer *answer);

/* Enable what was disabled for a time that is over; when the next one is, UINT64_MAX: never. */
uint64_t control_expire(struct control_state *state, uint64_t now);
void control_enable_all(struct control_state *state);

/* @code, for programs: one word; and a sentence in one line */
void control_error(struct json_writer *answer, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* An answer's head and end: between them its members. */
void control_begin(struct json_writer *answer, const char *verb);
void control_end(struct json_writer *answer);

/* control/pools.c */
void control_add_thread(struct json_writer *answer, uint64_t tid);
void control_trim(const struct control_request *req, struct json_writer *answer);
void control_holders(const struct control_request *req, struct json_writer *answer);

/* control/fault.c; @all: also points where no fault is set */
void control_fault(const struct control_request *req, struct json_writer *answer);
void control_add_faults(struct json_writer *json, bool all);

/* control/stat.c: members of an object that is open */
struct pp_zone;
void control_stat(const struct control_state *state, struct json_writer *json);
void control_help(struct json_writer *json);
uint64_t control_until(const struct control_state *state, const struct pp_zone *zone);

#endif /* PP_CONTROL_INTERNAL_H */
