/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.c - the line while it runs: rate, drops, cache hits
 *
 * On a terminal each line replaces the one before and leaves fields out where the terminal is
 * too narrow; elsewhere the lines stand below each other.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "ppfwd.h"

static uint64_t count_drops(struct fwd *fwd)
{
	struct pp_netdev_stats stats = { .sz = sizeof(stats) };
	uint64_t drops = 0;
	unsigned int i;

	for (i = 0; i < fwd->nports; i++) {
		if (!pp_netdev_get_stats(fwd->ports[i], &stats))
			drops += stats.rx_dropped + stats.tx_dropped;
	}
	for (i = 0; i < fwd->ndirs; i++)
		drops += counter_read(&fwd->dirs[i].unsent);
	return drops;
}

/* of the pages that pools handed out, the share that was in their caches, in percent */
static double cache_hits(struct fwd *fwd)
{
	struct page_pool_stats stats = { .sz = sizeof(stats) };
	uint64_t fast = 0, all = 0;
	unsigned int i, q;

	for (i = 0; i < fwd->nports; i++) {
		for (q = 0; q < pp_netdev_queues(fwd->ports[i]); q++) {
			if (page_pool_get_stats(pp_netdev_queue(fwd->ports[i], q)->pool, &stats))
				continue;
			fast += stats.alloc_fast;
			all += stats.alloc_fast + stats.alloc_refill + stats.alloc_slow;
		}
	}
	return all ? 100.0 * (double)fast / (double)all : 0;
}

/* the line's columns; 0: there is no terminal, or it does not say */
static unsigned int terminal_columns(void)
{
	struct winsize size;

	if (!isatty(STDERR_FILENO) || ioctl(STDERR_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

/* a line of at most @room columns; a field that does not fit ends it */
struct line {
	char text[160];
	size_t len;
	size_t room;
};

static void add_field(struct line *line, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add_field(struct line *line, const char *fmt, ...)
{
	char field[64];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(field, sizeof(field), fmt, ap);
	va_end(ap);
	len = strlen(field);
	if (line->len + len > line->room) {
		line->room = line->len;
		return;
	}
	memcpy(line->text + line->len, field, len + 1);
	line->len += len;
}

/*
 * Replace the line on the terminal. Where the terminal has become narrower it has wrapped the
 * old line: that began as many rows above the cursor as its length holds columns.
 */
static void draw_line(struct live *live, const struct line *line, unsigned int columns)
{
	char up[16] = "";

	if (live->len >= columns)
		snprintf(up, sizeof(up), "\033[%uA", live->len / columns);
	fprintf(stderr, "%s\r\033[J%s", up, line->text);
	live->len = (unsigned int)line->len;
}

void live_update(struct live *live, struct fwd *fwd)
{
	unsigned int columns = terminal_columns(), i;
	bool pad = !columns || columns >= 80;
	uint64_t packets = 0, ns = now_ns();
	struct line line = { .room = columns ? columns - 1 : sizeof(line.text) - 1 };

	for (i = 0; i < fwd->ndirs; i++)
		packets += counter_read(&fwd->dirs[i].packets);
	add_field(&line, "%*.1f s", pad ? 7 : 0, (double)(ns - fwd->start_ns) / 1e9);
	add_field(&line, " %*.4f Mpps", pad ? 9 : 0,
		  (double)(packets - live->packets) * 1e3 / (double)(ns - live->ns));
	add_field(&line, " %*" PRIu64 " packets", pad ? 12 : 0, packets);
	add_field(&line, " %*" PRIu64 " dropped", pad ? 8 : 0, count_drops(fwd));
	add_field(&line, "  cache %5.1f %%", cache_hits(fwd));
	if (columns)
		draw_line(live, &line, columns);
	else
		fprintf(stderr, "%s\n", line.text);
	live->packets = packets;
	live->ns = ns;
}

/* end the line: the next output begins a new one */
void live_end(struct live *live)
{
	if (live->len)
		fputc('\n', stderr);
	live->len = 0;
}
