/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_options.c PAGE... - each page has each option of the ports
 *
 * The list is that of the drivers: the options that they ask the parser for.
 */
#include <ctype.h>

#include "af_xdp/port.h"
#include "netdev/args.h"
#include "port.h"

static char *const *pages;

/* in place of the driver's: no test gives rx_meta */
int pp_xdp_rx_meta_parse(const char *text, uint32_t *mask)
{
	return -EINVAL;
}

static char *read_page(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *f = fopen(path, "r");

	assert_true(f && text);
	assert_in_range(fread(text, 1, (1 << 20) - 1, f), 1, (1 << 20) - 2);
	fclose(f);
	return text;
}

static const char *const drivers[] = { "null", "loop", "pcap", "af_xdp", "dpdk" };

/* the part of a guide, or of a man page, that is about @driver; the rest is cut off */
static const char *part_of(char *text, const char *driver)
{
	const bool guide = strstr(text, "\n## ");
	char *start, *end, head[32];
	unsigned int i;

	snprintf(head, sizeof(head), guide ? "\n## %s\n" : "\n.It Cm %s", driver);
	start = strstr(text, head);
	if (!start)
		return "";
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		snprintf(head, sizeof(head), guide ? "\n## " : "\n.It Cm %s", drivers[i]);
		end = strcmp(drivers[i], driver) || guide ? strstr(start + 1, head) : NULL;
		if (end)
			*end = '\0';
	}
	return start;
}

/* "KEY=", and not the end of another option's name */
static bool has_option(const char *text, const char *key)
{
	const size_t len = strlen(key);
	const char *at;

	for (at = strstr(text, key); at; at = strstr(at + 1, key))
		if (at > text && at[len] == '=' && !isalnum(at[-1]) && at[-1] != '_')
			return true;
	return false;
}

static unsigned int count_missing(const char *driver, const char *const *keys, unsigned int n)
{
	unsigned int i, missing = 0;
	char *const *page;
	const char *part;
	char *text;

	assert_in_range(n, 1, ARGS_MAX - 1);
	for (page = pages; *page; page++) {
		text = read_page(*page);
		part = part_of(text, driver);
		for (i = 0; i < n; i++) {
			if (has_option(part, keys[i]))
				continue;
			print_error("%s: %s= of %s is missing\n", *page, keys[i], driver);
			missing++;
		}
		free(text);
	}
	return missing;
}

static void af_xdp(void **state)
{
	struct pp_args *args = pp_args_split("af_xdp:lo");
	struct xdp_dev *xd = calloc(1, sizeof(*xd));

	assert_true(args && xd);
	assert_int_equal(pp_args_parse(args), 0);
	assert_int_equal(pp_xdp_parse(xd, args), 0);
	assert_int_equal(count_missing("af_xdp", args->known, args->nknown), 0);
	free(xd);
	free(args);
}

/* the others tell theirs as they refuse one */
static void others(void **state)
{
	/* in the order of drivers[] */
	static const char *const specs[] = { "null:none=1", "loop:a,none=1",
					     HAVE_PCAP ? "pcap:rx=/dev/null,none=1" : NULL };
	struct pp_netdev_params p = { .sz = sizeof(p), .zone = *state };
	const char *keys[ARGS_MAX];
	unsigned int i, n, missing = 0;
	char list[256], *key;

	for (i = 0; i < 3 && specs[i]; i++) {
		assert_null(pp_netdev_open(specs[i], &p));
		assert_non_null(strstr(pp_error(), "there are: "));
		snprintf(list, sizeof(list), "%s", strstr(pp_error(), "there are: ") + 11);
		for (n = 0, key = strtok(list, ", "); key; key = strtok(NULL, ", "))
			keys[n++] = key;
		missing += count_missing(drivers[i], keys, n);
	}
	assert_int_equal(missing, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(af_xdp),
		cmocka_unit_test_setup_teardown(others, setup_zone, teardown_zone),
	};

	pages = argv + 1;
	return argc > 1 ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
