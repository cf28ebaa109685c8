/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_capture.c - files as other programs write them: times, lengths, link types, check sequences
 *
 * Files are built and read back byte by byte: libpcap's reader, which is wrong about most of
 * what is tested here, has no part in it.
 */
#include <time.h>
#include <unistd.h>

#include "capture_build.h"
#include "port.h"

#define SEED_DEFAULT 1u

static char dir[] = "/tmp/pp_cap_XXXXXX";
static char in[64], out[64];

struct record {
	uint32_t sec;
	uint32_t nsec;
	uint32_t caplen;
	uint32_t len;
	unsigned char data[2048];
};

static struct record got[16];

static void save(void)
{
	FILE *file = fopen(in, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(f.bytes, 1, f.len, file), f.len);
	fclose(file);
}

/* what the port wrote: nanoseconds, this machine's byte order */
static unsigned int read_out(void)
{
	FILE *file = fopen(out, "r");
	uint32_t head[6], rec[4];
	unsigned int n = 0;

	assert_non_null(file);
	assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
	assert_int_equal(head[0], NS);
	assert_int_equal(head[5], 1);
	while (fread(rec, 1, sizeof(rec), file) == sizeof(rec)) {
		assert_true(n < 16 && rec[2] <= sizeof(got[n].data));
		memcpy(&got[n], rec, sizeof(rec));
		assert_int_equal(fread(got[n].data, 1, rec[2], file), rec[2]);
		n++;
	}
	fclose(file);
	return n;
}

static const char *spec(const char *options)
{
	static char buf[256];

	snprintf(buf, sizeof(buf), "pcap:rx=%s,tx=%s%s", in, out, options);
	return buf;
}

/* forward the file that was built; packets written; @info: how the port ended; errors in *errors */
static unsigned int forward(struct pp_zone *zone, const char *options, char *info, uint64_t *errors)
{
	struct pp_netdev *dev;
	struct pp_page *pages[32];
	struct pp_queue *q;
	unsigned int n, polls;

	save();
	dev = open_port(zone, spec(options), 0);
	q = pp_netdev_queue(dev, 0);
	for (polls = 0; !pp_netdev_done(dev) && polls < 1000; polls++) {
		n = pp_rx_burst(q, pages, 32);
		if (n)
			assert_int_equal(pp_tx_burst(q, pages, n), n);
	}
	assert_true(pp_netdev_done(dev));
	if (info)
		snprintf(info, 256, "%s", pp_netdev_info(dev));
	*errors = port_stats(dev).errors;
	pp_netdev_close(dev);
	return read_out();
}

static void expect(struct pp_zone *zone, unsigned int packets, uint64_t errors)
{
	uint64_t seen;

	assert_int_equal(forward(zone, "", NULL, &seen), packets);
	assert_int_equal(seen, errors);
}

static void expect_time(unsigned int i, uint32_t sec, uint32_t nsec)
{
	if (got[i].sec != sec || got[i].nsec != nsec)
		fail_msg("packet %u at %u.%09u, not %u.%09u", i, got[i].sec, got[i].nsec, sec,
			 nsec);
}

static void late_seconds(void **state)
{
	static const unsigned char reported[] = {
		0xd4, 0xc3, 0xb2, 0xa1, 0x02, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x80,
		0x00, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00, 0x02, 0x00,
		0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x88, 0xb5,
	};

	memcpy(f.bytes, reported, sizeof(reported));
	f.len = sizeof(reported);
	expect(*state, 1, 0);
	expect_time(0, 2147483649u, 0);
	assert_memory_equal(got[0].data, reported + 40, 14);

	for (f.big = false;; f.big = true) {
		pcap_begin(NS, 1);
		pcap_packet(0x80000000u, 123456789, FRAME, FRAME);
		pcap_packet(UINT32_MAX, 999999999, FRAME, FRAME);
		pcap_packet(0x7fffffff, 1, FRAME, FRAME);
		expect(*state, 3, 0);
		expect_time(0, 0x80000000u, 123456789);
		expect_time(1, UINT32_MAX, 999999999);
		expect_time(2, 0x7fffffff, 1);
		if (f.big)
			break;
	}
	f.big = false;
}

static void time_zero(void **state)
{
	pcap_begin(US, 1);
	pcap_packet(0, 0, FRAME, FRAME);
	pcap_packet(0, 1, FRAME, FRAME);
	expect(*state, 2, 0);
	expect_time(0, 0, 0);
	expect_time(1, 0, 1000);

	ng_begin();
	ng_if(1, 0, 6, 0, 0);
	ng_packet(0, 0, FRAME, FRAME, 0);
	ng_if(1, 0, 6, -7, 0);
	ng_packet(1, 7000000, FRAME, FRAME, 0);
	expect(*state, 2, 0);
	expect_time(0, 0, 0);
	expect_time(1, 0, 0);
}

/* a packet that the file has no time for is given that of sending */
static void no_time(void **state)
{
	const time_t before = now_seconds();

	ng_begin();
	ng_if(1, 0, 6, 0, 0);
	ng_simple(FRAME);
	expect(*state, 1, 0);
	assert_in_range(got[0].sec, before, now_seconds());
	assert_int_equal(got[0].len, FRAME);
}

/* a fraction of more than a second is added, whatever its top bit is */
static void large_fraction(void **state)
{
	pcap_begin(US, 1);
	pcap_packet(1, 1500000, FRAME, FRAME);
	pcap_packet(1, UINT32_MAX, FRAME, FRAME);
	expect(*state, 2, 0);
	expect_time(0, 2, 500000000);
	expect_time(1, 4295, 967295000);
	pcap_begin(NS, 1);
	pcap_packet(5, 0x80000000u, FRAME, FRAME);
	expect(*state, 1, 0);
	expect_time(0, 7, 147483648);
}

static void units_and_offsets(void **state)
{
	for (f.big = false;; f.big = true) {
		ng_begin();
		ng_if(1, 0, 6, -5, 0);
		ng_if(1, 0, 9, 1700000000, 0);
		ng_if(1, 0, 0x80 | 10, 0, 0);
		ng_if(1, 0, 12, -1, 0);
		ng_if(1, 0, 0, 0, 0);
		ng_if(1, 0, 3, 3000000000, 0);
		ng_packet(0, 10000001, FRAME, FRAME, 0);
		ng_packet(1, 5, FRAME, FRAME, 0);
		ng_packet(2, 3 << 9, FRAME, FRAME, 0);
		ng_packet(3, 2500000000123ull, FRAME, FRAME, 0);
		ng_packet(4, 4000000000u, FRAME, FRAME, 0);
		ng_packet(5, 1250, FRAME, FRAME, 0);
		expect(*state, 6, 0);
		expect_time(0, 5, 1000);
		expect_time(1, 1700000000, 5);
		expect_time(2, 1, 500000000);
		expect_time(3, 1, 500000000);
		expect_time(4, 4000000000u, 0);
		expect_time(5, 3000000001u, 250000000);
		if (f.big)
			break;
	}
	f.big = false;
}

/* what no pcap file can hold, and what no page can: the nearest, counted and said */
static void out_of_range(void **state)
{
	struct pp_netdev *dev;
	struct pp_page *page;

	ng_begin();
	ng_if(1, 0, 0, 0, 0);
	ng_packet(0, 1ull << 32, FRAME, FRAME, 0);
	ng_packet(0, 5000000000ull, FRAME, FRAME, 0);
	expect(*state, 2, 2);
	expect_time(0, UINT32_MAX, 999999999);
	expect_time(1, UINT32_MAX, 999999999);
	assert_non_null(strstr(pp_error(), "cannot hold times after 2106"));
	/* a page can */
	dev = open_port(*state, spec(""), 0);
	assert_int_equal(pp_rx_burst(pp_netdev_queue(dev, 0), &page, 1), 1);
	assert_true(page->tstamp == 4294967296000000000ull);
	page_pool_put_bulk(&page, 1);
	assert_int_equal(port_stats(dev).errors, 0);
	pp_netdev_close(dev);

	ng_begin();
	ng_if(1, 0, 6, -10, 0);
	ng_packet(0, 9999999, FRAME, FRAME, 0);
	ng_packet(0, 10000001, FRAME, FRAME, 0);
	expect(*state, 2, 1);
	expect_time(0, 0, 0);
	expect_time(1, 0, 1000);
	assert_non_null(strstr(pp_error(), "times before 1970"));

	ng_begin();
	ng_if(1, 0, 0, INT64_MAX, 0);
	ng_packet(0, UINT64_MAX, FRAME, FRAME, 0);
	expect(*state, 1, 2);
	expect_time(0, UINT32_MAX, 999999999);
}

/* more was kept than there was on the wire */
static void caplen_beyond_len(void **state)
{
	pcap_begin(US, 1);
	pcap_packet(1, 0, 801, 785);
	pcap_packet(2, 0, 64, 14);
	pcap_packet(3, 0, 60, 1514);
	pcap_packet(4, 0, 60, 0);
	expect(*state, 4, 0);
	assert_int_equal(got[0].caplen, 785);
	assert_int_equal(got[0].len, 785);
	assert_int_equal(got[0].data[784], (unsigned char)784);
	assert_int_equal(got[1].len, 14);
	assert_int_equal(got[2].len, 60);
	assert_int_equal(got[3].len, 0);

	ng_begin();
	ng_if(1, 0, 6, 0, 0);
	ng_packet(0, 0, 801, 785, 0);
	expect(*state, 1, 0);
	assert_int_equal(got[0].len, 785);
}

static void several_interfaces(void **state)
{
	char info[256];
	uint64_t errors;

	/* of different snaplens, and in sections of either byte order */
	ng_begin();
	ng_if(1, 65535, 6, 0, 0);
	ng_if(1, 262144, 6, 0, 0);
	ng_packet(1, 1000000, FRAME, FRAME, 0);
	f.big = true;
	ng_section();
	ng_if(1, 96, 6, 0, 0);
	ng_packet(0, 2000000, FRAME + 1, FRAME + 1, 0);
	f.big = false;
	expect(*state, 2, 0);
	expect_time(0, 1, 0);
	expect_time(1, 2, 0);
	assert_int_equal(got[1].len, FRAME + 1);

	/* of two link types: refused with the way out, and that one works */
	ng_begin();
	ng_if(1, 65535, 6, 0, 0);
	ng_if(113, 65535, 6, 0, 0);
	ng_packet(0, 1000000, FRAME, FRAME, 0);
	ng_packet(1, 2000000, FRAME, FRAME, 0);
	ng_packet(0, 3000000, FRAME, FRAME, 0);
	save();
	assert_refused(*state, spec(""), EPROTONOSUPPORT,
		       "interfaces of several link types: 0 has EN10MB (1), 1 has LINUX_SLL (113)");
	assert_refused(*state, spec(""), EPROTONOSUPPORT, "with only=0");
	assert_null(strstr(pp_error(), "damaged"));
	assert_refused(*state, spec(",only=1"), EPROTONOSUPPORT, "link type LINUX_SLL (113)");
	assert_refused(*state, spec(",only=2"), EINVAL, "has no interface 2, but 2");
	assert_int_equal(forward(*state, ",only=0", NULL, &errors), 2);
	assert_int_equal(errors, 0);
	expect_time(0, 1, 0);
	expect_time(1, 3, 0);

	/* the other one is declared behind the first packets */
	ng_begin();
	ng_if(1, 65535, 6, 0, 0);
	ng_packet(0, 1000000, FRAME, FRAME, 0);
	ng_if(127, 65535, 6, 0, 0);
	ng_packet(0, 2000000, FRAME, FRAME, 0);
	ng_packet(1, 3000000, FRAME, FRAME, 0);
	assert_int_equal(forward(*state, "", info, &errors), 2);
	assert_int_equal(errors, 1);
	assert_non_null(strstr(info, "stopped after packet 2: one of interface 1 with link type"));
	assert_null(strstr(pp_error(), "damaged"));
	assert_int_equal(forward(*state, ",only=0", NULL, &errors), 2);
	assert_int_equal(errors, 0);
}

static void check_sequences(void **state)
{
	pcap_begin(US, 0x14000001);
	pcap_packet(1, 0, 64, 64);
	save();
	assert_refused(*state, spec(""), EPROTONOSUPPORT, "a frame check sequence of 2 bytes");

	pcap_begin(US, 0x24000001);
	pcap_packet(1, 0, 64, 64);
	pcap_packet(1, 0, 62, 64); /* cut within the sequence, in front of it, and nothing else */
	pcap_packet(1, 0, 50, 64);
	pcap_packet(1, 0, 3, 3);
	expect(*state, 4, 0);
	assert_int_equal(got[0].len, 60);
	assert_int_equal(got[0].data[59], 59);
	assert_int_equal(got[1].len, 60);
	assert_int_equal(got[2].len, 50);
	assert_int_equal(got[3].len, 0);

	/* declared to be none, and not declared */
	pcap_begin(US, 0x04000001);
	pcap_packet(1, 0, 64, 64);
	expect(*state, 1, 0);
	assert_int_equal(got[0].len, 64);
	pcap_begin(US, 0x20000001);
	pcap_packet(1, 0, 64, 64);
	expect(*state, 1, 0);
	assert_int_equal(got[0].len, 64);

	ng_begin();
	ng_if(1, 0, 6, 0, 32);
	ng_if(1, 0, 6, 0, 4);
	ng_if(1, 0, 6, 0, 0);
	ng_packet(0, 0, 64, 64, 0);
	ng_packet(1, 0, 64, 64, 0);
	ng_packet(2, 0, 64, 64, 0);
	ng_packet(2, 0, 64, 64, 4 << 5);
	expect(*state, 4, 0);
	assert_int_equal(got[0].len, 60);
	assert_int_equal(got[1].len, 60);
	assert_int_equal(got[2].len, 64);
	assert_int_equal(got[3].len, 60);
	ng_begin();
	ng_if(1, 0, 6, 0, 16);
	save();
	assert_refused(*state, spec(""), EPROTONOSUPPORT, "a frame check sequence of 2 bytes");
}

/* the first record format with more in front of each packet, and lengths in the old order */
static void old_formats(void **state)
{
	pcap_begin(MODIFIED, 1);
	put(1, 4);
	put(2, 4);
	put(FRAME, 4);
	put(FRAME, 4);
	put(0x0102030405060708ull, 8);
	put_frame(FRAME);
	expect(*state, 1, 0);
	expect_time(0, 1, 2000);
	assert_int_equal(got[0].data[12], 0x88);

	pcap_begin(US, 1);
	f.bytes[6] = 2;
	put(1, 4);
	put(2, 4);
	put(1514, 4);
	put(FRAME, 4);
	put_frame(FRAME);
	expect(*state, 1, 0);
	assert_int_equal(got[0].len, FRAME);
}

static void build_sample(unsigned int i)
{
	f.big = i & 1;
	if (i & 2) {
		pcap_begin(i & 4 ? NS : US, i & 8 ? 0x24000001 : 1);
		pcap_packet(1, 2, 60, 60);
		pcap_packet(3, 4, 100, 200);
	} else {
		ng_begin();
		ng_if(1, 0, i & 4 ? 9 : 6, i & 8 ? -3 : 0, i & 8 ? 32 : 0);
		ng_packet(0, 5000000, 60, 60, i & 4 ? 1 : 0);
		ng_simple(61);
		ng_section();
		ng_if(1, 70, 0x8a, 7, 0);
		ng_packet(0, 123, 62, 64, 0);
	}
	f.big = false;
}

/* bytes changed, cut off, or put in: it ends, with every page at home */
static void mutated(void **state)
{
	const char *seconds = getenv("PP_FUZZ_SECONDS");
	const time_t end = time(NULL) + (seconds ? atoi(seconds) : 1);
	unsigned int i, k, n, polls, seed = SEED_DEFAULT;
	struct pp_netdev *dev;
	struct pp_page *pages[8];

	print_message("seed %u\n", seed);
	for (i = 0; time(NULL) < end || i < 200; i++) {
		build_sample(i);
		for (k = rand_r(&seed) % 6; k; k--)
			f.bytes[rand_r(&seed) % f.len] =
				(unsigned char)(rand_r(&seed) & 1 ? rand_r(&seed) : 0xff);
		if (rand_r(&seed) % 4 == 0)
			f.len -= rand_r(&seed) % f.len;
		save();
		dev = try_open(*state, spec(""), 0);
		for (polls = 0; dev && polls < 100 && !pp_netdev_done(dev); polls++) {
			n = pp_rx_burst(pp_netdev_queue(dev, 0), pages, 8);
			if (n)
				pp_tx_burst(pp_netdev_queue(dev, 0), pages, n);
		}
		assert_true(!dev || pp_netdev_done(dev));
		pp_netdev_close(dev);
		assert_home(*state);
	}
	print_message("%u files\n", i);
}

static int make_dir(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(in, sizeof(in), "%s/in", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	return 0;
}

static int remove_dir(void **state)
{
	unlink(in);
	unlink(out);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(late_seconds, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(time_zero, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(no_time, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(large_fraction, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(units_and_offsets, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(out_of_range, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(caplen_beyond_len, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(several_interfaces, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(check_sequences, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(old_formats, setup_zone, teardown_zone),
		cmocka_unit_test_setup_teardown(mutated, setup_zone, teardown_zone),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
