/* SPDX-License-Identifier: MIT */
#ifndef TEST_FILES_H
#define TEST_FILES_H
/** @file Golden files. */
#include "base/buf.h"

/** The bytes of a file, to psp_buf_free. A file that is not there fails the test. */
psp_buf test_file(const char *path);
/** Adds them to `out`. False: they cannot be read. */
bool test_read_file(const char *path, psp_buf *out);

/** Calls `feed` with each proper prefix of `body`, each in a block of its own size, so that a
 * sanitizer sees a byte read too far. */
void test_prefixes(const psp_buf *body, void (*feed)(const char *text, size_t len, void *arg),
                   void *arg);

#endif
