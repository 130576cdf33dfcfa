/* SPDX-License-Identifier: MIT */
/* threads meet here */
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
#include "client/unary.h"
#include "fake_transport.h"
#include "keys.h"
#include "os/clock.h"
#include "raw_http.h"
#include "raw_server.h"
#include "rpc_stage.h"

#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define USER                                                                    \
  "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\"," \
  "\"refresh_token\":\"1//r\"}"
#define TOKEN "{\"access_token\":\"ya29.one\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"

typedef struct fixture {
  fake_transport *api, *endpoint;
  fake_call *token;
  psprobe_credentials *credentials;
  psprobe_client *client;
  rpc_stage *stage;
  psp_unary unary;
  sem_t ended;
  char answer[64];
  psprobe_error error; /* how it ended */
  psp_grpc_here here;
} fixture;

static void connect_to(fixture *f, int port) {
  psp_http *api;
  char url[64];
  f->api = fake_transport_new(&api);
  snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
  const psprobe_client_options with = {.credentials = f->credentials, .pubsub_endpoint = url};
  assert_int_equal(psp_client_new_http(&with, api, &f->client, NULL), PSPROBE_OK);
}

static void part(fixture *f) {
  psprobe_client_free(f->client);
  fake_transport_free(f->api);
}

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_http *endpoint;
  test_auth_environment();
  f->stage = rpc_stage_start();
  f->endpoint = fake_transport_new(&endpoint);
  f->token = fake_times(fake_expect(f->endpoint, "POST", TOKEN_URL), 0);
  fake_reply(f->token, 200, NULL, TOKEN);
  sem_init(&f->ended, 0, 0);
  const psprobe_credentials_options options = {
      .file = test_write(test_directory(), "adc.json", 0600, USER)};
  assert_int_equal(psp_credentials_new_with(&options, NULL, endpoint, &f->credentials, NULL),
                   PSPROBE_OK);
  connect_to(f, rpc_stage_port(f->stage));
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  part(f);
  psprobe_credentials_free(f->credentials);
  fake_transport_free(f->endpoint);
  rpc_stage_stop(f->stage);
  sem_destroy(&f->ended);
  free(f);
  return 0;
}

static void explain(const void *details, size_t len, psprobe_error *error) {
  (void)details, (void)len, (void)error;
}

static void on_done(void *arg, const void *answer, size_t len, const psprobe_error *error,
                    psp_grpc_here here) {
  fixture *f = arg;
  snprintf(f->answer, sizeof f->answer, "%.*s", (int)len, len > 0 ? (const char *)answer : "");
  f->error = error != NULL ? *error : (psprobe_error){.code = PSPROBE_OK};
  f->here = here;
  sem_post(&f->ended);
}

static void start(fixture *f, const char *method, int64_t timeout_ns) {
  const psp_unary_call call = {
      .service = PSP_PUBSUB,
      .method = method,
      .params = "topic=t",
      .message = "hello",
      .len = 5,
      .apart = true,
      .deadline_ns = psprobe_clock_monotonic() + timeout_ns,
      .retry = {.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE), .initial_ns = PSP_MS_NS},
      .what = "publish to t",
      .explain = explain,
      .done = on_done,
      .arg = f};
  psprobe_error error = {0};
  memset(&f->unary, 0, sizeof f->unary);
  if (psp_unary_start(&f->unary, f->client, &call, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

static psprobe_code end(fixture *f) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  if (sem_timedwait(&f->ended, &until) != 0) fail_msg("waited for 20 s");
  return f->error.code;
}

static psprobe_code run(fixture *f, const char *method) {
  start(f, method, 20 * PSP_SECOND_NS);
  return end(f);
}

static void test_an_answer(void **state) {
  fixture *f = *state;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(run(f, "/echo"), PSPROBE_OK);
    assert_string_equal(f->answer, "hello");
  }
  assert_int_equal(f->here, PSP_GRPC_SPOKEN);
  assert_int_equal(rpc_stage_connections(f->stage), 1);
}

/* The server's own UNAVAILABLE is tried again; what may have been done is not. */
static void test_retries(void **state) {
  static const psprobe_code others[] = {PSPROBE_UNKNOWN, PSPROBE_INTERNAL, PSPROBE_ABORTED,
                                        PSPROBE_DEADLINE_EXCEEDED, PSPROBE_RESOURCE_EXHAUSTED};
  fixture *f = *state;
  char method[32];
  snprintf(method, sizeof method, "/fail/%d/3", PSPROBE_UNAVAILABLE);
  assert_int_equal(run(f, method), PSPROBE_OK);
  assert_int_equal(rpc_stage_failed(f->stage), 3);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    snprintf(method, sizeof method, "/fail/%d/99", others[i]);
    assert_int_equal(run(f, method), others[i]);
    assert_int_equal(rpc_stage_failed(f->stage), 4 + i);
    assert_true(f->error.from_service);
  }
}

static void test_a_refused_token(void **state) {
  fixture *f = *state;
  char method[32];
  snprintf(method, sizeof method, "/fail/%d/1", PSPROBE_UNAUTHENTICATED);
  assert_int_equal(run(f, method), PSPROBE_OK);
  assert_int_equal(fake_count(f->token), 2);
  snprintf(method, sizeof method, "/fail/%d/99", PSPROBE_UNAUTHENTICATED);
  assert_int_equal(run(f, method), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(rpc_stage_failed(f->stage), 3);
}

static void test_two_answers(void **state) {
  fixture *f = *state;
  assert_int_equal(run(f, "/twice"), PSPROBE_INTERNAL);
  assert_non_null(strstr(f->error.message, "publish to t: 2 answers"));
}

static void test_deadline(void **state) {
  fixture *f = *state;
  run(f, "/echo"); /* a token is there */
  start(f, "/hold", 20 * PSP_MS_NS);
  assert_int_equal(end(f), PSPROBE_DEADLINE_EXCEEDED);
  char method[32];
  snprintf(method, sizeof method, "/fail/%d/1000000", PSPROBE_UNAVAILABLE);
  unsigned failed = 0; /* of one call, in a time in which this machine manages several attempts */
  for (int64_t time = 60 * PSP_MS_NS; failed < 2; time *= 2) {
    assert_true(time < 16 * PSP_SECOND_NS);
    const unsigned before = rpc_stage_failed(f->stage);
    start(f, method, time); /* the last failure is told, once no attempt fits any more */
    const psprobe_code code = end(f);
    assert_true(code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED);
    assert_non_null(
        strstr(f->error.message, "UNAVAILABLE")); /* also where the last one timed out */
    failed = rpc_stage_failed(f->stage) - before;
  }
}

/* Lost under a call that somebody had: it may be done. */
static void test_lost(void **state) {
  fixture *f = *state;
  start(f, "/hold", 60 * PSP_SECOND_NS);
  while (rpc_stage_held(f->stage) == 0)
    nanosleep(&(struct timespec){.tv_nsec = PSP_MS_NS}, NULL);
  rpc_stage_stop(f->stage);
  assert_int_equal(end(f), PSPROBE_UNKNOWN);
  assert_false(f->error.retryable);
  assert_non_null(strstr(f->error.message, "publish to t: the connection was lost"));
  f->stage = rpc_stage_start();
}

/* A client that is freed ends what waits for its next attempt. */
static void test_freed(void **state) {
  fixture *f = *state;
  char method[32];
  snprintf(method, sizeof method, "/fail/%d/1000000", PSPROBE_UNAVAILABLE);
  start(f, method, 3600 * PSP_SECOND_NS);
  while (rpc_stage_failed(f->stage) < 3)
    nanosleep(&(struct timespec){.tv_nsec = PSP_MS_NS}, NULL);
  part(f);
  assert_int_equal(sem_trywait(&f->ended), 0);
  /* An attempt that the server has at that moment may be done, and that is what is said. */
  const bool on_its_way = f->error.code == PSPROBE_UNKNOWN &&
                          strstr(f->error.message, "the channel is being closed") != NULL;
  if (f->error.code != PSPROBE_CANCELLED && f->error.code != PSPROBE_UNAVAILABLE && !on_its_way)
    fail_msg("%d: %s", (int)f->error.code, f->error.message);
  connect_to(f, rpc_stage_port(f->stage));
}

/* ---- endpoints that know no gRPC ---- */

static void speak_http1(void *arg, int fd, int nth) {
  (void)arg, (void)nth;
  raw_send(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  raw_is_closed(fd);
}

static void close_at_once(void *arg, int fd, int nth) {
  (void)arg, (void)fd, (void)nth;
}

static void test_foreign(void **state) {
  fixture *f = *state;
  raw_server *server = raw_server_start(speak_http1, NULL);
  part(f);
  connect_to(f, raw_server_port(server));
  assert_int_equal(run(f, "/echo"), PSPROBE_UNIMPLEMENTED);
  assert_int_equal(f->here, PSP_GRPC_FOREIGN);
  assert_false(psp_grpc_is_foreign(f->client, PSP_PUBSUB));
  assert_true(psp_grpc_set_foreign(f->client, PSP_PUBSUB, f->here));
  assert_false(psp_grpc_set_foreign(f->client, PSP_PUBSUB, f->here)); /* no news */
  assert_true(psp_grpc_is_foreign(f->client, PSP_PUBSUB));
  raw_server_stop(server);
}

/* It hangs up: it is doubted each time, and foreign once REST has answered three times. */
static void test_doubted(void **state) {
  fixture *f = *state;
  raw_server *server = raw_server_start(close_at_once, NULL);
  part(f);
  connect_to(f, raw_server_port(server));
  for (int i = 1; i <= 3; i++) {
    assert_int_equal(run(f, "/echo"), PSPROBE_UNAVAILABLE);
    assert_int_equal(f->here, PSP_GRPC_DOUBTED);
    assert_int_equal(psp_grpc_set_foreign(f->client, PSP_PUBSUB, f->here), i == 3);
  }
  raw_server_stop(server);
}

/* A server that has answered once is one, whatever it says later. */
static void test_known(void **state) {
  fixture *f = *state;
  char method[32];
  assert_int_equal(run(f, "/echo"), PSPROBE_OK);
  snprintf(method, sizeof method, "/fail/%d/1", PSPROBE_UNIMPLEMENTED);
  assert_int_equal(run(f, method), PSPROBE_UNIMPLEMENTED);
  assert_int_equal(f->here, PSP_GRPC_SPOKEN);
  assert_false(psp_grpc_set_foreign(f->client, PSP_PUBSUB, PSP_GRPC_FOREIGN));
  assert_false(psp_grpc_is_foreign(f->client, PSP_PUBSUB));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_an_answer), TEST(test_retries), TEST(test_a_refused_token), TEST(test_two_answers),
      TEST(test_deadline),  TEST(test_lost),    TEST(test_freed),           TEST(test_foreign),
      TEST(test_doubted),   TEST(test_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
