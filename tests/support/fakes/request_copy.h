/* SPDX-License-Identifier: MIT */
#ifndef TEST_REQUEST_COPY_H
#define TEST_REQUEST_COPY_H
/** @file Copies of requests, for tests to look at when they are over. Without memory they abort. */
#include "http/client/transport.h"

/** The memory; where it is NULL the test is over. */
void *test_need(void *memory);
/** Bytes, and a zero behind them. */
char *test_copy(const void *data, size_t len);
/** NULL stays so. */
char *test_copy_text(const char *text);
psp_http_request test_copy_request(const psp_http_request *from);
void test_free_request(psp_http_request *request);

/** Cuts "name: value" lines in place, names to lower case as the real client gives them; NULL:
 * none.
 * @return how many */
#define TEST_HEADERS_MAX 32
size_t test_split_headers(char *text, psp_header headers[TEST_HEADERS_MAX]);

#endif
