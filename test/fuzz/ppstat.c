/* SPDX-License-Identifier: BSD-3-Clause */
/* ppstat.c - the command line of ppstat: an accepted one becomes a line for the socket */
#include "ppstat.h"

#include "fuzz.h"

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

	fuzz_args_make(&args, "ppstat", data, size);
	status = options_parse(&opts, args.argc, args.argv);
	if (status == -1)
		check_accepted(&opts);
	else
		must(status >= 0 && status <= 2);
	fuzz_args_free(&args);
	return 0;
}
