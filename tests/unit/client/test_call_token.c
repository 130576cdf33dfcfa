/* SPDX-License-Identifier: MIT */
/** @file Calls to Google's own endpoints: with a token, and what happens when it is not taken. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/credentials.h"
#include "client/call.h"
#include "fake_transport.h"
#include "keys.h"

#define PUBLISH   "https://pubsub.googleapis.com/v1/projects/p/topics/t:publish"
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define USER                                                                    \
  "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\"," \
  "\"refresh_token\":\"1//r\",\"quota_project_id\":\"payer\"}"

static const psp_call publish = {
    .service = PSP_PUBSUB,
    .method = "POST",
    .path = "/v1/projects/p/topics/t:publish",
    .body = "{}",
    .body_len = 2,
    .what = "publish to topic t",
};

typedef struct fixture {
  fake_transport *api, *endpoint; /* the client's connections, the credentials' */
  psprobe_credentials *credentials;
  psprobe_client *client;
} fixture;

static void start(fixture *f, const char *file, const char *pubsub_endpoint) {
  psp_http *api, *endpoint;
  f->api = fake_transport_new(&api);
  f->endpoint = fake_transport_new(&endpoint);
  fake_in_order(f->api);
  fake_in_order(f->endpoint);
  psprobe_credentials_options options = {.file =
                                             test_write(test_directory(), "adc.json", 0600, file)};
  assert_int_equal(psp_credentials_new_with(&options, NULL, endpoint, &f->credentials, NULL),
                   PSPROBE_OK);
  psprobe_client_options with = {.credentials = f->credentials, .pubsub_endpoint = pubsub_endpoint};
  assert_int_equal(psp_client_new_http(&with, api, &f->client, NULL), PSPROBE_OK);
}

static int setup(void **state) {
  test_auth_environment();
  fixture *f = calloc(1, sizeof *f);
  *state = f;
  return f == NULL;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_client_free(f->client);
  psprobe_credentials_free(f->credentials);
  fake_transport_free(f->api);
  fake_transport_free(f->endpoint);
  free(f);
  return 0;
}

static void expect_token(fixture *f, const char *text) {
  char body[128];
  snprintf(body, sizeof body,
           "{\"access_token\":\"%s\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", text);
  fake_reply(fake_expect(f->endpoint, "POST", TOKEN_URL), 200, NULL, body);
}

static fake_call *expect_publish(fixture *f, int status) {
  fake_call *call = fake_expect(f->api, "POST", PUBLISH);
  fake_reply(call, status, NULL,
             status == 200 ? "{}"
                           : "{\"error\":{\"code\":401,\"message\":\"Request had invalid "
                             "authentication credentials.\",\"status\":\"UNAUTHENTICATED\"}}");
  return call;
}

static void test_headers(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  expect_token(f, "ya29.one");
  fake_call *first = expect_publish(f, 200), *second = expect_publish(f, 200);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
  fake_call *const calls[] = {first, second};
  for (int i = 0; i < 2; i++) {
    const psp_http_request *sent = fake_request(calls[i], 0);
    assert_string_equal(fake_request_header(sent, "authorization"), "Bearer ya29.one");
    assert_string_equal(fake_request_header(sent, "x-goog-user-project"), "payer");
    assert_false(sent->no_proxy);
  }
}

/* 401: that token is dropped, a new one fetched, the call made once more. */
static void test_401(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  expect_token(f, "ya29.old");
  expect_token(f, "ya29.new");
  expect_publish(f, 401);
  fake_call *again = expect_publish(f, 200), *later = expect_publish(f, 200);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
  assert_string_equal(fake_request_header(fake_request(again, 0), "authorization"),
                      "Bearer ya29.new");
  assert_string_equal(fake_request_header(fake_request(later, 0), "authorization"),
                      "Bearer ya29.new");
}

/* And not a third time, also where the policy would. */
static void test_401_twice(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  expect_token(f, "ya29.old");
  expect_token(f, "ya29.new");
  expect_publish(f, 401);
  expect_publish(f, 401);
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, &error), PSPROBE_UNAUTHENTICATED);
  assert_int_equal(error.http_status, 401);
  assert_string_equal(error.message,
                      "publish to topic t: UNAUTHENTICATED (HTTP 401): Request had invalid "
                      "authentication credentials.");
}

static void test_403_is_passed_on(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  expect_token(f, "ya29.one");
  fake_reply(fake_expect(f->api, "POST", PUBLISH), 403, NULL,
             "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}");
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_PERMISSION_DENIED);
}

/* A machine whose clock is wrong is refused by Google with a text that does not say so. */
static void test_clock_is_named(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  expect_token(f, "ya29.one");
  expect_token(f, "ya29.two");
  for (int i = 0; i < 2; i++)
    fake_reply(fake_expect(f->api, "POST", PUBLISH), 401, "date: Tue, 15 Nov 1994 08:12:31 GMT",
               "");
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, &error), PSPROBE_UNAUTHENTICATED);
  assert_non_null(strstr(error.message, "this machine's clock is"));
  assert_non_null(strstr(error.message, "ahead of the server's"));
}

static void test_no_token(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  fake_reply(fake_expect(f->endpoint, "POST", TOKEN_URL), 400, NULL,
             "{\"error\":\"invalid_grant\",\"error_description\":\"Bad Request\"}");
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psp_call_run(f->client, &publish, NULL, &error), PSPROBE_UNAUTHENTICATED);
  assert_string_equal(error.message,
                      "publish to topic t: get an access token for a person's login from "
                      "oauth2.googleapis.com: invalid_grant (HTTP 400): Bad Request");
  assert_int_equal(error.http_status, 0); /* no answer of Pub/Sub's */
  assert_int_equal(fake_request_count(f->api), 0);
}

/* A service account of another universe: its token goes to that universe's hosts. */
static void test_universe(void **state) {
  fixture *f = *state;
  char *file = test_service_account(NULL, ",\"universe_domain\":\"universe.example\"");
  start(f, file, NULL);
  free(file);
  fake_reply(fake_expect(f->api, "POST", "https://pubsub.universe.example/v1/projects/p/*"), 200,
             NULL, "{}");
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
}

/* With an endpoint of one's own the token is for the service's own name all the same. */
static void test_endpoint(void **state) {
  fixture *f = *state;
  char *file = test_service_account(NULL, "");
  start(f, file, "https://europe-west1-pubsub.googleapis.com/");
  free(file);
  fake_call *call = fake_expect(
      f->api, "POST", "https://europe-west1-pubsub.googleapis.com/v1/projects/p/topics/t:publish");
  fake_reply(call, 200, NULL, "{}");
  assert_int_equal(psp_call_run(f->client, &publish, NULL, NULL), PSPROBE_OK);
  const char *header = fake_request_header(fake_request(call, 0), "authorization");
  char *claims = test_jwt_part(header, 1);
  assert_non_null(strstr(claims, "\"aud\":\"https://pubsub.googleapis.com/\""));
  free(claims);
}

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  assert_null(response);
  assert_int_equal(error->code, PSPROBE_CANCELLED);
  sem_post(arg);
}

/* Waiting for a token can be cancelled, and has a deadline. */
static void test_waiting(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  fake_call *hangs = fake_expect(f->endpoint, "POST", TOKEN_URL); /* no answer */
  sem_t done;
  sem_init(&done, 0, 0);
  psp_pending *pending;
  assert_int_equal(psp_call_start(f->client, &publish, on_done, &done, &pending, NULL), PSPROBE_OK);
  fake_wait(hangs, 1);
  psp_call_cancel(f->client, pending);
  sem_wait(&done);
  psp_call brief = publish;
  brief.total_ns = 1000000;
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psp_call_run(f->client, &brief, NULL, &error), PSPROBE_DEADLINE_EXCEEDED);
  assert_string_equal(error.message, "publish to topic t: no access token within the deadline");
  /* And closing ends it. */
  assert_int_equal(psp_call_start(f->client, &publish, on_done, &done, NULL, NULL), PSPROBE_OK);
  psprobe_client_free(f->client);
  f->client = NULL;
  sem_wait(&done);
  sem_destroy(&done);
}

static void test_project(void **state) {
  fixture *f = *state;
  char *file = test_service_account(NULL, "");
  start(f, file, NULL);
  free(file);
  const char *project = NULL;
  assert_int_equal(psprobe_client_project(f->client, &project, NULL), PSPROBE_OK);
  assert_string_equal(project, "file-project");
}

static void test_no_project(void **state) {
  fixture *f = *state;
  start(f, USER, NULL);
  const char *project = NULL;
  psprobe_error error;
  psprobe_error_clear(&error);
  assert_int_equal(psprobe_client_project(f->client, &project, &error),
                   PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "GOOGLE_CLOUD_PROJECT"));
  assert_null(project);
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_headers),        TEST(test_401),
      TEST(test_401_twice),      TEST(test_403_is_passed_on),
      TEST(test_clock_is_named), TEST(test_no_token),
      TEST(test_universe),       TEST(test_endpoint),
      TEST(test_waiting),        TEST(test_project),
      TEST(test_no_project),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
