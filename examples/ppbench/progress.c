/* SPDX-License-Identifier: BSD-3-Clause */
/* progress.c - the state of a long run, on a terminal's last line; cleared at the end */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

#define AFTER_S	 1
#define PER_S	 4
#define CLEAR_LN "\r\033[K"

static bool shown;

void bench_progress_tick(struct bench *b)
{
	static uint64_t last;
	uint64_t now = pp_cycles(), hz = b->machine.tsc_hz;

	if (now - b->start < AFTER_S * hz || now - last < hz / PER_S || !isatty(STDERR_FILENO))
		return;
	last = now;
	shown = true;
	fprintf(stderr, CLEAR_LN "%s: %s%s%lu measurements, %u s", b->what->name, b->doing,
		*b->doing ? "; " : "", b->measured, (unsigned int)((now - b->start) / hz));
	fflush(stderr);
}

/* names the step that the case begins */
void bench_progress(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->doing, sizeof(b->doing), fmt, ap);
	va_end(ap);
	bench_progress_tick(b);
}

void bench_progress_end(void)
{
	if (shown)
		fputs(CLEAR_LN, stderr);
	shown = false;
}
