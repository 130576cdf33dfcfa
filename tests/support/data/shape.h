/* SPDX-License-Identifier: MIT */
#ifndef TEST_SHAPE_H
#define TEST_SHAPE_H
/**
 * @file
 * Compares answers byte for byte, once what differs from run to run is masked:
 * times, message ids, ack ids, page tokens, transaction ids, database versions
 * and ports. White space, names, their order, types, values and the words of
 * errors must be the same.
 */
#include <stddef.h>

#include "base/buf.h"

/** A copy of a body with the volatile parts masked; to psp_buf_free. */
psp_buf test_shape(const char *body, size_t len);
/** Fails the test, and shows both, unless they have one shape. `what` names the request. */
void test_same_shape(const char *what, const char *got, size_t got_len, const char *expected,
                     size_t expected_len);

#endif
