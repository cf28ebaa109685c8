/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/spread.c - channels of an interface, and the RSS table that spreads packets over them
 *
 * Both stay after a kill: a record names those from before, and the next port restores them if
 * nothing else has set them since.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pagepool/error.h>

#include "af_xdp/channels.h"
#include "netdev/priv.h"

#define TEXT_HEAD 81u /* bytes of a record in front of the table */
#define LAST_MS	  200u /* that the kernel may keep a closed socket's queue */

static pthread_mutex_t spreads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pp_spread *spreads;

int pp_spread_parse(struct pp_spread_params *how, struct pp_args *args)
{
	int err = pp_args_u32(args, "channels", 1, UINT16_MAX, &how->channels);

	return err ? err : pp_args_u32(args, "rss", 1, UINT16_MAX, &how->rss);
}

/* --- the record --------------------------------------------------------------------- */

static char record_text[TEXT_HEAD + 4 * TABLE_MAX + 1]; /* under the lock */

static void record_write(struct pp_spread *sp)
{
	const struct ethtool_rxfh_indir *t = &sp->table.head;
	int at = snprintf(record_text, sizeof(record_text),
			  "%08x %08x %08x %08x %08x %08x %08x %08x %08x ", sp->channels,
			  sp->before[RX], sp->before[TX], sp->before[COMBINED], sp->set[RX],
			  sp->set[TX], sp->set[COMBINED], sp->rss, t->size);
	uint32_t i;

	for (i = 0; i < t->size; i++)
		at += snprintf(record_text + at, sizeof(record_text) - (size_t)at, "%04x",
			       t->ring_index[i] & 0xffff);
	pp_record_write(&sp->record, record_text);
}

/* a table that is cut short counts as the default */
static void record_parse(struct pp_spread *sp)
{
	struct ethtool_rxfh_indir *t = &sp->table.head;
	uint32_t channels, rss, size, i;
	unsigned int entry;

	if (sscanf(record_text, "%8x %8x %8x %8x %8x %8x %8x %8x %8x", &channels, &sp->before[RX],
		   &sp->before[TX], &sp->before[COMBINED], &sp->set[RX], &sp->set[TX],
		   &sp->set[COMBINED], &rss, &size) != 9)
		return;
	sp->channels = channels;
	sp->rss = rss;
	t->size = size <= TABLE_MAX ? size : 0;
	for (i = 0; i < t->size; i++) {
		if (sscanf(record_text + TEXT_HEAD + 4 * i, "%4x", &entry) != 1)
			break;
		t->ring_index[i] = entry;
	}
	if (i < t->size)
		t->size = 0;
}

/* --- both -------------------------------------------------------------------------- */

/* The table names no queue that is not there at any time. @t: NULL: it stays */
static int spread_set(struct pp_spread *sp, const uint32_t now[KINDS], const uint32_t to[KINDS],
		      union table *t)
{
	bool shrinks = to[RX] + to[COMBINED] < now[RX] + now[COMBINED];
	int err = 0;

	if (t && shrinks)
		err = pp_rss_set(sp, t);
	if (!err)
		err = pp_channels_set(sp, now, to);
	if (!err && t && !shrinks)
		err = pp_rss_set(sp, t);
	return err;
}

/*
 * Of what was asked for; values that something else has set since stay. The record forgets what is
 * restored: after a kill the next port would take another's setting for it.
 */
static int spread_restore(struct pp_spread *sp, bool channels, bool rss)
{
	uint32_t now[KINDS], max[KINDS];
	const uint32_t *to = now;
	union table t = { .head = { 0 } }, *restore = NULL;
	int err = sp->genl.fd < 0 ? -EBADF : pp_channels_get(sp, now, max);

	if (err)
		return err;
	if (channels && sp->channels && !memcmp(now, sp->set, sizeof(now)))
		to = sp->before;
	if (rss && sp->rss && !pp_rss_get(sp, &t) && pp_rss_is_even(&t, sp->rss))
		restore = &sp->table;
	err = spread_set(sp, now, to, restore);
	if (!pp_record_done(err))
		return err;
	if (channels)
		sp->channels = 0;
	if (rss)
		sp->rss = 0;
	record_write(sp);
	return 0;
}

/* the kernel lets go of a closed socket's queue some milliseconds later */
static int spread_restore_soon(struct pp_spread *sp)
{
	unsigned int ms = 0;
	int err;

	while ((err = spread_restore(sp, true, true)) == -EINVAL && ms < LAST_MS) {
		pp_xdp_sleep_ms(XDP_RETRY_STEP_MS);
		ms += XDP_RETRY_STEP_MS;
	}
	return err;
}

/* --- sentences ----------------------------------------------------------------------- */

static int refuse(int err, const struct pp_spread *sp, const char *option, const char *why,
		  const char *what_to_do)
{
	return pp_set_error(-err, "%s of %s is not set: %s; %s", option, sp->end.name, why,
			    what_to_do);
}

static int refused(int err, const struct pp_spread *sp, const char *option)
{
	char leave[32];

	if (err == -EPERM || err == -EACCES)
		return refuse(err, sp, option, "no permission",
			      "run as root, or add CAP_NET_ADMIN");
	snprintf(leave, sizeof(leave), "leave %s out", option);
	if (err == -EOPNOTSUPP)
		return refuse(err, sp, option, "its driver offers none", leave);
	return refuse(err, sp, option, sp->reason[0] ? sp->reason : strerror(-err), leave);
}

/* --- ports --------------------------------------------------------------------------- */

/* the option that a refusal is about, if both are in the way */
static const char *first_asked(const struct pp_spread_params *how)
{
	return how->channels || !how->rss ? "channels" : "rss";
}

/* @busy: out: another process has the record; nothing is set then */
static int spread_start(struct pp_spread *sp, const struct pp_spread_params *how, bool *busy)
{
	bool create = how->channels || how->rss;
	char remedy[80];
	int err;

	*busy = false;
	if (sp->genl.fd >= 0)
		return 0;
	*busy = pp_record_open(&sp->record, "spread", &sp->end, "", create, record_text,
			       sizeof(record_text)) == -EWOULDBLOCK;
	if (!create && sp->record.fd < 0)
		return 0;
	err = pp_genl_open(&sp->genl, "ethtool");
	if (err) {
		pp_record_end(&sp->record, !record_text[0]);
		snprintf(remedy, sizeof(remedy),
			 "take a kernel with CONFIG_ETHTOOL_NETLINK, or leave %s out",
			 first_asked(how));
		return refuse(-EOPNOTSUPP, sp, first_asked(how),
			      "no ethtool family of netlink answers", remedy);
	}
	record_parse(sp);
	err = sp->channels || sp->rss ? spread_restore_soon(sp) : 0;
	return err ? refused(err, sp, first_asked(how)) : 0;
}

/* The kinds that channels=N sets: the combined ones, or both others of a device without those. */
#define for_each_set_kind(i, max) \
	for (i = (max)[COMBINED] ? COMBINED : RX; i <= ((max)[COMBINED] ? COMBINED : TX); i++)

static int plan_channels(struct pp_spread *sp, uint32_t n, const uint32_t max[KINDS],
			 uint32_t to[KINDS])
{
	unsigned int i;
	char why[64];

	if (!max[RX] && !max[TX] && !max[COMBINED])
		return refused(-EOPNOTSUPP, sp, "channels");
	for_each_set_kind(i, max)
	{
		if (max[i] && n > max[i]) {
			snprintf(why, sizeof(why), "it has %u at most, not %u", max[i], n);
			return refuse(-EINVAL, sp, "channels", why, "ethtool -l shows them");
		}
		if (max[i])
			to[i] = n;
	}
	return 0;
}

static int plan_rss(struct pp_spread *sp, uint32_t n, uint32_t queues, union table *t)
{
	int err = pp_rss_get(sp, t), now = pp_rss_queues(sp);
	char why[64];

	if (err || now <= 0)
		return refused(err ? err : now ? now : -EOPNOTSUPP, sp, "rss");
	if (!queues)
		queues = (uint32_t)now;
	if (n > queues) {
		snprintf(why, sizeof(why), "it has %u queues, not %u", queues, n);
		return refuse(-EINVAL, sp, "rss", why, "ethtool -l shows them");
	}
	sp->table = *t;
	if (pp_rss_is_even(t, (uint32_t)now))
		sp->table.head.size = 0;
	pp_rss_spread(t, n);
	return 0;
}

/* @channels, @rss: 0: as it is */
static int spread_ask(struct pp_spread *sp, uint32_t channels, uint32_t rss)
{
	uint32_t now[KINDS], max[KINDS], to[KINDS];
	union table t = { .head = { 0 } };
	int err;

	if (!channels && !rss)
		return 0;
	err = pp_channels_get(sp, now, max);
	if (err)
		return refused(err, sp, channels ? "channels" : "rss");
	memcpy(to, now, sizeof(to));
	if (channels)
		err = plan_channels(sp, channels, max, to);
	if (!err && rss)
		err = plan_rss(sp, rss, to[RX] + to[COMBINED], &t);
	if (err)
		return err;
	if (channels) {
		sp->channels = channels;
		memcpy(sp->before, now, sizeof(now));
		memcpy(sp->set, to, sizeof(to));
	}
	if (rss)
		sp->rss = rss;
	record_write(sp);
	err = spread_set(sp, now, to, rss ? &t : NULL);
	if (!err)
		return 0;
	err = refused(err, sp, sp->last);
	(void)spread_restore(sp, channels, rss);
	return err;
}

/* Ports of one process, and processes, may not differ. */
static int spread_check(const struct pp_spread *sp, const struct pp_spread_params *how)
{
	const char *option =
		how->channels && sp->channels && how->channels != sp->channels ? "channels" : "rss";

	if (!strcmp(option, "rss") && (!how->rss || !sp->rss || how->rss == sp->rss))
		return 0;
	return refuse(-EBUSY, sp, option, "another port has set it", "give both the same");
}

/* another process has the record: the port may have what is set already */
static int spread_there(struct pp_spread *sp, const struct pp_spread_params *how)
{
	uint32_t now[KINDS], max[KINDS];
	union table t = { .head = { 0 } };
	unsigned int i;

	if (pp_channels_get(sp, now, max)) {
		memset(now, 0, sizeof(now));
		memset(max, 0, sizeof(max));
	}
	for_each_set_kind(i, max)
	{
		if (how->channels && now[i] && now[i] != how->channels)
			return refuse(-EBUSY, sp, "channels", "another process has set it",
				      "give both the same");
	}
	if (how->rss && (pp_rss_get(sp, &t) || !pp_rss_is_even(&t, how->rss)))
		return refuse(-EBUSY, sp, "rss", "another process has set it",
			      "give both the same");
	return 0;
}

static int spread_join(struct pp_spread *sp, const struct pp_spread_params *how)
{
	bool wanted = how->channels || how->rss, busy;
	int err = spread_start(sp, how, &busy);

	if (!err && wanted && busy)
		err = spread_there(sp, how);
	else if (!err && wanted)
		err = spread_check(sp, how);
	if (!err && !busy && wanted)
		err = spread_ask(sp, sp->channels ? 0 : how->channels, sp->rss ? 0 : how->rss);
	if (!sp->channels && !sp->rss) {
		pp_record_end(&sp->record, true);
		pp_genl_close(&sp->genl);
	}
	return wanted ? err : 0;
}

static struct pp_spread *spread_create(const struct pp_iface *iface, const struct pp_net *net)
{
	struct pp_spread *sp = calloc(1, sizeof(*sp));

	if (!sp)
		return NULL;
	sp->net = *net;
	sp->end.ctl = fcntl(iface->ctl, F_DUPFD_CLOEXEC, 0);
	sp->end.index = iface->index;
	memcpy(sp->end.name, iface->name, sizeof(sp->end.name));
	sp->genl.fd = -1;
	sp->record.fd = -1;
	sp->next = spreads;
	spreads = sp;
	return sp;
}

int pp_spread_open(struct pp_spread **spread, const struct pp_iface *iface,
		   const struct pp_spread_params *how)
{
	const struct pp_net net = pp_net_of(iface->ctl);
	struct pp_spread *sp;
	int err;

	pthread_mutex_lock(&spreads_lock);
	for (sp = spreads; sp && (!pp_net_same(&sp->net, &net) || sp->end.index != iface->index);
	     sp = sp->next)
		;
	if (!sp)
		sp = spread_create(iface, &net);
	if (sp) {
		sp->refs++;
		err = spread_join(sp, how);
	} else {
		err = pp_set_error(ENOMEM, "no memory for the settings of %s", iface->name);
	}
	pthread_mutex_unlock(&spreads_lock);
	*spread = sp;
	return err;
}

void pp_spread_close(struct pp_spread *spread)
{
	struct pp_spread **link;
	int err = 0;

	if (!spread)
		return;
	pthread_mutex_lock(&spreads_lock);
	if (!--spread->refs) {
		for (link = &spreads; *link != spread; link = &(*link)->next)
			;
		*link = spread->next;
		if (spread->channels || spread->rss)
			err = spread_restore_soon(spread);
		pp_record_end(&spread->record, pp_record_done(err));
		pp_genl_close(&spread->genl);
		if (spread->end.ctl >= 0)
			close(spread->end.ctl);
		free(spread);
	}
	pthread_mutex_unlock(&spreads_lock);
}
