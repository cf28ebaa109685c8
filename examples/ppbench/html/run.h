/* SPDX-License-Identifier: BSD-3-Clause */
/* html/run.h - the part of the case report that needs json-c */
#ifndef PPBENCH_HTML_RUN_H
#define PPBENCH_HTML_RUN_H

#include "bench.h"
#include "common/part.h"

/*
 * Writes the page to @out, of the results in @from, or if it is NULL of every other case,
 * run now. 0, or -1 after bench_error().
 */
PART int html_run(struct bench *b, const char *out, const char *from);

#endif /* PPBENCH_HTML_RUN_H */
