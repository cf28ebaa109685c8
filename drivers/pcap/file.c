/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcap/file.c - pcap ports on capture files
 *
 * capture.c reads files; libpcap writes them, always as pcap with nanoseconds, so that a copy
 * is exact.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pcap/priv.h"

static int start_pass(struct pcap_dev *pd)
{
	int err = pp_cap_open(&pd->cap, pd->rx_fd, pd->only);

	return err ? pp_set_error(-err, "pcap: '%s' %s", pd->rx_file, pd->cap.why) : 0;
}

static void end_pass(struct pcap_dev *pd)
{
	pp_cap_close(&pd->cap);
}

static void file_done(struct pcap_dev *pd)
{
	/* pairs with the load in pp_netdev_done() */
	__atomic_store_n(&pd->dev.done, true, __ATOMIC_RELEASE);
}

/*
 * Reading ends before the file does. The sentence goes to pp_error() of this thread, and to
 * pp_netdev_info() for a program that sees the port done.
 */
static void file_stopped(struct pcap_queue *pq, enum cap_result result)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);
	const char *how = result == CAP_FOREIGN ? "has, after" : "is damaged after";
	const char *info = result == CAP_FOREIGN ? "stopped after" : "damaged after";

	pp_stat_add(&pq->q.stats.errors, 1);
	snprintf(pd->dev.info, sizeof(pd->dev.info), "%s packet %llu: %s", info,
		 (unsigned long long)pq->seen, pd->cap.why);
	pp_set_error(EIO, "pcap: '%s' %s packet %llu (%s); the packets before were received",
		     pd->rx_file, how, (unsigned long long)pq->seen, pd->cap.why);
	pd->passes = 1;
}

/* the pass is over; false: it was the last one */
static bool next_pass(struct pcap_queue *pq)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);

	/* a file without packets would never end */
	if (pd->passes == 1 || !pq->seen) {
		end_pass(pd);
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

/* pp_page.tstamp spans 1970 to 2554: packets from outside get the nearest time */
static void count_clamped(struct pcap_queue *pq)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);

	pp_stat_add(&pq->q.stats.errors, pd->cap.clamped);
	pd->cap.clamped = 0;
	pp_set_error(EOVERFLOW,
		     "pcap: '%s' has times before 1970 or after 2554; those packets have the "
		     "nearest time",
		     pd->rx_file);
}

static enum cap_result read_batch(struct pcap_queue *pq, unsigned int n)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);
	enum cap_result result = CAP_PACKET;
	struct cap_packet p;
	unsigned int i;
	uint32_t len;

	for (i = 0; i < n; i++) {
		result = pp_cap_next(&pd->cap, &p);
		if (result != CAP_PACKET)
			break;
		len = p.len < pq->snaplen ? p.len : pq->snaplen;
		pq->seen++;
		pp_pcap_take(pq, p.data, len, p.tstamp);
	}
	pp_stat_add(&pq->q.stats.rx_packets, pq->nout);
	if (unlikely(pd->cap.clamped))
		count_clamped(pq);
	return result;
}

/*
 * The batch after the last one ends a pass, so that the port returns its last packets before it
 * is done.
 */
static unsigned int file_batch(struct pcap_queue *pq, struct pp_page **pages, unsigned int n)
{
	struct pcap_dev *pd = to_pcap_dev(&pq->q);
	enum cap_result result;

	pq->out = pages;
	pq->nout = 0;
	if (unlikely(pq->pass_over) && pd->cap.buf && !next_pass(pq))
		return 0;
	if (!pd->cap.buf)
		return 0;
	result = read_batch(pq, n);
	if (result != CAP_PACKET) {
		pq->pass_over = true;
		if (result < 0)
			file_stopped(pq, result);
	}
	return pq->nout;
}

static unsigned int file_rx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct pcap_queue *pq = (struct pcap_queue *)q;
	unsigned int got;

	n = pp_pcap_fill_stash(pq, n);
	if (!n)
		return 0;
	got = file_batch(pq, pages, n);
	/* an empty batch at the end of a pass: the next pass begins at once */
	if (!got && pq->pass_over)
		got = file_batch(pq, pages, n);
	return got;
}

static void drop_tx(struct pp_queue *q, unsigned int n)
{
	pp_stat_add(&q->stats.tx_dropped, n);
}

/* libpcap does not say which packets it could not write, so the whole burst counts as dropped */
static void file_tx_failed(struct pp_queue *q, unsigned int n)
{
	struct pcap_dev *pd = to_pcap_dev(q);

	pp_stat_add(&q->stats.errors, 1);
	drop_tx(q, n);
	pp_set_error(EIO, "pcap: writing '%s' failed; is the disk full?", pd->tx_file);
}

static void count_late(struct pp_queue *q, unsigned int late)
{
	pp_stat_add(&q->stats.errors, late);
	pp_set_error(EOVERFLOW,
		     "pcap: '%s' cannot hold times after 2106, as no pcap file can; those packets "
		     "have the last time that it holds",
		     to_pcap_dev(q)->tx_file);
}

/* a pcap file has 32 bits of seconds; false: the time is later and becomes the last one */
static bool file_time(struct pcap_pkthdr *h, uint64_t when)
{
	const bool fits = when / NSEC <= UINT32_MAX;

	h->ts.tv_sec = fits ? (time_t)(when / NSEC) : (time_t)UINT32_MAX;
	h->ts.tv_usec = fits ? (suseconds_t)(when % NSEC) : (suseconds_t)NSEC - 1;
	return fits;
}

static unsigned int file_tx(struct pp_queue *q, struct pp_page **pages, unsigned int n)
{
	struct pcap_dev *pd = to_pcap_dev(q);
	unsigned int i, late = 0;
	struct timespec ts;
	struct pcap_pkthdr h;
	uint64_t bytes = 0, now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * NSEC + (uint64_t)ts.tv_nsec;
	for (i = 0; i < n; i++) {
		late += !file_time(&h, pages[i]->tstamp == PP_TSTAMP_NONE ? now : pages[i]->tstamp);
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
	if (unlikely(late))
		count_late(q, late);
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

/* a file is always readable; a port that only writes one is done */
static int file_fd(struct pp_queue *q)
{
	const struct pcap_dev *pd = to_pcap_dev(q);

	return pd->rx_fd >= 0 ? pd->rx_fd
			      : pp_set_error(ENOTSUP, "pcap: nothing is received from a tx= file");
}

const struct pp_queue_ops pp_pcap_file_ops = {
	.rx_burst = file_rx,
	.tx_burst = file_tx,
	.fd = file_fd,
};

const struct pp_queue_ops pp_pcap_file_rx_ops = {
	.rx_burst = file_rx,
	.tx_burst = no_tx,
	.fd = file_fd,
};

/*
 * Readers share a file; a writer has it alone. So "--port pcap:rx=F --port pcap:tx=F" does not
 * truncate its own input.
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
	return err ? err : start_pass(pd);
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
	/* the last step that can fail: the old contents are lost */
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

int pp_pcap_open_files(struct pcap_dev *pd)
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

void pp_pcap_flush(struct pcap_dev *pd)
{
	if (!pd->dump || !pcap_dump_flush(pd->dump))
		return;
	file_tx_failed(pd->dev.queues[0], 0);
	snprintf(pd->dev.info, sizeof(pd->dev.info), "the last packets could not be written");
}

void pp_pcap_close_files(struct pcap_dev *pd)
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
