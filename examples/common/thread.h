/* SPDX-License-Identifier: BSD-3-Clause */
/* thread.h - threads that run on given CPUs from their first instruction */
#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>
#include <sched.h>

/* pthread_create() on @cpus. Returns 0, or an error number; the thread has then not started. */
int thread_on_cpus(pthread_t *thread, const cpu_set_t *cpus, void *(*fn)(void *), void *arg);
/* the same on one CPU */
int thread_on_cpu(pthread_t *thread, unsigned int cpu, void *(*fn)(void *), void *arg);

#endif /* COMMON_THREAD_H */
