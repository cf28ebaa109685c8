/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * thread.c - threads that run on given CPUs from their first instruction
 *
 * A new thread inherits the CPUs of its creator. pthread_attr_setaffinity_np() needs no detour,
 * but musl has no such function.
 */
#include "common/thread.h"

int thread_on_cpus(pthread_t *thread, const cpu_set_t *cpus, void *(*fn)(void *), void *arg)
{
	cpu_set_t old;
	int err;

	err = pthread_getaffinity_np(pthread_self(), sizeof(old), &old);
	if (err)
		return err;
	err = pthread_setaffinity_np(pthread_self(), sizeof(*cpus), cpus);
	if (err)
		return err;
	err = pthread_create(thread, NULL, fn, arg);
	pthread_setaffinity_np(pthread_self(), sizeof(old), &old);
	return err;
}

int thread_on_cpu(pthread_t *thread, unsigned int cpu, void *(*fn)(void *), void *arg)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return thread_on_cpus(thread, &cpus, fn, arg);
}
