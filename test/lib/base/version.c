/* SPDX-License-Identifier: BSD-3-Clause */
/* version.c - the numbers of the header, of meson and of the library are the same */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pagepool/error.h>
#include <pagepool/version.h>

#include "harness.h"

static void same_everywhere(void **state)
{
	char header[32];

	(void)state;
	snprintf(header, sizeof(header), "%d.%d.%d", PP_VERSION_MAJOR, PP_VERSION_MINOR,
		 PP_VERSION_PATCH);
	require(!strcmp(header, PP_VERSION)); /* meson.build's */
	require(!strcmp(header, pp_version()));
	require(pp_check_version(PP_VERSION_MAJOR, PP_VERSION_MINOR, PP_VERSION_PATCH) == 0);
}

static void refused(unsigned int major, unsigned int minor, unsigned int patch)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%u.%u.%u", major, minor, patch);
	errno = 0;
	require(pp_check_version(major, minor, patch) == -ENOTSUP);
	require(errno == ENOTSUP);
	require(strstr(pp_error(), wanted));
	require(strstr(pp_error(), pp_version()));
}

static void others_are_refused(void **state)
{
	(void)state;
	refused(PP_VERSION_MAJOR + 1, 0, 0);
	refused(PP_VERSION_MAJOR, PP_VERSION_MINOR + 1, 0);
	refused(PP_VERSION_MAJOR, PP_VERSION_MINOR, PP_VERSION_PATCH + 1);
}

/* before 1.0 an older minor version is another ABI */
static void older_minor(void **state)
{
	int err;

	(void)state;
	if (!PP_VERSION_MINOR)
		return;
	err = pp_check_version(PP_VERSION_MAJOR, PP_VERSION_MINOR - 1, 0);
	require(err == (PP_VERSION_MAJOR ? 0 : -ENOTSUP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_everywhere),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(older_minor),
	};

	return test_main("version", tests, ARRAY_LEN(tests), 10);
}
