/* SPDX-License-Identifier: BSD-3-Clause */
/* args.c - "DRIVER:ARGUMENTS,KEY=VALUE,...": the arguments of a port */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netdev/args.h"

const char *pp_args_join(char *buf, size_t size, const char *const *names, size_t n)
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < n && names[i] && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i ? ", " : "", names[i]);
	return buf;
}

/* ends the item at its comma; "\," is a comma inside a value */
static char *cut_item(char *item)
{
	char *to = item;

	for (; *item && *item != ','; item++) {
		if (item[0] == '\\' && item[1] == ',')
			item++;
		*to++ = *item;
	}
	if (*item) {
		*to = '\0';
		return item + 1;
	}
	*to = '\0';
	return NULL;
}

static int add_option(struct pp_args *args, char *key, char *value)
{
	unsigned int i;

	if (!*key || !*value)
		return pp_set_error(EINVAL, "%s: '%s=%s' is not an option; write KEY=VALUE",
				    args->driver, key, value);
	for (i = 0; i < args->n; i++)
		if (!strcmp(args->arg[i].key, key))
			return pp_set_error(EINVAL, "%s: option '%s' is given twice; keep one",
					    args->driver, key);
	if (args->n == ARGS_MAX)
		return pp_set_error(EINVAL, "%s: more than %u options; no driver has as many",
				    args->driver, ARGS_MAX);
	args->arg[args->n].key = key;
	args->arg[args->n++].value = value;
	return 0;
}

static int parse_args(struct pp_args *args, char *text)
{
	char *item, *value;
	bool first = true;
	int err;

	for (item = text; item; item = text, first = false) {
		text = cut_item(item);
		value = strchr(item, '=');
		if (value) {
			*value++ = '\0';
			err = add_option(args, item, value);
			if (err)
				return err;
		} else if (first && *item) {
			args->positional.value = item;
		} else {
			return pp_set_error(EINVAL, "%s: '%s' is not an option; write KEY=VALUE",
					    args->driver, item);
		}
	}
	return 0;
}

struct pp_args *pp_args_split(const char *spec)
{
	size_t len = strlen(spec) + 1;
	struct pp_args *args = calloc(1, sizeof(*args) + 2 * len);
	char *text, *colon;

	if (!args) {
		pp_set_error(ENOMEM, "no memory for the port '%s'", spec);
		return NULL;
	}
	memcpy(args->spec, spec, len);
	text = args->spec + len;
	memcpy(text, spec, len);
	args->driver = text;
	colon = strchr(text, ':');
	if (colon) {
		*colon++ = '\0';
		args->rest = colon;
	}
	return args;
}

int pp_args_parse(struct pp_args *args)
{
	return args->rest && *args->rest ? parse_args(args, args->rest) : 0;
}

const char *pp_args_rest(struct pp_args *args)
{
	return args->rest ? args->rest : "";
}

static void note_known(struct pp_args *args, const char *key)
{
	unsigned int i;

	for (i = 0; i < args->nknown; i++)
		if (!strcmp(args->known[i], key))
			return;
	if (args->nknown < ARGS_MAX)
		args->known[args->nknown++] = key;
}

int pp_args_refuse_unknown(struct pp_args *args)
{
	char list[128];
	unsigned int i;

	if (args->positional.value && !args->positional.asked)
		return pp_set_error(EINVAL, "%s: unknown argument '%s'; give options only: %s",
				    args->driver, args->positional.value,
				    pp_args_join(list, sizeof(list), args->known, args->nknown));
	for (i = 0; i < args->n; i++)
		if (!args->arg[i].asked)
			return pp_set_error(EINVAL, "%s: unknown option '%s'; there are: %s",
					    args->driver, args->arg[i].key,
					    pp_args_join(list, sizeof(list), args->known,
							 args->nknown));
	return 0;
}

const char *pp_args_positional(struct pp_args *args)
{
	args->positional.asked = true;
	return args->positional.value;
}

const char *pp_args_str(struct pp_args *args, const char *key)
{
	unsigned int i;

	note_known(args, key);
	for (i = 0; i < args->n; i++) {
		if (!strcmp(args->arg[i].key, key)) {
			args->arg[i].asked = true;
			return args->arg[i].value;
		}
	}
	return NULL;
}

int pp_args_u32(struct pp_args *args, const char *key, uint32_t min, uint32_t max, uint32_t *value)
{
	const char *text = pp_args_str(args, key);
	unsigned long long number;

	if (!text)
		return 0;
	/* ten digits hold any uint32_t; strtoull would take signs and blanks too */
	number = strtoull(text, NULL, 10);
	if (text[strspn(text, "0123456789")] || strlen(text) > 10 || number < min || number > max)
		return pp_set_error(EINVAL, "%s: %s=%s is not a number from %u to %u", args->driver,
				    key, text, min, max);
	*value = (uint32_t)number;
	return 0;
}

int pp_args_word(struct pp_args *args, const char *key, const char *const *names,
		 unsigned int *value)
{
	const char *text = pp_args_str(args, key);
	char list[128];
	unsigned int i;

	if (!text)
		return 0;
	for (i = 0; names[i]; i++) {
		if (!strcmp(names[i], text)) {
			*value = i;
			return 0;
		}
	}
	return pp_set_error(EINVAL, "%s: %s=%s is not one of %s", args->driver, key, text,
			    pp_args_join(list, sizeof(list), names, i));
}
