/* SPDX-License-Identifier: MIT */
#ifndef TESTS_GZIPPED_H
#define TESTS_GZIPPED_H
/** @file Bytes as gzip packs them. */
#include "base/buf.h"

/** Adds a member that holds `len` bytes of `data`. */
void gzip_add(psp_buf *out, const void *data, size_t len);

#endif
