/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * livegen.c - livegen INTERFACE [LEN [RATE]]: packets out of INTERFACE, RATE a second, or as many
 * as the kernel can make
 *
 * The kernel runs an XDP program that redirects to the interface on packets of its own making
 * (BPF_PROG_TEST_RUN with live frames). No skb is made, so that one CPU makes several times the
 * packets that any socket can send, and a test measures the forwarder alone. At a RATE a packet
 * socket sends them, BURST at a time, because each run of live frames costs the kernel
 * milliseconds. Until a signal.
 */
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>

#define BATCH  64
#define BURST  32
#define ROUND  65536 /* packets between two looks at the signal */
#define LENGTH 60

/* absent from the headers of Linux 5.17 and before */
#define LIVE_FRAMES (1u << 1)

static sig_atomic_t stop;

static void on_signal(int sig)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static int fail(const char *what, const char *interface, int err)
{
	fprintf(stderr, "livegen: cannot %s for %s: %s%s\n", what, interface, strerror(err),
		err == EPERM ? "; run as root" : "");
	return 1;
}

static int load(unsigned int index)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = (int)index },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "livegen", "Dual BSD/GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), NULL);
}

/* UDP from 10.0.0.1 to 10.0.0.2, to an address that no host has */
static void fill(unsigned char *frame, unsigned int len)
{
	static const unsigned char head[] = {
		2, 0, 0,  0, 0, 2,  2, 0, 0, 0,	 0, 1, 8, 0,	0x45, 0,    0, 0, 0, 0, 0,
		0, 9, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0,    0x20, 0, 0, 0, 0, 0,
	};
	unsigned int i, sum = 0;

	memset(frame, 0, len);
	memcpy(frame, head, sizeof(head));
	frame[16] = (unsigned char)((len - 14) >> 8);
	frame[17] = (unsigned char)(len - 14);
	frame[38] = (unsigned char)((len - 34) >> 8);
	frame[39] = (unsigned char)(len - 34);
	for (i = 14; i < 34; i += 2)
		sum += (unsigned int)frame[i] << 8 | frame[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[24] = (unsigned char)(sum >> 8);
	frame[25] = (unsigned char)sum;
}

static int generate(int fd, unsigned char *frame, unsigned int len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len, .repeat = ROUND,
		    .flags = LIVE_FRAMES, .batch_size = BATCH);
	int err;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		err = bpf_prog_test_run_opts(fd, &opts);
		if (err && err != -EINTR)
			return -err;
	}
	return 0;
}

static int pace(unsigned int index, const unsigned char *frame, unsigned int len, unsigned int rate)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)index };
	int i, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct timespec next;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof(to)))
		return errno;
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < BURST; i++)
			(void)!send(fd, frame, len,
				    0); /* what the far end has no room for is lost */
		next.tv_nsec += (long)(BURST * 1000000000ull / rate);
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int rate = argc > 3 ? (unsigned int)atoi(argv[3]) : 0;
	unsigned int len = argc > 2 ? (unsigned int)atoi(argv[2]) : LENGTH;
	struct sigaction act = { .sa_handler = on_signal };
	unsigned char frame[1514];
	unsigned int index;
	int err, fd;

	if (argc < 2 || argc > 4 || len < 46 || len > sizeof(frame) || (argc > 3 && rate < BURST)) {
		fprintf(stderr,
			"usage: livegen INTERFACE [LEN [RATE]], LEN 46 to 1514 (60), RATE 32 "
			"or more packets a second\n");
		return 2;
	}
	index = if_nametoindex(argv[1]);
	if (!index)
		return fail("find the index", argv[1], errno);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	fill(frame, len);
	if (rate) {
		err = pace(index, frame, len, rate);
		return err ? fail("open a packet socket", argv[1], err) : 0;
	}
	fd = load(index);
	if (fd < 0)
		return fail("load an XDP program", argv[1], errno);
	err = generate(fd, frame, len);
	return err ? fail("run live frames, which Linux 5.18 has,", argv[1], err) : 0;
}
