/* SPDX-License-Identifier: BSD-3-Clause */
/* report.c - counters, and where the pages are */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/json.h"

typedef unsigned long long ull;

/* sums over the queues, and the gauges of the ledger */
struct totals {
	uint64_t received;
	uint64_t unsent;
	uint64_t verdicts[VERDICTS];
	uint64_t tx_packets;
	uint64_t tx_dropped;
	uint64_t errors; /* addresses from the kernel that are not believed */
	uint64_t rx_lost; /* packets that the kernel could not deliver */
	uint64_t posted; /* pages that the kernel has for reception */
	uint64_t sending; /* pages that it has to send */
	uint64_t outstanding; /* pages in use, according to the pools */
};

static void add_socket(struct totals *t, struct queue *q)
{
	struct page_pool_stats pool = { .sz = sizeof(pool) };
	struct pp_xsk_stats s = { .sz = sizeof(s) };

	pp_xsk_get_stats(q->xsk, &s);
	t->tx_packets += s.tx_packets;
	t->tx_dropped += s.tx_dropped;
	t->errors += s.rx_bad + s.tx_bad + s.comp_bad + s.kernel_rx_invalid + s.kernel_tx_invalid;
	t->rx_lost += s.kernel_rx_dropped + s.kernel_rx_ring_full + s.rx_dropped;
	t->posted += s.posted;
	t->sending += s.tx_out;
	if (q->pool)
		page_pool_get_stats(q->pool, &pool);
	t->outstanding += pool.outstanding;
}

static void add_up(const struct app *app, struct totals *t)
{
	unsigned int i, v;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < app->nqueues; i++) {
		t->received += counter_read(&app->queues[i].received);
		t->unsent += counter_read(&app->queues[i].unsent);
		for (v = 0; v < VERDICTS; v++)
			t->verdicts[v] += counter_read(&app->queues[i].verdicts[v]);
		add_socket(t, app->queues + i);
	}
}

static unsigned long rss_kib(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * ((unsigned long)sysconf(_SC_PAGESIZE) >> 10);
}

void report_ready(const struct app *app)
{
	fprintf(app->text, "xdp_app: ready: %s, %u queues, %s, %s\n", app->iface.name, app->nqueues,
		prog_mode(&app->prog), "bpf_link");
	fflush(app->text);
}

/*
 * A line of gauges. "adrift" counts the pages in use that no part here knows of: a few while
 * packets are on their way through a thread, none when all is quiet. If it grows, pages leak.
 */
void report_line(const struct app *app, double seconds)
{
	struct pp_zone_stats zone = { .sz = sizeof(zone) };
	uint64_t kept = counter_read(&app->slow.kept);
	struct totals t;

	add_up(app, &t);
	pp_zone_get_stats(app->zone, &zone);
	fprintf(app->text,
		"t=%.1f received=%llu sent=%llu slow_sent=%llu kept=%llu posted=%llu sending=%llu "
		"adrift=%lld free=%llu cached=%llu in_flight=%llu managed=%llu rss_kib=%lu\n",
		seconds, (ull)t.received, (ull)t.tx_packets, (ull)counter_read(&app->slow.sent),
		(ull)kept, (ull)t.posted, (ull)t.sending,
		(long long)(t.outstanding - t.posted - t.sending - kept), (ull)zone.free,
		(ull)zone.cached, (ull)zone.in_flight, (ull)zone.managed, rss_kib());
	fflush(app->text);
}

void report_summary(const struct app *app)
{
	struct totals t;
	FILE *out = app->text;

	add_up(app, &t);
	fprintf(out,
		"%s: %.1f s, %llu packets received, %llu sent by AF_XDP, %llu by the slow path\n",
		app->iface.name, app->seconds, (ull)t.received, (ull)t.tx_packets,
		(ull)app->slow.sent);
#define X(upper, lower, text)            \
	if (t.verdicts[VERDICT_##upper]) \
		fprintf(out, "  %12llu  %s\n", (ull)t.verdicts[VERDICT_##upper], text);
	XDP_APP_VERDICTS(X)
#undef X
	if (t.unsent + t.tx_dropped + app->slow.failed + t.rx_lost)
		fprintf(out,
			"  lost: %llu not delivered to us, %llu answers without a place, "
			"%llu dropped by the kernel, %llu by the slow path\n",
			(ull)t.rx_lost, (ull)t.unsent, (ull)t.tx_dropped, (ull)app->slow.failed);
	fprintf(out, "  ledger: %llu pages, %llu home, %llu leaked, %llu freed twice\n",
		(ull)app->audit.managed, (ull)app->audit.home, (ull)app->audit.leaked,
		(ull)app->audit.double_free);
}

static void write_ledger(struct json *j, const struct pp_audit *audit)
{
	json_open(j, "ledger", '{');
	json_count(j, "managed", audit->managed);
	json_count(j, "home", audit->home);
	json_count(j, "leaked", audit->leaked);
	json_count(j, "double_free", audit->double_free);
	json_close(j, '}');
}

static int write_json(const struct app *app)
{
	struct totals t;
	struct json j;

	add_up(app, &t);
	json_begin(&j, app->json);
	json_text(&j, "version", PP_VERSION);
	json_text(&j, "interface", app->iface.name);
	json_text(&j, "mode", prog_mode(&app->prog));
	json_count(&j, "queues", app->nqueues);
	json_real(&j, "duration_s", app->seconds, 9);
	json_count(&j, "received", t.received);
	json_open(&j, "verdicts", '{');
#define X(upper, lower, text) json_count(&j, #lower, t.verdicts[VERDICT_##upper]);
	XDP_APP_VERDICTS(X)
#undef X
	json_close(&j, '}');
	json_count(&j, "tx_packets", t.tx_packets);
	json_count(&j, "tx_dropped", t.tx_dropped);
	json_count(&j, "unsent", t.unsent);
	json_count(&j, "rx_lost", t.rx_lost);
	json_count(&j, "errors", t.errors);
	json_open(&j, "slow", '{');
	json_count(&j, "sent", app->slow.sent);
	json_count(&j, "failed", app->slow.failed);
	json_close(&j, '}');
	write_ledger(&j, &app->audit);
	return json_end(&j);
}

/* opens the file of --json before the work, not after hours of it */
int report_open(struct app *app)
{
	const char *path = app->options.json;

	app->text = path && !strcmp(path, "-") ? stderr : stdout;
	if (!path)
		return 0;
	app->json = strcmp(path, "-") ? fopen(path, "we") : stdout;
	return app->json ? 0 : fail("cannot write %s: %s", path, strerror(errno));
}

int report_json(struct app *app)
{
	int err;

	if (!app->json)
		return 0;
	err = write_json(app);
	if (app->json != stdout && fclose(app->json) && !err)
		err = -errno;
	return err ? fail("cannot write %s: %s", app->options.json, strerror(-err)) : 0;
}
