/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap.c - capture files, and live interfaces through libpcap
 *
 * libpcap shows a packet only while its callback runs, so receiving copies each
 * one into a page; those are allocated ahead, in bulk, and what a burst did not
 * fill waits in the queue's stash. Times are nanoseconds throughout: a file in
 * microseconds is scaled by libpcap, and what is written always has nanoseconds.
 */
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "netdev_priv.h"

#define SNAPLEN_MAX  262144u /* libpcap's own limit for Ethernet */
#define SNAPLEN_MIN  14u
#define LIVE_BUFFER  (8 << 20)
#define LIVE_TIMEOUT 1 /* ms until the kernel hands over a block that is not full */
#define NSEC	     1000000000ull

struct pcap_queue {
	struct pp_queue q;
	/* the callback's */
	struct pp_page **out;
	unsigned int nout;
	uint32_t snaplen;
	uint64_t seen; /* packets of this pass over the file */
	unsigned int nstash;
	struct pp_page *stash[PP_BURST_MAX];
	bool pass_over;
};

/* strings point into the spec, which lives as long as the port */
struct pcap_dev {
	struct pp_netdev dev;
	const char *rx_file;
	const char *tx_file;
	const char *iface;
	const char *filter;
	uint32_t passes; /* left, with this one; 0: endless */
	uint32_t snaplen;
	int rx_fd;
	pcap_t *rx; /* this pass over the file, or the interface */
	pcap_t *dead; /* libpcap's idea of a handle to write with */
	pcap_dumper_t *dump;
	pthread_mutex_t lock; /* between pcap_stats() of any thread and closing */
	uint64_t dropped; /* what pcap_stats() said last */
};

static struct pcap_dev *to_dev(struct pp_queue *q)
{
	return (struct pcap_dev *)q->dev;
}

/* pcap_dispatch() calls this at most once for each page of the stash */
static void take_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct pcap_queue *pq = (struct pcap_queue *)user;
	struct pp_page *page = pq->stash[pq->nstash - 1];
	uint32_t len = h->caplen < pq->snaplen ? h->caplen : pq->snaplen;

	pq->seen++;
	if (unlikely(len > pp_page_tailroom(page))) {
		pp_stat_add(&pq->q.stats.rx_dropped, 1);
		return;
	}
	pq->nstash--;
	memcpy(pp_page_data(page), data, len);
	page->len = len;
	page->port = pq->q.dev->params.port;
	page->tstamp = (uint64_t)h->ts.tv_sec * NSEC + (uint64_t)h->ts.tv_usec;
	pp_stat_add(&pq->q.stats.rx_bytes, len);
	pq->out[pq->nout++] = page;
}

/* have @n pages ready, or as many as the pool gives */
static unsigned int fill_stash(struct pcap_queue *pq, unsigned int n)
{
	unsigned int want, got;

	if (pq->nstash >= n)
		return n;
	want = n - pq->nstash;
	got = page_pool_alloc_bulk(pq->q.pool, pq->stash + pq->nstash, want);
	pq->nstash += got;
	if (got < want)
		pp_stat_add(&pq->q.stats.rx_nombuf, want - got);
	return pq->nstash;
}

/* one batch of packets; what pcap_dispatch() says. pq->nout packets were taken. */
static int rx_batch(struct pcap_queue *pq, struct pp_page **pages, unsigned int n)
{
	int ret;

	pq->out = pages;
	pq->nout = 0;
	ret = pcap_dispatch(to_dev(&pq->q)->rx, (int)n, take_packet, (u_char *)pq);
	pp_stat_add(&pq->q.stats.rx_packets, pq->nout);
	return ret;
}

static int start_pass(struct pcap_dev *pd)
{
	char text[PCAP_ERRBUF_SIZE];
	FILE *file = NULL;
	int err, fd;

	fd = dup(pd->rx_fd);
	if (fd >= 0) {
		lseek(fd, 0, SEEK_SET);
		file = fdopen(fd, "r");
	}
	if (!file) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return pp_set_error(err, "pcap: cannot read '%s': %s", pd->rx_file, strerror(err));
	}
	pd->rx = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!pd->rx) {
		fclose(file);
		return pp_set_error(EINVAL,
				    "pcap: '%s' is not a capture file (%s); give a pcap or "
				    "pcapng file",
				    pd->rx_file, text);
	}
	return 0;
}

static void end_pass(struct pcap_dev *pd)
{
	if (pd->rx)
		pcap_close(pd->rx);
	pd->rx = NULL;
}

static void file_done(struct pcap_dev *pd)
{
	/* pairs with the load in pp_netdev_done() */
	__atomic_store_n(&pd->dev.done, true, __ATOMIC_RELEASE);
}

/*
 * The sentence goes to whoever asks for pp_error() in this thread, and to
 * pp_netdev_info() for a program that sees the port done.
 */
static void file_damaged(struct pcap_queue *pq)
{
	struct pcap_dev *pd = to_dev(&pq->q);
	const char *why = pcap_geterr(pd->rx);

	pp_stat_add(&pq->q.stats.errors, 1);
	snprintf(pd->dev.info, sizeof(pd->dev.info), "damaged after packet %llu: %s",
		 (unsigned long long)pq->seen, why);
	pp_set_error(EIO,
		     "pcap: '%s' is damaged after packet %llu (%s); what precedes was received",
		     pd->rx_file, (unsigned long long)pq->seen, why);
	pd->passes = 1;
}

/* the pass before is over: false if it was the last one */
static bool next_pass(struct pcap_queue *pq)
{
	struct pcap_dev *pd = to_dev(&pq->q);

	end_pass(pd);
	/* a file without packets would be read for ever */
	if (pd->passes == 1 || !pq->seen) {
		file_done(pd);
		return false;
	}
	if (start_pass(pd)) {
		pp_stat_add(&pq->q.stats.errors, 1);
		snprintf(pd->dev.info, sizeof(pd->dev.info), "cannot be read again");
		file_done(pd);
		return false;
	}
	if (pd->passes)
		pd->passes--;
	pq->seen = 0;
	pq->pass_over = false;
	return true;
}

/*
 * The end of a pass is acted upon in the batch after, so that the port is never
 * done before its last packets have been returned.
 */
static unsigned int file_batch(struct pcap_queue *pq, struct pp_page **pages, unsigned int n)
{
	struct pcap_dev *pd = to_dev(&pq->q);
	int ret;

	if (unlikely(pq->pass_over) && pd->rx && !next_pass(pq))
		return 0;
	if (!pd->rx)
		return 0;
	ret = rx_batch(pq, pages, n);
	if (ret <= 0) {
		pq->pass_over = true;
		if (ret < 0)
			file_damaged(pq);
	}
	return pq->nout;
}

static unsigned int file_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct pcap_queue *pq = (struct pcap_queue *)q;
	unsigned int got;

	n = fill_stash(pq, n);
	if (!n)
		return 0;
	got = file_batch(pq, pages, n);
	/* at the very end of a pass: the next one begins at once */
	if (!got && pq->pass_over)
		got = file_batch(pq, pages, n);
	return got;
}

static unsigned int live_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct pcap_queue *pq = (struct pcap_queue *)q;

	n = fill_stash(pq, n);
	if (!n)
		return 0;
	if (unlikely(rx_batch(pq, pages, n) < 0)) {
		/* went down or away: it may come back, and then libpcap goes on */
		pp_stat_add(&q->stats.errors, 1);
		pp_set_error(EIO, "pcap: receiving from '%s': %s", to_dev(q)->iface,
			     pcap_geterr(to_dev(q)->rx));
	}
	return pq->nout;
}

static void drop_tx(struct pp_queue *q, unsigned int n)
{
	pp_stat_add(&q->stats.tx_dropped, n);
}

/* the disk is full: what libpcap could not write it does not say, so count the whole burst */
static void file_tx_failed(struct pp_queue *q, unsigned int n)
{
	struct pcap_dev *pd = to_dev(q);

	pp_stat_add(&q->stats.errors, 1);
	drop_tx(q, n);
	pp_set_error(EIO, "pcap: writing '%s' failed; is the disk full?", pd->tx_file);
}

static unsigned int file_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct pcap_dev *pd = to_dev(q);
	struct pcap_pkthdr h;
	uint64_t bytes = 0, when;
	struct timespec now;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &now);
	for (i = 0; i < n; i++) {
		when = pages[i]->tstamp;
		h.ts.tv_sec = when ? (time_t)(when / NSEC) : now.tv_sec;
		h.ts.tv_usec = when ? (suseconds_t)(when % NSEC) : now.tv_nsec;
		h.len = pages[i]->len;
		h.caplen = h.len < pd->snaplen ? h.len : pd->snaplen;
		pcap_dump((u_char *)pd->dump, &h, pp_page_data(pages[i]));
		bytes += h.len;
	}
	page_pool_put_bulk(pages, n);
	if (unlikely(ferror(pcap_dump_file(pd->dump)))) {
		file_tx_failed(q, n);
		return n;
	}
	pp_stat_add(&q->stats.tx_packets, n);
	pp_stat_add(&q->stats.tx_bytes, bytes);
	return n;
}

/* a file port without tx= */
static unsigned int no_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	page_pool_put_bulk(pages, n);
	drop_tx(q, n);
	return n;
}

/* 0: sent; -EAGAIN: the page stays the caller's; otherwise it can never be sent */
static int inject(struct pp_queue *q, const struct pp_page *page)
{
	if (pcap_inject(to_dev(q)->rx, pp_page_data(page), page->len) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return -EAGAIN;
	/* longer than the MTU or shorter than a header is the packet's fault alone */
	if (errno != EMSGSIZE && errno != EINVAL)
		pp_stat_add(&q->stats.errors, 1);
	return -EIO;
}

static unsigned int live_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	unsigned int i, dropped = 0;
	uint64_t bytes = 0;
	int err;

	for (i = 0; i < n; i++) {
		err = inject(q, pages[i]);
		if (err == -EAGAIN)
			break;
		if (err)
			dropped++;
		else
			bytes += pages[i]->len;
	}
	page_pool_put_bulk(pages, i);
	pp_stat_add(&q->stats.tx_packets, i - dropped);
	pp_stat_add(&q->stats.tx_bytes, bytes);
	drop_tx(q, dropped);
	return i;
}

static const struct pp_queue_ops file_ops = {
	.rx_burst = file_rx,
	.tx_burst = file_tx,
};

static const struct pp_queue_ops file_rx_ops = {
	.rx_burst = file_rx,
	.tx_burst = no_tx,
};

static const struct pp_queue_ops live_ops = {
	.rx_burst = live_rx,
	.tx_burst = live_tx,
};

static int check_link(const struct pcap_dev *pd, const char *where)
{
	const int type = pcap_datalink(pd->rx);
	const char *name = pcap_datalink_val_to_name(type);

	if (type == DLT_EN10MB)
		return 0;
	return pp_set_error(EPROTONOSUPPORT,
			    "pcap: '%s' has link type %s (%d), not Ethernet "
			    "(EN10MB, 1); capture on one Ethernet interface",
			    where, name ? name : "unknown", type);
}

/*
 * A reader shares the file with readers, a writer with nobody: this keeps
 * "--port pcap:rx=F --port pcap:tx=F" from truncating its own input.
 */
static int lock_file(int fd, int how, const char *path)
{
	if (!flock(fd, how | LOCK_NB) || errno != EWOULDBLOCK)
		return 0;
	return pp_set_error(EBUSY, "pcap: '%s' is in use by another port; give another file", path);
}

static int open_rx_file(struct pcap_dev *pd)
{
	struct stat st;
	int err;

	pd->rx_fd = open(pd->rx_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (pd->rx_fd < 0 || fstat(pd->rx_fd, &st)) {
		err = errno;
		return pp_set_error(err, "pcap: cannot read '%s': %s", pd->rx_file, strerror(err));
	}
	if (!S_ISREG(st.st_mode))
		return pp_set_error(EINVAL,
				    "pcap: '%s' is not a regular file; a port must not "
				    "wait for its writer",
				    pd->rx_file);
	if (!st.st_size)
		return pp_set_error(EINVAL, "pcap: '%s' is empty; give a pcap or pcapng file",
				    pd->rx_file);
	err = lock_file(pd->rx_fd, LOCK_SH, pd->rx_file);
	if (!err)
		err = start_pass(pd);
	if (!err)
		err = check_link(pd, pd->rx_file);
	return err;
}

static int check_tx_file(struct pcap_dev *pd, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return pp_set_error(errno, "pcap: cannot write '%s': %s", pd->tx_file,
				    strerror(errno));
	if (S_ISREG(st.st_mode))
		return lock_file(fd, LOCK_EX, pd->tx_file);
	if (S_ISCHR(st.st_mode)) /* /dev/null is welcome */
		return 0;
	return pp_set_error(EINVAL,
			    "pcap: '%s' is not a regular file; a port must not "
			    "wait for its reader",
			    pd->tx_file);
}

static int open_tx_file(struct pcap_dev *pd)
{
	int err, fd = open(pd->tx_file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	FILE *file;

	if (fd < 0)
		return pp_set_error(errno, "pcap: cannot write '%s': %s", pd->tx_file,
				    strerror(errno));
	err = check_tx_file(pd, fd);
	if (err)
		goto close_fd;
	err = -ENOMEM;
	pd->dead = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, (int)pd->snaplen,
							PCAP_TSTAMP_PRECISION_NANO);
	file = pd->dead ? fdopen(fd, "w") : NULL;
	if (!file) {
		pp_set_error(ENOMEM, "pcap: no memory to write '%s'", pd->tx_file);
		goto close_fd;
	}
	/* only now, when nothing else can fail, lose what the file had */
	if (ftruncate(fd, 0) && errno != EINVAL) {
		err = pp_set_error(errno, "pcap: cannot write '%s': %s", pd->tx_file,
				   strerror(errno));
		fclose(file);
		return err;
	}
	pd->dump = pcap_dump_fopen(pd->dead, file); /* closes the file if it fails */
	if (!pd->dump)
		return pp_set_error(EIO, "pcap: cannot write '%s': %s", pd->tx_file,
				    pcap_geterr(pd->dead));
	return 0;

close_fd:
	close(fd);
	return err;
}

static int open_files(struct pcap_dev *pd)
{
	int err = 0;

	if (pd->rx_file)
		err = open_rx_file(pd);
	else
		pd->dev.done = true; /* no source: its last packet has been delivered */
	if (!err && pd->tx_file)
		err = open_tx_file(pd);
	if (err)
		return err;
	snprintf(pd->dev.info, sizeof(pd->dev.info), "%s%s%s, nanoseconds",
		 pd->rx_file ? "reads a file" : "", pd->rx_file && pd->tx_file ? ", " : "",
		 pd->tx_file ? "writes a file" : "");
	return 0;
}

static int activate(struct pcap_dev *pd)
{
	int err;

	pcap_set_snaplen(pd->rx, (int)SNAPLEN_MAX);
	pcap_set_promisc(pd->rx, 1);
	pcap_set_timeout(pd->rx, LIVE_TIMEOUT);
	pcap_set_buffer_size(pd->rx, LIVE_BUFFER);
	pcap_set_tstamp_precision(pd->rx, PCAP_TSTAMP_PRECISION_NANO);
	err = pcap_activate(pd->rx);
	switch (err) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return pp_set_error(ENOENT, "pcap: there is no interface '%s'; see ip link",
				    pd->iface);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return pp_set_error(EPERM,
				    "pcap: no permission to capture on '%s'; run as root or "
				    "with CAP_NET_RAW",
				    pd->iface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return pp_set_error(ENETDOWN, "pcap: interface '%s' is down; ip link set %s up",
				    pd->iface, pd->iface);
	}
	if (err < 0)
		return pp_set_error(EIO, "pcap: cannot capture on '%s': %s", pd->iface,
				    pcap_geterr(pd->rx));
	return 0;
}

static int set_filter(struct pcap_dev *pd)
{
	struct bpf_program code;
	int err;

	if (!pd->filter)
		return 0;
	if (pcap_compile(pd->rx, &code, pd->filter, 1, PCAP_NETMASK_UNKNOWN))
		return pp_set_error(EINVAL, "pcap: filter '%s' is wrong: %s; see pcap-filter(7)",
				    pd->filter, pcap_geterr(pd->rx));
	err = pcap_setfilter(pd->rx, &code);
	pcap_freecode(&code);
	if (err)
		return pp_set_error(EIO, "pcap: filter '%s' on '%s': %s", pd->filter, pd->iface,
				    pcap_geterr(pd->rx));
	return 0;
}

static void read_mac(struct pcap_dev *pd)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", pd->iface);
	if (!ioctl(pcap_fileno(pd->rx), SIOCGIFHWADDR, &ifr))
		memcpy(pd->dev.mac, ifr.ifr_hwaddr.sa_data, sizeof(pd->dev.mac));
}

static int open_live(struct pcap_dev *pd)
{
	char text[PCAP_ERRBUF_SIZE];
	int err;

	pd->rx = pcap_create(pd->iface, text);
	if (!pd->rx)
		return pp_set_error(EINVAL, "pcap: interface '%s': %s", pd->iface, text);
	err = activate(pd);
	if (!err)
		err = check_link(pd, pd->iface);
	if (!err)
		err = set_filter(pd);
	if (err)
		return err;
	/* IN: what this host sends, we among them, is not ours to forward */
	if (pcap_setnonblock(pd->rx, 1, text) || pcap_setdirection(pd->rx, PCAP_D_IN))
		return pp_set_error(EIO, "pcap: interface '%s': %s", pd->iface,
				    pcap_geterr(pd->rx));
	read_mac(pd);
	snprintf(pd->dev.info, sizeof(pd->dev.info), "live on %s, promiscuous%s", pd->iface,
		 pd->filter ? ", filtered" : "");
	return 0;
}

static int check_options(const struct pcap_dev *pd, bool loop, bool snaplen)
{
	if (pd->iface && (pd->rx_file || pd->tx_file || loop || snaplen))
		return pp_set_error(EINVAL,
				    "pcap: iface=%s takes filter= only; rx, tx, loop and "
				    "snaplen are for files",
				    pd->iface);
	if (!pd->iface && !pd->rx_file && !pd->tx_file)
		return pp_set_error(EINVAL, "pcap: nothing to open; give rx=FILE, tx=FILE or "
					    "iface=INTERFACE");
	if (!pd->iface && pd->filter)
		return pp_set_error(EINVAL, "pcap: filter= is for iface=; filter a file with "
					    "tcpdump -r IN -w OUT EXPR");
	if (loop && !pd->rx_file)
		return pp_set_error(EINVAL, "pcap: loop= is for rx=FILE");
	return 0;
}

static int read_options(struct pcap_dev *pd, struct pp_args *args)
{
	bool loop = pp_args_str(args, "loop"), snaplen = pp_args_str(args, "snaplen");
	int err;

	pd->rx_file = pp_args_str(args, "rx");
	pd->tx_file = pp_args_str(args, "tx");
	pd->iface = pp_args_str(args, "iface");
	pd->filter = pp_args_str(args, "filter");
	pd->passes = 1;
	pd->snaplen = SNAPLEN_MAX;
	err = pp_args_u32(args, "loop", 0, UINT32_MAX, &pd->passes);
	if (!err)
		err = pp_args_u32(args, "snaplen", SNAPLEN_MIN, SNAPLEN_MAX, &pd->snaplen);
	return err ? err : check_options(pd, loop, snaplen);
}

static int pcap_dev_open(struct pp_netdev *dev, struct pp_args *args)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;
	const struct pp_queue_ops *ops;
	struct pcap_queue *pq;
	int err;

	pd->rx_fd = -1;
	pthread_mutex_init(&pd->lock, NULL);
	err = read_options(pd, args);
	if (err)
		return err;
	ops = pd->iface ? &live_ops : pd->tx_file ? &file_ops : &file_rx_ops;
	pq = (struct pcap_queue *)pp_netdev_add_queue(dev, sizeof(*pq), ops);
	if (!pq)
		return -errno;
	pq->snaplen = pd->snaplen;
	return pd->iface ? open_live(pd) : open_files(pd);
}

/* the caller has the lock, or nobody else has the port */
static void read_drops(struct pcap_dev *pd)
{
	struct pcap_stat st;

	if (pd->iface && pd->rx && !pcap_stats(pd->rx, &st))
		pd->dropped = st.ps_drop;
}

static void close_handles(struct pcap_dev *pd)
{
	if (pd->dump)
		pcap_dump_close(pd->dump);
	if (pd->dead)
		pcap_close(pd->dead);
	pd->dump = NULL;
	pd->dead = NULL;
	end_pass(pd);
	if (pd->rx_fd >= 0)
		close(pd->rx_fd);
	pd->rx_fd = -1;
}

static void pcap_dev_stop(struct pp_netdev *dev)
{
	struct pcap_queue *pq = (struct pcap_queue *)dev->queues[0];
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	page_pool_put_bulk(pq->stash, pq->nstash);
	pq->nstash = 0;
	if (pd->dump && pcap_dump_flush(pd->dump)) {
		file_tx_failed(&pq->q, 0);
		snprintf(dev->info, sizeof(dev->info), "the last packets could not be written");
	}
	pthread_mutex_lock(&pd->lock);
	read_drops(pd);
	close_handles(pd);
	pthread_mutex_unlock(&pd->lock);
}

static void pcap_dev_close(struct pp_netdev *dev)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	close_handles(pd);
	pthread_mutex_destroy(&pd->lock);
}

static void pcap_dev_stats(struct pp_netdev *dev, struct pp_netdev_stats *stats)
{
	struct pcap_dev *pd = (struct pcap_dev *)dev;

	pthread_mutex_lock(&pd->lock);
	read_drops(pd);
	stats->rx_dropped += pd->dropped;
	pthread_mutex_unlock(&pd->lock);
}

const struct pp_netdev_ops pp_pcap_ops = {
	.name = "pcap",
	.sets = true,
	.dev_size = sizeof(struct pcap_dev),
	.open = pcap_dev_open,
	.stop = pcap_dev_stop,
	.close = pcap_dev_close,
	.get_stats = pcap_dev_stats,
};
