/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/pubsub.h>

#include "fake_client.h"

#define URL FAKE_PUBSUB "/v1/projects/demo-p/topics/a%25b:publish"

static const psprobe_message hello = {.data = "hello", .data_len = 5};

static void test_blocking(void **state) {
  fake_client *f = *state;
  fake_call *call = fake_expect(f->fake, "POST", URL);
  fake_reply(call, 200, NULL, "{\"messageIds\":[\"7\"]}");
  assert_int_equal(psprobe_publish(f->client, "a%b", &hello, 1, NULL, NULL), PSPROBE_OK);
  assert_string_equal(fake_request(call, 0)->body, "{\"messages\":[{\"data\":\"aGVsbG8=\"}]}");
  assert_string_equal(fake_request_header(fake_request(call, 0), "content-type"),
                      "application/json");
}

/* What may have been stored is not sent a second time; what did not get through is. */
static void test_retries(void **state) {
  fake_client *f = *state;
  static const struct {
    psprobe_code code;
    bool again;
  } cases[] = {
      {PSPROBE_UNAVAILABLE, true}, {PSPROBE_DEADLINE_EXCEEDED, false},  {PSPROBE_INTERNAL, false},
      {PSPROBE_UNKNOWN, false},    {PSPROBE_RESOURCE_EXHAUSTED, false}, {PSPROBE_ABORTED, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    fake_fail(fake_expect(f->fake, "POST", URL), cases[i].code, "no");
    if (cases[i].again)
      fake_reply(fake_expect(f->fake, "POST", URL), 200, NULL, "{\"messageIds\":[\"7\"]}");
    assert_int_equal(psprobe_publish(f->client, "a%b", &hello, 1, NULL, &error),
                     cases[i].again ? PSPROBE_OK : cases[i].code);
  }
}

static void test_refused(void **state) {
  fake_client *f = *state;
  psprobe_error error = {0};
  const psprobe_message empty = {0};
  assert_int_equal(psprobe_publish(f->client, "probes", &empty, 1, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_string_equal(error.message,
                      "publish to topic probes: message 0: neither data nor attributes");
  assert_int_equal(psprobe_publish(f->client, "ab", &hello, 1, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_publish_start(f->client, "probes", &empty, 1, NULL, NULL, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_publish_start(f->client, "ab", &hello, 1, NULL, NULL, NULL, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(fake_request_count(f->fake), 0);
}

typedef struct outcome {
  sem_t done;
  unsigned calls;
  char ids[64];
  psprobe_error error;
} outcome;

static void on_done(void *arg, const char *const *ids, size_t count, const psprobe_error *error) {
  outcome *o = arg;
  o->calls++;
  for (size_t i = 0; ids != NULL && i < count; i++) {
    strcat(o->ids, ids[i]);
    strcat(o->ids, " ");
  }
  if (error != NULL) o->error = *error;
  sem_post(&o->done);
}

static void test_async(void **state) {
  fake_client *f = *state;
  const psprobe_message two[] = {hello, hello};
  outcome o = {0};
  sem_init(&o.done, 0, 0);
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "POST", URL), 200, NULL, "{\"messageIds\":[\"7\",\"8\"]}");
  assert_int_equal(psprobe_publish_start(f->client, "a%b", two, 2, NULL, on_done, &o, NULL),
                   PSPROBE_OK);
  sem_wait(&o.done);
  assert_string_equal(o.ids, "7 8 ");
  assert_int_equal(o.error.code, PSPROBE_OK);

  o.ids[0] = '\0';
  fake_reply(fake_expect(f->fake, "POST", URL), 404, NULL,
             "{\"error\":{\"code\":404,\"message\":\"Topic not found\",\"status\":\"NOT_FOUND\"}}");
  assert_int_equal(psprobe_publish_start(f->client, "a%b", two, 2, NULL, on_done, &o, NULL),
                   PSPROBE_OK);
  sem_wait(&o.done);
  assert_string_equal(o.ids, "");
  assert_int_equal(o.error.code, PSPROBE_NOT_FOUND);
  assert_non_null(
      strstr(o.error.message, "publish to topic a%b: NOT_FOUND (HTTP 404): Topic not found"));

  fake_reply(fake_expect(f->fake, "POST", URL), 200, NULL, "{\"messageIds\":[\"7\"]}");
  assert_int_equal(psprobe_publish_start(f->client, "a%b", two, 2, NULL, on_done, &o, NULL),
                   PSPROBE_OK);
  sem_wait(&o.done);
  assert_int_equal(o.error.code, PSPROBE_INTERNAL);
  assert_int_equal(o.calls, 3);
  sem_destroy(&o.done);
}

static void test_cancelled(void **state) {
  fake_client *f = *state;
  outcome o = {0};
  sem_init(&o.done, 0, 0);
  fake_call *call = fake_expect(f->fake, "POST", URL); /* never answered */
  assert_int_equal(psprobe_publish_start(f->client, "a%b", &hello, 1, NULL, on_done, &o, NULL),
                   PSPROBE_OK);
  fake_wait(call, 1);
  psprobe_client_free(f->client);
  f->client = NULL;
  sem_wait(&o.done);
  assert_int_equal(o.error.code, PSPROBE_CANCELLED);
  assert_int_equal(o.calls, 1);
  sem_destroy(&o.done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_client_setup, fake_client_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_blocking), TEST(test_retries),   TEST(test_refused),
      TEST(test_async),    TEST(test_cancelled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
