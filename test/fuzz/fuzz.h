/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz.h - what libFuzzer calls, and text as a command line */
#ifndef PP_TEST_FUZZ_H
#define PP_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* what must hold, however the input looks; the fuzzer keeps an input that aborts */
#define must(cond)                                                                       \
	do {                                                                             \
		if (!(cond)) {                                                           \
			fprintf(stderr, "%s:%d: must(%s)\n", __FILE__, __LINE__, #cond); \
			abort();                                                         \
		}                                                                        \
	} while (0)

#define FUZZ_ARGS 64

/* A line each becomes an argument, behind the name of the program. */
struct fuzz_args {
	char *argv[FUZZ_ARGS + 2];
	int argc;
	char *text;
};

static inline void fuzz_args_make(struct fuzz_args *args, const char *program, const uint8_t *data,
				  size_t size)
{
	char *at;

	args->text = calloc(1, size + strlen(program) + 2);
	must(args->text);
	strcpy(args->text, program);
	at = args->text + strlen(program) + 1;
	memcpy(at, data, size);
	args->argv[0] = args->text;
	for (args->argc = 1; args->argc <= FUZZ_ARGS && (at - args->text) < 65536 && *at;) {
		args->argv[args->argc++] = at;
		at = strchr(at, '\n');
		if (!at)
			break;
		*at++ = '\0';
	}
	args->argv[args->argc] = NULL;
}

static inline void fuzz_args_free(struct fuzz_args *args)
{
	free(args->text);
}

#endif /* PP_TEST_FUZZ_H */
