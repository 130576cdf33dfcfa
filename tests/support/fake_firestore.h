/* SPDX-License-Identifier: MIT */
#ifndef FAKE_FIRESTORE_H
#define FAKE_FIRESTORE_H
/** @file A client of project "demo" whose Firestore is scripted, for cmocka's setup and teardown.
 */
#include <psprobe/firestore.h>

#include "fake_transport.h"

/** Where its documents are. */
#define FAKE_ROOT "http://127.0.0.1:1/v1/projects/demo/databases/%28default%29/documents"
#define FAKE_NAME "projects/demo/databases/(default)/documents/"

typedef struct fake_firestore {
  fake_transport *fake;
  psprobe_client *client;
  psprobe_value *fields; /**< {n: 1} */
} fake_firestore;

int fake_firestore_set_up(void **state);
/** Fails the test when a request came that was not expected, or one that was did not. */
int fake_firestore_tear_down(void **state);

#define fake_firestore_test(test) \
  cmocka_unit_test_setup_teardown(test, fake_firestore_set_up, fake_firestore_tear_down)

#endif
