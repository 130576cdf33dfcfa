/* SPDX-License-Identifier: MIT */
#ifndef TEST_REST_CALL_H
#define TEST_REST_CALL_H
/** @file One REST call to a stand-in or an emulator, as curl would make it. */
#include "raw_http.h"

/**
 * Sends a request on a connection of its own and reads the answer; `body` NULL
 * sends none. `more`: header lines, each with "\r\n" at its end, or NULL.
 * Fails the test when nothing comes within thirty seconds. To raw_free.
 */
raw_answer test_rest(const char *host, const char *method, const char *path, const char *body,
                     const char *more);
/** The same, for a test that wants the status alone. */
int test_rest_status(const char *host, const char *method, const char *path, const char *body);
/** Sends it and returns the connection: for pulls that wait. */
int test_rest_begin(const char *host, const char *method, const char *path, const char *body,
                    const char *more);

/** Publishes a message, given as JSON, to a topic ("/v1/projects/..."), or fails the test. */
void test_rest_publish(const char *host, const char *topic, const char *message);

#endif
