/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/napi.c - settings of a queue's NAPI, by the kernel's netdev family
 *
 * The settings stay after a kill. So a record names those that were there before, and the next
 * port on the queue restores them first.
 *
 * Queues may share a NAPI. All that set it have the settings from before the first in their
 * records, and the last one to close restores them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pagepool/error.h>

#include "af_xdp/port.h"
#include "xsk/uapi.h"

#define NAPIS_MAX 1024u

/* @since: the first Linux that has it */
static const struct {
	const char *option;
	const char *name;
	const char *since;
	uint16_t type;
	uint16_t len;
} settings[NAPI_SETTINGS] = {
	[NAPI_DEFER] = { "defer_irqs", "defer-hard-irqs", "6.13", NETDEV_A_NAPI_DEFER_HARD_IRQS,
			 4 },
	[NAPI_FLUSH] = { "gro_flush", "gro-flush-timeout", "6.13", NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT,
			 8 },
	[NAPI_SUSPEND] = { "suspend", "irq-suspend-timeout", "6.13",
			   NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT, 8 },
	[NAPI_THREADED] = { "threaded", "threaded", "6.17", NETDEV_A_NAPI_THREADED, 4 },
};

/* --- sentences -------------------------------------------------------------------- */

int pp_napi_refuse(int err, const struct pp_iface *xif, enum xdp_napi_setting what, const char *why,
		   const char *what_to_do)
{
	if (what == NAPI_SUSPEND)
		return pp_set_error(-err, "interrupts of %s are not suspended: %s; %s", xif->name,
				    why, what_to_do);
	return pp_set_error(-err, "%s of %s is not set: %s; %s", settings[what].option, xif->name,
			    why, what_to_do);
}

/* the remedy that always works, after another one */
static int refuse_or_leave(int err, const struct pp_iface *xif, enum xdp_napi_setting what,
			   const char *why, const char *remedy)
{
	char text[96];

	snprintf(text, sizeof(text), "%sleave %s out", remedy, settings[what].option);
	return pp_napi_refuse(err, xif, what, why, text);
}

int pp_napi_unnamed(const struct pp_iface *xif, enum xdp_napi_setting what, uint32_t queue)
{
	char why[96];

	snprintf(why, sizeof(why), "its driver names no NAPI for queue %u", queue);
	return refuse_or_leave(-EOPNOTSUPP, xif, what, why, "");
}

int pp_napi_refused(int err, const struct pp_iface *xif, enum xdp_napi_setting what)
{
	char why[96], remedy[48];

	if (err == -EPERM || err == -EACCES)
		return pp_napi_refuse(err, xif, what, "no permission to set its NAPI",
				      "run as root, or add CAP_NET_ADMIN");
	if (err != -EOPNOTSUPP && err != -EINVAL)
		return refuse_or_leave(err, xif, what, strerror(-err), "");
	snprintf(why, sizeof(why), "this kernel has no %s", settings[what].name);
	snprintf(remedy, sizeof(remedy), "take Linux %s, or ", settings[what].since);
	return refuse_or_leave(-EOPNOTSUPP, xif, what, why, remedy);
}

/* --- settings --------------------------------------------------------------------- */

int pp_napi_get(struct pp_genl *g, uint32_t id, struct xdp_napi_values *v)
{
	const struct pp_genl_attr attr = { NETDEV_A_NAPI_ID, sizeof(id), &id };
	struct pp_genl_answer answer;
	int err = pp_genl_ask(g, NETDEV_CMD_NAPI_GET, 0, &attr, 1, &answer);
	unsigned int i;

	v->mask = 0;
	for (i = 0; !err && i < NAPI_SETTINGS; i++)
		if (!pp_genl_get_uint(&answer.nl, settings[i].type, &v->v[i]))
			v->mask |= 1u << i;
	return err;
}

static int napi_set(struct pp_genl *g, uint32_t id, const struct xdp_napi_values *v)
{
	struct pp_genl_attr attrs[1 + NAPI_SETTINGS] = { { NETDEV_A_NAPI_ID, sizeof(id), &id } };
	struct pp_genl_answer answer;
	uint32_t small[NAPI_SETTINGS];
	unsigned int i, n = 1;

	for (i = 0; i < NAPI_SETTINGS; i++) {
		if (!(v->mask >> i & 1))
			continue;
		small[i] = (uint32_t)v->v[i];
		attrs[n].type = settings[i].type;
		attrs[n].len = settings[i].len;
		attrs[n++].value = settings[i].len == 4 ? (void *)&small[i] : &v->v[i];
	}
	return pp_genl_ask(g, NETDEV_CMD_NAPI_SET, NLM_F_ACK, attrs, n, &answer);
}

/* --- the NAPI of a queue ---------------------------------------------------------- */

uint32_t pp_napi_of_socket(int fd)
{
	socklen_t len = sizeof(uint32_t);
	uint32_t id = 0;

	return getsockopt(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &len) ? 0 : id;
}

int pp_napi_named(struct pp_genl *g, int ifindex, uint32_t queue, uint32_t *id)
{
	const uint32_t rx = NETDEV_QUEUE_TYPE_RX;
	const struct pp_genl_attr attrs[] = {
		{ NETDEV_A_QUEUE_ID, sizeof(queue), &queue },
		{ NETDEV_A_QUEUE_IFINDEX, sizeof(ifindex), &ifindex },
		{ NETDEV_A_QUEUE_TYPE, sizeof(rx), &rx },
	};
	struct pp_genl_answer answer;
	int err = pp_genl_ask(g, NETDEV_CMD_QUEUE_GET, 0, attrs, 3, &answer);

	if (err || pp_genl_get(&answer.nl, NETDEV_A_QUEUE_NAPI_ID, id, sizeof(*id)))
		*id = 0;
	return err;
}

struct napis {
	unsigned int n;
	uint32_t id[NAPIS_MAX]; /* rising */
};

static void add_napi(const struct nlmsghdr *nl, void *arg)
{
	struct napis *all = arg;
	unsigned int i = all->n;
	uint32_t id;

	if (i == NAPIS_MAX || pp_genl_get(nl, NETDEV_A_NAPI_ID, &id, sizeof(id)))
		return;
	for (all->n++; i && all->id[i - 1] > id; i--)
		all->id[i] = all->id[i - 1];
	all->id[i] = id;
}

/* A driver that names none, as veth, numbers them as the queues if there is one for each. */
static int napi_by_order(struct pp_genl *g, const struct pp_iface *xif, uint32_t queue,
			 uint32_t *id)
{
	const struct pp_genl_attr attr = { NETDEV_A_NAPI_IFINDEX, sizeof(xif->index), &xif->index };
	struct napis all = { .n = 0 };
	int err = pp_genl_dump(g, NETDEV_CMD_NAPI_GET, &attr, 1, add_napi, &all);

	*id = !err && queue < all.n && all.n == xif->channels ? all.id[queue] : 0;
	return err;
}

static int napi_find(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		     uint32_t *id)
{
	int err = pp_napi_named(&n->genl, xif->index, queue, id);

	if (!err && !*id)
		*id = pp_napi_of_socket(fd);
	return err || *id ? err : napi_by_order(&n->genl, xif, queue, id);
}

/* --- the record ------------------------------------------------------------------- */

static void record_write(const struct xdp_napi *n)
{
	char line[96];
	int at = snprintf(line, sizeof(line), "%08x %08x", n->id, n->before.mask);
	unsigned int i;

	for (i = 0; i < NAPI_SETTINGS; i++)
		at += snprintf(line + at, sizeof(line) - (size_t)at, " %016llx",
			       (unsigned long long)n->before.v[i]);
	pp_record_write(&n->record, line);
}

/* @n has the settings of a killed process to restore, if there are some */
static void record_open(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, bool create)
{
	struct pp_xdp_end end = { .ctl = xif->ctl, .index = xif->index };
	unsigned long long v[NAPI_SETTINGS];
	char tail[16], line[96];
	unsigned int id, mask, i;

	memcpy(end.name, xif->name, sizeof(end.name));
	snprintf(tail, sizeof(tail), "-%u", queue);
	pp_record_open(&n->record, "napi", &end, tail, create, line, sizeof(line));
	if (sscanf(line, "%8x %8x %16llx %16llx %16llx %16llx", &id, &mask, &v[0], &v[1], &v[2],
		   &v[3]) != 2 + NAPI_SETTINGS)
		return;
	n->id = id;
	n->before.mask = mask;
	for (i = 0; i < NAPI_SETTINGS; i++)
		n->before.v[i] = v[i];
}

/* --- settings that are restored ---------------------------------------------------- */

static pthread_mutex_t napis_lock = PTHREAD_MUTEX_INITIALIZER; /* of the list, and each @before */
static struct xdp_napi *napis;

static void list_add(struct xdp_napi *n)
{
	pthread_mutex_lock(&napis_lock);
	n->next = napis;
	napis = n;
	pthread_mutex_unlock(&napis_lock);
}

static void list_remove(const struct xdp_napi *n)
{
	struct xdp_napi **link;

	pthread_mutex_lock(&napis_lock);
	for (link = &napis; *link && *link != n; link = &(*link)->next)
		;
	if (*link)
		*link = n->next;
	pthread_mutex_unlock(&napis_lock);
}

/* another queue of NAPI @id that has to restore setting @i; NULL: none */
static const struct xdp_napi *other_with(const struct xdp_napi *n, uint32_t id, unsigned int i)
{
	const struct xdp_napi *o = napis;

	while (o && (o == n || o->id != id || !(o->before.mask >> i & 1)))
		o = o->next;
	return o;
}

/*
 * A NAPI that is gone takes no settings: numbers of NAPIs do not come again. The record forgets
 * what is restored: something else may set it until the next port comes after a kill.
 */
int pp_napi_restore(struct xdp_napi *n, uint32_t mask)
{
	struct xdp_napi_values v;
	unsigned int i;
	int err = 0;

	pthread_mutex_lock(&napis_lock);
	v = n->before;
	v.mask = n->id ? v.mask & mask : 0;
	for (i = 0; i < NAPI_SETTINGS; i++)
		if (other_with(n, n->id, i))
			v.mask &= ~(1u << i);
	if (v.mask)
		err = n->genl.fd < 0 ? -EBADF : napi_set(&n->genl, n->id, &v);
	if (pp_record_done(err)) {
		err = 0;
		n->before.mask &= ~mask;
		n->id = n->before.mask ? n->id : 0;
		record_write(n);
	}
	pthread_mutex_unlock(&napis_lock);
	return err;
}

static void remember(struct xdp_napi *n, uint32_t id, uint32_t new, const uint64_t *now)
{
	const struct xdp_napi *o;
	unsigned int i;

	n->id = id;
	for (i = 0; i < NAPI_SETTINGS; i++) {
		if (!(new >> i & 1))
			continue;
		o = other_with(n, id, i);
		n->before.v[i] = o ? o->before.v[i] : now[i];
	}
	n->before.mask |= new;
	record_write(n);
}

int pp_napi_change(struct xdp_napi *n, uint32_t id, const struct xdp_napi_values *v)
{
	uint32_t new = v->mask & ~n->before.mask;
	struct xdp_napi_values now;
	int err;

	pthread_mutex_lock(&napis_lock);
	err = pp_napi_get(&n->genl, id, &now);
	if (!err && v->mask & ~now.mask)
		err = -EOPNOTSUPP;
	if (!err) {
		remember(n, id, new, now.v);
		err = napi_set(&n->genl, id, v);
		if (err && err != -EAGAIN) { /* an answer: nothing was set */
			n->before.mask &= ~new;
			n->id = n->before.mask ? id : 0;
			record_write(n);
		}
	}
	pthread_mutex_unlock(&napis_lock);
	return err;
}

/* --- ports ------------------------------------------------------------------------ */

void pp_napi_init(struct xdp_napi *n)
{
	n->ep = -1;
	n->genl.fd = -1;
	n->record.fd = -1;
}

/* the setting that a refusal is about */
static enum xdp_napi_setting first_asked(uint32_t mask)
{
	return mask ? (enum xdp_napi_setting)__builtin_ctz(mask) : NAPI_SUSPEND;
}

static int napi_settings(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
			 const struct xdp_napi_values *asked)
{
	enum xdp_napi_setting what = first_asked(asked->mask);
	struct xdp_napi_values now;
	uint32_t id;
	int err = napi_find(n, xif, queue, fd, &id);

	if (!err && !id)
		return pp_napi_unnamed(xif, what, queue);
	if (!err)
		err = pp_napi_get(&n->genl, id, &now);
	if (!err && asked->mask & ~now.mask)
		return pp_napi_refused(-EOPNOTSUPP, xif, first_asked(asked->mask & ~now.mask));
	if (!err)
		err = pp_napi_change(n, id, asked);
	return err ? pp_napi_refused(err, xif, what) : 0;
}

int pp_napi_open(struct xdp_napi *n, const struct pp_iface *xif, uint32_t queue, int fd,
		 const struct xdp_napi_params *how)
{
	bool wanted = how->suspend_us || how->asked.mask;
	enum xdp_napi_setting what = first_asked(how->asked.mask);
	int err;

	record_open(n, xif, queue, wanted);
	if (!wanted && n->record.fd < 0)
		return 0;
	list_add(n);
	err = pp_genl_open(&n->genl, "netdev");
	if (!wanted) {
		pp_napi_close(n);
		return 0;
	}
	if (err)
		err = refuse_or_leave(-EOPNOTSUPP, xif, what,
				      "this kernel has no netdev family of netlink",
				      "take Linux 6.13, or ");
	else if ((err = pp_napi_restore(n, UINT32_MAX)))
		err = pp_napi_refused(err, xif, what);
	else if (how->asked.mask)
		err = napi_settings(n, xif, queue, fd, &how->asked);
	if (err)
		pp_napi_close(n);
	return err;
}

/* The interface, and its NAPI, may be gone. */
void pp_napi_close(struct xdp_napi *n)
{
	if (n->ep >= 0)
		close(n->ep);
	n->ep = -1;
	pp_record_end(&n->record, !pp_napi_restore(n, UINT32_MAX));
	list_remove(n);
	n->id = 0;
	pp_genl_close(&n->genl);
}
