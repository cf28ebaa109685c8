/* SPDX-License-Identifier: BSD-3-Clause */
/* memory_checker.h - built without valgrind's headers: it is told nothing */
#ifndef PP_MEMORY_CHECKER_H
#define PP_MEMORY_CHECKER_H

#define checker_runs()			      false
#define checker_no_access(addr, len)	      ((void)(addr), (void)(len))
#define checker_access(addr, len)	      ((void)(addr), (void)(len))
#define checker_end_block(block)	      ((void)(block))
#define checker_begin_block(block, addr, len) ((void)(block), (void)(addr), (void)(len))

#endif /* PP_MEMORY_CHECKER_H */
