/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * request.c - the control socket's requests, without a socket: every verb, every way to get one
 * wrong, and what disabled caches become; those of pools are in request_pools.c
 */
#include "control/request.h"

static uint64_t cached(struct pp_zone *zone)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	assert_int_equal(pp_zone_get_stats(zone, &s), 0);
	return s.cached;
}

/* Pages through this core's cache: how many stay there */
static unsigned int fill_cache(struct pp_zone *zone)
{
	struct pp_page *pages[16];

	assert_int_equal(pp_zone_alloc_bulk(zone, pages, 16), 16);
	pp_zone_free_bulk(zone, pages, 16);
	return (unsigned int)cached(zone);
}

static const struct {
	const char *line, *code;
} bad[] = {
	{ "", "bad_request" },
	{ " ", "bad_request" },
	{ "1", "bad_request" },
	{ "stat", "bad_request" },
	{ "1 a b c d e f g h", "bad_request" },
	{ "1 stat\r", "bad_request" },
	{ "1\tstat", "bad_request" },
	{ "1 st\x7f"
	  "at",
	  "bad_request" },
	{ "0 stat", "unknown_version" },
	{ "2 stat", "unknown_version" },
	{ "01234567890123456789 stat", "unknown_version" },
	{ "stat 1", "unknown_version" },
	{ "1 frob", "unknown_verb" },
	{ "1 STAT", "unknown_verb" },
	{ "1 \xff\xc3\x28", "unknown_verb" },
	{ "1 stat zone", "unknown_argument" },
	{ "1 stat timeout_us=5", "unknown_argument" },
	{ "1 drain z 0 0", "unknown_argument" },
	{ "1 drain =", "unknown_argument" },
	{ "1 drain lease_ms=5", "unknown_argument" },
	{ "1 drain timeout_us=", "bad_argument" },
	{ "1 drain timeout_us=0", "bad_argument" },
	{ "1 drain timeout_us=1000001", "bad_argument" },
	{ "1 drain timeout_us=-5", "bad_argument" },
	{ "1 drain timeout_us=99999999999999999999", "bad_argument" },
	{ "1 disable lease_ms=1e3", "bad_argument" },
	{ "1 trim keep=-1", "bad_argument" },
	{ "1 trim keep=4294967296", "bad_argument" },
	{ "1 trim lease_ms=1", "unknown_argument" },
	{ "1 holders oldest=0", "bad_argument" },
	{ "1 holders oldest=1001", "bad_argument" },
	{ "1 holders track=1", "bad_argument" },
	{ "1 holders track=", "bad_argument" },
	{ "1 trim", "not_found" },
	{ "1 fault page_pool_alloc", "bad_argument" },
	{ "1 fault every=1", "bad_argument" },
	{ "1 fault after=1", "bad_argument" },
	{ "1 fault thread=1", "bad_argument" },
	{ "1 fault malloc every=1", "not_found" },
	{ "1 fault zone_alloc every=-1", "bad_argument" },
	{ "1 fault zone_alloc every=1 thread=2147483648", "bad_argument" },
	{ "1 stat every=1", "unknown_argument" },
	{ "1 holders p", "not_found" },
	{ "1 drain nobody", "not_found" },
	{ "1 drain z 65536", "bad_argument" },
	{ "1 drain z -1", "bad_argument" },
	{ "1 drain z 0x0", "bad_argument" },
	{ "1 enable z", "not_disabled" },
};

static void bad_requests(void **unused)
{
	struct control_state state = { 0 };
	struct pp_zone *zone = make_zone("z");
	char code[64];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(code, sizeof(code), "{\"version\":1,\"error\":{\"code\":\"%s\",",
			 bad[i].code);
		has(ask(&state, bad[i].line), code);
	}
	assert_int_equal(state.errors, i);
	assert_int_equal(state.requests, i);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static void long_and_binary(void **unused)
{
	struct control_state state = { 0 };
	char line[CONTROL_LINE_MAX + 1];

	memset(line, 'x', sizeof(line));
	control_answer(&state, line, CONTROL_LINE_MAX, &answer);
	has(answer.text, "bad_request");
	memcpy(line, "1 drain ", 8);
	control_answer(&state, line, CONTROL_LINE_MAX - 1, &answer);
	has(answer.text, "not_found");
	line[4] = '\0';
	control_answer(&state, line, 20, &answer);
	has(answer.text, "byte 4 is a control character");
}

static void no_zone(void **unused)
{
	struct control_state state = { 0 };

	has(ask(&state, "1 drain"), "this process has no zone");
	has(ask(&state, "1 enable"), "this process has no zone");
	has(ask(&state, "1 stat"), "\"faults\":[],\"zones\":[],\"pools\":[],\"ended\":[]}");
	has(ask(&state, "1 help"), "\"verbs\":{\"stat\":");
}

/* Names may hold anything: the answer is JSON all the same. */
static void odd_names(void **unused)
{
	struct control_state state = { 0 };
	struct pp_zone *zone = make_zone("a\"b\\c\x01\x7f\xff \xc3\xa9 \xc3 \xed\xa0\x80 \xe2\x82");
	const char *text = ask(&state, "1 stat");

	has(text, "\"name\":\"a\\\"b\\\\c\\u0001\\u007f\\ufffd \xc3\xa9 \\ufffd "
		  "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\"");
	has(ask(&state, "1 drain a\"b"), "zone a\\\"b: there is none");
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static void stat_tells_all(void **unused)
{
	struct pp_zone *zone = make_zone("z"), *other = make_zone("other");
	struct page_pool_params p = { .sz = sizeof(p), .name = "p0", .zone = other };
	struct control_state state = { 0 };
	struct page_pool *pool;
	struct pp_page *page;
	char part[128];

	p.refill = 16;
	pool = page_pool_create(&p);
	assert_non_null(pool);
	page = page_pool_alloc_pages(pool);
	assert_non_null(page);
	ask(&state, "1 stat");
	snprintf(part, sizeof(part), "{\"id\":%llu,\"name\":\"z\",\"policy\":\"trylock\"",
		 (unsigned long long)zone->id);
	has(answer.text, part);
	snprintf(part, sizeof(part), "\"name\":\"p0\",\"zone\":%llu,",
		 (unsigned long long)other->id);
	has(answer.text, part);
	has(answer.text, "\"cache\":15,\"ring\":0,\"outstanding\":1,");
	has(answer.text, "\"managed\":1024,\"free\":1024,");
	snprintf(part, sizeof(part),
		 "\"caches\":[{\"core\":%u,\"cached\":", pp_zone_this_core(other));
	has(answer.text, part);
	page_pool_put_page(pool, page, false);
	page_pool_destroy(pool);
	assert_int_equal(pp_zone_destroy(zone), 0);
	has_not(ask(&state, "1 stat"), "\"z\"");
	assert_int_equal(pp_zone_destroy(other), 0);
}

static void drain(void **unused)
{
	struct pp_zone *zone = make_zone("z"), *other = make_zone("other");
	struct control_state state = { 0 };
	unsigned int core, n = fill_cache(zone);
	char line[64], part[64];

	assert_true(n >= 16);
	core = pp_zone_this_core(zone);
	snprintf(line, sizeof(line), "1 drain z %u", core ? 0 : 1);
	has(ask(&state, line), "\"drained\":0,\"timeouts\":0}]}");
	assert_int_equal(cached(zone), n);
	has(ask(&state, "1 drain other"), "\"drained\":0,");
	assert_int_equal(cached(zone), n);
	snprintf(line, sizeof(line), "1 drain %llu %u timeout_us=1000",
		 (unsigned long long)zone->id, core);
	snprintf(part, sizeof(part), "\"zones\":[{\"id\":%llu,\"drained\":%u,\"timeouts\":0}]}",
		 (unsigned long long)zone->id, n);
	has(ask(&state, line), part);
	assert_int_equal(cached(zone), 0);
	assert_true(fill_cache(zone) && fill_cache(other));
	ask(&state, "1 drain");
	assert_int_equal(cached(zone) + cached(other), 0);
	assert_int_equal(pp_zone_destroy(zone), 0);
	assert_int_equal(pp_zone_destroy(other), 0);
}

static void disable(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct control_state state = { 0 };

	has(ask(&state, "1 disable z"), "\"verb\":\"disable\",\"zones\":[{\"id\":");
	assert_int_equal(fill_cache(zone), 0);
	assert_int_equal(control_expire(&state, UINT64_MAX - 1), UINT64_MAX);
	has(ask(&state, "1 stat"), "\"disabled\":1,\"node\"");
	/* twice is once */
	ask(&state, "1 disable");
	has(ask(&state, "1 enable"), "\"verb\":\"enable\"");
	assert_true(fill_cache(zone) >= 16);
	has(ask(&state, "1 enable"), "not_disabled");
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static void leases(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct control_state state = { 0 };
	uint64_t before = now_ns(), until;

	ask(&state, "1 disable z lease_ms=5000");
	until = control_expire(&state, before);
	assert_in_range(until - before, 5000000000ull, 6000000000ull);
	has(ask(&state, "1 stat"), "\"disabled\":1,\"lease_ms\":4");
	/* a longer one */
	ask(&state, "1 disable z lease_ms=60000");
	assert_int_equal(zone->stock->disabled, 1);
	assert_in_range(control_expire(&state, until), until + 1, UINT64_MAX - 1);
	assert_int_equal(zone->stock->disabled, 1);
	assert_int_equal(control_expire(&state, before + 100000000000ull), UINT64_MAX);
	assert_int_equal(zone->stock->disabled, 0);
	assert_true(fill_cache(zone) >= 16);
	/* for ever, but not longer than the socket */
	ask(&state, "1 disable z");
	control_expire(&state, UINT64_MAX);
	assert_int_equal(zone->stock->disabled, 0);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* What the program disabled itself stays disabled. */
static void nests_in_the_program(void **unused)
{
	struct pp_zone *zone = make_zone("z");
	struct control_state state = { 0 };

	assert_int_equal(pp_zone_pcp_disable(zone, 1000), 0);
	has(ask(&state, "1 enable z"), "not_disabled");
	ask(&state, "1 disable z");
	ask(&state, "1 enable z");
	control_expire(&state, UINT64_MAX);
	assert_int_equal(fill_cache(zone), 0);
	pp_zone_pcp_enable(zone);
	assert_true(fill_cache(zone) >= 16);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

/* The next zone may be at the same address, and is none of our business. */
static void ended_zones(void **unused)
{
	struct control_state state = { 0 };
	struct pp_zone *zone;
	unsigned int i;

	for (i = 0; i < 3 * CONTROL_DISABLED; i++) {
		zone = make_zone("z");
		has(ask(&state, "1 disable z"), "\"verb\":\"disable\"");
		assert_int_equal(pp_zone_destroy(zone), 0);
	}
	zone = make_zone("z");
	assert_int_equal(pp_zone_pcp_disable(zone, 1000), 0);
	control_expire(&state, UINT64_MAX);
	assert_int_equal(zone->stock->disabled, 1);
	assert_int_equal(pp_zone_destroy(zone), 0);
}

static void too_many_zones(void **unused)
{
	struct pp_zone *zones[CONTROL_DISABLED + 1];
	struct control_state state = { 0 };
	unsigned int i;
	char name[16];

	for (i = 0; i <= CONTROL_DISABLED; i++) {
		snprintf(name, sizeof(name), "z%u", i);
		zones[i] = make_zone(name);
		snprintf(name, sizeof(name), "1 disable z%u", i);
		has(ask(&state, name),
		    i < CONTROL_DISABLED ? "\"verb\":\"disable\"" : "\"code\":\"busy\"");
	}
	control_expire(&state, UINT64_MAX);
	for (i = 0; i <= CONTROL_DISABLED; i++) {
		assert_int_equal(zones[i]->stock->disabled, 0);
		assert_int_equal(pp_zone_destroy(zones[i]), 0);
	}
}

static void read_only(void **unused)
{
	struct control_state state = { .read_only = true };
	struct pp_zone *zone = make_zone("z");
	unsigned int n = fill_cache(zone);
	char part[64];

	has(ask(&state, "1 drain"), "\"code\":\"denied\"");
	has(ask(&state, "1 trim"), "\"code\":\"denied\"");
	has(ask(&state, "1 disable"), "\"code\":\"denied\"");
	has(ask(&state, "1 enable"), "\"code\":\"denied\"");
	assert_int_equal(cached(zone), n);
	snprintf(part, sizeof(part), "\"cached\":%u,", n);
	has(ask(&state, "1 stat"), part);
	has(ask(&state, "1 help"), "\"verbs\"");
	assert_int_equal(pp_zone_destroy(zone), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_zone),
		cmocka_unit_test(bad_requests),
		cmocka_unit_test(long_and_binary),
		cmocka_unit_test(odd_names),
		cmocka_unit_test(stat_tells_all),
		cmocka_unit_test(drain),
		cmocka_unit_test(disable),
		cmocka_unit_test(leases),
		cmocka_unit_test(nests_in_the_program),
		cmocka_unit_test(ended_zones),
		cmocka_unit_test(too_many_zones),
		cmocka_unit_test(read_only),
	};
	cpu_set_t cpu;
	int failed;

	/* the caches are told apart below */
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	failed = cmocka_run_group_tests(tests, NULL, NULL);

	jw_free(&answer);
	return failed;
}
