/* SPDX-License-Identifier: BSD-3-Clause */
/* args.h - a parsed spec, for netdev.c; drivers use the getters of netdev/priv.h */
#ifndef PP_ARGS_H
#define PP_ARGS_H

#include "netdev/priv.h"

#define ARGS_MAX 32u

struct pp_arg {
	const char *key;
	const char *value;
	bool asked;
};

/*
 * A parsed spec lives as long as its port: pp_netdev_name() is its first copy of
 * the text, and the arguments point into a second one, behind it.
 */
struct pp_args {
	const char *driver;
	char *rest; /* behind the colon; NULL: there is none */
	struct pp_arg positional; /* no key */
	struct pp_arg arg[ARGS_MAX];
	unsigned int n;
	const char *known[ARGS_MAX]; /* keys that the driver asked for, for the error message */
	unsigned int nknown;
	char spec[];
};

/* Driver and rest, not parsed yet. NULL with pp_error(): no memory. Freed with free(). */
struct pp_args *pp_args_split(const char *spec);

/* 0, or -EINVAL with pp_error(): malformed */
int pp_args_parse(struct pp_args *args);

/* 0, or -EINVAL with pp_error(): something that no getter asked for */
int pp_args_refuse_unknown(struct pp_args *args);

/* "a, b, c" out of @n names; names that do not fit are left out */
const char *pp_args_join(char *buf, size_t size, const char *const *names, size_t n);

#endif /* PP_ARGS_H */
