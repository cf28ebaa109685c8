/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.c - the report as one JSON object
 */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/json.h"
#include "engines/engine.h"
#include "ppfwd.h"

/* "model name : Intel..." of the first CPU; if the kernel does not tell */
static void cpu_name(char *name, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];
	char *value;

	name[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		value = strchr(line, ':');
		if (!value || strncmp(line, "model name", 10))
			continue;
		value += strspn(value, ": \t");
		value[strcspn(value, "\n")] = '\0';
		snprintf(name, size, "%s", value);
		break;
	}
	if (f)
		fclose(f);
}

static void write_machine(struct json *j)
{
	struct utsname uts;
	char cpu[256];

	cpu_name(cpu, sizeof(cpu));
	uname(&uts);
	json_open(j, "machine", '{');
	json_text(j, "cpu", cpu);
	json_count(j, "cores", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	json_text(j, "kernel", uts.release);
	json_count(j, "tsc_hz", pp_cycles_hz());
	json_close(j, '}');
}

static void write_bursts(struct json *j, const char *key, const struct bursts *b)
{
	unsigned int i;

	json_open(j, key, '[');
	for (i = 0; i < BURST_BUCKETS; i++)
		json_count(j, NULL, b->count[i]);
	json_close(j, ']');
}

static void write_port(struct json *j, const struct port_report *r)
{
	json_open(j, NULL, '{');
	json_text(j, "name", r->name);
	json_text(j, "driver", r->driver);
	json_text(j, "info", r->info);
	json_count(j, "rx_packets", r->stats.rx_packets);
	json_count(j, "rx_bytes", r->stats.rx_bytes);
	json_count(j, "rx_dropped", r->stats.rx_dropped);
	json_count(j, "tx_packets", r->stats.tx_packets);
	json_count(j, "tx_bytes", r->stats.tx_bytes);
	json_count(j, "tx_dropped", r->stats.tx_dropped);
	json_count(j, "rx_nombuf", r->stats.rx_nombuf);
	json_count(j, "errors", r->stats.errors);
	json_count(j, "copied", r->stats.copied);
	json_count(j, "rx_fill_empty", r->stats.rx_fill_empty);
	json_count(j, "rx_ring_full", r->stats.rx_ring_full);
	json_count(j, "rx_invalid", r->stats.rx_invalid);
	json_count(j, "rx_bad", r->stats.rx_bad);
	json_count(j, "tx_invalid", r->stats.tx_invalid);
	json_count(j, "tx_ring_empty", r->stats.tx_ring_empty);
	json_count(j, "tx_bad", r->stats.tx_bad);
	json_count(j, "link_downs", r->stats.link_downs);
	json_count(j, "tx_tstamps", r->stats.tx_tstamps);
	json_count(j, "tx_latency_sum_ns", r->stats.tx_latency_sum_ns);
	json_count(j, "tx_latency_max_ns", r->stats.tx_latency_max_ns);
	json_count(j, "tx_tstamp_last", r->stats.tx_tstamp_last);
	json_count(j, "polls", bursts_all(&r->rx));
	json_count(j, "empty_polls", r->rx.count[0]);
	write_bursts(j, "rx_bursts", &r->rx);
	write_bursts(j, "tx_bursts", &r->tx);
	json_close(j, '}');
}

static void write_pool(struct json *j, const struct pool_report *r)
{
	const struct page_pool_stats *s = &r->stats;

	json_open(j, NULL, '{');
	json_text(j, "name", r->name);
	json_count(j, "rx_pp_alloc_fast", s->alloc_fast);
	json_count(j, "rx_pp_alloc_slow", s->alloc_slow);
	json_count(j, "rx_pp_alloc_slow_ho", s->alloc_slow_ho);
	json_count(j, "rx_pp_alloc_empty", s->alloc_empty);
	json_count(j, "rx_pp_alloc_refill", s->alloc_refill);
	json_count(j, "rx_pp_alloc_waive", s->alloc_waive);
	json_count(j, "rx_pp_recycle_cached", s->recycle_cached);
	json_count(j, "rx_pp_recycle_cache_full", s->recycle_cache_full);
	json_count(j, "rx_pp_recycle_ring", s->recycle_ring);
	json_count(j, "rx_pp_recycle_ring_full", s->recycle_ring_full);
	json_count(j, "rx_pp_recycle_released_ref", s->recycle_released_ref);
	json_count(j, "cache", s->cache);
	json_count(j, "ring", s->ring);
	json_count(j, "outstanding", s->outstanding);
	json_count(j, "alloc_failures", s->alloc_failures);
	json_count(j, "wrong_owner", s->wrong_owner);
	json_count(j, "alloc_reserve", s->alloc_reserve);
	json_count(j, "alloc_limited", s->alloc_limited);
	json_count(j, "double_puts", s->double_puts);
	json_count(j, "trims", s->trims);
	json_count(j, "trimmed", s->trimmed);
	json_count(j, "reserve", s->reserve);
	json_count(j, "inflight", s->inflight);
	json_count(j, "inflight_max", s->inflight_max);
	json_count(j, "ring_max", s->ring_max);
	json_close(j, '}');
}

static void write_zone(struct json *j, const struct report *rep, const struct pp_zone_stats *s)
{
	json_open(j, NULL, '{');
	json_count(j, "node", s->node);
	json_text(j, "memory", mem_names[rep->mem]);
	json_count(j, "page_size", s->page_size);
	json_count(j, "managed", s->managed);
	json_count(j, "free", s->free);
	json_count(j, "cached", s->cached);
	json_count(j, "in_flight", s->in_flight);
	json_count(j, "isolated", s->isolated);
	json_count(j, "unaccepted", s->unaccepted);
	json_count(j, "alloc_failures", s->alloc_failures);
	json_count(j, "accepts", s->accepts);
	json_count(j, "accept_failures", s->accept_failures);
	json_count(j, "releases", s->releases);
	json_count(j, "drains", s->drains);
	json_count(j, "drained_pages", s->drained_pages);
	json_count(j, "batch", s->batch);
	json_count(j, "high", s->high);
	json_close(j, '}');
}

/* 0 for the policies that do not block signals */
static double mask_cycles(const struct pp_window_stats *w)
{
	return w->masks ? (double)w->mask_cycles / (double)w->masks : 0;
}

static void write_irqoff(struct json *j, const struct pp_window_stats *w)
{
	json_open(j, "irqoff", '{');
	json_count(j, "windows", w->windows);
	json_count(j, "median_cycles", w->median_cycles);
	json_count(j, "p99_cycles", w->p99_cycles);
	json_count(j, "p999_cycles", w->p999_cycles);
	json_count(j, "max_cycles", w->max_cycles);
	json_count(j, "max_pages", w->max_pages);
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

static void write_ledger(struct json *j, const struct pp_zone_audit *audit)
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
	struct json j;

	json_begin(&j, out);
	json_text(&j, "version", PP_VERSION);
	json_text(&j, "command", opts->command);
	write_machine(&j);
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
	if (opts->engine->sums)
		write_csum(&j, rep);
	write_ledger(&j, &rep->audit);
	return json_end(&j);
}
