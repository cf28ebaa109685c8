/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.h - what the tests of the control socket's requests share
 */
#ifndef PP_TEST_REQUEST_H
#define PP_TEST_REQUEST_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <pagepool/page_pool.h>

#include "control/verbs.h"
#include "pool/page_pool.h"

static struct json_writer answer;

static inline const char *ask(struct control_state *state, const char *line)
{
	control_answer(state, line, strlen(line), &answer);
	assert_false(answer.failed);
	assert_int_equal(answer.text[answer.len - 1], '\n');
	assert_ptr_equal(strchr(answer.text, '\n'), answer.text + answer.len - 1);
	return answer.text;
}

static inline void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("%s is not in: %s", part, text);
}

static inline void has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("%s is in: %s", part, text);
}

static inline struct pp_zone *make_zone(const char *name)
{
	struct pp_zone_params p = { .sz = sizeof(p), .name = name, .pages = 1024, .high = 64 };
	struct pp_zone *zone = pp_zone_create(&p);

	assert_non_null(zone);
	return zone;
}

static inline struct page_pool *make_pool(struct pp_zone *zone, const char *name)
{
	struct page_pool_params p = { .sz = sizeof(p), .name = name, .zone = zone, .refill = 16 };
	struct page_pool *pool = page_pool_create(&p);

	assert_non_null(pool);
	return pool;
}

#endif /* PP_TEST_REQUEST_H */
