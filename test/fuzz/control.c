/* SPDX-License-Identifier: BSD-3-Clause */
/* control.c - requests to the control socket, a line each: every answer is one line of JSON */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include <pagepool/page_pool.h>

#include "control/verbs.h"
#include "zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* what must hold, however the input looks; the fuzzer keeps an input that aborts */
#define must(cond)                                                                       \
	do {                                                                             \
		if (!(cond)) {                                                           \
			fprintf(stderr, "%s:%d: must(%s)\n", __FILE__, __LINE__, #cond); \
			abort();                                                         \
		}                                                                        \
	} while (0)

static struct pp_zone *zones[2];
static struct page_pool *pool;
static struct pp_page *out[2]; /* of a pool that has ended */

static void teardown(void)
{
	page_pool_put_bulk(out, 2);
	page_pool_destroy(pool);
	must(!pp_zone_destroy(zones[0]));
	must(!pp_zone_destroy(zones[1]));
}

static void setup(void)
{
	/* a name with something to escape */
	static const char *const names[] = { "z", "o\"\\\x01\xff" };
	struct pp_zone_params p = { .sz = sizeof(p), .pages = 256, .flags = PP_ZONE_TRACE };
	struct page_pool_params pp = { .sz = sizeof(pp), .name = "p\n", .refill = 8 };
	struct pp_page *pages[16];
	struct page_pool *gone;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		p.name = names[i];
		zones[i] = pp_zone_create(&p);
		must(zones[i]);
		must(pp_zone_alloc_bulk(zones[i], pages, 16) == 16);
		pp_zone_free_bulk(zones[i], pages, 16);
	}
	pp.zone = zones[0];
	pool = page_pool_create(&pp);
	must(pool);
	must(page_pool_alloc_bulk(pool, pages, 4) == 4);
	page_pool_put_bulk(pages, 4);
	pp.name = "gone";
	pp.flags = PAGE_POOL_HOLDERS;
	gone = page_pool_create(&pp);
	must(gone && page_pool_alloc_bulk(gone, out, 2) == 2);
	page_pool_destroy(gone);
	must(!atexit(teardown)); /* or their memory looks leaked */
}

/* Strictly JSON, one object, one line, with a version, and a verb or an error. */
static void check_answer(const struct json_writer *answer)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root;

	must(!answer->failed && answer->len > 2);
	must(memchr(answer->text, '\n', answer->len) == answer->text + answer->len - 1);
	must(strlen(answer->text) == answer->len);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, answer->text, (int)answer->len - 1);
	must(json_tokener_get_error(tokener) == json_tokener_success);
	must(json_object_get_int(json_object_object_get(root, "version")) == 1);
	must(!json_object_object_get(root, "verb") != !json_object_object_get(root, "error"));
	json_object_put(root);
	json_tokener_free(tokener);
}

static void check_zones(struct control_state *state)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		must(!pp_zone_get_stats(zones[i], &s));
		must(s.free + s.cached + s.in_flight == s.managed);
		/* twice is once */
		must(zones[i]->stock->disabled == !!control_find_disabled(state, zones[i]->id));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_writer answer;
	struct control_state state = { .read_only = size && data[0] == 'r' };
	const char *line = (const char *)data, *end;
	size_t len;

	if (!pool)
		setup();
	for (; size; size -= len, line += len) {
		end = memchr(line, '\n', size);
		len = end ? (size_t)(end - line) : size;
		/* exactly as long, so that a look behind it is seen */
		control_answer(&state, line, len, &answer);
		check_answer(&answer);
		check_zones(&state);
		len += !!end;
	}
	control_expire(&state, now_ns() + 1000000000);
	control_expire(&state, UINT64_MAX);
	check_zones(&state);
	return 0;
}
