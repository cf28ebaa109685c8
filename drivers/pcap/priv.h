/* SPDX-License-Identifier: BSD-3-Clause */
/* pcap/priv.h - the parts of a pcap port: pcap.c on top, file.c and live.c, stash.c below */
#ifndef PP_PCAP_PRIV_H
#define PP_PCAP_PRIV_H

#include <pthread.h>

#include <pcap/pcap.h>

#include "pcap/reader.h"
#include "netdev/iface.h"
#include "netdev/priv.h"

#define NSEC 1000000000ull

/*
 * struct pcap_queue
 * @out, @nout: the caller's array, which libpcap's callback fills
 * @snaplen:   longest packet received
 * @seen:      packets of this pass over the file
 * @stash:     pages taken from the pool that no packet has filled yet
 * @pass_over: the end of the file was reached
 * @failing:   libpcap's last answer was an error, and pp_error() has had it
 */
struct pcap_queue {
	struct pp_queue q;
	struct pp_page **out;
	unsigned int nout;
	uint32_t snaplen;
	uint64_t seen;
	unsigned int nstash;
	struct pp_page *stash[PP_BURST_MAX];
	bool pass_over;
	bool failing;
};

/*
 * struct pcap_dev - a port; its strings point into the spec, which lives as long
 * @passes:  left over the file, with this one; 0: endless
 * @only:    interface of the file to receive the packets of, or CAP_EVERY
 * @rx_fd, @cap: the file that is read; -1: none
 * @rx, @ifc: the interface
 * @longest: packet that a page holds
 * @dead:    libpcap's handle for writing
 * @lock:    between pcap_stats() of any thread and closing
 * @dropped: the last answer of pcap_stats()
 */
struct pcap_dev {
	struct pp_netdev dev;
	const char *rx_file;
	const char *tx_file;
	const char *iface;
	const char *filter;
	uint32_t passes;
	uint32_t snaplen;
	uint32_t only;
	int rx_fd;
	struct cap_file cap;
	pcap_t *rx;
	struct pp_iface ifc;
	bool promisc;
	uint32_t longest;
	pcap_t *dead;
	pcap_dumper_t *dump;
	pthread_mutex_t lock;
	uint64_t dropped;
};

static inline struct pcap_dev *to_pcap_dev(struct pp_queue *q)
{
	return (struct pcap_dev *)q->dev;
}

/* pcap/stash.c */

/* have @n pages ready, or as many as the pool gives */
unsigned int pp_pcap_fill_stash(struct pcap_queue *pq, unsigned int n);
/* copy a packet into the stash's last page; false: no page holds it, which is counted */
bool pp_pcap_take(struct pcap_queue *pq, const void *data, uint32_t len, uint64_t tstamp);

/* pcap/file.c; open returns 0 or -errno with pp_set_error() */
extern const struct pp_queue_ops pp_pcap_file_ops;
extern const struct pp_queue_ops pp_pcap_file_rx_ops; /* without a file to send to */
int pp_pcap_open_files(struct pcap_dev *pd);
void pp_pcap_flush(struct pcap_dev *pd);
void pp_pcap_close_files(struct pcap_dev *pd);

/* pcap/live.c */
extern const struct pp_queue_ops pp_pcap_live_ops;
int pp_pcap_open_live(struct pcap_dev *pd);
const char *pp_pcap_event(struct pp_netdev *dev);

#endif /* PP_PCAP_PRIV_H */
