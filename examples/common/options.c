/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - see options.h */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/options.h"
#include "common/values.h"

#define VALUE_OF_ROW 256 /* getopt's value of row 0; letters are below */
#define HELP_COLUMN  21

enum {
	VALUE_HELP = VALUE_OF_ROW + (int)OPTIONS_MAX,
	VALUE_VERSION,
};

/* a table as getopt_long() reads it */
struct getopt_arrays {
	struct option longs[2 * OPTIONS_MAX + 3];
	unsigned int nlongs;
	char letters[2 * OPTIONS_MAX + 4];
};

static void add_long(struct getopt_arrays *arrays, const char *name, bool value, int val)
{
	arrays->longs[arrays->nlongs++] = (struct option){
		.name = name,
		.has_arg = value ? required_argument : no_argument,
		.val = val,
	};
}

static void make_arrays(struct getopt_arrays *arrays, const struct option_row *rows)
{
	char *letter;
	int i;

	memset(arrays, 0, sizeof(*arrays));
	letter = stpcpy(arrays->letters, ":hV");
	add_long(arrays, "help", false, VALUE_HELP);
	add_long(arrays, "version", false, VALUE_VERSION);
	for (i = 0; rows[i].name; i++) {
		add_long(arrays, rows[i].name, rows[i].arg, VALUE_OF_ROW + i);
		if (rows[i].also)
			add_long(arrays, rows[i].also, rows[i].arg, VALUE_OF_ROW + i);
		if (!rows[i].letter)
			continue;
		*letter++ = rows[i].letter;
		if (rows[i].arg)
			*letter++ = ':';
	}
}

/* the row of a value of getopt_long() */
static int find_row(const struct option_row *rows, int val)
{
	int i;

	for (i = 0; rows[i].name; i++) {
		if (val == VALUE_OF_ROW + i || (rows[i].letter && val == rows[i].letter))
			return i;
	}
	return -1;
}

static void print_row(const struct option_row *row, FILE *out)
{
	const char *line = row->help;
	char letter[8] = "", left[80];
	int len, column;

	if (!line)
		return;
	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	column = snprintf(left, sizeof(left), "  %s--%s%s%s%s%s", letter, row->name,
			  row->also ? ", --" : "", row->also ? row->also : "", row->arg ? " " : "",
			  row->arg ? row->arg : "");
	fputs(left, out);
	if (column > HELP_COLUMN - 1) {
		fputc('\n', out);
		column = 0;
	}
	for (; *line; line += len + (line[len] == '\n')) {
		len = (int)strcspn(line, "\n");
		fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", len, line);
		column = 0;
	}
	if (row->more)
		row->more(out);
}

static int print_help(const struct option_use *use, FILE *out)
{
	const struct option_row *row;

	use->usage(out);
	for (row = use->rows; row->name; row++)
		print_row(row, out);
	fprintf(out, "  -h, --help         print this text and exit\n"
		     "  -V, --version      print the version and exit\n");
	if (use->tail)
		fputs(use->tail, out);
	return fflush(out) ? 1 : 0;
}

static int print_version(FILE *out)
{
	fprintf(out, "%s %s\n", program_name, PP_VERSION);
	return fflush(out) ? 1 : 0;
}

static void read_value(const struct option_row *row, void *opts, const char *arg)
{
	void *var = row->var ? row->var : (char *)opts + row->at;
	char name[64];

	snprintf(name, sizeof(name), "--%s", row->name);
	switch (row->kind) {
	case OPTION_BOOL:
		*(bool *)var = true;
		break;
	case OPTION_BITS:
		*(uint32_t *)var |= (uint32_t)row->min;
		break;
	case OPTION_U32:
		*(uint32_t *)var = (uint32_t)parse_number(name, arg, row->min, row->max);
		break;
	case OPTION_U64:
		*(uint64_t *)var = parse_number(name, arg, row->min, row->max);
		break;
	case OPTION_SECONDS:
		*(double *)var = parse_real(name, arg, row->least, row->most, "seconds");
		break;
	case OPTION_TEXT:
		if (!*arg)
			usage_error("%s: the value is empty; give %s", name, row->arg);
		*(const char **)var = arg;
		break;
	case OPTION_ANY:
		*(const char **)var = arg;
		break;
	case OPTION_SET:
		row->set(opts, name, arg);
		break;
	}
}

/* @opt: ':' or '?'. A letter may stand among others in its word; a name is the whole word. */
static void bad_option(int opt, const char *word)
{
	char letter[3] = { '-', (char)optopt, '\0' };
	bool is_letter = optopt > 0 && optopt < VALUE_OF_ROW;

	if (opt == ':')
		usage_error("%s: a value is missing; see %s --help", is_letter ? letter : word,
			    program_name);
	else if (optopt >= VALUE_OF_ROW)
		usage_error("%s: takes no value; see %s --help", word, program_name);
	else
		usage_error("%s: unknown option; see %s --help", is_letter ? letter : word,
			    program_name);
}

int options_read(struct option_use *use, void *opts, int argc, char **argv)
{
	struct getopt_arrays arrays;
	int opt, row;

	make_arrays(&arrays, use->rows);
	usage_begin();
	use->given = 0;
	opterr = 0;
	optind = 0; /* 0, not 1: a second call in one process starts afresh */
	while ((opt = getopt_long(argc, argv, arrays.letters, arrays.longs, NULL)) != -1) {
		if (opt == 'h' || opt == VALUE_HELP)
			return print_help(use, stdout);
		if (opt == 'V' || opt == VALUE_VERSION)
			return print_version(stdout);
		row = find_row(use->rows, opt);
		if (row < 0) {
			bad_option(opt, argv[optind - 1]);
			return 2;
		}
		use->given |= UINT64_C(1) << row;
		read_value(&use->rows[row], opts, optarg);
		if (usage_wrong())
			return 2;
	}
	use->operand = optind;
	return -1;
}

static bool is_listed(const char *words, const char *word)
{
	size_t len;

	for (; *words; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		if (len == strlen(word) && !strncmp(words, word, len))
			return true;
	}
	return false;
}

void options_check(const struct option_use *use, const char *word)
{
	const struct option_row *row;
	unsigned int i;

	for (i = 0; use->rows[i].name; i++) {
		row = &use->rows[i];
		if (use->given >> i & 1 && row->with && !is_listed(row->with, word))
			usage_error("--%s: not with %s %s, only with %s; see %s --help", row->name,
				    program_name, word, row->with, program_name);
	}
}

bool options_given(const struct option_use *use, const char *name)
{
	unsigned int i;

	for (i = 0; use->rows[i].name; i++) {
		if (!strcmp(use->rows[i].name, name))
			return use->given >> i & 1;
	}
	return false;
}

char *options_join(int argc, char **argv)
{
	size_t size = 1;
	char *text, *at;
	int i;

	for (i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = calloc(1, size);
	for (i = 0, at = text; at && i < argc; i++) {
		at = stpcpy(at, argv[i]);
		if (i < argc - 1)
			at = stpcpy(at, " ");
	}
	return text;
}
