/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * answer_none.c - without json-c: answers pass as they are, and only their errors are known
 */
#include <string.h>

#include "ppstat.h"

const bool can_show = false;

struct sample *sample_parse(const char *answer)
{
	return NULL;
}

void sample_free(struct sample *sample)
{
}

int show_error(const char *verb, const char *answer)
{
	if (!strstr(answer, "\"error\":{"))
		return 0;
	complain("%s: refused: %s", verb, answer);
	return -1;
}

int show_answer(const char *verb, const char *answer)
{
	return show_error(verb, answer);
}

void show_prometheus(const struct sample *sample, FILE *out)
{
}

void show_sample(const struct sample *sample, const struct sample *before, unsigned int columns,
		 const char *user, FILE *out)
{
}
