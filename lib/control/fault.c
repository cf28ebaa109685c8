/* SPDX-License-Identifier: BSD-3-Clause */
/* control/fault.c - the verb fault: allocations fail on purpose */
#include <pagepool/fault.h>

#include "control/verbs.h"

static void add_fault(struct json_writer *json, const char *at, const struct pp_fault_stats *s)
{
	jw_begin(json, NULL, '{');
	jw_text(json, "at", at);
	jw_count(json, "every", s->every);
	jw_count(json, "after", s->after);
	if (s->thread)
		jw_count(json, "thread", s->thread);
	jw_count(json, "calls", s->calls);
	jw_count(json, "injected", s->injected);
	jw_end(json, '}');
}

void control_add_faults(struct json_writer *json, bool all)
{
	struct pp_fault_stats s = { .sz = sizeof(s) };
	const char *const *at;

	jw_begin(json, "faults", '[');
	for (at = pp_fault_names(); *at; at++) {
		pp_fault_get_stats(*at, &s);
		if (all || s.every || s.calls)
			add_fault(json, *at, &s);
	}
	jw_end(json, ']');
}

void control_fault(const struct control_request *req, struct json_writer *answer)
{
	const char *at = req->word[0];

	if (!at != !req->has_every || (!at && (req->after || req->thread))) {
		control_error(answer, "bad_argument",
			      "fault: a point goes with every=N, and every=N, after=N and thread=N "
			      "with a point");
		return;
	}
	if (at && pp_fault_set(at, req->every, req->after, req->thread)) {
		control_error(answer, "not_found", "%s", pp_error());
		return;
	}
	control_begin(answer, "fault");
	control_add_faults(answer, true);
	control_end(answer);
}
