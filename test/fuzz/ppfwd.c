/* SPDX-License-Identifier: BSD-3-Clause */
/* ppfwd.c - ppfwd's command line: what is accepted is in range, what is not is an exit status */
#include "ppfwd.h"

#include "fuzz.h"

static void check_accepted(const struct options *opts)
{
	unsigned int i;

	must(opts->engine);
	must(opts->nports >= 1 && opts->nports <= PPFWD_PORTS_MAX);
	must(opts->ncores >= 1 && opts->ncores <= PPFWD_CORES_MAX);
	for (i = 0; i < opts->ncores; i++)
		must(opts->cores[i] < PPFWD_CORES_MAX);
	for (i = 0; i < opts->nports; i++)
		must(strlen(opts->ports[i]) < 65536);
	must(opts->burst >= 1 && opts->burst <= PP_BURST_MAX);
	must(opts->cache >= 1 && opts->cache <= 4096);
	must(opts->refill >= 1 && opts->refill <= opts->cache && opts->refill <= PP_BULK_MAX);
	must(opts->ring >= 2 && opts->ring <= 16384 && !(opts->ring & (opts->ring - 1)));
	must(opts->page_size >= 2048 && opts->page_size <= 65536);
	must(!(opts->page_size & (opts->page_size - 1)));
	must(opts->headroom < opts->page_size);
	must(!opts->high || opts->batch <= opts->high);
	must(opts->duration >= 0 && opts->duration <= 1e8);
	must(opts->period >= 0 && opts->period <= 1e8);
	must(opts->command && !strncmp(opts->command, "ppfwd", 5));
	must(default_pages(opts) >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options opts;
	struct fuzz_args args;
	int status;

	fuzz_args_make(&args, "ppfwd", data, size);
	status = options_parse(&opts, args.argc, args.argv);
	if (status == -1) {
		check_accepted(&opts);
		free(opts.command);
	} else {
		must(status >= 0 && status <= 2);
	}
	fuzz_args_free(&args);
	return 0;
}
