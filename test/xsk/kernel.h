/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel.h - what the cases of kernel_cases.c share */
#ifndef PP_TEST_XSK_KERNEL_H
#define PP_TEST_XSK_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "xsk/uapi.h"

#include "sock.h"

#define PAGES	  1024u
#define BURST	  32u
#define SEQ_AT	  14u
#define HEAD	  (SEQ_AT + 4)
#define LEN	  64u
#define LONG	  9000u
#define FRAME_MAX 9014u

#define CHECK(cond) ((cond) ? (void)0 : failed(#cond, __FILE__, __LINE__))

static inline _Noreturn void failed(const char *what, const char *file, int line)
{
	printf("FAILED: %s:%d: %s\n", file, line, what);
	exit(1);
}

/* of a socket; what is 0 has its default */
struct setting {
	const char *program; /* of kernel.bpf.c */
	uint64_t pages;
	uint32_t page_size;
	uint32_t chunk_size;
	uint32_t headroom;
	uint32_t pp_flags;
	uint32_t frames;
	uint32_t ring_size;
	uint32_t rx_size;
	uint64_t umem_pages;
	uint32_t wait_ms;
	bool no_fill;
};

struct world {
	bool skb;
	bool raw; /* descriptors were sent that the engine knows nothing of */
	struct setting set;
	struct sock sock;
	struct pp_xsk *xsk;
	struct page_pool *pool;
	struct pp_zone *zone;
	struct bpf_object *obj;
	int peer;
};

struct kernel_case {
	const char *name;
	void (*run)(void);
};

extern struct world w;
extern const struct kernel_case kernel_cases[]; /* up to one without a name */

void begin(const struct setting *s);
struct pp_xsk_stats stats(void);
void end(void);

void peer_sends(uint32_t seq, uint32_t len);
void peer_gets(uint32_t seq, uint32_t len);
struct pp_page *packet(uint32_t seq, uint32_t len);
/* the first @len bytes are frame @seq's; there may be more */
bool frame_is(const struct pp_page *page, uint32_t seq, uint32_t len);
unsigned int receive(struct pp_page **pages, unsigned int n, unsigned int ms);
void complete_all(void);
/* poll() of the socket: those of @events that came within @ms */
int ready(short events, int ms);

/* kernel_descs.c */
void aligned_inv(void);
void aligned_inv_2k(void);
void unaligned_inv(void);
void unaligned_inv_4001(void);
void aligned_inv_multi(void);
void unaligned_inv_multi(void);
void too_many_frags(void);

#endif /* PP_TEST_XSK_KERNEL_H */
