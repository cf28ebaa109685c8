/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/offload.c - offloads in the way of AF_XDP: found, told, switched off and restored
 *
 * An offload that was switched off stays so after a kill. So a record names it before, and the
 * next port on the interface takes it over, or restores it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "af_xdp/priv.h"

/*
 * struct pp_offload - shared by the ports of the process on the interface
 * @off:    features that are to be switched on again
 * @record: the file that says so
 */
struct pp_offload {
	struct pp_offload *next;
	unsigned int refs;
	struct pp_net net;
	struct pp_xdp_end near;
	struct pp_xdp_end far;
	enum pp_far found;
	uint32_t off;
	struct pp_record record;
	char text[320];
	char brief[192];
};

static pthread_mutex_t offloads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pp_offload *offloads;

/* A veth leaves a received packet as its far end sent it. Other devices do the work themselves. */
static uint32_t in_the_way(struct pp_offload *o, uint32_t handled)
{
	uint32_t on;

	if (o->found == PP_FAR_NONE)
		return pp_xdp_features_on(&o->near) & ~FAR_BITS & ~handled;
	on = o->found == PP_FAR_FOUND ? pp_xdp_features_on(&o->far) : 0;
	return on & FAR_BITS & ~handled;
}

static int switch_features(struct pp_offload *o, uint32_t mask, bool on)
{
	int near = 0, far = 0;

	if (mask & ~FAR_BITS)
		near = pp_xdp_features_set(&o->near, mask & ~FAR_BITS, on);
	if (mask & FAR_BITS && o->found == PP_FAR_FOUND)
		far = pp_xdp_features_set(&o->far, mask & FAR_BITS, on);
	else if (mask & FAR_BITS && o->found == PP_FAR_HIDDEN)
		far = -EACCES;
	return pp_record_done(near) ? far : near;
}

/* --- the record -------------------------------------------------------------- */

/* opens the record, and takes over the features that a killed process left switched off */
static void record_open(struct pp_offload *o, bool create)
{
	char line[32];

	pp_record_open(&o->record, "offloads", &o->near, "", create, line, sizeof(line));
	o->off = (uint32_t)strtoul(line, NULL, 16) & ((1u << XDP_FEATURES) - 1);
}

static void record_write(const struct pp_offload *o)
{
	char line[32];

	snprintf(line, sizeof(line), "%08x\n", o->off);
	pp_record_write(&o->record, line);
}

/* --- the sentence ------------------------------------------------------------- */

static const char *lost_words(uint32_t mask)
{
	if (mask & VLAN_BITS && mask & CSUM_BITS)
		return "VLAN tags, checksums and segmentation";
	if (mask & VLAN_BITS && mask & LRO_BITS)
		return "VLAN tags and the bounds of packets";
	if (mask & LRO_BITS)
		return "the bounds of packets";
	return mask & CSUM_BITS ? "checksums and segmentation" : "VLAN tags";
}

static void offload_describe(struct pp_offload *o, uint32_t mask, bool fix, uint32_t handled)
{
	const char *or_fix = fix ? "" : ", or give offloads=fix";
	uint32_t hidden = (VLAN_BITS | CSUM_BITS) & ~handled;
	char commands[160] = "";
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < XDP_FEATURES && at < sizeof(commands); i++)
		if (mask >> i & 1 && pp_xdp_features[i].command[0])
			at += (size_t)snprintf(commands + at, sizeof(commands) - at, " %s",
					       pp_xdp_features[i].command);
	o->text[0] = '\0';
	o->brief[0] = '\0';
	if (mask)
		snprintf(o->brief, sizeof(o->brief), "%s needs%s",
			 mask & FAR_BITS ? o->far.name : o->near.name, commands);
	if (mask & FAR_BITS)
		snprintf(o->text, sizeof(o->text),
			 "%s that %s, the other end of %s, leaves to a device are lost; "
			 "on that end: ethtool -K %s%s%s",
			 lost_words(mask), o->far.name, o->near.name, o->far.name, commands,
			 or_fix);
	else if (mask)
		snprintf(o->text, sizeof(o->text),
			 "%s are lost as %s receives; switch it off: ethtool -K %s%s%s",
			 lost_words(mask), o->near.name, o->near.name, commands, or_fix);
	else if (o->found == PP_FAR_HIDDEN && hidden)
		snprintf(o->text, sizeof(o->text),
			 "%s that the other end of %s leaves to a device are lost; it is in a "
			 "namespace out of reach, there: ethtool -K IF%s%s",
			 lost_words(hidden), o->near.name,
			 hidden & VLAN_BITS ? " txvlan off tx-vlan-stag-hw-insert off" : "",
			 hidden & CSUM_BITS ? " tx off" : "");
}

/* --- ports -------------------------------------------------------------------- */

/* Opens a socket there only while it is needed: it keeps a namespace alive that others delete. */
static void far_open(struct pp_offload *o)
{
	struct pp_iface near = { .index = o->near.index, .ctl = o->near.ctl };

	o->found = pp_veth_far(&near, &o->far.index, &o->far.ctl);
}

static void far_close(struct pp_offload *o)
{
	if (o->far.ctl >= 0)
		close(o->far.ctl);
	o->far.ctl = -1;
}

/* returns those of @mask that are in the way still; they need no restoring */
static uint32_t fix_features(struct pp_offload *o, uint32_t mask, uint32_t handled)
{
	o->off |= mask;
	record_write(o);
	switch_features(o, mask, false);
	mask = in_the_way(o, 0);
	o->off &= ~mask;
	record_write(o);
	return mask & ~handled;
}

/* @last: no port is left to try again */
static void offload_restore(struct pp_offload *o, bool last)
{
	bool done = !o->off || pp_record_done(switch_features(o, o->off, true));

	if (done)
		o->off = 0;
	if (done || last)
		pp_record_end(&o->record, done);
}

static struct pp_offload *offload_create(const struct pp_iface *iface, const struct pp_net *net)
{
	struct pp_offload *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->net = *net;
	o->near.ctl = fcntl(iface->ctl, F_DUPFD_CLOEXEC, 0);
	o->near.index = iface->index;
	o->far.ctl = -1;
	memcpy(o->near.name, iface->name, sizeof(o->near.name));
	o->record.fd = -1;
	o->next = offloads;
	offloads = o;
	return o;
}

struct pp_offload *pp_offload_open(const struct pp_iface *iface, bool fix, uint32_t handled)
{
	struct pp_offload *o;
	const struct pp_net net = pp_net_of(iface->ctl);
	uint32_t mask;

	pthread_mutex_lock(&offloads_lock);
	for (o = offloads; o && (!pp_net_same(&o->net, &net) || o->near.index != iface->index);
	     o = o->next)
		;
	if (!o)
		o = offload_create(iface, &net);
	if (o) {
		/* the first port may have opened none, because it keeps the offloads */
		if (o->record.fd < 0 && !o->off && (fix || !o->refs))
			record_open(o, fix);
		o->refs++;
		far_open(o);
		if (!fix && o->refs == 1)
			offload_restore(o, false);
		mask = in_the_way(o, handled & ~(fix ? CSUM_BITS : 0));
		if (fix && mask)
			mask = fix_features(o, mask, handled);
		offload_describe(o, mask, fix, handled);
		far_close(o);
	}
	pthread_mutex_unlock(&offloads_lock);
	return o;
}

void pp_offload_close(struct pp_offload *off)
{
	struct pp_offload **link;

	if (!off)
		return;
	pthread_mutex_lock(&offloads_lock);
	if (!--off->refs) {
		for (link = &offloads; *link != off; link = &(*link)->next)
			;
		*link = off->next;
		if (off->off)
			far_open(off);
		offload_restore(off, true);
		far_close(off);
		if (off->near.ctl >= 0)
			close(off->near.ctl);
		free(off);
	}
	pthread_mutex_unlock(&offloads_lock);
}

const char *pp_offload_brief(const struct pp_offload *off)
{
	return off ? off->brief : "";
}

const char *pp_offload_text(const struct pp_offload *off)
{
	return off ? off->text : "";
}
