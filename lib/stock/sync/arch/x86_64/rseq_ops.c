/* SPDX-License-Identifier: BSD-3-Clause */
/* rseq_ops.c - where a thread's struct rseq lies, kept by the library itself */
#include <rseq_ops.h>

ptrdiff_t rseq_offset;
