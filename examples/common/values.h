/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * values.h - numbers, times and lists on a command line
 *
 * @name is the option, "--burst". A @text that is no such value, or out of range, is a
 * usage_error(); the answer is then the minimum, so that callers need not look before the end.
 */
#ifndef COMMON_VALUES_H
#define COMMON_VALUES_H

#include <stdint.h>

uint64_t parse_number(const char *name, const char *text, uint64_t min, uint64_t max);
double parse_real(const char *name, const char *text, double min, double max, const char *unit);

/* parse_list() - "0,2-5" into at most @room @values; returns how many, 0 after an error */
unsigned int parse_list(const char *name, const char *text, unsigned int min, unsigned int max,
			unsigned int *values, unsigned int room);

/* parse_word() - the index of @text in @words, which NULL ends; -1: an error listed them */
int parse_word(const char *name, const char *text, const char *const *words);

#endif /* COMMON_VALUES_H */
