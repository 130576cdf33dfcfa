/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "auth/credentials.h"
#include "client/stream.h"
#include "fake_transport.h"
#include "keys.h"
#include "rpc_stage.h"

#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define USER                                                                    \
  "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\"," \
  "\"refresh_token\":\"1//r\"}"
#define TOKEN "{\"access_token\":\"ya29.one\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"

typedef struct fixture {
  fake_transport *api, *endpoint; /* the client's connections, the credentials' */
  psprobe_credentials *credentials;
  psprobe_client *client;
  rpc_stage *stage;
  sem_t came, ended;
  char messages[64];
  psprobe_error error; /* how it ended */
  bool asked;          /* a server was */
} fixture;

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_http *api, *endpoint;
  char url[64];
  test_auth_environment();
  f->stage = rpc_stage_start();
  f->api = fake_transport_new(&api);
  f->endpoint = fake_transport_new(&endpoint);
  sem_init(&f->came, 0, 0);
  sem_init(&f->ended, 0, 0);
  const psprobe_credentials_options options = {
      .file = test_write(test_directory(), "adc.json", 0600, USER)};
  assert_int_equal(psp_credentials_new_with(&options, NULL, endpoint, &f->credentials, NULL),
                   PSPROBE_OK);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", rpc_stage_port(f->stage));
  const psprobe_client_options with = {.credentials = f->credentials, .pubsub_endpoint = url};
  assert_int_equal(psp_client_new_http(&with, api, &f->client, NULL), PSPROBE_OK);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_client_free(f->client);
  psprobe_credentials_free(f->credentials);
  fake_transport_free(f->api);
  fake_transport_free(f->endpoint);
  rpc_stage_stop(f->stage);
  free(f);
  return 0;
}

static void on_message(void *arg, const void *message, size_t len) {
  fixture *f = arg;
  snprintf(f->messages + strlen(f->messages), sizeof f->messages - strlen(f->messages), "%.*s ",
           (int)len, (const char *)message);
  sem_post(&f->came);
}

static void on_end(void *arg, const psprobe_error *error, const psp_rpc_status *status) {
  fixture *f = arg;
  f->error = error != NULL ? *error : (psprobe_error){.code = PSPROBE_OK};
  f->asked = status != NULL;
  sem_post(&f->ended);
}

static void wait_for(sem_t *sem) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  if (sem_timedwait(sem, &until) != 0) fail_msg("waited for 10 s");
}

static psp_stream_call call_of(fixture *f, const char *method, const char *message, bool only) {
  return (psp_stream_call){.service = PSP_PUBSUB,
                           .method = method,
                           .params = "subscription=s",
                           .message = message,
                           .len = message != NULL ? strlen(message) : 0,
                           .only = only,
                           .what = "pull from s",
                           .message_came = on_message,
                           .end = on_end,
                           .arg = f};
}

static psp_streaming *start(fixture *f, const psp_stream_call *call) {
  psp_streaming *stream = NULL;
  psprobe_error error = {0};
  if (psp_stream_start(f->client, call, &stream, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return stream;
}

/* The first waits for a token, on which it begins by itself; the next has it at once. */
static void test_a_token_first(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->endpoint, "POST", TOKEN_URL), 200, NULL, TOKEN);
  const psp_stream_call call = call_of(f, "/echo", "one", true);
  for (int i = 0; i < 2; i++) {
    start(f, &call);
    wait_for(&f->ended);
    assert_int_equal(f->error.code, PSPROBE_OK);
  }
  assert_string_equal(f->messages, "one one ");
  assert_int_equal(rpc_stage_connections(f->stage), 1);
}

static void test_several_messages(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->endpoint, "POST", TOKEN_URL), 200, NULL, TOKEN);
  const psp_stream_call call = call_of(f, "/echo", "one", false);
  psp_streaming *stream = start(f, &call);
  wait_for(&f->came);
  psp_stream_send(stream, "two", 3);
  wait_for(&f->came);
  psp_stream_half_close(stream);
  wait_for(&f->ended);
  assert_int_equal(f->error.code, PSPROBE_OK);
  assert_string_equal(f->messages, "one two ");
}

/* What is said of it while it waits for a token holds when it begins. */
static void test_half_closed_before_it_began(void **state) {
  fixture *f = *state;
  fake_call *token = fake_expect(f->endpoint, "POST", TOKEN_URL);
  const psp_stream_call call = call_of(f, "/echo", "one", false);
  psp_streaming *stream = start(f, &call);
  fake_wait(token, 1);
  psp_stream_half_close(stream);
  fake_reply(token, 200, NULL, TOKEN);
  wait_for(&f->ended);
  assert_int_equal(f->error.code, PSPROBE_OK);
  assert_string_equal(f->messages, "one ");
}

static void test_refused(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->endpoint, "POST", TOKEN_URL), 200, NULL, TOKEN);
  const psp_stream_call call = call_of(f, "/refuse", "one", true);
  start(f, &call);
  wait_for(&f->ended);
  assert_int_equal(f->error.code, PSPROBE_NOT_FOUND);
  assert_true(f->error.from_service && f->asked && !f->error.retryable);
  assert_non_null(strstr(f->error.message, "pull from s: NOT_FOUND"));
}

static void test_no_token(void **state) {
  fixture *f = *state;
  fake_reply(fake_expect(f->endpoint, "POST", TOKEN_URL), 400, NULL,
             "{\"error\":\"invalid_grant\"}");
  const psp_stream_call call = call_of(f, "/echo", "one", true);
  start(f, &call);
  wait_for(&f->ended);
  assert_int_equal(f->error.code, PSPROBE_UNAUTHENTICATED);
  assert_false(f->asked);
  assert_non_null(strstr(f->error.message, "pull from s: "));
  assert_int_equal(rpc_stage_connections(f->stage), 0);
}

static void test_cancelled(void **state) {
  fixture *f = *state;
  fake_call *token = fake_expect(f->endpoint, "POST", TOKEN_URL);
  const psp_stream_call call = call_of(f, "/hold", "one", false);
  psp_streaming *stream = start(f, &call); /* it waits for a token */
  fake_wait(token, 1);
  psp_stream_cancel(stream);
  wait_for(&f->ended);
  assert_int_equal(f->error.code, PSPROBE_CANCELLED);
  fake_reply(token, 200, NULL, TOKEN);
  stream = start(f, &call);
  psp_stream_cancel(stream);
  wait_for(&f->ended);
  assert_int_equal(f->error.code, PSPROBE_CANCELLED);
}

static void test_deadline(void **state) {
  fixture *f = *state;
  fake_times(fake_expect(f->endpoint, "POST", TOKEN_URL), 0); /* no answer, if it is asked at all */
  psp_stream_call call = call_of(f, "/hold", "one", true);
  /* Also when the time is over before the wait has begun: the client's end waits for no token. */
  for (int i = 0; i < 200; i++) {
    call.timeout_ns = i == 0 ? 1000000 : 1 + i * 200;
    start(f, &call);
    wait_for(&f->ended);
    assert_int_equal(f->error.code, PSPROBE_DEADLINE_EXCEEDED);
    assert_string_equal(f->error.message, "pull from s: no access token in time");
  }
}

/* A client that is freed ends what waits for a token, and what is open, and waits for both. */
static void test_freed(void **state) {
  fixture *f = *state;
  fake_reply(fake_times(fake_expect(f->endpoint, "POST", TOKEN_URL), 0), 200, NULL, TOKEN);
  const psp_stream_call call = call_of(f, "/hold", "one", false);
  start(f, &call);
  start(f, &call);
  psprobe_client_free(f->client);
  f->client = NULL;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(sem_trywait(&f->ended), 0);
    assert_int_equal(f->error.code, PSPROBE_CANCELLED);
  }
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_a_token_first),
      TEST(test_several_messages),
      TEST(test_half_closed_before_it_began),
      TEST(test_refused),
      TEST(test_no_token),
      TEST(test_cancelled),
      TEST(test_deadline),
      TEST(test_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
