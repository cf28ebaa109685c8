/* SPDX-License-Identifier: BSD-3-Clause */
/* require.h - a check that also stands where assertions are compiled out */
#ifndef PP_TEST_REQUIRE_H
#define PP_TEST_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(cond)                                                                              \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: require(%s) failed\n", __FILE__, __LINE__, #cond); \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#endif /* PP_TEST_REQUIRE_H */
