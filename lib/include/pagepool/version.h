/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * version.h - the version compiled against, and the one that is loaded
 */
#ifndef PAGEPOOL_VERSION_H
#define PAGEPOOL_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/** PP_VERSION_MAJOR - of the headers; changes with an incompatible change of the ABI */
#define PP_VERSION_MAJOR 0
/** PP_VERSION_MINOR - of the headers; changes with additions, and before 1.0 with any change */
#define PP_VERSION_MINOR 1
/** PP_VERSION_PATCH - of the headers; changes with corrections only */
#define PP_VERSION_PATCH 0

/**
 * pp_version() - the version of the loaded library
 *
 * Context: any thread, signal handlers too.
 * Cost:    none.
 * Return:  "MAJOR.MINOR.PATCH", a constant.
 * Source:  io_uring_major_version() and io_uring_minor_version(). Differs: text.
 */
const char *pp_version(void);

/**
 * pp_check_version() - does the loaded library serve a program built for this version?
 * @major: version that the program needs; as a rule PP_VERSION_MAJOR
 * @minor: PP_VERSION_MINOR
 * @patch: PP_VERSION_PATCH, or the first with a correction that the program needs
 *
 * A library serves programs of its own major version that are not newer than itself. Before 1.0
 * the minor version must be the same, too.
 *
 * Context: any thread.
 * Cost:    none.
 * Return:  0; -ENOTSUP if it does not, with both versions in pp_error().
 * Source:  io_uring_check_version(). Differs: refuses another major version; the patch counts.
 */
int pp_check_version(unsigned int major, unsigned int minor, unsigned int patch);

#ifdef __cplusplus
}
#endif
#endif /* PAGEPOOL_VERSION_H */
