/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload.c - offloads in the way of AF_XDP: found, told, switched off and restored
 *
 * What was switched off outlives a kill: it is written down in /run/pagepool before, and the
 * next port on the interface takes it over, or restores it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "af_xdp/offload.h"

#define RECORDS	     "/run/pagepool"
#define FEATURES_MAX 256u
#define ARRAY(x)     (sizeof(x) / sizeof((x)[0]))

/* @name: the kernel's; @command: ethtool -K's; @far: of a veth's other end, not of the interface */
static const struct {
	const char *name;
	const char *command;
	bool far;
	bool csum;
} features[] = {
	{ "rx-vlan-hw-parse", "rxvlan off", false, false },
	{ "rx-vlan-stag-hw-parse", "rx-vlan-stag-hw-parse off", false, false },
	{ "rx-lro", "lro off", false, false },
	{ "rx-gro-hw", "rx-gro-hw off", false, false },
	{ "tx-vlan-hw-insert", "txvlan off", true, false },
	{ "tx-vlan-stag-hw-insert", "tx-vlan-stag-hw-insert off", true, false },
	{ "tx-checksum-ip-generic", "tx off", true, true },
	{ "tx-checksum-sctp", "", true, true } /* part of "tx off" */,
};

#define NFEATURES ARRAY(features)
#define VLAN_BITS 0x33u
#define CSUM_BITS 0xc0u
#define LRO_BITS  0x0cu

/* bits of a mask are indices into features[] */
struct end {
	int ctl;
	int index;
	char name[IFNAMSIZ];
};

/*
 * struct pp_offload - shared by the ports of the process on the interface
 * @off:    features that are to be switched on again
 * @record: the file that says so, locked; -1: none
 */
struct pp_offload {
	struct pp_offload *next;
	unsigned int refs;
	ino_t net;
	struct end near;
	struct end far;
	enum pp_far found;
	uint32_t off;
	int record;
	char path[80];
	char text[320];
	char brief[192];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pp_offload *all;

static int ethtool(struct end *e, void *data)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_ifindex = e->index;
	if (ioctl(e->ctl, SIOCGIFNAME, &ifr))
		return -errno;
	memcpy(e->name, ifr.ifr_name, sizeof(e->name));
	ifr.ifr_data = data;
	return ioctl(e->ctl, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
}

/* the kernel's number of each of our features, or -1 */
static int feature_bits(struct end *e, int bit[NFEATURES])
{
	union {
		struct ethtool_gstrings head;
		char room[sizeof(struct ethtool_gstrings) + FEATURES_MAX * ETH_GSTRING_LEN];
	} s = { .head = { .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES } };
	union {
		struct ethtool_sset_info head;
		char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} n = { .head = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES } };
	unsigned int i, k, count;
	int err;

	err = ethtool(e, &n);
	count = n.head.data[0];
	if (!err && (!n.head.sset_mask || count > FEATURES_MAX))
		err = -EOPNOTSUPP;
	if (err)
		return err;
	s.head.len = count;
	err = ethtool(e, &s);
	if (err)
		return err;
	for (i = 0; i < NFEATURES; i++) {
		bit[i] = -1;
		for (k = 0; k < count; k++)
			if (!strncmp((char *)s.head.data + k * ETH_GSTRING_LEN, features[i].name,
				     ETH_GSTRING_LEN))
				bit[i] = (int)k;
	}
	return (int)count;
}

/* those that are on; a device may have fixed some */
static uint32_t features_on(struct end *e)
{
	union {
		struct ethtool_gfeatures head;
		char room[sizeof(struct ethtool_gfeatures) +
			  FEATURES_MAX / 32 * sizeof(struct ethtool_get_features_block)];
	} g = { .head = { .cmd = ETHTOOL_GFEATURES } };
	int bit[NFEATURES], count;
	uint32_t on = 0, word;
	unsigned int i;

	count = feature_bits(e, bit);
	if (count < 0)
		return 0;
	g.head.size = ((uint32_t)count + 31) / 32;
	if (ethtool(e, &g))
		return 0;
	for (i = 0; i < NFEATURES; i++) {
		if (bit[i] < 0)
			continue;
		word = 1u << bit[i] % 32;
		if (g.head.features[bit[i] / 32].active & word)
			on |= 1u << i;
	}
	return on;
}

static int features_set(struct end *e, uint32_t mask, bool on)
{
	union {
		struct ethtool_sfeatures head;
		char room[sizeof(struct ethtool_sfeatures) +
			  FEATURES_MAX / 32 * sizeof(struct ethtool_set_features_block)];
	} s = { .room = { 0 } };
	int bit[NFEATURES], count;
	unsigned int i;

	count = feature_bits(e, bit);
	if (count < 0)
		return count;
	s.head.cmd = ETHTOOL_SFEATURES;
	s.head.size = ((uint32_t)count + 31) / 32;
	for (i = 0; i < NFEATURES; i++) {
		if (!(mask >> i & 1) || bit[i] < 0)
			continue;
		s.head.features[bit[i] / 32].valid |= 1u << bit[i] % 32;
		if (on)
			s.head.features[bit[i] / 32].requested |= 1u << bit[i] % 32;
	}
	return ethtool(e, &s);
}

static uint32_t side(bool far)
{
	uint32_t mask = 0;
	unsigned int i;

	for (i = 0; i < NFEATURES; i++)
		if (features[i].far == far)
			mask |= 1u << i;
	return mask;
}

/*
 * A veth does nothing to what it receives: what its far end left undone arrives so. Other
 * devices do it themselves.
 */
static uint32_t in_the_way(struct pp_offload *o, bool csum)
{
	uint32_t on;

	if (o->found == PP_FAR_NONE)
		return features_on(&o->near) & side(false);
	on = o->found == PP_FAR_FOUND ? features_on(&o->far) : 0;
	return on & side(true) & ~(csum ? CSUM_BITS : 0);
}

static void switch_features(struct pp_offload *o, uint32_t mask, bool on)
{
	if (mask & side(false))
		features_set(&o->near, mask & side(false), on);
	if (mask & side(true) && o->found == PP_FAR_FOUND)
		features_set(&o->far, mask & side(true), on);
}

/* --- the record -------------------------------------------------------------- */

/* opened and locked, with what a killed process left in it; another process may have it */
static void record_open(struct pp_offload *o, bool create)
{
	char line[32] = "";

	o->record = -1;
	snprintf(o->path, sizeof(o->path), RECORDS "/offloads-%llu-%d", (unsigned long long)o->net,
		 o->near.index);
	if (create)
		mkdir(RECORDS, 0700);
	o->record = open(o->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
	if (o->record < 0)
		return;
	if (flock(o->record, LOCK_EX | LOCK_NB)) {
		close(o->record);
		o->record = -1;
		return;
	}
	if (pread(o->record, line, sizeof(line) - 1, 0) > 0)
		o->off = (uint32_t)strtoul(line, NULL, 16) & ((1u << NFEATURES) - 1);
}

/* before anything is switched off: a kill may come at any point */
static void record_write(const struct pp_offload *o)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "%08x\n", o->off);

	if (o->record >= 0 && pwrite(o->record, line, (size_t)len, 0) < len)
		unlink(o->path);
}

static void record_end(struct pp_offload *o)
{
	if (o->record < 0)
		return;
	unlink(o->path);
	close(o->record);
	o->record = -1;
}

/* --- what to say -------------------------------------------------------------- */

static const char *lost(uint32_t mask)
{
	if (mask & VLAN_BITS && mask & CSUM_BITS)
		return "VLAN tags, checksums and segmentation";
	if (mask & VLAN_BITS && mask & LRO_BITS)
		return "VLAN tags and the bounds of packets";
	if (mask & LRO_BITS)
		return "the bounds of packets";
	return mask & CSUM_BITS ? "checksums and segmentation" : "VLAN tags";
}

static void describe(struct pp_offload *o, uint32_t mask, bool fix, bool csum)
{
	const char *or_fix = fix ? "" : ", or give offloads=fix";
	char commands[160] = "";
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < NFEATURES && at < sizeof(commands); i++)
		if (mask >> i & 1 && features[i].command[0])
			at += (size_t)snprintf(commands + at, sizeof(commands) - at, " %s",
					       features[i].command);
	o->text[0] = '\0';
	o->brief[0] = '\0';
	if (mask)
		snprintf(o->brief, sizeof(o->brief), "%s needs%s",
			 mask & side(true) ? o->far.name : o->near.name, commands);
	if (mask & side(true))
		snprintf(o->text, sizeof(o->text),
			 "%s that %s, the other end of %s, leaves to a device are lost; "
			 "on that end: ethtool -K %s%s%s",
			 lost(mask), o->far.name, o->near.name, o->far.name, commands, or_fix);
	else if (mask)
		snprintf(o->text, sizeof(o->text),
			 "%s are lost as %s receives; switch it off: ethtool -K %s%s%s", lost(mask),
			 o->near.name, o->near.name, commands, or_fix);
	else if (o->found == PP_FAR_HIDDEN)
		snprintf(o->text, sizeof(o->text),
			 "%s that the other end of %s leaves to a device are lost; it is in a "
			 "namespace out of reach, there: ethtool -K IF txvlan off "
			 "tx-vlan-stag-hw-insert off%s",
			 lost(csum ? VLAN_BITS : VLAN_BITS | CSUM_BITS), o->near.name,
			 csum ? "" : " tx off");
}

/* --- ports -------------------------------------------------------------------- */

static struct pp_offload *find(ino_t net, int index)
{
	struct pp_offload *o;

	for (o = all; o; o = o->next)
		if (o->net == net && o->near.index == index)
			break;
	return o;
}

/* Only while it is needed: a socket there would keep a namespace alive that others delete. */
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

static void fix_features(struct pp_offload *o, uint32_t mask)
{
	o->off |= mask;
	record_write(o);
	switch_features(o, mask, false);
}

static void restore(struct pp_offload *o)
{
	if (o->off)
		switch_features(o, o->off, true);
	o->off = 0;
	record_end(o);
}

static struct pp_offload *create(const struct pp_iface *iface, ino_t net, bool fix)
{
	struct pp_offload *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->net = net;
	o->near.ctl = fcntl(iface->ctl, F_DUPFD_CLOEXEC, 0);
	o->near.index = iface->index;
	o->far.ctl = -1;
	memcpy(o->near.name, iface->name, sizeof(o->near.name));
	record_open(o, fix);
	o->next = all;
	all = o;
	return o;
}

struct pp_offload *pp_offload_open(const struct pp_iface *iface, bool fix, bool csum)
{
	struct pp_offload *o;
	struct stat st = { 0 };
	uint32_t mask;

	(void)stat("/proc/thread-self/ns/net", &st);
	pthread_mutex_lock(&lock);
	o = find(st.st_ino, iface->index);
	if (!o)
		o = create(iface, st.st_ino, fix);
	if (o) {
		o->refs++;
		far_open(o);
		if (!fix && o->refs == 1)
			restore(o);
		mask = in_the_way(o, csum && !fix);
		if (fix && mask) {
			fix_features(o, mask);
			mask = in_the_way(o, csum);
		}
		describe(o, mask, fix, csum);
		far_close(o);
	}
	pthread_mutex_unlock(&lock);
	return o;
}

void pp_offload_close(struct pp_offload *off)
{
	struct pp_offload **link;

	if (!off)
		return;
	pthread_mutex_lock(&lock);
	if (!--off->refs) {
		for (link = &all; *link != off; link = &(*link)->next)
			;
		*link = off->next;
		if (off->off)
			far_open(off);
		restore(off);
		far_close(off);
		if (off->near.ctl >= 0)
			close(off->near.ctl);
		free(off);
	}
	pthread_mutex_unlock(&lock);
}

const char *pp_offload_brief(const struct pp_offload *off)
{
	return off ? off->brief : "";
}

const char *pp_offload_text(const struct pp_offload *off)
{
	return off ? off->text : "";
}
