/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * suspend_kernel.h - calls of the library that a test answers as other kernels do
 */
#ifndef SUSPEND_KERNEL_H
#define SUSPEND_KERNEL_H

#include <stdint.h>

enum suspend_kernel {
	HONEST,
	NO_FAMILY,
	OLD, /* Linux 6.1: it knows no command of queues */
	NO_NAPI, /* a veth */
	NO_SUSPEND, /* Linux 6.12 */
	NO_THREADED, /* Linux 6.16 */
	NO_COPY, /* Linux 6.13: the queue has a NAPI, the socket has none */
	NOT_ALLOWED,
	NO_EPOLL, /* Linux 6.8 */
	CUT,
	SHORT,
	SILENT,
	KINDS
};

extern enum suspend_kernel kernel;
extern uint32_t napi; /* px1's: what sockets say if asked, unless the kernel would not */
extern unsigned int epoll_budget; /* packets of a look, as the port asked last */
extern unsigned int looks; /* at a NAPI, by epoll */

#endif /* SUSPEND_KERNEL_H */
