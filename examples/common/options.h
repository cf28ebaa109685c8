/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h - a command line from one table
 *
 * A row says all of an option: getopt_long()'s arrays, --help and the error lines come from it.
 * --help (-h) and --version (-V) are every program's.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_MAX 64u

enum option_kind {
	OPTION_BOOL, /* bool: true; takes no value */
	OPTION_BITS, /* uint32_t: sets the bits of @min; takes no value */
	OPTION_U32, /* uint32_t in @min .. @max */
	OPTION_U64, /* uint64_t in @min .. @max */
	OPTION_SECONDS, /* double in @least .. @most */
	OPTION_TEXT, /* const char *: the value, which must not be empty */
	OPTION_ANY, /* const char *: the value */
	OPTION_SET, /* @set() reads the value */
};

/**
 * struct option_row - an option
 * @name:   "burst" for --burst; NULL ends a table
 * @letter: 'b' for -b; 0: there is none
 * @also:   another long name; NULL: there is none
 * @arg:    name of the value in --help; NULL: the option takes none
 * @kind:   kind of value, and type of the variable
 * @at:     place of the variable in the program's struct: offsetof()
 * @var:    the variable, where it is in no struct; NULL: @at counts
 * @min:    least number, or bits
 * @max:    greatest number
 * @least:  least time, in seconds
 * @most:   greatest time, in seconds
 * @set:    for OPTION_SET: @name is "--burst", @arg its value; usage_error() refuses it
 * @with:   words, separated by blanks, that the option goes with (verbs, cases); NULL: all
 * @help:   a line or several; NULL: not listed
 * @more:   further lines of --help, below the option's; NULL: there are none
 */
struct option_row {
	const char *name;
	char letter;
	const char *also;
	const char *arg;
	enum option_kind kind;
	size_t at;
	void *var;
	uint64_t min;
	uint64_t max;
	double least;
	double most;
	void (*set)(void *opts, const char *name, const char *arg);
	const char *with;
	const char *help;
	void (*more)(FILE *out);
};

/* kinds and places in a row; the program defines OPTIONS, the type of its struct */
#define IN_OPTIONS(field)     .at = offsetof(OPTIONS, field)
#define BOOL(field)	      .kind = OPTION_BOOL, IN_OPTIONS(field)
#define BITS(field, bits)     .kind = OPTION_BITS, IN_OPTIONS(field), .min = (bits)
#define U32(field, low, high) .kind = OPTION_U32, IN_OPTIONS(field), .min = (low), .max = (high)
#define U64(field, low, high) .kind = OPTION_U64, IN_OPTIONS(field), .min = (low), .max = (high)
#define SECONDS(field, low, high) \
	.kind = OPTION_SECONDS, IN_OPTIONS(field), .least = (low), .most = (high)
#define TEXT(field) .kind = OPTION_TEXT, IN_OPTIONS(field)
#define ANY(field)  .kind = OPTION_ANY, IN_OPTIONS(field)
#define SET(fn)	    .kind = OPTION_SET, .set = (fn)

/**
 * struct option_use - how a command line is read
 * @rows:    the table, at most OPTIONS_MAX
 * @usage:   prints the head of --help
 * @tail:    text below the options; NULL: there is none
 * @operand: out: index of the first argument that is no option
 * @given:   out: bit i: row i was there
 */
struct option_use {
	const struct option_row *rows;
	void (*usage)(FILE *out);
	const char *tail;
	int operand;
	uint64_t given;
};

/*
 * options_read() - read the options in @argv into @opts
 *
 * Options and other arguments may be mixed; the others end up behind. Return: -1: go on; else
 * the exit status: 0 after --help and --version, 1 if they could not be printed, 2 after a
 * usage_error().
 */
int options_read(struct option_use *use, void *opts, int argc, char **argv);

/* options_check() - a usage_error() if an option was given that does not go with @word */
void options_check(const struct option_use *use, const char *word);

/* options_given() - the option was there */
bool options_given(const struct option_use *use, const char *name);

/* options_join() - the command line in one string, for reports; allocated; NULL: no memory */
char *options_join(int argc, char **argv);

#endif /* COMMON_OPTIONS_H */
