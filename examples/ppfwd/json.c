/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - the report as one JSON object */
#include "common/json.h"
#include "common/machine.h"
#include "engines/engine.h"
#include "ppfwd.h"

static void write_bursts(struct json *j, const char *key, const struct bursts *b)
{
	unsigned int i;

	json_open(j, key, '[');
	for (i = 0; i < BURST_BUCKETS; i++)
		json_count(j, NULL, b->count[i]);
	json_close(j, ']');
}

/* All of @stats, by its table of counters @c. */
static void write_counters(struct json *j, const void *stats, const struct pp_counter *c)
{
	for (; c->name; c++)
		json_count(j, c->name, pp_counter_value(c, stats));
}

static void write_port(struct json *j, const struct port_report *r)
{
	static const struct pp_counter counters[] = PP_NETDEV_COUNTER_TABLE;

	json_open(j, NULL, '{');
	json_text(j, "name", r->name);
	json_text(j, "driver", r->driver);
	json_text(j, "info", r->info);
	write_counters(j, &r->stats, counters);
	json_count(j, "polls", bursts_all(&r->rx));
	json_count(j, "empty_polls", r->rx.count[0]);
	write_bursts(j, "rx_bursts", &r->rx);
	write_bursts(j, "tx_bursts", &r->tx);
	json_close(j, '}');
}

static void write_pool(struct json *j, const struct pool_report *r)
{
	static const struct pp_counter counters[] = PP_POOL_COUNTER_TABLE;

	json_open(j, NULL, '{');
	json_text(j, "name", r->name);
	write_counters(j, &r->stats, counters);
	json_close(j, '}');
}

static void write_zone(struct json *j, const struct report *rep, const struct pp_zone_stats *s)
{
	static const struct pp_counter counters[] = PP_ZONE_COUNTER_TABLE;

	json_open(j, NULL, '{');
	json_text(j, "memory", mem_names[rep->mem]);
	write_counters(j, s, counters);
	json_close(j, '}');
}

/* 0 for the policies that do not block signals */
static double mask_cycles(const struct pp_window_stats *w)
{
	return w->masks ? (double)w->mask_cycles / (double)w->masks : 0;
}

static void write_irqoff(struct json *j, const struct pp_window_stats *w)
{
	static const struct pp_counter counters[] = PP_WINDOW_COUNTER_TABLE;

	json_open(j, "irqoff", '{');
	write_counters(j, w, counters);
	json_real(j, "mask_cycles_per_burst", mask_cycles(w), 9);
	json_close(j, '}');
}

static void write_memory(struct json *j, const struct memory_work *m)
{
	json_open(j, "memory_work", '{');
	json_count(j, "isolated", m->isolated);
	json_count(j, "contig_fast", m->taken[PP_CONTIG_FAST]);
	json_count(j, "contig_normal", m->taken[PP_CONTIG_NORMAL]);
	json_count(j, "contig_hard", m->taken[PP_CONTIG_HARD]);
	json_count(j, "offlined", m->offlined);
	json_count(j, "busy", m->busy);
	json_count(j, "shrunk_bytes", m->shrunk);
	json_close(j, '}');
}

static void write_ledger(struct json *j, const struct pp_audit *audit)
{
	json_open(j, "ledger", '{');
	json_count(j, "leaked", audit->leaked);
	json_count(j, "double_free", audit->double_free);
	json_close(j, '}');
}

static void write_csum(struct json *j, const struct report *rep)
{
	json_open(j, "csum", '{');
	json_count(j, "bad_ip", rep->bad_ip);
	json_count(j, "bad_l4", rep->bad_l4);
	json_close(j, '}');
}

static void write_worker(struct json *j, const struct worker *w)
{
	json_open(j, NULL, '{');
	json_count(j, "cpu", w->core);
	json_count(j, "cycles", w->cycles);
	json_count(j, "busy_cycles", w->busy_cycles);
	json_count(j, "sleeps", w->sleeps);
	json_close(j, '}');
}

static void write_lists(struct json *j, const struct report *rep)
{
	unsigned int i;

	json_open(j, "ports", '[');
	for (i = 0; i < rep->fwd->opts->nports; i++)
		write_port(j, &rep->ports[i]);
	json_close(j, ']');
	json_open(j, "pools", '[');
	for (i = 0; i < rep->npools; i++)
		write_pool(j, &rep->pools[i]);
	json_close(j, ']');
	json_open(j, "workers", '[');
	for (i = 0; i < rep->fwd->nworkers; i++)
		write_worker(j, &rep->fwd->workers[i]);
	json_close(j, ']');
	json_open(j, "zones", '[');
	for (i = 0; i < rep->fwd->nzones; i++)
		write_zone(j, rep, &rep->zone_stats[i]);
	json_close(j, ']');
}

int json_write(const struct report *rep, FILE *out)
{
	const struct options *opts = rep->fwd->opts;
	struct machine machine;
	struct json j;

	json_begin(&j, out);
	json_text(&j, "version", PP_VERSION);
	json_text(&j, "command", opts->command);
	machine_read(&machine);
	machine_json_open(&j, &machine);
	json_count(&j, "tsc_hz", pp_cycles_hz());
	json_close(&j, '}');
	json_text(&j, "policy", rep->policy);
	json_text(&j, "engine", opts->engine->name);
	json_count(&j, "burst", opts->burst);
	json_count(&j, "refill", opts->refill);
	json_real(&j, "duration_s", rep->fwd->duration_s, 9);
	json_count(&j, "packets", rep->packets);
	json_real(&j, "mpps", rep->mpps, 9);
	json_real(&j, "cycles_per_packet", rep->cycles_per_packet, 9);
	write_lists(&j, rep);
	if (opts->memory_hz)
		write_memory(&j, &rep->fwd->memory);
	if (rep->traced)
		write_irqoff(&j, &rep->windows);
	if (opts->traffic.mark)
		latency_json(&j, &rep->latency);
	if (opts->engine->sums)
		write_csum(&j, rep);
	write_ledger(&j, &rep->audit);
	return json_end(&j);
}
