/* SPDX-License-Identifier: BSD-3-Clause */
/* memory_checker.h - built without valgrind's headers: it is told nothing */
#ifndef PP_MEMORY_CHECKER_H
#define PP_MEMORY_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checker_runs(void)
{
	return false;
}

static inline void checker_no_access(const void *addr, size_t len)
{
}

static inline void checker_access(const void *addr, size_t len)
{
}

static inline void checker_end_block(uint32_t *block)
{
}

static inline void checker_begin_block(uint32_t *block, const void *addr, size_t len)
{
}

#endif /* PP_MEMORY_CHECKER_H */
