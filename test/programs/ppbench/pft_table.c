/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pft_table.c - prints a table of samples that it reads: ppbench pft without the measuring
 *
 * Each line of standard input is a cell: "OP HIGHER VALUE VALUE ...". Lines that follow
 * each other and have the same OP are a row, the first of them the baseline. The columns
 * are named by the arguments, after the year of the rule for stars.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pft/table.h"

#define COLUMNS 16u
#define VALUES	1000u

static unsigned int parse_values(char *text, double *values)
{
	unsigned int n = 0;
	char *end;

	for (; n < VALUES; text = end) {
		values[n] = strtod(text, &end);
		if (end == text)
			break;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct pft_cell cells[COLUMNS];
	static char line[VALUES * 26], op[64], last[64];
	static double values[VALUES];
	unsigned int n = 0, columns = (unsigned int)argc - 2;
	int higher, used;
	enum pft_rule rule;

	if (argc < 3 || columns > COLUMNS)
		return 2;
	rule = strcmp(argv[1], "2024") ? PFT_STARS_2022 : PFT_STARS_2024;
	pft_print_title(stdout, "pft timings", (const char *const *)argv + 2, columns);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%63s %d%n", op, &higher, &used) != 2 || n == COLUMNS)
			return 1;
		if (strcmp(op, last))
			n = 0;
		strcpy(last, op);
		cells[n] = pft_cell(n ? &cells[0].sample : NULL, values,
				    parse_values(line + used, values), higher, rule);
		if (++n == columns)
			pft_print_row(stdout, op, higher, cells, n);
	}
	return 0;
}
