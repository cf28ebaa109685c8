/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.h - the clock of the programs: CLOCK_MONOTONIC in nanoseconds */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline double now_s(void)
{
	return (double)now_ns() / (double)NS_PER_S;
}

static inline struct timespec ns_to_timespec(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
				  .tv_nsec = (long)(ns % NS_PER_S) };
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec ts = ns_to_timespec(ms * (NS_PER_S / 1000));

	nanosleep(&ts, NULL);
}

#endif /* COMMON_CLOCK_H */
