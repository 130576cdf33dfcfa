/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_FILE_H
#define PSP_OS_FILE_H
/** @file Files that are written whole. What fails is told as an errno; 0: it is well. */
#include <stddef.h>

#include <psprobe/error.h>

#include "base/buf.h"

/** Writes all of it, however often that takes. */
int psp_write_all(int fd, const void *data, size_t len);

/**
 * A file in the making, which nobody sees half of; whoever has the old one open keeps it whole. It
 * is made beside its place under a name that nobody has: what stands there, a link perhaps, is
 * somebody else's.
 */
typedef struct psp_new_file {
  const char *path; /**< the caller's */
  psp_buf part;
  int fd; /**< -1: there is none */
} psp_new_file;

/** Makes it. After a failure, too, psp_new_file_end or _drop frees it. */
int psp_new_file_begin(psp_new_file *file, const char *path);
/** Gives it these bytes and its place. */
int psp_new_file_end(psp_new_file *file, const void *data, size_t len);
/** Takes it away. */
void psp_new_file_drop(psp_new_file *file);

/** "write PATH: why". @return PERMISSION_DENIED, NOT_FOUND (no such folder) or UNAVAILABLE */
psprobe_code psp_write_fail(const char *path, int why, psprobe_error *error);

#endif
