/* SPDX-License-Identifier: MIT */
#ifndef TEST_VALUES_H
#define TEST_VALUES_H
/** @file Firestore values for tests. */
#include <psprobe/firestore.h>

/** Reads `{"integerValue":"5"}`; what cannot be read fails the test. To psprobe_value_free. */
psprobe_value *test_value(const char *json);
/** Its compact JSON, to free(). */
char *test_value_json(const psprobe_value *value);
/** A map with a value of every type, each in the form that comes back from the service as it was
 * sent. `project` is the references'. */
psprobe_value *test_every_type(const char *project);

/** Fails the test, with what the error says, unless a call gave what it should. */
void test_ok(psprobe_code code, const psprobe_error *error);
void test_code(psprobe_code code, psprobe_code expected, const psprobe_error *error);

#endif
