/* SPDX-License-Identifier: BSD-3-Clause */
/* pft/run.h - one run of the page-fault test: threads that take, touch and give back pages */
#ifndef PPBENCH_PFT_RUN_H
#define PPBENCH_PFT_RUN_H

#include "bench.h"

#define PFT_THREADS_MAX 128u /* as pft itself */

/*
 * struct pft_setup - parameters of a run
 * @cpus:     where the threads run, in turns
 * @faults:   about as many pages are taken by all threads together
 * @drain_hz: 0: no drains
 */
struct pft_setup {
	const char *policy;
	const unsigned int *cpus;
	unsigned int ncpus;
	unsigned int threads;
	unsigned int bulk;
	uint64_t faults;
	unsigned int drain_hz;
};

/*
 * struct pft_times - seconds, and pages
 * @user:    CPU time outside of the pool's calls, all threads
 * @system:  CPU time inside them, all threads
 * @elapsed: from the first thread's start to the last one's end
 * @faults:  pages taken
 */
struct pft_times {
	double user;
	double system;
	double elapsed;
	uint64_t faults;
	unsigned long drains;
	unsigned long drained;
	unsigned long timeouts;
};

/* 0, or -1 after bench_error() */
int pft_run(struct bench *b, const struct pft_setup *setup, struct pft_times *times);

#endif /* PPBENCH_PFT_RUN_H */
