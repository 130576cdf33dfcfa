/* SPDX-License-Identifier: MIT */
/** @file Answers that carry an ID token for the prober. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "fake_issuer.h"
#include "fake_prober.h"
#include "keys.h"
#include "responder/parts.h"

#define MS      INT64_C(1000000)
#define ID      "0123456789abcdef0123456789abcdef"
#define ACCOUNT "responder@p.iam.gserviceaccount.com"

typedef struct fixture {
  fake_issuer issuer;
  psprobe_client *client;
  fake_prober *prober;
  psprobe_responder *responder;
  sem_t hold;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  sem_init(&f->hold, 0, 0);
  fake_issuer_start(&f->issuer, 0, ACCOUNT);
  test_auth_environment();
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", fake_issuer_url(&f->issuer) + strlen("http://"), 1);
  f->client = fake_prober_client();
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 10; i++)
    sem_post(&f->hold);
  psprobe_responder_free(f->responder);
  psprobe_client_free(f->client);
  fake_prober_free(f->prober);
  fake_issuer_stop(&f->issuer);
  free(f);
  return 0;
}

static psprobe_code begin(fixture *f, const int *script, int64_t timeout_ns, psprobe_error *error) {
  f->prober = fake_prober_new(0, script);
  psprobe_responder_options options = {
      .prober = fake_prober_url(f->prober), .timeout_ns = timeout_ns, .prober_oidc = true};
  return psprobe_responder_new(f->client, &options, &f->responder, error);
}

static psprobe_code answer(fixture *f, psprobe_error *error) {
  psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, ID};
  psprobe_message message = {.attributes = &attribute, .attribute_count = 1, .message_id = "17"};
  return psprobe_responder_answer(f->responder, &message, psprobe_clock_monotonic(), error);
}

static void test_each_answer_carries_it(void **state) {
  fixture *f = *state;
  static const int script[] = {200, 0};
  assert_int_equal(begin(f, script, 0, NULL), PSPROBE_OK);
  assert_int_equal(f->issuer.issued, 1); /* at the start, so that no answer waits for it */
  for (int i = 0; i < 5; i++)
    assert_int_equal(answer(f, NULL), PSPROBE_OK);
  assert_int_equal(f->issuer.issued, 1);
  for (int i = 0; i < 5; i++) {
    const char *shown = f->prober->requests[i].authorization;
    assert_memory_equal(shown, "Bearer ", 7);
    assert_true(test_jwt_verifies(shown + 7, TEST_KEY_RSA));
    char *claims = test_jwt_part(shown + 7, 1);
    psp_json *json = NULL;
    assert_int_equal(psp_json_parse(claims, strlen(claims), "claims", &json, NULL), PSPROBE_OK);
    assert_string_equal(psp_json_string(psp_json_get(json, "aud")), fake_prober_url(f->prober));
    psp_json_free(json);
    free(claims);
  }
}

/* The audience is the prober's address without the path under which it is reached. */
static void test_audience(void **state) {
  fixture *f = *state;
  static const int script[] = {200, 0};
  f->prober = fake_prober_new(0, script);
  char url[200];
  snprintf(url, sizeof url, "%s/behind/a/path/", fake_prober_url(f->prober));
  psprobe_responder_options options = {.prober = url, .prober_oidc = true};
  assert_int_equal(psprobe_responder_new(f->client, &options, &f->responder, NULL), PSPROBE_OK);
  assert_int_equal(answer(f, NULL), PSPROBE_OK);
  assert_string_equal(f->prober->requests[0].path, "/behind/a/path/cloud_function/" ID);
  char *claims = test_jwt_part(f->prober->requests[0].authorization + 7, 1), want[200];
  snprintf(want, sizeof want, "\"aud\":\"%s\"", fake_prober_url(f->prober));
  assert_non_null(strstr(claims, want));
  free(claims);
}

static void test_401_drops_the_token(void **state) {
  fixture *f = *state;
  static const int script[] = {401, 200, 0};
  assert_int_equal(begin(f, script, 0, NULL), PSPROBE_OK);
  assert_int_equal(answer(f, NULL), PSPROBE_OK);
  assert_int_equal(fake_prober_count(f->prober), 2);
  assert_int_equal(f->issuer.issued, 2);
  assert_string_not_equal(f->prober->requests[0].authorization,
                          f->prober->requests[1].authorization);
}

static void test_401_twice(void **state) {
  fixture *f = *state;
  static const int script[] = {401, 401, 200, 0};
  psprobe_error error = {0};
  assert_int_equal(begin(f, script, 0, NULL), PSPROBE_OK);
  assert_int_equal(answer(f, &error), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(fake_prober_count(f->prober), 2);
  assert_non_null(strstr(error.message, "audience http://127.0.0.1:"));
  assert_null(strstr(error.message, "eyJ"));
}

static void test_403_is_told(void **state) {
  fixture *f = *state;
  static const int script[] = {403, 200, 0};
  assert_int_equal(begin(f, script, 0, NULL), PSPROBE_OK);
  psprobe_error error = {0};
  assert_int_equal(answer(f, &error), PSPROBE_PERMISSION_DENIED);
  assert_non_null(strstr(error.message, "run.invoker"));
  assert_int_equal(fake_prober_count(f->prober), 1);
  assert_int_equal(f->issuer.issued, 1);
}

/* A prober that asks for tokens, and nobody said so here. */
static void test_advice_without_tokens(void **state) {
  fixture *f = *state;
  static const int script[] = {401, 0};
  f->prober = fake_prober_new(0, script);
  psprobe_responder_options options = {.prober = fake_prober_url(f->prober)};
  psprobe_error error = {0};
  assert_int_equal(psprobe_responder_new(f->client, &options, &f->responder, NULL), PSPROBE_OK);
  assert_int_equal(answer(f, &error), PSPROBE_UNAUTHENTICATED);
  assert_non_null(strstr(error.message, "--prober-auth oidc"));
  assert_string_equal(f->prober->requests[0].authorization, "");
}

/* What is wrong with the credentials is told at the start, with the way out. */
static void test_failure_at_the_start(void **state) {
  fixture *f = *state;
  static const int script[] = {200, 0};
  psprobe_error error = {0};
  f->issuer.tokens = 404;
  assert_int_equal(begin(f, script, 0, &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "ID token for the prober"));
  assert_non_null(strstr(error.message, "no service account"));
  psprobe_responder_options options = {.prober = "http://example.com", .prober_oidc = true};
  assert_int_equal(psprobe_responder_new(f->client, &options, &f->responder, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "https"));
}

/* The account loses its right while the program runs: why is said with the answer that failed. */
static void test_token_is_refused_later(void **state) {
  fixture *f = *state;
  static const int script[] = {401, 200, 0};
  psprobe_error error = {0};
  assert_int_equal(begin(f, script, 0, NULL), PSPROBE_OK);
  f->issuer.tokens = 403;
  assert_int_equal(answer(f, &error), PSPROBE_PERMISSION_DENIED);
  assert_non_null(strstr(error.message, "metadata server"));
  assert_int_equal(fake_prober_count(f->prober), 1);
}

/* No token in time: the answer fails, within its time, and the next one goes through. */
static void test_outage(void **state) {
  fixture *f = *state;
  static const int script[] = {401, 200, 0};
  psprobe_error error = {0};
  assert_int_equal(begin(f, script, 500 * MS, NULL), PSPROBE_OK);
  f->issuer.hold_tokens = &f->hold;
  assert_int_equal(answer(f, &error), PSPROBE_DEADLINE_EXCEEDED);
  assert_non_null(strstr(error.message, "no ID token"));
  assert_int_equal(fake_prober_count(f->prober), 1);
  for (int i = 0; i < 10; i++)
    sem_post(&f->hold);
  psprobe_code code = PSPROBE_UNKNOWN;
  for (int i = 0; i < 200 && code != PSPROBE_OK; i++)
    code = answer(f, NULL);
  assert_int_equal(code, PSPROBE_OK);
}

static void wait_for(sem_t *semaphore) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static void on_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  (void)error;
  *(psprobe_code *)arg = code;
}

/* A responder that ends lets nobody wait for a token. */
static void test_end_while_waiting(void **state) {
  fixture *f = *state;
  static const int script[] = {401, 200, 0};
  psprobe_code codes[20];
  assert_int_equal(begin(f, script, 60000 * MS, NULL), PSPROBE_OK);
  f->issuer.hold_tokens = &f->hold;
  char text[2048];
  uint64_t generation;
  psprobe_responder *r = f->responder;
  assert_true(
      psp_token_slot_authorization(r->credentials, r->token, text, sizeof text, &generation) > 0);
  psp_token_slot_reject(r->credentials, r->token, generation);
  psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, ID};
  psprobe_message message = {.attributes = &attribute, .attribute_count = 1};
  for (int i = 0; i < 20; i++) {
    codes[i] = PSPROBE_OK;
    psp_responder_begin(f->responder, &message, 0, 0, on_answered, &codes[i]);
  }
  psprobe_responder_free(f->responder);
  f->responder = NULL;
  for (int i = 0; i < 20; i++)
    assert_int_not_equal(codes[i], PSPROBE_OK);
  assert_int_equal(fake_prober_count(f->prober), 0);
}

static void count_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  (void)code;
  (void)error;
  sem_post(arg);
}

/* The token and the end of the time for it meet in every order; each message ends once. */
static void test_token_meets_deadline(void **state) {
  fixture *f = *state;
  static const int script[] = {200, 0};
  enum { ROUNDS = 100, MESSAGES = 4 };
  sem_t ends;
  sem_init(&ends, 0, 0);
  assert_int_equal(begin(f, script, MS, NULL), PSPROBE_OK);
  f->issuer.hold_tokens = &f->hold;
  psprobe_responder *r = f->responder;
  psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, ID};
  psprobe_message message = {.attributes = &attribute, .attribute_count = 1};
  for (int i = 0; i < ROUNDS; i++) {
    char text[2048];
    uint64_t generation;
    if (psp_token_slot_authorization(r->credentials, r->token, text, sizeof text, &generation) > 0)
      psp_token_slot_reject(r->credentials, r->token, generation);
    for (int k = 0; k < MESSAGES; k++)
      psp_responder_begin(r, &message, 0, 0, count_answered, &ends);
    const struct timespec pause = {.tv_nsec = i % 10 * 200000};
    nanosleep(&pause, NULL); /* where the deadline of a millisecond is met differs */
    sem_post(&f->hold);
    for (int k = 0; k < MESSAGES; k++)
      wait_for(&ends);
  }
  for (int i = 0; i < ROUNDS; i++)
    sem_post(&f->hold);
  psprobe_responder_free(f->responder);
  f->responder = NULL;
  assert_int_not_equal(sem_trywait(&ends), 0);
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_each_answer_carries_it),
      TEST(test_audience),
      TEST(test_401_drops_the_token),
      TEST(test_401_twice),
      TEST(test_403_is_told),
      TEST(test_advice_without_tokens),
      TEST(test_token_is_refused_later),
      TEST(test_failure_at_the_start),
      TEST(test_outage),
      TEST(test_end_while_waiting),
      TEST(test_token_meets_deadline),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
