/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * random_frame.h - frames from chance: well formed, nearly so, and noise
 */
#ifndef TEST_CLI_RANDOM_FRAME_H
#define TEST_CLI_RANDOM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_FRAME_MAX 1500u

/* a number below @n; @state is not 0 */
uint32_t random_below(uint64_t *state, uint32_t n);

/* a frame into @b, which has room for RANDOM_FRAME_MAX; its length */
size_t random_frame(uint64_t *state, unsigned char *b);

#endif /* TEST_CLI_RANDOM_FRAME_H */
