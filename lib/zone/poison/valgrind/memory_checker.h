/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory_checker.h - valgrind's client requests: a few instructions that do nothing outside of it
 *
 * A block makes memcheck say "inside a page" and show the stack of where the block began.
 */
#ifndef PP_MEMORY_CHECKER_H
#define PP_MEMORY_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <valgrind/memcheck.h>

static inline bool checker_runs(void)
{
	return RUNNING_ON_VALGRIND;
}

static inline void checker_no_access(const void *addr, size_t len)
{
	VALGRIND_MAKE_MEM_NOACCESS(addr, len);
}

static inline void checker_access(const void *addr, size_t len)
{
	VALGRIND_MAKE_MEM_DEFINED(addr, len);
}

/* @block: 0: none */
static inline void checker_end_block(uint32_t *block)
{
	if (*block)
		VALGRIND_DISCARD(*block - 1);
	*block = 0;
}

static inline void checker_begin_block(uint32_t *block, const void *addr, size_t len)
{
	if (!RUNNING_ON_VALGRIND)
		return;
	checker_end_block(block);
	*block = (uint32_t)VALGRIND_CREATE_BLOCK(addr, len, "page that is at home") + 1;
}

#endif /* PP_MEMORY_CHECKER_H */
