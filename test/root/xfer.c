/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xfer.c - send generated data over TCP, and compute the same checksum at both ends
 *
 *   xfer recv PORT           prints "ready" when it listens
 *   xfer send ADDR PORT MIB
 *
 * Both print "BYTES CHECKSUM". The data never repeats within a transfer, so that
 * a lost, doubled or moved piece changes the checksum.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORDS 8192u

static uint64_t buf[WORDS];

struct sum {
	uint64_t bytes;
	uint64_t hash;
};

static int fail(const char *what)
{
	fprintf(stderr, "xfer: %s: %s\n", what, strerror(errno));
	return 1;
}

static void sum_words(struct sum *sum, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		sum->hash = (sum->hash ^ buf[i]) * 0x100000001b3ull;
	sum->bytes += words * sizeof(buf[0]);
}

static int report(const struct sum *sum)
{
	printf("%llu %016llx\n", (unsigned long long)sum->bytes, (unsigned long long)sum->hash);
	return 0;
}

static int do_send(const char *addr, int port, unsigned long mib)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sum sum = { 0, 1 };
	uint64_t word = 1;
	uint64_t left = (uint64_t)mib << 20;
	size_t i, done;
	ssize_t n;
	int fd;

	if (inet_pton(AF_INET, addr, &sa.sin_addr) != 1) {
		errno = EINVAL;
		return fail(addr);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fail("connect");
	for (; left; left -= sizeof(buf)) {
		for (i = 0; i < WORDS; i++)
			buf[i] = word += 0x9e3779b97f4a7c15ull;
		sum_words(&sum, WORDS);
		for (done = 0; done < sizeof(buf); done += (size_t)n) {
			n = write(fd, (char *)buf + done, sizeof(buf) - done);
			if (n <= 0)
				return fail("send");
		}
	}
	close(fd);
	return report(&sum);
}

static int do_recv(int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sum sum = { 0, 1 };
	const int one = 1;
	size_t have = 0;
	ssize_t n;
	int fd, conn;

	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 1))
		return fail("listen");
	puts("ready");
	fflush(stdout);
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		return fail("accept");
	for (;;) {
		n = read(conn, (char *)buf + have, sizeof(buf) - have);
		if (n < 0)
			return fail("receive");
		have += (size_t)n;
		if (n && have < sizeof(buf))
			continue;
		sum_words(&sum, have / sizeof(buf[0]));
		sum.bytes += have % sizeof(buf[0]);
		have = 0;
		if (!n)
			return report(&sum);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "recv"))
		return do_recv(atoi(argv[2]));
	if (argc == 5 && !strcmp(argv[1], "send"))
		return do_send(argv[2], atoi(argv[3]), strtoul(argv[4], NULL, 0));
	fprintf(stderr, "usage: xfer recv PORT | xfer send ADDR PORT MIB\n");
	return 2;
}
