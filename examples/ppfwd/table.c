/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c - the report as text of at most 80 columns */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "engines/engine.h"
#include "common/error.h"
#include "ppfwd.h"

#define COLUMNS 80
#define INDENT	4

/* a line, wrapped between words */
static void print_wrapped(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void print_wrapped(FILE *out, const char *fmt, ...)
{
	char raw[1024], text[1024], *word, *rest = NULL;
	int column = 0, len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	printable(raw, text, sizeof(text));
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		len = (int)strlen(word);
		if (column && column + 1 + len > COLUMNS) {
			fprintf(out, "\n%*s", INDENT, "");
			column = INDENT;
		} else if (column) {
			fputc(' ', out);
			column++;
		}
		fputs(word, out);
		column += len;
	}
	fputc('\n', out);
}

static void table_ports(const struct report *rep, FILE *out)
{
	const struct pp_netdev_stats *s;
	unsigned int i, n = rep->fwd->opts->nports;

	for (i = 0; i < n; i++)
		print_wrapped(out, "port %u: %s (%s)", i, rep->ports[i].name, rep->ports[i].info);
	fprintf(out, "%4s %16s %16s %14s %14s %10s\n", "port", "rx packets", "tx packets",
		"dropped", "no buffer", "errors");
	for (i = 0; i < n; i++) {
		s = &rep->ports[i].stats;
		fprintf(out,
			"%4u %16" PRIu64 " %16" PRIu64 " %14" PRIu64 " %14" PRIu64 " %10" PRIu64
			"\n",
			i, s->rx_packets, s->tx_packets, s->rx_dropped + s->tx_dropped,
			s->rx_nombuf, s->errors);
	}
}

/* the counters of the kernel below a port, where there are any */
static void table_kernel(const struct report *rep, FILE *out)
{
	const struct pp_netdev_stats *s;
	unsigned int i;

	for (i = 0; i < rep->fwd->opts->nports; i++) {
		s = &rep->ports[i].stats;
		if (!(s->rx_fill_empty | s->rx_ring_full | s->rx_invalid | s->rx_bad |
		      s->tx_invalid | s->tx_bad | s->link_downs))
			continue;
		print_wrapped(out,
			      "port %u: fill ring empty %" PRIu64 ", RX ring full %" PRIu64
			      ", invalid buffers %" PRIu64 " rx %" PRIu64
			      " tx, answers not believed "
			      "%" PRIu64 " rx %" PRIu64 " tx, link down %" PRIu64,
			      i, s->rx_fill_empty, s->rx_ring_full, s->rx_invalid, s->tx_invalid,
			      s->rx_bad, s->tx_bad, s->link_downs);
	}
}

/* of the packets that were sent with tx_tstamp=on, where the kernel told */
static void table_times(const struct report *rep, FILE *out)
{
	const struct pp_netdev_stats *s;
	unsigned int i;

	for (i = 0; i < rep->fwd->opts->nports; i++) {
		s = &rep->ports[i].stats;
		if (!s->tx_tstamps)
			continue;
		print_wrapped(out,
			      "port %u: sending time of %" PRIu64
			      " packets: after %.1f us, the slowest "
			      "%.1f us",
			      i, s->tx_tstamps,
			      (double)s->tx_latency_sum_ns / (double)s->tx_tstamps / 1000,
			      (double)s->tx_latency_max_ns / 1000);
	}
}

static void table_pools(const struct report *rep, FILE *out)
{
	const struct page_pool_stats *s;
	unsigned int i;

	fprintf(out, "%12s %12s %12s %12s %12s  %s\n", "from cache", "ring refills", "zone refills",
		"to cache", "to ring", "pool");
	for (i = 0; i < rep->npools; i++) {
		s = &rep->pools[i].stats;
		fprintf(out,
			"%12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64
			"  %s\n",
			s->alloc_fast, s->alloc_refill, s->alloc_slow, s->recycle_cached,
			s->recycle_ring, rep->pools[i].name);
	}
}

static void table_bursts(unsigned int port, const char *way, const struct bursts *b, FILE *out)
{
	uint64_t all = bursts_all(b);
	unsigned int i;

	if (!all)
		return;
	fprintf(out, "port %-2u %s", port, way);
	for (i = 0; i < BURST_BUCKETS; i++)
		fprintf(out, " %5.1f", 100.0 * (double)b->count[i] / (double)all);
	fputc('\n', out);
}

/* how large bursts were, and how much of their time workers had something to do */
static void table_work(const struct report *rep, FILE *out)
{
	const struct worker *w;
	unsigned int i;

	fprintf(out, "%-10s", "bursts, %");
	for (i = 0; i < BURST_BUCKETS; i++)
		fprintf(out, i < 2 ? " %5u" : " %4u+", i ? 1u << (i - 1) : 0);
	fputc('\n', out);
	for (i = 0; i < rep->fwd->opts->nports; i++) {
		table_bursts(i, "rx", &rep->ports[i].rx, out);
		table_bursts(i, "tx", &rep->ports[i].tx, out);
	}
	for (i = 0; i < rep->fwd->nworkers; i++) {
		w = &rep->fwd->workers[i];
		print_wrapped(out, "worker on CPU %u: busy %.1f %% of %" PRIu64 " cycles", w->core,
			      w->cycles ? 100.0 * (double)w->busy_cycles / (double)w->cycles : 0,
			      w->cycles);
	}
}

static void table_traced(const struct report *rep, FILE *out)
{
	const struct pp_window_stats *w = &rep->windows;

	if (!rep->traced)
		return;
	print_wrapped(out,
		      "windows: %" PRIu64 ", median %" PRIu64 ", 99 %% %" PRIu64
		      ", 99.9 %% %" PRIu64 ", longest %" PRIu64 " cycles, at most %" PRIu64
		      " pages",
		      w->windows, w->median_cycles, w->p99_cycles, w->p999_cycles, w->max_cycles,
		      w->max_pages);
	if (w->masks)
		print_wrapped(out,
			      "signals blocked %" PRIu64 " times, %.0f cycles to block and unblock",
			      w->masks, (double)w->mask_cycles / (double)w->masks);
}

static void table_latency(const struct latency *lat, FILE *out)
{
	if (!lat->samples)
		print_wrapped(out, "latency: no marked packet was received");
	else
		print_wrapped(out,
			      "latency of %" PRIu64
			      " packets: median %.1f us, 99 %% %.1f us, 99.9 %% %.1f us, "
			      "longest %.1f us",
			      lat->samples, (double)latency_quantile(lat, 0.5) / 1e3,
			      (double)latency_quantile(lat, 0.99) / 1e3,
			      (double)latency_quantile(lat, 0.999) / 1e3,
			      (double)lat->max_ns / 1e3);
}

static void table_memory(const struct memory_work *m, FILE *out)
{
	print_wrapped(out,
		      "memory: %" PRIu64 " ranges isolated, %" PRIu64 " fast, %" PRIu64
		      " normal, %" PRIu64 " hard contiguous ones taken, %" PRIu64
		      " blocks offlined, %" PRIu64 " refused, %" PRIu64 " MiB given back",
		      m->isolated, m->taken[0], m->taken[1], m->taken[2], m->offlined, m->busy,
		      m->shrunk >> 20);
}

void report_table(const struct report *rep, FILE *out)
{
	table_ports(rep, out);
	table_kernel(rep, out);
	table_times(rep, out);
	table_pools(rep, out);
	table_work(rep, out);
	table_traced(rep, out);
	if (rep->fwd->opts->traffic.mark)
		table_latency(&rep->latency, out);
	if (rep->bad_ip || rep->bad_l4)
		print_wrapped(out,
			      "checksums: %" PRIu64 " IPv4 headers and %" PRIu64
			      " TCP or UDP packets were wrong",
			      rep->bad_ip, rep->bad_l4);
	print_wrapped(out, "%s: %" PRIu64 " packets in %.3f s, %.6f Mpps, %.1f cycles a packet",
		      rep->fwd->opts->engine->name, rep->packets, rep->fwd->duration_s, rep->mpps,
		      rep->cycles_per_packet);
	if (rep->fwd->opts->memory_hz)
		table_memory(&rep->fwd->memory, out);
	print_wrapped(out,
		      "ledger: %" PRIu64 " pages (%s), %" PRIu64 " leaked, %" PRIu64 " freed twice",
		      rep->audit.managed, mem_names[rep->mem], rep->audit.leaked,
		      rep->audit.double_free);
}
