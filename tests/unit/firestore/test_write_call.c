/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "fake_client.h"

#define ROOT FAKE_FIRESTORE "/v1/projects/" FAKE_PROJECT "/databases/%28default%29/documents"
#define NAME "projects/" FAKE_PROJECT "/databases/(default)/documents/"

static psprobe_value *one; /* {n: 1} */

static int set_up(void **state) {
  one = psprobe_value_map();
  psprobe_value_set(one, "n", psprobe_value_integer(1));
  int status = fake_client_setup(state);
  fake_in_order(((fake_client *)*state)->fake);
  return status;
}

static int tear_down(void **state) {
  psprobe_value_free(one);
  return fake_client_teardown(state);
}

static fake_call *expect(fake_client *f, const char *verb, int status, const char *answer) {
  char url[200];
  snprintf(url, sizeof url, "%s:%s", ROOT, verb);
  fake_call *call = fake_expect(f->fake, "POST", url);
  fake_reply(call, status, NULL, answer);
  return call;
}

static void commits(void **state) {
  fake_client *f = *state;
  psprobe_write writes[] = {
      {.path = "c/d", .fields = one, .precondition = {.must_not_exist = true}}, {.path = "c/e"}};
  psprobe_error error = {0};
  fake_call *call = expect(f, "commit", 200, "{\"writeResults\":[{},{}]}");
  assert_int_equal(psprobe_commit(f->client, writes, 2, NULL, NULL), PSPROBE_OK);
  assert_string_equal(
      fake_request(call, 0)->body,
      "{\"writes\":[{\"update\":{\"name\":\"" NAME
      "c/d\",\"fields\":{\"n\":{\"integerValue\":\"1\"}}},\"currentDocument\":{\"exists\":false}},"
      "{\"delete\":\"" NAME "c/e\"}]}");
  assert_string_equal(fake_request_header(fake_request(call, 0), "content-type"),
                      "application/json");
  expect(f, "commit", 409,
         "{\"error\":{\"code\":409,\"message\":\"locked\",\"status\":\"ABORTED\"}}");
  assert_int_equal(psprobe_commit(f->client, writes, 2, NULL, &error), PSPROBE_ABORTED);
  assert_string_equal(error.message, "commit of 2 documents: ABORTED (HTTP 409): locked");
  expect(f, "commit", 200, "{\"writeResults\":[{}]}");
  assert_int_equal(psprobe_commit(f->client, writes, 2, NULL, &error), PSPROBE_INTERNAL);
  assert_string_equal(error.message,
                      "commit of 2 documents: the answer cannot be read: 1 results for 2 writes");
  assert_int_equal(psprobe_commit(f->client, NULL, 0, NULL, NULL), PSPROBE_OK);
  writes[1].path = "c";
  assert_int_equal(psprobe_commit(f->client, writes, 2, NULL, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "commit of 2 documents: write 2 of 2, c: "));
}

/* Tried again as Google's clients do: RESOURCE_EXHAUSTED and UNAVAILABLE, and no others. */
static void commits_again(void **state) {
  fake_client *f = *state;
  psprobe_write write = {.path = "c/d", .fields = one};
  fake_fail(fake_expect(f->fake, "POST", ROOT ":commit"), PSPROBE_UNAVAILABLE, "cut off");
  expect(f, "commit", 429,
         "{\"error\":{\"code\":429,\"message\":\"quota\",\"status\":\"RESOURCE_EXHAUSTED\"}}");
  expect(f, "commit", 200, "{\"writeResults\":[{}]}");
  assert_int_equal(psprobe_commit(f->client, &write, 1, NULL, NULL), PSPROBE_OK);
  static const struct {
    int status;
    const char *name;
    psprobe_code code;
  } final[] = {{400, "FAILED_PRECONDITION", PSPROBE_FAILED_PRECONDITION},
               {500, "INTERNAL", PSPROBE_INTERNAL},
               {504, "DEADLINE_EXCEEDED", PSPROBE_DEADLINE_EXCEEDED},
               {403, "PERMISSION_DENIED", PSPROBE_PERMISSION_DENIED},
               {409, "ALREADY_EXISTS", PSPROBE_ALREADY_EXISTS}};
  for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
    char body[128];
    snprintf(body, sizeof body, "{\"error\":{\"code\":%d,\"status\":\"%s\"}}", final[i].status,
             final[i].name);
    expect(f, "commit", final[i].status, body);
    assert_int_equal(psprobe_commit(f->client, &write, 1, NULL, NULL), final[i].code);
  }
}

static void batches(void **state) {
  fake_client *f = *state;
  psprobe_write writes[] = {{.path = "c/d", .fields = one}, {.path = "c/e"}};
  psprobe_error outcomes[2], error = {0};
  expect(f, "batchWrite", 200, "{\"status\":[{},{\"code\":5,\"message\":\"gone\"}]}");
  assert_int_equal(psprobe_batch_write(f->client, writes, 2, outcomes, &error), PSPROBE_OK);
  assert_int_equal(outcomes[0].code, PSPROBE_OK);
  assert_int_equal(outcomes[1].code, PSPROBE_NOT_FOUND);
  assert_string_equal(outcomes[1].message, "write 2 of 2, c/e: NOT_FOUND: gone");
  expect(f, "batchWrite", 200, "{\"status\":[{},{}]}");
  assert_int_equal(psprobe_batch_write(f->client, writes, 2, NULL, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_batch_write(f->client, NULL, 0, NULL, NULL), PSPROBE_OK);
}

/* Also without an error to tell of: each outcome tells why its write was not made. */
static void a_failed_batch_fails_each(void **state) {
  fake_client *f = *state;
  psprobe_write writes[501];
  psprobe_error outcomes[501];
  for (int i = 0; i < 501; i++)
    writes[i] = (psprobe_write){.path = "c/d"};
  memset(outcomes, 0, sizeof outcomes);
  assert_int_equal(psprobe_batch_write(f->client, writes, 501, outcomes, NULL),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(outcomes[500].code, PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(outcomes[500].message,
                      "batch write of 501 documents: a batch has at most 500 writes");
  expect(f, "batchWrite", 403,
         "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}");
  assert_int_equal(psprobe_batch_write(f->client, writes, 2, outcomes, NULL),
                   PSPROBE_PERMISSION_DENIED);
  assert_int_equal(outcomes[0].code, PSPROBE_PERMISSION_DENIED);
  assert_int_equal(outcomes[1].code, PSPROBE_PERMISSION_DENIED);
  assert_int_equal(outcomes[2].code, PSPROBE_INVALID_ARGUMENT); /* the call before's */
  expect(f, "batchWrite", 200, "{\"status\":[{}]}");
  assert_int_equal(psprobe_batch_write(f->client, writes, 2, outcomes, NULL), PSPROBE_INTERNAL);
  assert_int_equal(outcomes[0].code, PSPROBE_INTERNAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(commits, set_up, tear_down),
      cmocka_unit_test_setup_teardown(commits_again, set_up, tear_down),
      cmocka_unit_test_setup_teardown(batches, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_failed_batch_fails_each, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
