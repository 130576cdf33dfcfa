/* SPDX-License-Identifier: MIT */
#ifndef TEST_TARGET_H
#define TEST_TARGET_H
/**
 * @file
 * What the integration tests talk to: Google's emulators, or with
 * PSPROBE_TEST_TARGET=local the stand-in of <psprobe/local.h>, in the process.
 * Tests that run against both ask here, and keep to what both serve.
 */
#include <psprobe/client.h>

#include "emulator.h"

/** "host:port"; started at the first call, stopped at exit. */
const char *test_target_host(test_service service);

/**
 * A client of that target's one service (the other is nowhere), for a project
 * that no other test has used. To psprobe_client_free.
 */
psprobe_client *test_target_client(test_service service);

#endif
