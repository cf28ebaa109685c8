/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * error.h - why the last call failed, in words
 *
 * The library never prints. A constructor that fails sets errno and leaves one
 * sentence here: what was wrong, with the value, and what to do about it.
 */
#ifndef PAGEPOOL_ERROR_H
#define PAGEPOOL_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pp_error() - the reason why this thread's last constructor or control call failed
 *
 * Context: any thread; each has its own text.
 * Cost:    none.
 * Return:  a sentence without newline, valid until this thread's next failing call; "" if none
 *          failed yet. Never NULL.
 * Source:  after dlerror().
 */
const char *pp_error(void);

/**
 * pp_set_error() - for drivers: fail with a reason
 * @err: positive errno value
 * @fmt: printf format of the sentence
 *
 * Context: any thread.
 * Cost:    one vsnprintf(); for error paths.
 * Return:  -@err, with errno set to @err, so that ``return pp_set_error(EINVAL, ...)`` works.
 * Source:  NL_SET_ERR_MSG_FMT().
 */
int pp_set_error(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_ERROR_H */
