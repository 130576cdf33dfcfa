/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_VERSION_H
#define PSPROBE_VERSION_H
/**
 * @file
 * The version, and the mark of every exported function. The only place where
 * the version is written: Makefile and pkg-config file read it from here.
 *
 * Ownership: constants.
 * Threading: any thread.
 * Blocks: never.
 */

#define PSPROBE_VERSION_MAJOR 0
#define PSPROBE_VERSION_MINOR 1
#define PSPROBE_VERSION_PATCH 0
#define PSPROBE_VERSION       "0.1.0"

#if defined(__GNUC__)
#define PSPROBE_API                 __attribute__((visibility("default")))
#define PSPROBE_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define PSPROBE_API
#define PSPROBE_PRINTF(text, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The version of the library that is linked, as "major.minor.patch".
 *
 * @return a constant
 */
PSPROBE_API const char *psprobe_version(void);

#ifdef __cplusplus
}
#endif
#endif
