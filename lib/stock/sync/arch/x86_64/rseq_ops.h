/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rseq_ops.h - take and give pages in one restartable sequence, x86-64
 *
 * Between labels 1 and 2 the kernel jumps to 4 if the thread was preempted, migrated or
 * interrupted; the only store that counts is the last one before 2, of the list's
 * count. Copies by 32 bytes where the CPU can, else by 16: as fast as memcpy
 * for 64 pointers.
 */
#ifndef PP_RSEQ_OPS_H
#define PP_RSEQ_OPS_H

#include <sys/rseq.h>

#include "stock/stock.h"

/* 32 bytes at a time; each probe sets it, to the same, also while others move pages */
static bool rseq_avx;
/* shorter copies do not earn back what it costs to leave the upper halves (measured: 8) */
#define RSEQ_AVX_MIN 16

/* __rseq_offset where it is read without a look into the table of symbols; by each probe, too */
extern ptrdiff_t rseq_offset __attribute__((__visibility__("hidden")));

/* 0, or -ENOTSUP with pp_error(): the C library or the kernel has none, or a tracer hides them */
static inline int rseq_registered(void)
{
	int cpu;

	WRITE_ONCE(rseq_avx, __builtin_cpu_supports("avx") != 0);
	WRITE_ONCE(rseq_offset, __rseq_offset);

	__asm__ __volatile__("movl %%fs:%c2(%1), %0"
			     : "=r"(cpu)
			     : "r"(__rseq_offset), "i"(offsetof(struct rseq, cpu_id)));
	if (__rseq_size && cpu >= 0)
		return 0;
	return pp_set_error(ENOTSUP, "restartable sequences are not registered for this thread");
}

#define RSEQ_BEGIN                                          \
	".pushsection __rseq_cs, \"aw\"\n"                  \
	".balign 32\n"                                      \
	"3: .long 0, 0\n"                                   \
	".quad 1f, 2f - 1f, 4f\n"                           \
	".popsection\n"                                     \
	".pushsection __rseq_cs_ptr_array, \"aw\"\n"        \
	".quad 3b\n"                                        \
	".popsection\n"                                     \
	"leaq 3b(%%rip), %%rax\n"                           \
	"movq %%rax, %%fs:%c[rseq_cs](%[rseq])\n"           \
	"1:\n"                                              \
	"movl %%fs:%c[cpu_id](%[rseq]), %%eax\n"            \
	"cmpl %[cores], %%eax\n"                            \
	"jae %l[closed]\n"                                  \
	"imulq %[stride], %%rax\n"                          \
	"addq %[pcps], %%rax\n" /* rax: this core's pcp */  \
	"movq %c[list](%%rax), %%rdx\n" /* rdx: its list */ \
	"movl %c[count](%%rdx), %%ecx\n"

/* from rsi to rdi, r8d pointers; a carry is from below 0 */
#define RSEQ_COPY_SSE                \
	"5: subl $8, %%r8d\n"        \
	"jb 6f\n"                    \
	"movups (%%rsi), %%xmm0\n"   \
	"movups 16(%%rsi), %%xmm1\n" \
	"movups 32(%%rsi), %%xmm2\n" \
	"movups 48(%%rsi), %%xmm3\n" \
	"movups %%xmm0, (%%rdi)\n"   \
	"movups %%xmm1, 16(%%rdi)\n" \
	"movups %%xmm2, 32(%%rdi)\n" \
	"movups %%xmm3, 48(%%rdi)\n" \
	"addq $64, %%rsi\n"          \
	"addq $64, %%rdi\n"          \
	"jmp 5b\n"                   \
	"6: addl $8, %%r8d\n"        \
	"jz 8f\n" RSEQ_COPY_REST "8:\n"

#define RSEQ_COPY_AVX                 \
	"5: subl $16, %%r8d\n"        \
	"jb 6f\n"                     \
	"vmovdqu (%%rsi), %%ymm0\n"   \
	"vmovdqu 32(%%rsi), %%ymm1\n" \
	"vmovdqu 64(%%rsi), %%ymm2\n" \
	"vmovdqu 96(%%rsi), %%ymm3\n" \
	"vmovdqu %%ymm0, (%%rdi)\n"   \
	"vmovdqu %%ymm1, 32(%%rdi)\n" \
	"vmovdqu %%ymm2, 64(%%rdi)\n" \
	"vmovdqu %%ymm3, 96(%%rdi)\n" \
	"subq $-128, %%rsi\n"         \
	"subq $-128, %%rdi\n"         \
	"jmp 5b\n"                    \
	"6: addl $16, %%r8d\n"        \
	"jz 8f\n"                     \
	"9: subl $4, %%r8d\n"         \
	"jb 10f\n"                    \
	"vmovdqu (%%rsi), %%ymm0\n"   \
	"vmovdqu %%ymm0, (%%rdi)\n"   \
	"addq $32, %%rsi\n"           \
	"addq $32, %%rdi\n"           \
	"jmp 9b\n"                    \
	"10: addl $4, %%r8d\n"        \
	"jz 8f\n" RSEQ_COPY_REST "8: vzeroupper\n"

#define RSEQ_COPY_REST             \
	"7: movq (%%rsi), %%rax\n" \
	"movq %%rax, (%%rdi)\n"    \
	"addq $8, %%rsi\n"         \
	"addq $8, %%rdi\n"         \
	"decl %%r8d\n"             \
	"jnz 7b\n"

/* The commit, and where the kernel sends a thread that was disturbed before it. */
#define RSEQ_END                                \
	"movl %%ecx, %c[count](%%rdx)\n"        \
	"2:\n"                                  \
	".pushsection __rseq_failure, \"ax\"\n" \
	".byte 0x0f, 0xb9, 0x3d\n"              \
	".long 0x53053053\n" /* RSEQ_SIG */     \
	"4: jmp %l[again]\n"                    \
	".popsection\n"

#define RSEQ_INPUTS                                                                        \
	[rseq] "r"(READ_ONCE(rseq_offset)), [rseq_cs] "i"(offsetof(struct rseq, rseq_cs)), \
		[cpu_id] "i"(offsetof(struct rseq, cpu_id)), [cores] "m"(stock->cores),    \
		[stride] "m"(stock->stride), [pcps] "m"(stock->pcps),                      \
		[list] "i"(offsetof(struct pcp, list)),                                    \
		[count] "i"(offsetof(struct pcp_list, count)),                             \
		[obj] "i"(offsetof(struct pcp_list, obj)), [objs] "r"(objs)

/* The one bound: a cache that is never held is not tuned. */
#define RSEQ_HIGH [high_max] "i"(offsetof(struct pcp, high_max))

#define RSEQ_CLOBBERS \
	"memory", "cc", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "xmm0", "xmm1", "xmm2", "xmm3"

/* One page: half of the instructions. */
static __always_inline unsigned int rseq_pop_one(const struct stock *stock, void **objs)
{
again:
	__asm__ goto(RSEQ_BEGIN "subl $1, %%ecx\n"
				"jb %l[closed]\n"
				"movq %c[obj](%%rdx, %%rcx, 8), %%rax\n"
				"movq %%rax, (%[objs])\n" RSEQ_END
		     :
		     : RSEQ_INPUTS
		     : "memory", "cc", "rax", "rcx", "rdx"
		     : again, closed);
	return 1;
closed:
	return 0;
}

static __always_inline bool rseq_push_one(const struct stock *stock, void *const *objs)
{
again:
	__asm__ goto(RSEQ_BEGIN "cmpl %c[high_max](%%rax), %%ecx\n"
				"jae %l[closed]\n"
				"movq (%[objs]), %%rax\n"
				"movq %%rax, %c[obj](%%rdx, %%rcx, 8)\n"
				"incl %%ecx\n" RSEQ_END
		     :
		     : RSEQ_INPUTS, RSEQ_HIGH
		     : "memory", "cc", "rax", "rcx", "rdx"
		     : again, closed);
	return true;
closed:
	return false;
}

/* All of @n pages from this core's list, or 0; all into it, or false: full or closed. */
#define RSEQ_POP(name, copy)                                                             \
	static __always_inline unsigned int name(const struct stock *stock, void **objs, \
						 unsigned int n)                         \
	{                                                                                \
again:                                                                                   \
		__asm__ goto(RSEQ_BEGIN "subl %[n], %%ecx\n"                             \
					"jb %l[closed]\n"                                \
					"leaq %c[obj](%%rdx, %%rcx, 8), %%rsi\n"         \
					"movq %[objs], %%rdi\n"                          \
					"movl %[n], %%r8d\n" copy RSEQ_END               \
			     :                                                           \
			     : RSEQ_INPUTS, [n] "r"(n)                                   \
			     : RSEQ_CLOBBERS                                             \
			     : again, closed);                                           \
		return n;                                                                \
closed:                                                                                  \
		return 0;                                                                \
	}

#define RSEQ_PUSH(name, copy)                                                          \
	static __always_inline bool name(const struct stock *stock, void *const *objs, \
					 unsigned int n)                               \
	{                                                                              \
again:                                                                                 \
		__asm__ goto(RSEQ_BEGIN "leal (%%rcx, %q[n]), %%r8d\n"                 \
					"cmpl %c[high_max](%%rax), %%r8d\n"            \
					"ja %l[closed]\n"                              \
					"leaq %c[obj](%%rdx, %%rcx, 8), %%rdi\n"       \
					"movl %%r8d, %%ecx\n"                          \
					"movq %[objs], %%rsi\n"                        \
					"movl %[n], %%r8d\n" copy RSEQ_END             \
			     :                                                         \
			     : RSEQ_INPUTS, RSEQ_HIGH, [n] "r"(n)                      \
			     : RSEQ_CLOBBERS                                           \
			     : again, closed);                                         \
		return true;                                                           \
closed:                                                                                \
		return false;                                                          \
	}

RSEQ_POP(rseq_pop_sse, RSEQ_COPY_SSE)
RSEQ_POP(rseq_pop_avx, RSEQ_COPY_AVX)
RSEQ_PUSH(rseq_push_sse, RSEQ_COPY_SSE)
RSEQ_PUSH(rseq_push_avx, RSEQ_COPY_AVX)

static __always_inline unsigned int rseq_pop(const struct stock *stock, void **objs, unsigned int n)
{
	if (n == 1)
		return rseq_pop_one(stock, objs);
	if (n < RSEQ_AVX_MIN || !READ_ONCE(rseq_avx))
		return rseq_pop_sse(stock, objs, n);
	return rseq_pop_avx(stock, objs, n);
}

static __always_inline bool rseq_push(const struct stock *stock, void *const *objs, unsigned int n)
{
	if (n == 1)
		return rseq_push_one(stock, objs);
	if (n < RSEQ_AVX_MIN || !READ_ONCE(rseq_avx))
		return rseq_push_sse(stock, objs, n);
	return rseq_push_avx(stock, objs, n);
}

#endif /* PP_RSEQ_OPS_H */
