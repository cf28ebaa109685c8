/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ppstat.c - ppstat's command line: what is accepted becomes one line that the socket understands
 *
 * Where ppstat exits the parser is left by longjmp(): options.c is compiled with another exit().
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>

#include "ppstat.h"

#include "fuzz.h"

static jmp_buf left;

void fuzz_exit(int status) __attribute__((noreturn));

void fuzz_exit(int status)
{
	longjmp(left, status + 1);
}

void usage_error(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fuzz_exit(2);
}

static void check_accepted(const struct options *opts)
{
	must(opts->verb && opts->request[0]);
	/* cut or with a line's end in it, it would ask for something else */
	must(strlen(opts->request) < sizeof(opts->request) - 1);
	must(!strchr(opts->request, '\n'));
	must(!opts->target || *opts->target);
	must(opts->watch >= 0 && opts->watch <= 86400);
	must(!opts->count || opts->watch > 0);
	must(!opts->prometheus || !opts->json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options opts;
	static struct fuzz_args args;
	int status;

	memset(&opts, 0, sizeof(opts));
	fuzz_args_make(&args, "ppstat", data, size);
	optind = 0;
	status = setjmp(left);
	if (!status) {
		options_parse(&opts, args.argc, args.argv);
		check_accepted(&opts);
	} else {
		must(status == 1 || status == 2 || status == 3);
	}
	fuzz_args_free(&args);
	return 0;
}
