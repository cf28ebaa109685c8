/* SPDX-License-Identifier: BSD-3-Clause */
/* semaphores.c - one for each probe, in the section where tracers look for them */
#include "base/probes.h"

#define SEMAPHORE(name) \
	uint16_t pagepool_##name##_semaphore __attribute__((__section__(".probes"), __used__));

PROBES(SEMAPHORE)
