/* SPDX-License-Identifier: BSD-3-Clause */
/* ppstat.h - types and functions that the files of ppstat share */
#ifndef PPSTAT_H
#define PPSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/part.h"

#define ANSWER_WAIT_S 5

/**
 * struct options - the command line
 * @verb:    "stat", "list", or a verb of the socket
 * @target:  socket or process; NULL: the only one
 * @request: the verb's line for the socket
 * @watch:   seconds between samples; 0: one sample
 * @count:   samples; 0: until interrupted
 * @out:     file that each sample replaces at once; NULL: standard output
 */
struct options {
	const char *verb;
	const char *target;
	char request[256];
	double watch;
	uint64_t count;
	bool json;
	bool prometheus;
	const char *out;
};

/* options.c: -1: go on; else the exit status: 0 for --help and --version, 2 for bad usage */
int options_parse(struct options *opts, int argc, char **argv);

/**
 * struct peer - a connection to a program
 * @fd:   -1: none
 * @path: socket
 * @user: of another user's program: " of " and the user's name, fit for a terminal; else ""
 */
struct peer {
	int fd;
	char path[108];
	char user[40];
};

/* find.c: the socket of @target; -1: said why. find_list(): a line for each; how many */
int find_target(const char *target, char path[108]);
unsigned int find_list(FILE *out);

/* client.c: 0; -1: said why. The answer, a line, is the caller's to free; NULL: said why */
int peer_connect(struct peer *peer);
char *peer_ask(struct peer *peer, const char *request);
/* struct peer's @user, by number */
const char *foreign_user(unsigned int uid, char *buf, size_t size);
bool peer_is_open(const char *path, int *pid, unsigned int *uid);
void peer_close(struct peer *peer);

/* the part that reads answers; it needs json-c */
struct sample; /* an answer to stat, taken apart */
PART struct sample *sample_parse(const char *answer);
PART void sample_free(struct sample *sample);
/* the effect of a verb, in words, or only its error; 0; -1: it failed, and the reason is told */
PART int show_answer(const char *verb, const char *answer);
PART int show_error(const char *verb, const char *answer);
PART void show_prometheus(const struct sample *sample, FILE *out);
/* @before NULL: totals instead of rates; @columns 0: as much as it takes; @user: struct peer's */
PART void show_sample(const struct sample *sample, const struct sample *before,
		      unsigned int columns, const char *user, FILE *out);

#endif /* PPSTAT_H */
