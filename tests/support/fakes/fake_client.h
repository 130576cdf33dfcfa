/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_CLIENT_H
#define TEST_FAKE_CLIENT_H
/** @file A client over a scripted transport, for tests of what makes calls with it. */
#include "client/call.h"
#include "fake_transport.h"

#define FAKE_PUBSUB    "http://127.0.0.1:8085"
#define FAKE_FIRESTORE "http://127.0.0.1:8086"
#define FAKE_PROJECT   "demo-p"

typedef struct fake_client {
  fake_transport *fake;
  psprobe_client *client;
} fake_client;

/** cmocka's setup and teardown: *state is a fake_client. Project demo-p, the emulators above. */
int fake_client_setup(void **state);
int fake_client_teardown(void **state);

#endif
