/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control/verbs.h - the requests of the control socket: parse a line, do what it asks, write the
 * answer
 *
 * control.c calls control_answer(); tests do so without a socket.
 */
#ifndef PP_CONTROL_VERBS_H
#define PP_CONTROL_VERBS_H

#include <sys/types.h>
#include <sys/un.h>

#include <pagepool/control.h>

#include "control/json_writer.h"
#include "zone/zone.h"

/* Bytes of a request with its newline. */
#define CONTROL_LINE_MAX 256u
/* The longest wait while a request keeps a zone or a pool pinned; us. */
#define CONTROL_HOLD_US 20000u

/* ---- a request: parse.c ---------------------------------------------------------------------- */

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

/* Values of track=off and track=on; 0: not given */
#define CONTROL_OFF 1u
#define CONTROL_ON  2u

struct control_request {
	enum control_verb verb;
	const char *word[2]; /* in @line; NULL: not given */
	uint64_t timeout_us;
	uint64_t lease_ms;
	uint64_t keep;
	uint64_t oldest;
	uint64_t track;
	bool has_every;
	uint64_t every;
	uint64_t after;
	uint64_t thread;
	char line[CONTROL_LINE_MAX];
};

/* Parse @len bytes, a line without its newline. 0, or -1: @answer is the error to send. */
int control_parse(struct control_request *req, const char *line, size_t len,
		  struct json_writer *answer);
void control_help(struct json_writer *json);

/* ---- an answer: reply.c ---------------------------------------------------------------------- */

/*
 * Make @answer an error: @code is one word for programs, the text is one sentence for people.
 * Returns -1.
 */
int control_error(struct json_writer *answer, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The head and the end of an answer; its members go between them. */
void control_begin(struct json_writer *answer, const char *verb);
void control_end(struct json_writer *answer);

/* ---- what requests leave behind -------------------------------------------------------------- */

/* One socket keeps the caches of so many zones disabled at a time. */
#define CONTROL_DISABLED 16u

/* A request disabled the caches of a zone; zone 0: a free slot. */
struct control_disabled {
	uint64_t zone; /* its id: the zone may be gone */
	uint64_t until_ns; /* of now_ns(); UINT64_MAX: until a request enables them */
};

/* Belongs to one thread. */
struct control_state {
	bool read_only;
	uint64_t requests;
	uint64_t errors;
	struct control_disabled disabled[CONTROL_DISABLED];
};

/* The slot of zone @id, or a free one for 0; NULL: there is none. */
static inline struct control_disabled *control_find_disabled(struct control_state *state,
							     uint64_t id)
{
	unsigned int i;

	for (i = 0; i < CONTROL_DISABLED; i++)
		if (state->disabled[i].zone == id)
			return &state->disabled[i];
	return NULL;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

/* Do what a line asks for; @answer becomes the answer, which is a line, too. */
void control_answer(struct control_state *state, const char *line, size_t len,
		    struct json_writer *answer);
/*
 * Enable the caches with a lease that is over at @now, all for UINT64_MAX; the end of the next
 * lease, or UINT64_MAX.
 */
uint64_t control_expire(struct control_state *state, uint64_t now);

/* All zones, caches and pools of the process. */
void control_stat(struct control_state *state, struct json_writer *json);
void control_trim(const struct control_request *req, struct json_writer *answer);
void control_holders(const struct control_request *req, struct json_writer *answer);
void control_fault(const struct control_request *req, struct json_writer *answer);

/* Parts of answers: a thread's id and name; the points of failure, @all or those in use. */
void control_add_thread(struct json_writer *json, uint64_t tid);
void control_add_faults(struct json_writer *json, bool all);

/* ---- the socket's name in the file system, and its peers: socket.c --------------------------- */

struct control_socket {
	int fd;
	dev_t dev; /* of the name, so that only ours is removed */
	ino_t ino;
	bool made_dir; /* for this socket alone, and to be removed with it */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

/* @path NULL: the default. 0, or -errno and pp_error(). */
int control_socket_open(struct control_socket *s, const char *path);
void control_socket_close(struct control_socket *s);

/* The other end is a process of this user, or root's. */
bool control_peer_allowed(int fd);

#endif /* PP_CONTROL_VERBS_H */
