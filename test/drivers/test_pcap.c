/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_pcap.c - capture files: what goes in comes out, and what is broken is said
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "port.h"

#define BASE_TIME 1700000000

static char dir[] = "/tmp/pp_pcap_XXXXXX";

/* one of a few paths in the test's own directory, valid until the fourth call after */
static const char *path(const char *name)
{
	static char buf[4][256];
	static unsigned int i;

	i = (i + 1) % 4;
	snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);
	return buf[i];
}

static const char *spec(const char *fmt, ...)
{
	static char buf[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return buf;
}

static uint32_t size_of(uint32_t i)
{
	return 60 + i * 37 % 1400;
}

/* @n packets of size_of() bytes, each cut to @snaplen, with times that a microsecond would lose */
static void write_file(const char *file, int link, int precision, unsigned int n, uint32_t snaplen)
{
	pcap_t *dead = pcap_open_dead_with_tstamp_precision(link, 65535, (unsigned int)precision);
	pcap_dumper_t *dump = pcap_dump_open(dead, file);
	unsigned char data[2048];
	struct pcap_pkthdr h;
	uint32_t i;

	assert_non_null(dump);
	for (i = 0; i < n; i++) {
		memset(data, (int)i, sizeof(data));
		memcpy(data, &i, sizeof(i));
		h.ts.tv_sec = BASE_TIME + i;
		h.ts.tv_usec = precision == PCAP_TSTAMP_PRECISION_NANO ? 123456789 : 123456;
		h.len = size_of(i);
		h.caplen = h.len < snaplen ? h.len : snaplen;
		pcap_dump((u_char *)dump, &h, data);
	}
	pcap_dump_close(dump);
	pcap_close(dead);
}

static void write_bytes(const char *file, const void *bytes, size_t n)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static pcap_t *read_file(const char *file, int precision)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline_with_tstamp_precision(file, (unsigned int)precision, text);

	if (!p)
		fail_msg("%s", text);
	return p;
}

/* both files show the same packets, at the same times, to a reader of that precision */
static unsigned int assert_same(const char *one, const char *two, int precision)
{
	pcap_t *a = read_file(one, precision), *b = read_file(two, precision);
	struct pcap_pkthdr *ha, *hb;
	const u_char *da, *db;
	unsigned int n = 0;

	while (pcap_next_ex(a, &ha, &da) == 1) {
		assert_int_equal(pcap_next_ex(b, &hb, &db), 1);
		assert_int_equal(ha->ts.tv_sec, hb->ts.tv_sec);
		assert_int_equal(ha->ts.tv_usec, hb->ts.tv_usec);
		assert_int_equal(ha->caplen, hb->caplen);
		assert_int_equal(ha->len, hb->len);
		assert_memory_equal(da, db, ha->caplen);
		n++;
	}
	assert_int_equal(pcap_next_ex(b, &hb, &db), PCAP_ERROR_BREAK);
	pcap_close(a);
	pcap_close(b);
	return n;
}

/* forward until the source is done; returns the packets that were received */
static unsigned int forward(struct pp_netdev *from, struct pp_netdev *to, unsigned int burst)
{
	struct pp_page *pages[PP_BURST_MAX];
	unsigned int n, all = 0;

	while (!pp_netdev_done(from)) {
		n = pp_rx_burst(pp_netdev_queue(from, 0), pages, burst);
		if (n)
			assert_int_equal(pp_tx_burst(pp_netdev_queue(to, 0), pages, n), n);
		all += n;
	}
	assert_int_equal(pp_rx_burst(pp_netdev_queue(from, 0), pages, burst), 0);
	return all;
}

/* first of all: pages in the caller's hands and in the stash when the port ends */
static void ledger(void **state)
{
	struct pp_netdev *dev;
	struct pp_page *pages[8];
	struct pp_queue *q;
	unsigned int i;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 20, 65535);
	for (i = 0; i < 4; i++) {
		dev = open_port(*state, spec("pcap:rx=%s,tx=%s", path("in"), path("out")), 0);
		q = pp_netdev_queue(dev, 0);
		/* asks for 64, gets 20: the others are in the stash */
		assert_int_equal(pp_rx_burst(q, pages, 8), 8);
		assert_int_equal(pp_tx_burst(q, pages, 4), 4);
		if (i & 1)
			pp_netdev_stop(dev);
		pp_netdev_close(dev);
		page_pool_put_bulk(pages + 4, 4);
		assert_home(*state);
	}
}

static void file_to_file(void **state)
{
	static const unsigned int burst[] = { 1, 3, 32, 64, 512 };
	struct pp_netdev *in, *out;
	struct pp_netdev_stats st;
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < 300; i++)
		bytes += size_of(i);
	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 300, 65535);
	for (i = 0; i < sizeof(burst) / sizeof(burst[0]); i++) {
		in = open_port(*state, spec("pcap:rx=%s", path("in")), 0);
		out = open_port(*state, spec("pcap:tx=%s", path("out")), 1);
		assert_false(pp_netdev_done(in));
		assert_true(pp_netdev_done(out)); /* a sink has nothing to deliver */
		assert_int_equal(forward(in, out, burst[i]), 300);
		st = port_stats(in);
		assert_int_equal(st.rx_packets, 300);
		assert_int_equal(st.rx_bytes, bytes);
		st = port_stats(out);
		assert_int_equal(st.tx_packets, 300);
		assert_int_equal(st.tx_bytes, bytes);
		assert_int_equal(st.errors + st.tx_dropped, 0);
		pp_netdev_stop(out); /* what follows reads the whole file */
		assert_int_equal(assert_same(path("in"), path("out"), PCAP_TSTAMP_PRECISION_NANO),
				 300);
		pp_netdev_close(in);
		pp_netdev_close(out);
	}
}

/* one port with both, and microseconds in: what tcpdump -r prints is the same */
static void microseconds(void **state)
{
	struct pp_netdev *dev;

	write_file(path("us"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_MICRO, 50, 65535);
	dev = open_port(*state, spec("pcap:rx=%s,tx=%s", path("us"), path("out")), 0);
	assert_int_equal(forward(dev, dev, 32), 50);
	pp_netdev_close(dev);
	assert_int_equal(assert_same(path("us"), path("out"), PCAP_TSTAMP_PRECISION_MICRO), 50);
	assert_int_equal(assert_same(path("us"), path("out"), PCAP_TSTAMP_PRECISION_NANO), 50);
}

static void received(void **state)
{
	struct pp_netdev *dev;
	struct pp_page *pages[10];
	unsigned int i;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 10, 65535);
	dev = open_port(*state, spec("pcap:rx=%s", path("in")), 5);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 10), 10);
	for (i = 0; i < 10; i++) {
		assert_int_equal(packet_number(pages[i]), i);
		assert_int_equal(pages[i]->len, size_of(i));
		assert_int_equal(pages[i]->data_off, HEADROOM);
		assert_int_equal(pages[i]->port, 5);
		assert_int_equal(pages[i]->tstamp, (BASE_TIME + i) * 1000000000ull + 123456789);
	}
	/* without tx= there is nowhere to send to */
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 10), 10);
	assert_int_equal(port_stats(dev).tx_dropped, 10);
	assert_int_equal(port_stats(dev).tx_packets, 0);
	pp_netdev_close(dev);
}

/* a packet without a time gets the time of sending */
static void time_of_sending(void **state)
{
	struct pp_netdev *dev = open_port(*state, spec("pcap:tx=%s", path("out")), 0);
	const time_t before = now_seconds();
	struct pcap_pkthdr *h;
	struct pp_page *pages[2];
	const u_char *data;
	pcap_t *p;

	make_packets(*state, pages, 2, 60, 0);
	pages[1]->tstamp = 5000000007ull;
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 2), 0);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 2), 2);
	pp_netdev_close(dev);
	p = read_file(path("out"), PCAP_TSTAMP_PRECISION_NANO);
	assert_int_equal(pcap_next_ex(p, &h, &data), 1);
	assert_true(h->ts.tv_sec >= before && h->ts.tv_sec <= now_seconds());
	assert_int_equal(pcap_next_ex(p, &h, &data), 1);
	assert_int_equal(h->ts.tv_sec, 5);
	assert_int_equal(h->ts.tv_usec, 7);
	pcap_close(p);
}

static void passes(void **state)
{
	struct pp_netdev *dev, *sink = open_port(*state, "null", 1);
	struct pp_page *pages[7];
	unsigned int i, n, all = 0;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 10, 65535);
	for (i = 1; i <= 3; i++) {
		dev = open_port(*state, spec("pcap:rx=%s,loop=%u", path("in"), i), 0);
		assert_int_equal(forward(dev, sink, 4), 10 * i);
		pp_netdev_close(dev);
	}
	dev = open_port(*state, spec("pcap:rx=%s,loop=0", path("in")), 0);
	for (i = 0; i < 1000; i++) {
		n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 7);
		if (n)
			assert_int_equal(packet_number(pages[0]), all % 10);
		page_pool_put_bulk(pages, n);
		all += n;
	}
	assert_false(pp_netdev_done(dev));
	assert_true(all >= 3000);
	pp_netdev_close(dev);
	/* without packets even an endless port is done, and does not spin */
	write_file(path("none"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_MICRO, 0, 65535);
	dev = open_port(*state, spec("pcap:rx=%s,loop=0", path("none")), 0);
	assert_int_equal(forward(dev, sink, 4), 0);
	assert_int_equal(port_stats(dev).errors, 0);
	pp_netdev_close(dev);
	pp_netdev_close(sink);
}

static void assert_lengths(const char *file, uint32_t snaplen)
{
	pcap_t *p = read_file(file, PCAP_TSTAMP_PRECISION_NANO);
	struct pcap_pkthdr *h;
	const u_char *data;
	uint32_t i;

	for (i = 0; pcap_next_ex(p, &h, &data) == 1; i++)
		assert_int_equal(h->caplen, size_of(i) < snaplen ? size_of(i) : snaplen);
	assert_int_equal(i, 40);
	pcap_close(p);
}

/* cut on the way in, on the way out, and by the recorder of the file */
static void snaplen(void **state)
{
	struct pp_netdev *in, *out;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 40, 65535);
	in = open_port(*state, spec("pcap:rx=%s,snaplen=100,tx=%s", path("in"), path("out")), 0);
	assert_int_equal(forward(in, in, 32), 40);
	pp_netdev_close(in);
	assert_lengths(path("out"), 100);

	in = open_port(*state, spec("pcap:rx=%s", path("in")), 0);
	out = open_port(*state, spec("pcap:tx=%s,snaplen=14", path("out")), 0);
	assert_int_equal(forward(in, out, 32), 40);
	pp_netdev_close(in);
	pp_netdev_close(out);
	assert_lengths(path("out"), 14);

	write_file(path("cut"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 40, 200);
	in = open_port(*state, spec("pcap:rx=%s,tx=%s", path("cut"), path("out")), 0);
	assert_int_equal(forward(in, in, 32), 40);
	pp_netdev_close(in);
	assert_lengths(path("out"), 200);
}

/* a packet that no page holds is dropped and counted; the others are not held up */
static void too_long(void **state)
{
	struct pp_zone *zone = make_zone(64, 2048);
	struct pp_netdev *dev;
	struct pp_page *pages[32];
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	pcap_dumper_t *dump = pcap_dump_open(dead, path("long"));
	static const uint32_t len[] = { 60, 1920, 1921, 9000, 61 };
	static unsigned char data[9000];
	struct pcap_pkthdr h = { 0 };
	size_t i;

	for (i = 0; i < 5; i++) {
		h.len = h.caplen = len[i];
		pcap_dump((u_char *)dump, &h, data);
	}
	pcap_dump_close(dump);
	pcap_close(dead);
	dev = open_port(zone, spec("pcap:rx=%s", path("long")), 0);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 32), 3);
	assert_int_equal(pages[1]->len, 1920);
	assert_int_equal(pages[2]->len, 61);
	page_pool_put_bulk(pages, 3);
	assert_int_equal(port_stats(dev).rx_dropped, 2);
	assert_int_equal(port_stats(dev).rx_packets, 3);
	pp_netdev_close(dev);
	destroy_zone(zone);
}

/* a zone smaller than a burst: nothing is lost, it only takes longer */
static void few_pages(void **state)
{
	struct pp_zone *zone = make_zone(4, 2048);
	struct pp_netdev *dev;
	struct pp_page *pages[32];

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 20, 65535);
	dev = open_port(zone, spec("pcap:rx=%s,tx=%s", path("in"), path("out")), 0);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 32), 4);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages + 4, 28), 0);
	assert_int_equal(port_stats(dev).rx_nombuf, 28 + 28);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 4), 4);
	assert_int_equal(forward(dev, dev, 32), 16);
	pp_netdev_close(dev);
	assert_int_equal(assert_same(path("in"), path("out"), PCAP_TSTAMP_PRECISION_NANO), 20);
	destroy_zone(zone);
}

/* cut off at every place of the last packet, header and body: the packets before are forwarded */
static void truncated(void **state)
{
	struct pp_netdev *dev;
	struct stat st;
	off_t record, cut;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 10, 65535);
	assert_int_equal(stat(path("in"), &st), 0);
	record = 16 + size_of(9);
	for (cut = 1; cut < record; cut += 7) {
		write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 10, 65535);
		assert_int_equal(truncate(path("in"), st.st_size - cut), 0);
		/* not played again either */
		dev = open_port(*state, spec("pcap:rx=%s,tx=%s,loop=3", path("in"), path("out")),
				0);
		assert_int_equal(forward(dev, dev, 32), 9);
		assert_int_equal(port_stats(dev).errors, 1);
		assert_non_null(strstr(pp_netdev_info(dev), "damaged after packet 9: "));
		assert_non_null(strstr(pp_error(), "is damaged after packet 9 ("));
		pp_netdev_close(dev);
		truncate(path("in"), st.st_size - record);
		assert_int_equal(assert_same(path("in"), path("out"), PCAP_TSTAMP_PRECISION_NANO),
				 9);
	}
}

/* a packet length that no file has: damage in the middle */
static void corrupt(void **state)
{
	const uint32_t absurd = 0x7fffffff;
	struct pp_netdev *dev;
	int fd;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 10, 65535);
	fd = open(path("in"), O_WRONLY);
	assert_int_equal(pwrite(fd, &absurd, 4, 24 + 16 + size_of(0) + 8), 4);
	close(fd);
	dev = open_port(*state, spec("pcap:rx=%s,tx=/dev/null", path("in")), 0);
	assert_int_equal(forward(dev, dev, 4), 1);
	assert_int_equal(port_stats(dev).errors, 1);
	pp_netdev_close(dev);
}

/* the smallest pcapng file: a section, an interface, two packets */
static void pcapng(void **state)
{
	const uint32_t packet = 60, block = 32 + 60;
	const uint32_t head[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1,	  ~0u, ~0u,
				  28,	      1,  20,	      DLT_EN10MB, 0,   20 };
	uint32_t epb[] = { 6, block, 0, 0, 1000000, packet, packet };
	unsigned char file[sizeof(head) + 2 * 92] = { 0 };
	struct pp_netdev *dev;
	struct pp_page *pages[4];
	unsigned int i;

	memcpy(file, head, sizeof(head));
	for (i = 0; i < 2; i++) {
		memcpy(file + sizeof(head) + i * block, epb, sizeof(epb));
		memcpy(file + sizeof(head) + i * block + sizeof(epb), &i, sizeof(i));
		memcpy(file + sizeof(head) + (i + 1) * block - 4, &block, 4);
	}
	write_bytes(path("ng"), file, sizeof(file));
	dev = open_port(*state, spec("pcap:rx=%s,loop=2", path("ng")), 0);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages, 4), 2);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), pages + 2, 2), 2);
	for (i = 0; i < 4; i++) {
		assert_int_equal(packet_number(pages[i]), i % 2);
		assert_int_equal(pages[i]->len, 60);
		assert_int_equal(pages[i]->tstamp, 1000000000);
	}
	page_pool_put_bulk(pages, 4);
	pp_netdev_close(dev);
}

static void bad_files(void **state)
{
	struct pp_zone *zone = *state;
	char garbage[100];

	memset(garbage, 'x', sizeof(garbage));
	write_bytes(path("empty"), "", 0);
	write_bytes(path("garbage"), garbage, sizeof(garbage));
	write_bytes(path("short"), "\xd4\xc3\xb2\xa1", 4);
	write_file(path("sll"), DLT_LINUX_SLL, PCAP_TSTAMP_PRECISION_NANO, 1, 65535);
	write_file(path("odd"), 250, PCAP_TSTAMP_PRECISION_NANO, 1, 65535);
	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 1, 65535);
	unlink(path("missing"));
	unlink(path("fifo"));
	assert_int_equal(mkfifo(path("fifo"), 0600), 0);

	assert_refused(zone, spec("pcap:rx=%s", path("missing")), ENOENT, "No such file");
	assert_refused(zone, spec("pcap:rx=%s", dir), EINVAL, "not a regular file");
	assert_refused(zone, spec("pcap:rx=%s", path("fifo")), EINVAL, "not a regular file");
	assert_refused(zone, spec("pcap:rx=%s", path("empty")), EINVAL, "is empty");
	assert_refused(zone, spec("pcap:rx=%s", path("garbage")), EINVAL, "not a capture file");
	assert_refused(zone, spec("pcap:rx=%s", path("short")), EINVAL, "not a capture file");
	assert_refused(zone, spec("pcap:rx=%s", path("sll")), EPROTONOSUPPORT,
		       "link type LINUX_SLL (113)");
	assert_refused(zone, spec("pcap:rx=%s", path("odd")), EPROTONOSUPPORT, "(250)");
	assert_refused(zone, spec("pcap:tx=%s/missing/file", dir), ENOENT, "cannot write");
	assert_refused(zone, spec("pcap:tx=%s", dir), EISDIR, "cannot write");
	assert_refused(zone, spec("pcap:tx=%s", path("fifo")), ENXIO, "cannot write");
	assert_refused(zone, spec("pcap:rx=%s,tx=%s/missing/file", path("in"), dir), ENOENT,
		       "cannot write");
	assert_int_equal(access(path("missing"), F_OK), -1);
}

/* root may do everything to a file, so it becomes another user for this test */
static void no_permission(void **state)
{
	const uid_t me = geteuid();

	write_file(path("closed"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 1, 65535);
	assert_int_equal(chmod(path("closed"), 0), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	if (!me)
		assert_int_equal(seteuid(65534), 0);
	assert_refused(*state, spec("pcap:rx=%s", path("closed")), EACCES, "cannot read");
	assert_refused(*state, spec("pcap:tx=%s", path("closed")), EACCES, "cannot write");
	assert_int_equal(seteuid(me), 0);
}

static void bad_options(void **state)
{
	struct pp_zone *zone = *state;
	const char *in = path("in");

	write_file(in, DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 3, 65535);
	assert_refused(zone, "pcap", EINVAL, "give rx=FILE, tx=FILE or iface=INTERFACE");
	assert_refused(zone, "pcap:in.pcap", EINVAL, "nothing to open");
	assert_refused(zone, spec("pcap:x,rx=%s", in), EINVAL, "unknown argument 'x'");
	assert_refused(zone, spec("pcap:rx=%s,loop=-1", in), EINVAL, "loop=-1 is not a number");
	assert_refused(zone, spec("pcap:rx=%s,snaplen=13", in), EINVAL, "from 14 to 262144");
	assert_refused(zone, spec("pcap:rx=%s,snaplen=262145", in), EINVAL, "from 14 to 262144");
	assert_refused(zone, spec("pcap:rx=%s,filter=udp", in), EINVAL, "filter= is for iface=");
	assert_refused(zone, spec("pcap:tx=%s,loop=2", in), EINVAL, "loop= is for rx=");
	assert_refused(zone, spec("pcap:iface=lo,rx=%s", in), EINVAL,
		       "takes filter= and promisc= only");
	assert_refused(zone, spec("pcap:iface=lo,tx=%s", in), EINVAL,
		       "takes filter= and promisc= only");
	assert_refused(zone, "pcap:iface=lo,snaplen=100", EINVAL,
		       "takes filter= and promisc= only");
	assert_refused(zone, "pcap:iface=lo,loop=0", EINVAL, "takes filter= and promisc= only");
	assert_refused(zone, "pcap:iface=lo,only=0", EINVAL, "takes filter= and promisc= only");
	assert_refused(zone, spec("pcap:tx=%s,only=2", in), EINVAL, "only= is for rx=");
	assert_refused(zone, spec("pcap:rx=%s,only=1", in), EINVAL, "no interface 1, but 1");
	/* nothing is written before everything is known to be right */
	assert_refused(
		zone, spec("pcap:tx=%s,sync=1", in), EINVAL,
		"unknown option 'sync'; there are: loop, snaplen, only, promisc, rx, tx, iface, "
		"filter");
	assert_refused(zone, spec("pcap:rx=%s,tx=%s", in, in), EBUSY, "in use by another port");
	assert_int_equal(assert_same(in, in, PCAP_TSTAMP_PRECISION_NANO), 3);
}

/* two ports and one file: readers share, a writer does not */
static void shared_file(void **state)
{
	struct pp_netdev *a, *b;

	write_file(path("in"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 3, 65535);
	a = open_port(*state, spec("pcap:rx=%s", path("in")), 0);
	b = open_port(*state, spec("pcap:rx=%s", path("in")), 0);
	assert_null(try_open(*state, spec("pcap:tx=%s", path("in")), 0));
	assert_int_equal(errno, EBUSY);
	assert_int_equal(forward(a, a, 32), 3);
	assert_int_equal(forward(b, b, 32), 3);
	pp_netdev_close(a);
	pp_netdev_close(b);
	a = open_port(*state, spec("pcap:tx=%s", path("out")), 0);
	assert_null(try_open(*state, spec("pcap:tx=%s", path("out")), 0));
	assert_int_equal(errno, EBUSY);
	pp_netdev_close(a);
}

static void comma_in_name(void **state)
{
	struct pp_netdev *dev;

	write_file(path("a,b=c"), DLT_EN10MB, PCAP_TSTAMP_PRECISION_NANO, 3, 65535);
	dev = open_port(*state, spec("pcap:rx=%s/a\\,b=c,loop=2", dir), 0);
	assert_int_equal(forward(dev, dev, 32), 6);
	pp_netdev_close(dev);
}

/* a full disk: sooner or later every packet is counted as dropped, and the stop says so */
static void disk_full(void **state)
{
	struct pp_netdev *dev = open_port(*state, "pcap:tx=/dev/full", 0);
	struct pp_queue *q = pp_netdev_queue(dev, 0);
	struct pp_netdev_stats st;
	struct pp_page *pages[32];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		make_packets(*state, pages, 32, 1000, 0);
		assert_int_equal(pp_tx_burst(q, pages, 32), 32);
	}
	st = port_stats(dev);
	assert_int_equal(st.tx_packets + st.tx_dropped, 640);
	assert_int_equal(st.tx_dropped, 640);
	assert_int_equal(st.errors, 20);
	assert_non_null(strstr(pp_error(), "/dev/full"));
	pp_netdev_close(dev);

	dev = open_port(*state, "pcap:tx=/dev/full", 0);
	make_packets(*state, pages, 1, 60, 0);
	assert_int_equal(pp_tx_burst(pp_netdev_queue(dev, 0), pages, 1), 1);
	assert_int_equal(port_stats(dev).errors, 0); /* still in a buffer */
	pp_netdev_stop(dev);
	assert_int_equal(port_stats(dev).errors, 1);
	assert_non_null(strstr(pp_netdev_info(dev), "could not be written"));
	pp_netdev_close(dev);
}

static int make_dir(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "in",   "out", "us",    "none",	"cut",
					     "long", "ng",  "empty", "garbage", "short",
					     "sll",  "odd", "fifo",  "closed",	"a,b=c" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ledger, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(file_to_file, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(microseconds, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(received, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(time_of_sending, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(passes, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(snaplen, setup_zone, teardown_zone),
		cmocka_unit_test(too_long),
		cmocka_unit_test(few_pages),
		cmocka_unit_test_setup_teardown(truncated, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(corrupt, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(pcapng, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(bad_files, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(no_permission, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(bad_options, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(shared_file, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(comma_in_name, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(disk_full, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
