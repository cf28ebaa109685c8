/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * part.h - the one way to leave a part of a program out of a build
 *
 * A part needs a library that a build may lack. meson then leaves the part's files out, and
 * its functions, declared with PART, are NULL:
 *
 *	PART int bench_report_run(struct bench *b);
 *
 *	if (!bench_report_run)
 *		complain("report: this build has no json-c; ...");
 */
#ifndef COMMON_PART_H
#define COMMON_PART_H

#define PART __attribute__((weak))

#endif /* COMMON_PART_H */
