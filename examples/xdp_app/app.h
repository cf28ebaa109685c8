/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * app.h - the parts of xdp_app
 *
 *   main.c     opens the parts, waits, closes them
 *   options.c  the command line
 *   iface.c    the interface's state
 *   prog.c     the BPF program on the interface
 *   queue.c    a socket, its pool, and the thread that serves them
 *   slow.c     the thread that keeps packets for a while
 *   report.c   counters, the ledger
 *   rights.c   one line for each failure, also which capabilities are missing
 *   respond.c, dns.c, packet.c  from a packet's bytes to those of its answer
 */
#ifndef XDP_APP_APP_H
#define XDP_APP_APP_H

#include <net/if.h>
#include <pthread.h>
#include <stdio.h>

#include <xdp/xsk.h>

#include <pagepool/page_pool.h>
#include <pagepool/xsk.h>
#include <pagepool/zone.h>

#include "responder.h"
#include "wanted.h"

enum mode {
	MODE_AUTO,
	MODE_NATIVE,
	MODE_SKB,
};

struct options {
	const char *interface;
	const char *json;
	struct responder responder;
	enum mode mode;
	enum pp_mem memory;
	unsigned int queues; /* 0: all that there are */
	unsigned int pages; /* 0: enough for the queues */
	unsigned int page_size;
	unsigned int slow_ms;
	unsigned int slow_max;
	unsigned int duration; /* s; 0: until a signal */
	unsigned int stats_period; /* s; 0: none */
	bool busy;
};

struct iface {
	char name[IFNAMSIZ];
	int index;
	unsigned int mtu;
	unsigned int queues;
	unsigned char mac[6];
};

/* the program; descriptors are -1 when they are not open */
struct prog {
	struct bpf_object *object;
	int link_fd;
	int sockets_fd;
	enum mode mode; /* never auto once it is attached */
};

/*
 * struct slow - packets with an answer that has to wait, and the thread that sends it
 * @lock, @wake: around @waiting, in the order of their deadlines (pp_page.tstamp), and @stop
 * @kept: packets that wait; read without the lock
 * @fd: packet socket: the TX rings belong to the queues' threads
 */
struct slow {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct pp_list waiting;
	bool stop;
	uint64_t kept;
	uint64_t sent;
	uint64_t failed;
	int fd;
	bool started;
	pthread_t thread;
	const struct options *options;
};

/*
 * struct queue - an RX queue of the interface, and all that its thread needs
 * @stop: atomic: the thread is to end
 * @verdicts: packets by verdict, of @received in all; @unsent: answers that found no place in the
 *            TX ring; written by the thread alone
 */
struct queue {
	struct pp_xsk *xsk;
	unsigned int index;
	int fd;
	struct page_pool *pool;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons comp, rx;
	struct slow *slow;
	const struct options *options;
	const bool *stop;
	bool started;
	pthread_t thread;
	uint64_t received;
	uint64_t unsent;
	uint64_t verdicts[VERDICTS];
} __attribute__((aligned(128)));

struct app {
	struct options options;
	struct iface iface;
	struct pp_zone *zone;
	struct prog prog;
	struct slow slow;
	unsigned int nqueues;
	struct queue *queues;
	bool stop; /* atomic */
	FILE *json;
	FILE *text; /* stdout, or stderr if the JSON goes there */
	double seconds; /* that it ran */
	struct pp_audit audit;
};

/* counters with one writer and any readers */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* one line on stderr; returns -1 */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), cold));

/* the kernel refused @what: fail() with the capabilities that this process lacks for it */
int no_permission(const char *what, const char *interface) __attribute__((cold));

/* -1: go on; else the exit status */
int options_parse(struct options *o, int argc, char **argv);

int iface_query(struct iface *iface, const char *name);
bool iface_is_gone(const struct iface *iface);

void prog_init(struct prog *prog);
int prog_attach(struct prog *prog, const struct iface *iface, const struct options *o);
int prog_add_socket(struct prog *prog, unsigned int queue, int fd);
void prog_detach(struct prog *prog);
const char *prog_mode(const struct prog *prog);

int queue_open(struct queue *q, struct app *app, unsigned int index);
int queue_start(struct queue *q);
void queue_join(struct queue *q);
void queue_close(struct queue *q);

int slow_open(struct slow *slow, const struct iface *iface, const struct options *o);
int slow_start(struct slow *slow);
/* SLOW_KEEP as long as there is room for one more */
enum slow_policy slow_room(const struct slow *slow);
void slow_keep(struct slow *slow, struct pp_page *page);
void slow_join(struct slow *slow); /* sends the packets it keeps first */
void slow_close(struct slow *slow);

void report_ready(const struct app *app);
void report_line(const struct app *app, double seconds);
void report_summary(const struct app *app);
int report_open(struct app *app);
int report_json(struct app *app);

#endif /* XDP_APP_APP_H */
