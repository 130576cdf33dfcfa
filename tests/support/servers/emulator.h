/* SPDX-License-Identifier: MIT */
#ifndef TEST_EMULATOR_H
#define TEST_EMULATOR_H
/**
 * @file
 * Google's emulators for the integration tests: found in the Google Cloud CLI,
 * started on a free port of 127.0.0.1, ready when the call returns, gone when
 * the test is, however it ends.
 *
 * Where the CLI is: $CLOUDSDK_ROOT, else where the `gcloud` of the path lies,
 * else as `gcloud info` says. What is not installed ends the test with exit
 * status 77 and the reason.
 */
#include <stdbool.h>

typedef enum test_service { TEST_PUBSUB = 0, TEST_FIRESTORE = 1 } test_service;

bool test_emulator_installed(test_service service);

/**
 * "host:port" of the emulator that the tests share: the one that runs already
 * when PSPROBE_TEST_PUBSUB_EMULATOR or PSPROBE_TEST_FIRESTORE_EMULATOR names
 * it, else one that is started at the first call and stopped at exit.
 */
const char *test_emulator_host(test_service service);

/** An emulator of the test's own, which it may stop midway. */
typedef struct test_emulator test_emulator;

/** Starts one and waits until it answers. `port` 0 picks a free one. Never NULL. */
test_emulator *test_emulator_start(test_service service, int port);
/** "127.0.0.1:port"; valid until it is stopped. */
const char *test_emulator_address(const test_emulator *emulator);
int test_emulator_port(const test_emulator *emulator);
/** Kills it, with no chance to say goodbye, and waits until it is gone. NULL is fine. */
void test_emulator_stop(test_emulator *emulator);

/** A port of 127.0.0.1 that was free a moment ago. */
int test_free_port(void);
/** True once `GET /` is answered with 200 there; false after `timeout_ms`. */
bool test_wait_ready(const char *host, int port, int timeout_ms);

#endif
