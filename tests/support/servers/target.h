/* SPDX-License-Identifier: MIT */
#ifndef TEST_TARGET_H
#define TEST_TARGET_H
/**
 * @file
 * What the integration tests talk to: Google's emulators ("google"), or the
 * stand-in of <psprobe/local.h>, in the process ("local"). The same suite, the
 * same assertions:
 *
 *     static int suite(void) { … return cmocka_run_group_tests(tests, NULL, NULL); }
 *     int main(void) { return test_on_targets(suite); }
 *
 * runs it on both, or on the one that PSPROBE_TEST_TARGET names.
 */
#include <psprobe/client.h>
#include <stdbool.h>

#include "emulator.h"

/**
 * Runs `suite` once for each target, each in a process of its own.
 * @return for exit: 0; 1 when one failed; 77 when one had to be left out, for
 *         the reason that it printed, and the other passed
 */
int test_on_targets(int (*suite)(void));
/** "google" or "local"; PSPROBE_TEST_TARGET, else google, where test_on_targets does not run. */
const char *test_target(void);

/** "host:port"; started at the first call, stopped at exit. */
const char *test_target_host(test_service service);

/**
 * A client of that target's one service (the other is nowhere), for a project
 * that no other test has used. To psprobe_client_free.
 */
psprobe_client *test_target_client(test_service service);

/** `prefix` and what makes a name that no other test uses. @return out */
const char *test_unique(char out[64], const char *prefix);

/** A broker of the target's kind that the test may stop, and start again at the same port. */
typedef struct test_broker test_broker;
test_broker *test_broker_start(int port); /**< 0: any */
const char *test_broker_address(const test_broker *broker);
int test_broker_port(const test_broker *broker);
/** Without a goodbye where that can be. What it held is gone. */
void test_broker_stop(test_broker *broker);

#endif
