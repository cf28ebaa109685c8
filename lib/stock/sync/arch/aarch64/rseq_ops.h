/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rseq_ops.h - take and give pages in one restartable sequence, arm64; EXPERIMENTAL
 *
 * Built and assembled in CI, but never executed there: qemu-user has no restartable
 * sequences. As on x86-64, but for the copy, which is by pairs, and the commit, which
 * is a store-release: the drainer's fence orders the rest.
 */
#ifndef PP_RSEQ_OPS_H
#define PP_RSEQ_OPS_H

#include <sys/rseq.h>

#include "stock/stock.h"

static inline struct rseq *rseq_area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static inline int rseq_registered(void)
{
	if (__rseq_size && (int)READ_ONCE(rseq_area()->cpu_id) >= 0)
		return 0;
	return pp_set_error(ENOTSUP, "restartable sequences are not registered for this thread");
}

/* x10: this core's pcp, x11: its list, w12: its count */
#define RSEQ_BEGIN                                                                                 \
	".pushsection __rseq_cs, \"aw\"\n"                                                         \
	".balign 32\n"                                                                             \
	"3: .long 0, 0\n"                                                                          \
	".quad 1f, 2f - 1f, 4f\n"                                                                  \
	".popsection\n"                                                                            \
	".pushsection __rseq_cs_ptr_array, \"aw\"\n"                                               \
	".quad 3b\n"                                                                               \
	".popsection\n"                                                                            \
	"adrp x9, 3b\n"                                                                            \
	"add x9, x9, :lo12:3b\n"                                                                   \
	"str x9, [%[rseq], %[rseq_cs]]\n"                                                          \
	"1:\n"                                                                                     \
	"ldr w10, [%[rseq], %[cpu_id]]\n"                                                          \
	"cmp w10, %w[cores]\n"                                                                     \
	"b.hs %l[closed]\n"                                                                        \
	"madd x10, x10, %[stride], %[pcps]\n"                                                      \
	"ldr x11, [x10, %[list]]\n"                                                                \
	"ldr w12, [x11, %[count]]\n"

/* from x13 to x14, w15 pointers */
#define RSEQ_COPY                                                                                  \
	"5: subs w15, w15, #2\n"                                                                   \
	"b.lo 6f\n"                                                                                \
	"ldp x9, x16, [x13], #16\n"                                                                \
	"stp x9, x16, [x14], #16\n"                                                                \
	"b 5b\n"                                                                                   \
	"6: tbz w15, #0, 7f\n"                                                                     \
	"ldr x9, [x13]\n"                                                                          \
	"str x9, [x14]\n"                                                                          \
	"7:\n"

#define RSEQ_END                                                                                   \
	"add x9, x11, %[count]\n"                                                                  \
	"stlr w12, [x9]\n"                                                                         \
	"2:\n"                                                                                     \
	"b 8f\n"                                                                                   \
	".inst 0xd428bc00\n" /* RSEQ_SIG */                                                        \
	"4: b %l[again]\n"                                                                         \
	"8:\n"

#define RSEQ_INPUTS                                                                                \
	[rseq] "r"(rseq_area()), [rseq_cs] "i"(offsetof(struct rseq, rseq_cs)),                    \
		[cpu_id] "i"(offsetof(struct rseq, cpu_id)), [cores] "r"(stock->cores),            \
		[stride] "r"(stock->stride), [pcps] "r"(stock->pcps),                              \
		[list] "i"(offsetof(struct pcp, list)),                                            \
		[count] "i"(offsetof(struct pcp_list, count)),                                     \
		[obj] "i"(offsetof(struct pcp_list, obj)), [n] "r"(n), [objs] "r"(objs)

#define RSEQ_CLOBBERS                                                                              \
	"memory", "cc", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16"

static __always_inline unsigned int rseq_pop(const struct stock *stock, void **objs,
					     unsigned int n)
{
again:
	__asm__ goto(RSEQ_BEGIN
		     "subs w12, w12, %w[n]\n"
		     "b.lo %l[closed]\n"
		     "add x13, x11, %[obj]\n"
		     "add x13, x13, x12, lsl #3\n"
		     "mov x14, %[objs]\n"
		     "mov w15, %w[n]\n" RSEQ_COPY RSEQ_END
		     :
		     : RSEQ_INPUTS
		     : RSEQ_CLOBBERS
		     : again, closed);
	return n;
closed:
	return 0;
}

static __always_inline bool rseq_push(const struct stock *stock, void *const *objs, unsigned int n)
{
again:
	__asm__ goto(RSEQ_BEGIN
		     "add w15, w12, %w[n]\n"
		     "ldr w9, [x10, %[high]]\n"
		     "cmp w15, w9\n"
		     "b.hi %l[closed]\n"
		     "ldr w9, [x10, %[high_max]]\n"
		     "cmp w15, w9\n"
		     "b.hi %l[closed]\n"
		     "add x14, x11, %[obj]\n"
		     "add x14, x14, x12, lsl #3\n"
		     "mov w12, w15\n"
		     "mov x13, %[objs]\n"
		     "mov w15, %w[n]\n" RSEQ_COPY RSEQ_END
		     :
		     : RSEQ_INPUTS, [high] "i"(offsetof(struct pcp, high)),
		       [high_max] "i"(offsetof(struct pcp, high_max))
		     : RSEQ_CLOBBERS
		     : again, closed);
	return true;
closed:
	return false;
}

#endif /* PP_RSEQ_OPS_H */
