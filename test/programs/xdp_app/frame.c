/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame.c - made and judged by code of its own, not by the code under test
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

static const unsigned char head[] = {
	2, 0, 0, 0, 0, 2, /* to */
	2, 0, 0, 0, 0, 1, /* from */
};

static const unsigned char ipv4[] = {
	0x45, 0x10, 0, 0, 0x12, 0x34, 0, 0, 17, 17, 0, 0, 10, 78, 0, 1, 10, 78, 0, 2,
};

static const unsigned char ipv6[] = {
	0x60, 1,    2, 3, 0, 0, 17, 9, /* */
	0xfd, 0x78, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 1, /* */
	0xfd, 0x78, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 2,
};

void frame_responder(struct responder *r)
{
	memset(r, 0, sizeof(*r));
	r->dns_port = DNS_PORT;
	r->echo_port = ECHO_PORT;
	r->nnames = 2;
	if (!dns_name_parse(r->names, "www.example.org") ||
	    !dns_name_parse(r->names + 1, "slow.example.org"))
		abort();
	memcpy(r->names[0].address, "\300\000\002\007", 4);
	memcpy(r->names[1].address, "\300\000\002\010", 4);
}

/* in 16 bit numbers of the machine's order, the way of RFC 1071: its other half of the world */
static uint16_t checksum(const unsigned char *at, uint32_t len, uint64_t sum)
{
	uint16_t word;

	for (; len > 1; at += 2, len -= 2) {
		memcpy(&word, at, 2);
		sum += word;
	}
	if (len) {
		word = 0;
		memcpy(&word, at, 1);
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint64_t pseudo(const unsigned char *frame, bool is_ipv6, uint32_t udp_len)
{
	unsigned char header[40] = { 0 };
	uint32_t n = is_ipv6 ? 32 : 8;

	memcpy(header, frame + 14 + (is_ipv6 ? 8 : 12), n);
	header[n + 1] = 17;
	header[n + 2] = (unsigned char)(udp_len >> 8);
	header[n + 3] = (unsigned char)udp_len;
	return (uint16_t)~checksum(header, n + 4, 0);
}

void frame_checksums(unsigned char *frame, uint32_t len)
{
	bool is_ipv6 = frame[12] == 0x86;
	uint32_t udp = is_ipv6 ? 54 : 34, udp_len;
	uint16_t sum;

	if (len < udp + 8)
		return;
	udp_len = (uint32_t)(frame[udp + 4] << 8 | frame[udp + 5]);
	if (!is_ipv6) {
		memset(frame + 24, 0, 2);
		sum = checksum(frame + 14, 20, 0);
		memcpy(frame + 24, &sum, 2);
	}
	if (udp_len < 8 || udp + udp_len > len)
		return;
	memset(frame + udp + 6, 0, 2);
	sum = checksum(frame + udp, udp_len, pseudo(frame, is_ipv6, udp_len));
	if (!sum)
		sum = 0xffff;
	memcpy(frame + udp + 6, &sum, 2);
}

uint32_t frame_udp(unsigned char *frame, bool is_ipv6, uint16_t dst_port,
		   const unsigned char *payload, uint32_t len)
{
	uint32_t udp = is_ipv6 ? 54 : 34;

	memcpy(frame, head, sizeof(head));
	put16(frame + 12, is_ipv6 ? 0x86dd : 0x0800);
	if (is_ipv6) {
		memcpy(frame + 14, ipv6, sizeof(ipv6));
		put16(frame + 18, 8 + len);
	} else {
		memcpy(frame + 14, ipv4, sizeof(ipv4));
		put16(frame + 16, 28 + len);
	}
	put16(frame + udp, SRC_PORT);
	put16(frame + udp + 2, dst_port);
	put16(frame + udp + 4, 8 + len);
	memcpy(frame + udp + 8, payload, len);
	frame_checksums(frame, udp + 8 + len);
	return udp + 8 + len;
}

uint32_t frame_query(unsigned char *payload, const char *name, uint16_t type)
{
	static const unsigned char header[] = { 0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	uint32_t len = sizeof(header);
	size_t n;

	memcpy(payload, header, sizeof(header));
	while (*name) {
		n = strcspn(name, ".");
		payload[len++] = (unsigned char)n;
		memcpy(payload + len, name, n);
		len += (uint32_t)n;
		name += n + (name[n] == '.');
	}
	payload[len++] = 0;
	put16(payload + len, type);
	put16(payload + len + 2, 1);
	return len + 4;
}

static const char *judge_ip(const unsigned char *a, uint32_t len, const unsigned char *q)
{
	if (q[12] == 0x86) {
		if (memcmp(a + 22, q + 38, 16) || memcmp(a + 38, q + 22, 16))
			return "the IPv6 addresses are not swapped";
		if ((uint32_t)(a[18] << 8 | a[19]) + 54 != len || a[14] >> 4 != 6 || a[20] != 17)
			return "the IPv6 header is wrong";
		return NULL;
	}
	if (memcmp(a + 26, q + 30, 4) || memcmp(a + 30, q + 26, 4))
		return "the IPv4 addresses are not swapped";
	if ((uint32_t)(a[16] << 8 | a[17]) + 14 != len || a[14] != 0x45 || a[23] != 17)
		return "the IPv4 header is wrong";
	if (checksum(a + 14, 20, 0))
		return "the IPv4 checksum is wrong";
	return NULL;
}

const char *frame_is_answer(const unsigned char *a, uint32_t len, const unsigned char *q)
{
	bool is_ipv6 = q[12] == 0x86;
	uint32_t udp = is_ipv6 ? 54 : 34;
	const char *why;

	if (len < udp + 8)
		return "too short";
	if (memcmp(a, q + 6, 6) || memcmp(a + 6, q, 6) || memcmp(a + 12, q + 12, 2))
		return "the Ethernet header is wrong";
	why = judge_ip(a, len, q);
	if (why)
		return why;
	if (memcmp(a + udp, q + udp + 2, 2) || memcmp(a + udp + 2, q + udp, 2))
		return "the ports are not swapped";
	if (udp + (uint32_t)(a[udp + 4] << 8 | a[udp + 5]) != len)
		return "the UDP length is wrong";
	if (!a[udp + 6] && !a[udp + 7])
		return "there is no UDP checksum";
	if (checksum(a + udp, len - udp, pseudo(a, is_ipv6, len - udp)))
		return "the UDP checksum is wrong";
	return NULL;
}

enum verdict frame_feed(const struct responder *r, const unsigned char *frame, uint32_t len,
			uint32_t tail, enum slow_policy slow)
{
	unsigned char *copy = malloc(len + tail ? len + tail : 1);
	struct packet p = { .data = copy, .room = len + tail, .len = len };
	const char *why = NULL;
	enum verdict verdict;

	if (!copy)
		abort();
	memcpy(copy, frame, len);
	memset(copy + len, 0xa5, tail);
	verdict = respond(r, &p, slow);
	if (verdict <= VERDICT_LAST_SENT)
		why = p.len > p.room ? "too long" : frame_is_answer(copy, p.len, frame);
	else if (memcmp(copy, frame, len) || p.len != len)
		why = "a packet that was not answered has changed";
	if (why) {
		fprintf(stderr, "verdict %d for %u bytes: %s\n", (int)verdict, len, why);
		abort();
	}
	free(copy);
	return verdict;
}
