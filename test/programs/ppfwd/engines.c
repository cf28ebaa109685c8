/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engines.c - what every engine does to every packet, from file to file: engines PPFWD
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "packets.h"

#define ETHER 1u

static struct frame frames[FRAMES_MAX];
static size_t nframes;
static unsigned char port_mac[6];
static const char *ppfwd;
static char dir[] = "/tmp/ppengines.XXXXXX";
static int failed, checks;

/* a packet read back */
struct got {
	unsigned char b[2048];
	size_t len;
};

static struct got gots[4096];
static size_t ngots;

static void fail(const char *engine, const char *what)
{
	printf("FAIL: %s: %s\n", engine, what);
	failed++;
}

static void show(const char *what, const unsigned char *b, size_t len)
{
	size_t i;

	printf("  %s", what);
	for (i = 0; i < len; i++)
		printf("%s%02x", i % 8 ? "" : " ", b[i]);
	printf("\n");
}

static void write_input(const char *name)
{
	const uint32_t head[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, ETHER };
	FILE *f = fopen(name, "w");
	size_t i;

	if (!f)
		exit(99);
	fwrite(head, sizeof(head), 1, f);
	for (i = 0; i < nframes; i++) {
		const uint32_t rec[4] = { 1700000000, (uint32_t)i, (uint32_t)frames[i].len,
					  (uint32_t)frames[i].len };

		fwrite(rec, sizeof(rec), 1, f);
		fwrite(frames[i].b, frames[i].len, 1, f);
	}
	if (fclose(f))
		exit(99);
}

static void read_output(const char *name)
{
	uint32_t head[6], rec[4];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	ngots = 0;
	if (!f || fread(head, sizeof(head), 1, f) != 1) {
		fail(name, "no output file");
		return;
	}
	while (ngots < 4096 && fread(rec, sizeof(rec), 1, f) == 1 && rec[2] <= 2048) {
		gots[ngots].len = rec[2];
		if (fread(gots[ngots].b, rec[2], 1, f) != 1)
			break;
		ngots++;
	}
	fclose(f);
}

/* forward in.pcap to out.pcap; @more: further options. What it printed is in table.txt. */
static void run(const char *engine, const char *in, const char *more)
{
	char cmd[1024];
	int status;

	snprintf(cmd, sizeof(cmd),
		 "cd %s && rm -f out.pcap && timeout 60 %s --engine %s --port %s "
		 "--port pcap:tx=out.pcap %s >table.txt 2>err.txt",
		 dir, ppfwd, engine, in, more);
	status = system(cmd);
	checks++;
	if (status) {
		fail(engine, "ppfwd failed:");
		snprintf(cmd, sizeof(cmd), "cat %s/err.txt", dir);
		if (system(cmd))
			exit(99);
	}
	read_output("out.pcap");
}

static int in_table(const char *text)
{
	char cmd[1024];

	checks++;
	snprintf(cmd, sizeof(cmd), "grep -qF '%s' %s/table.txt", text, dir);
	return !system(cmd);
}

static void swap(unsigned char *a, unsigned char *b, size_t len)
{
	unsigned char t[16];

	memcpy(t, a, len);
	memcpy(a, b, len);
	memcpy(b, t, len);
}

static void expect_io(const struct frame *f, unsigned char *b)
{
	(void)f;
	(void)b;
}

static void expect_mac(const struct frame *f, unsigned char *b)
{
	(void)f;
	memcpy(b, "\x02\0\0\0\0\1", 6);
	memcpy(b + 6, port_mac, 6);
}

static void expect_macswap(const struct frame *f, unsigned char *b)
{
	(void)f;
	swap(b, b + 6, 6);
}

static void expect_5tswap(const struct frame *f, unsigned char *b)
{
	swap(b, b + 6, 6);
	if (f->addr)
		swap(b + f->addr, b + f->addr + f->alen, f->alen);
	if (f->ports)
		swap(b + f->ports, b + f->ports + 2, 2);
}

static void expect_csum(const struct frame *f, unsigned char *b)
{
	memcpy(b, f->fixed, f->len);
}

static void compare(const char *engine, const char *name, const struct got *got,
		    const unsigned char *want, size_t len)
{
	checks++;
	if (got->len == len && !memcmp(got->b, want, len))
		return;
	fail(engine, name);
	show("want", want, len);
	show("got ", got->b, got->len);
}

static void check_forwarding(const char *engine,
			     void (*expect)(const struct frame *, unsigned char *))
{
	unsigned char want[FRAME_MAX];
	size_t i;

	run(engine, "pcap:rx=in.pcap", "");
	/* which address a port without hardware has is its own affair, if it has one */
	if (!strcmp(engine, "mac"))
		memcpy(port_mac, gots[0].b + 6, 6);
	if (ngots != nframes)
		fail(engine, "wrong number of packets");
	for (i = 0; i < ngots && i < nframes; i++) {
		memcpy(want, frames[i].b, FRAME_MAX);
		expect(&frames[i], want);
		compare(engine, frames[i].name, &gots[i], want, frames[i].len);
	}
}

static void check_csum(void)
{
	unsigned int bad_ip = 0, bad_l4 = 0;
	char text[128];
	size_t i;

	check_forwarding("csum", expect_csum);
	for (i = 0; i < nframes; i++) {
		bad_ip += frames[i].bad_ip;
		bad_l4 += frames[i].bad_l4;
	}
	snprintf(text, sizeof(text),
		 "checksums: %u IPv4 headers and %u TCP or UDP packets were wrong", bad_ip, bad_l4);
	if (!in_table(text))
		fail("csum", text);
}

static void check_mac(void)
{
	check_forwarding("mac", expect_mac);
	checks++;
	if (port_mac[0] & 1 || !memcmp(port_mac, frames[0].b + 6, 6))
		fail("mac", "the port's address");
}

/* answers leave by the port that received: one port with both files */
static void check_icmpecho(void)
{
	unsigned char want[FRAME_MAX];
	size_t i, n = 0;

	run("icmpecho", "pcap:rx=in.pcap,tx=echo.pcap", "");
	checks++;
	if (ngots)
		fail("icmpecho", "answered by the other port");
	read_output("echo.pcap");
	for (i = 0; i < nframes; i++) {
		if (!frames[i].answer)
			continue;
		memcpy(want, frames[i].reply, FRAME_MAX);
		memcpy(want + 6, gots[0].b + 6, 6);
		if (frames[i].own)
			memcpy(want + frames[i].own, gots[0].b + 6, 6);
		if (n < ngots)
			compare("icmpecho", frames[i].name, &gots[n], want, frames[i].len);
		n++;
	}
	if (n != ngots || !n)
		fail("icmpecho", "wrong number of answers");
}

static void check_rxonly(void)
{
	char text[64];

	run("rxonly", "pcap:rx=in.pcap", "");
	checks++;
	if (ngots)
		fail("rxonly", "something was sent");
	snprintf(text, sizeof(text), "rxonly: %zu packets", nframes);
	if (!in_table(text))
		fail("rxonly", text);
}

static unsigned int get16(const unsigned char *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

/* right checksums in what txonly and flowgen send */
static int good_udp(const struct got *g)
{
	unsigned int pseudo = 17 + 30;

	if (g->len != 64 || memcmp(g->b + 12, "\x08\0\x45\0\0\x32", 6) || g->b[23] != 17)
		return 0;
	if (checksum(0, g->b + 14, 20))
		return 0;
	pseudo = ~checksum(pseudo, g->b + 26, 8) & 0xffff;
	return !checksum(pseudo, g->b + 34, 30);
}

static void check_generator(const char *engine, size_t flows)
{
	static bool seen[65536];
	size_t i, n = 0, bad = 0;

	memset(seen, 0, sizeof(seen));
	/* both ports send; the null port's packets are not looked at */
	run(engine, "null", "--packets 4096");
	for (i = 0; i < ngots; i++) {
		bad += !good_udp(&gots[i]);
		n += !seen[get16(gots[i].b + 28)];
		seen[get16(gots[i].b + 28)] = true;
	}
	checks += 3;
	if (bad)
		fail(engine, "wrong packets");
	if (ngots < 1500) /* half of them, but for the last round */
		fail(engine, "too few packets");
	if (n != flows)
		fail(engine, "wrong number of flows");
}

/* a file that ends inside a packet: the packets before go through, one line, status 1 */
static void check_truncated(void)
{
	char cmd[512];
	struct stat st;

	snprintf(cmd, sizeof(cmd), "%s/in.pcap", dir);
	if (stat(cmd, &st) || truncate(cmd, st.st_size - 10))
		exit(99);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && timeout 60 %s --port pcap:rx=in.pcap --port pcap:tx=out.pcap "
		 ">table.txt 2>err.txt; test $? = 1 && test $(wc -l <err.txt) = 1 && "
		 "grep -q '^ppfwd: .*in.pcap' err.txt && grep -q ' 0 leaked' table.txt",
		 dir, ppfwd);
	checks += 2;
	if (system(cmd))
		fail("truncated file", "status 1, one line, a clean ledger");
	read_output("out.pcap");
	if (ngots != nframes - 1)
		fail("truncated file", "the packets before the damage");
}

int main(int argc, char **argv)
{
	char name[64];

	if (argc != 2 || !mkdtemp(dir))
		return 99;
	ppfwd = realpath(argv[1], NULL);
	nframes = make_frames(frames);
	snprintf(name, sizeof(name), "%s/in.pcap", dir);
	write_input(name);
	check_forwarding("io", expect_io);
	check_mac();
	check_forwarding("macswap", expect_macswap);
	check_forwarding("5tswap", expect_5tswap);
	check_csum();
	check_icmpecho();
	check_rxonly();
	check_generator("txonly", 1);
	check_generator("flowgen", 1024);
	check_truncated();
	snprintf(name, sizeof(name), "rm -rf %s", dir);
	if (system(name))
		return 99;
	printf("%d checks of %zu packets, %d failed\n", checks, nframes, failed);
	return failed ? 1 : 0;
}
