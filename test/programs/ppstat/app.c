/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * app.c - a program for ppstat_test.py: it does what a line on its input says, and answers a line
 *
 * usage: app SOCKET
 *
 *   take N   take N pages from pool rx, which has holder tags             pages taken
 *   end      destroy pool rx; its pages stay out                          0
 *   give     return all pages                                             0
 *   alloc N  take and return one page of pool tx, N times                 calls that got none
 *   zone N   the same in the zone                                         calls that got none
 *   busy     destroy the zone                                             pp_error(), or nothing
 */
#include <stdio.h>
#include <string.h>

#include <pagepool/control.h>
#include <pagepool/error.h>
#include <pagepool/page_pool.h>
#include <pagepool/zone.h>

#define PAGES 512u

struct app {
	struct pp_zone *zone;
	struct page_pool *rx;
	struct page_pool *tx;
	struct pp_page *pages[PAGES];
	unsigned int taken;
};

static struct page_pool *make_pool(struct pp_zone *zone, const char *name, unsigned int flags)
{
	struct page_pool_params p = {
		.sz = sizeof(p), .name = name, .zone = zone, .refill = 8, .flags = flags
	};

	return page_pool_create(&p);
}

static unsigned int take(struct app *app, unsigned int n)
{
	n = n < PAGES - app->taken ? n : PAGES - app->taken;
	n = page_pool_alloc_bulk(app->rx, app->pages + app->taken, n);
	app->taken += n;
	return n;
}

static unsigned int alloc(struct app *app, unsigned int n, bool from_zone)
{
	struct pp_page *page;
	unsigned int none = 0;

	for (; n; n--) {
		page = NULL;
		if (from_zone)
			pp_zone_alloc_bulk(app->zone, &page, 1);
		else
			page = page_pool_alloc_pages(app->tx);
		none += !page;
		if (page)
			page_pool_put_bulk(&page, 1);
	}
	return none;
}

static void obey(struct app *app, const char *word, unsigned int n)
{
	if (!strcmp(word, "take"))
		n = take(app, n);
	else if (!strcmp(word, "alloc") || !strcmp(word, "zone"))
		n = alloc(app, n, *word == 'z');
	if (!strcmp(word, "end"))
		page_pool_destroy(app->rx);
	if (!strcmp(word, "give"))
		page_pool_put_bulk(app->pages, app->taken);
	if (!strcmp(word, "busy"))
		printf("%s\n", pp_zone_destroy(app->zone) ? pp_error() : "");
	else
		printf("%u\n", n);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct pp_control_params cp = { .sz = sizeof(cp) };
	struct pp_zone_params zp = { .sz = sizeof(zp), .name = "app", .pages = 1024, .high = 64 };
	struct app app = { 0 };
	struct pp_control *control;
	unsigned int n;
	char line[64], word[16];

	cp.path = argc > 1 ? argv[1] : NULL;
	control = pp_control_open(&cp);
	app.zone = pp_zone_create(&zp);
	app.rx = app.zone ? make_pool(app.zone, "rx", PAGE_POOL_HOLDERS) : NULL;
	app.tx = app.zone ? make_pool(app.zone, "tx", 0) : NULL;
	if (!control || !app.rx || !app.tx) {
		fprintf(stderr, "app: %s\n", pp_error());
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		n = 0;
		if (sscanf(line, "%15s %u", word, &n) >= 1)
			obey(&app, word, n);
	}
	pp_control_close(control);
	return 0;
}
