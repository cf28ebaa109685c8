/* SPDX-License-Identifier: BSD-3-Clause */
/* ended.c - the part of the view for pools that were destroyed while pages were out */
#include <inttypes.h>

#include "common/error.h"
#include "view.h"

static void put_threads(struct json_object *pool, char *text, size_t size)
{
	struct json_object *thread;
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; i < array_size(pool, "threads") && len < size; i++) {
		thread = array_at(pool, "threads", i);
		len += (size_t)snprintf(text + len, size - len, "%s%" PRIu64 " by ", i ? ", " : "",
					get_count(thread, "pages"));
		if (len >= size)
			return;
		if (!get_count(thread, "thread"))
			len += (size_t)snprintf(text + len, size - len, "unknown");
		else
			len += (size_t)snprintf(text + len, size - len, "%" PRIu64 " %s",
						get_count(thread, "thread"),
						get_text(thread, "thread_name"));
	}
	if (get_count(pool, "others") && len < size)
		len += (size_t)snprintf(text + len, size - len, ", %" PRIu64 " by others",
					get_count(pool, "others"));
	if (get_count(pool, "in_drivers") && len < size)
		snprintf(text + len, size - len, "; %" PRIu64 " of them in drivers",
			 get_count(pool, "in_drivers"));
}

static void put_ended(const struct view *v, struct json_object *pool)
{
	double age =
		(double)get_count(v->root, "time_ns") - (double)get_count(pool, "detach_time_ns");
	char name[64], threads[512], pages[16], text[640];

	put_threads(pool, threads, sizeof(threads));
	snprintf(text, sizeof(text), "  %s %4" PRIu64 " %6s %9.1f  %s",
		 printable_field(get_text(pool, "name"), name, sizeof(name), 14),
		 get_count(pool, "zone"), short_number((double)get_count(pool, "inflight"), pages),
		 age > 0 ? age / 1e9 : 0.0, threads);
	put_line(v, text);
}

void put_ended_pools(const struct view *v)
{
	size_t i, n = array_size(v->root, "ended");

	if (n)
		fprintf(v->out, "\n  %-14s %4s %6s %9s  %s\n", "ended pool", "zone", "pages",
			"seconds", "held");
	for (i = 0; i < n; i++)
		put_ended(v, array_at(v->root, "ended", i));
}
