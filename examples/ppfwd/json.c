/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.c - the report as one JSON object
 */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <json-c/json.h>

#include "engines/engine.h"
#include "ppfwd.h"

const bool json_available = true;

static void add_count(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void add_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value ? value : ""));
}

static void add_real(struct json_object *o, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", value);
	json_object_object_add(o, key, json_object_new_double_s(value, text));
}

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

static struct json_object *machine(void)
{
	struct json_object *o = json_object_new_object();
	struct utsname uts;
	char cpu[256];

	cpu_name(cpu, sizeof(cpu));
	uname(&uts);
	add_text(o, "cpu", cpu);
	add_count(o, "cores", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
	add_text(o, "kernel", uts.release);
	add_count(o, "tsc_hz", pp_cycles_hz());
	return o;
}

static struct json_object *port(const struct port_report *r)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", r->name);
	add_text(o, "driver", r->driver);
	add_text(o, "info", r->info);
	add_count(o, "rx_packets", r->stats.rx_packets);
	add_count(o, "rx_bytes", r->stats.rx_bytes);
	add_count(o, "rx_dropped", r->stats.rx_dropped);
	add_count(o, "tx_packets", r->stats.tx_packets);
	add_count(o, "tx_bytes", r->stats.tx_bytes);
	add_count(o, "tx_dropped", r->stats.tx_dropped);
	add_count(o, "rx_nombuf", r->stats.rx_nombuf);
	add_count(o, "errors", r->stats.errors);
	add_count(o, "copied", r->stats.copied);
	add_count(o, "rx_fill_empty", r->stats.rx_fill_empty);
	add_count(o, "rx_ring_full", r->stats.rx_ring_full);
	add_count(o, "rx_invalid", r->stats.rx_invalid);
	add_count(o, "rx_bad", r->stats.rx_bad);
	add_count(o, "tx_invalid", r->stats.tx_invalid);
	add_count(o, "tx_ring_empty", r->stats.tx_ring_empty);
	add_count(o, "tx_bad", r->stats.tx_bad);
	add_count(o, "link_downs", r->stats.link_downs);
	add_count(o, "tx_tstamps", r->stats.tx_tstamps);
	add_count(o, "tx_latency_sum_ns", r->stats.tx_latency_sum_ns);
	add_count(o, "tx_latency_max_ns", r->stats.tx_latency_max_ns);
	add_count(o, "tx_tstamp_last", r->stats.tx_tstamp_last);
	return o;
}

static struct json_object *pool(const struct pool_report *r)
{
	struct json_object *o = json_object_new_object();
	const struct page_pool_stats *s = &r->stats;

	add_text(o, "name", r->name);
	add_count(o, "rx_pp_alloc_fast", s->alloc_fast);
	add_count(o, "rx_pp_alloc_slow", s->alloc_slow);
	add_count(o, "rx_pp_alloc_slow_ho", s->alloc_slow_ho);
	add_count(o, "rx_pp_alloc_empty", s->alloc_empty);
	add_count(o, "rx_pp_alloc_refill", s->alloc_refill);
	add_count(o, "rx_pp_alloc_waive", s->alloc_waive);
	add_count(o, "rx_pp_recycle_cached", s->recycle_cached);
	add_count(o, "rx_pp_recycle_cache_full", s->recycle_cache_full);
	add_count(o, "rx_pp_recycle_ring", s->recycle_ring);
	add_count(o, "rx_pp_recycle_ring_full", s->recycle_ring_full);
	add_count(o, "rx_pp_recycle_released_ref", s->recycle_released_ref);
	add_count(o, "cache", s->cache);
	add_count(o, "ring", s->ring);
	add_count(o, "outstanding", s->outstanding);
	add_count(o, "alloc_failures", s->alloc_failures);
	add_count(o, "wrong_owner", s->wrong_owner);
	add_count(o, "alloc_reserve", s->alloc_reserve);
	add_count(o, "alloc_limited", s->alloc_limited);
	add_count(o, "double_puts", s->double_puts);
	add_count(o, "trims", s->trims);
	add_count(o, "trimmed", s->trimmed);
	add_count(o, "reserve", s->reserve);
	add_count(o, "inflight", s->inflight);
	add_count(o, "inflight_max", s->inflight_max);
	add_count(o, "ring_max", s->ring_max);
	return o;
}

static struct json_object *zone(const struct report *rep, const struct pp_zone_stats *s)
{
	struct json_object *o = json_object_new_object();

	add_count(o, "node", s->node);
	add_text(o, "memory", mem_names[rep->mem]);
	add_count(o, "page_size", s->page_size);
	add_count(o, "managed", s->managed);
	add_count(o, "free", s->free);
	add_count(o, "cached", s->cached);
	add_count(o, "in_flight", s->in_flight);
	add_count(o, "isolated", s->isolated);
	add_count(o, "unaccepted", s->unaccepted);
	add_count(o, "alloc_failures", s->alloc_failures);
	add_count(o, "accepts", s->accepts);
	add_count(o, "accept_failures", s->accept_failures);
	add_count(o, "releases", s->releases);
	add_count(o, "drains", s->drains);
	add_count(o, "drained_pages", s->drained_pages);
	add_count(o, "batch", s->batch);
	add_count(o, "high", s->high);
	return o;
}

/* 0 for the policies that do not block signals */
static double mask_cycles(const struct pp_window_stats *w)
{
	return w->masks ? (double)w->mask_cycles / (double)w->masks : 0;
}

static struct json_object *irqoff(const struct pp_window_stats *w)
{
	struct json_object *o = json_object_new_object();

	add_count(o, "windows", w->windows);
	add_count(o, "median_cycles", w->median_cycles);
	add_count(o, "p99_cycles", w->p99_cycles);
	add_count(o, "p999_cycles", w->p999_cycles);
	add_count(o, "max_cycles", w->max_cycles);
	add_count(o, "max_pages", w->max_pages);
	add_real(o, "mask_cycles_per_burst", mask_cycles(w));
	return o;
}

static struct json_object *memory(const struct memory_work *m)
{
	struct json_object *o = json_object_new_object();

	add_count(o, "isolated", m->isolated);
	add_count(o, "contig_fast", m->taken[PP_CONTIG_FAST]);
	add_count(o, "contig_normal", m->taken[PP_CONTIG_NORMAL]);
	add_count(o, "contig_hard", m->taken[PP_CONTIG_HARD]);
	add_count(o, "offlined", m->offlined);
	add_count(o, "busy", m->busy);
	add_count(o, "shrunk_bytes", m->shrunk);
	return o;
}

static struct json_object *ledger(const struct pp_zone_audit *audit)
{
	struct json_object *o = json_object_new_object();

	add_count(o, "leaked", audit->leaked);
	add_count(o, "double_free", audit->double_free);
	return o;
}

static struct json_object *csum(const struct report *rep)
{
	struct json_object *o = json_object_new_object();

	add_count(o, "bad_ip", rep->bad_ip);
	add_count(o, "bad_l4", rep->bad_l4);
	return o;
}

static void add_lists(struct json_object *o, const struct report *rep)
{
	struct json_object *ports = json_object_new_array();
	struct json_object *pools = json_object_new_array();
	struct json_object *zones = json_object_new_array();
	unsigned int i;

	for (i = 0; i < rep->fwd->opts->nports; i++)
		json_object_array_add(ports, port(&rep->ports[i]));
	for (i = 0; i < rep->npools; i++)
		json_object_array_add(pools, pool(&rep->pools[i]));
	for (i = 0; i < rep->fwd->nzones; i++)
		json_object_array_add(zones, zone(rep, &rep->zone_stats[i]));
	json_object_object_add(o, "ports", ports);
	json_object_object_add(o, "pools", pools);
	json_object_object_add(o, "zones", zones);
	if (rep->fwd->opts->memory_hz)
		json_object_object_add(o, "memory_work", memory(&rep->fwd->memory));
}

int json_write(const struct report *rep, FILE *out)
{
	const int style = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	const struct options *opts = rep->fwd->opts;
	struct json_object *o = json_object_new_object();
	int err = 0;

	add_text(o, "version", PP_VERSION);
	add_text(o, "command", opts->command);
	json_object_object_add(o, "machine", machine());
	add_text(o, "policy", rep->policy);
	add_text(o, "engine", opts->engine->name);
	add_count(o, "burst", opts->burst);
	add_count(o, "refill", opts->refill);
	add_real(o, "duration_s", rep->fwd->duration_s);
	add_count(o, "packets", rep->packets);
	add_real(o, "mpps", rep->mpps);
	add_real(o, "cycles_per_packet", rep->cycles_per_packet);
	add_lists(o, rep);
	if (rep->traced)
		json_object_object_add(o, "irqoff", irqoff(&rep->windows));
	if (opts->engine == &engine_csum)
		json_object_object_add(o, "csum", csum(rep));
	json_object_object_add(o, "ledger", ledger(&rep->audit));
	errno = 0;
	if (fprintf(out, "%s\n", json_object_to_json_string_ext(o, style)) < 0 || fflush(out))
		err = errno ? -errno : -EIO;
	json_object_put(o);
	return err;
}
