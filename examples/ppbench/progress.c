/* SPDX-License-Identifier: BSD-3-Clause */
/* progress.c - stderr: the state of a run, on a terminal's last line, and its error */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "common/error.h"

#define AFTER_S	 1
#define PER_S	 4
#define CLEAR_LN "\r\033[K"
#define ALIGN	 128u

static bool shown;

void bench_progress_tick(struct bench *b)
{
	static uint64_t last;
	uint64_t now = pp_cycles(), hz = b->tsc_hz;

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

/* one line: later errors follow from the first */
void bench_error(const char *fmt, ...)
{
	static bool said;
	va_list ap;

	if (said)
		return;
	said = true;
	bench_progress_end();
	va_start(ap, fmt);
	complain_va(fmt, ap);
	va_end(ap);
}

void *bench_alloc(size_t n, size_t size)
{
	size_t bytes = (n * size + ALIGN) / ALIGN * ALIGN;
	void *mem = aligned_alloc(ALIGN, bytes);

	if (mem)
		return memset(mem, 0, bytes);
	bench_error("not enough memory; end other programs, or use a smaller --repeat");
	return NULL;
}
