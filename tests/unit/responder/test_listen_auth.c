/* SPDX-License-Identifier: MIT */
/** @file A responder that takes push requests with an ID token only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_issuer.h"
#include "fake_prober.h"
#include "raw_http.h"

#define AUDIENCE "https://function.example/push?x=1"
#define ACCOUNT  "pusher@p.iam.gserviceaccount.com"
#define PUSH                                                                         \
  "{\"message\":{\"attributes\":{\"probe_id\":\"0123456789abcdef0123456789abcdef\"}" \
  ",\"messageId\":\"1\",\"data\":\"\"}}"

typedef struct fixture {
  fake_issuer issuer;
  char certs[100];
  psprobe_client *client;
  fake_prober *prober;
  psprobe_responder *responder;
  int port;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  fake_issuer_start(&f->issuer, 0, ACCOUNT);
  snprintf(f->certs, sizeof f->certs, "%s/certs", fake_issuer_url(&f->issuer));
  f->client = fake_prober_client();
  static const int script[] = {200, 0};
  f->prober = fake_prober_new(0, script);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  psprobe_responder_free(f->responder);
  psprobe_client_free(f->client);
  fake_prober_free(f->prober);
  fake_issuer_stop(&f->issuer);
  free(f);
  return 0;
}

static void begin(fixture *f, psprobe_responder_options options, bool platform) {
  static const char *const emails[] = {ACCOUNT};
  psprobe_verifier_options verify = {.audience = AUDIENCE,
                                     .emails = emails,
                                     .email_count = 1,
                                     .jwks_url = f->certs,
                                     .platform_verified = platform};
  options.prober = fake_prober_url(f->prober);
  options.verify = &verify;
  assert_int_equal(psprobe_responder_new(f->client, &options, &f->responder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_responder_listen(f->responder, "127.0.0.1:0", &f->port, NULL),
                   PSPROBE_OK);
}

static int ask(const fixture *f, const char *method, const char *path, const char *header,
               const char *body) {
  char request[8192];
  raw_answer answer = {0};
  snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
           method, path, header, strlen(body), body);
  int fd = raw_connect(f->port), status = raw_ask(fd, request, &answer);
  close(fd);
  raw_free(&answer);
  return status;
}

/* A push with such a token; `cut`: without its signature, as Cloud Run hands it on. */
static int push(fixture *f, const char *email, const char *audience, bool cut, const char *body) {
  char header[4096];
  char *token = fake_issuer_token(&f->issuer, email, audience);
  if (cut) *(strrchr(token, '.') + 1) = 0;
  snprintf(header, sizeof header, "Authorization: Bearer %s%s\r\n", token,
           cut ? "SIGNATURE_REMOVED_BY_GOOGLE" : "");
  free(token);
  return ask(f, "POST", "/push", header, body);
}

static void test_who_may(void **state) {
  fixture *f = *state;
  begin(f, (psprobe_responder_options){0}, false);
  assert_int_equal(ask(f, "POST", "/push", "", PUSH), 401);
  assert_int_equal(push(f, ACCOUNT, "https://function.example/push", false, PUSH), 401);
  assert_int_equal(push(f, ACCOUNT, AUDIENCE, true, PUSH), 401);
  assert_int_equal(push(f, "stranger@p", AUDIENCE, false, PUSH), 403);
  /* Nothing is said of a body before it is known whose it is. */
  assert_int_equal(ask(f, "POST", "/push", "", "no json"), 401);
  assert_int_equal(push(f, "stranger@p", AUDIENCE, false, "no json"), 403);
  assert_int_equal(fake_prober_count(f->prober), 0);
  assert_int_equal(psprobe_responder_rejected(f->responder), 0);
  assert_int_equal(push(f, ACCOUNT, AUDIENCE, false, "no json"), 400);
  assert_int_equal(push(f, ACCOUNT, AUDIENCE, false, PUSH), 204);
  assert_int_equal(fake_prober_count(f->prober), 1);
  assert_int_equal(ask(f, "GET", "/health", "", ""), 200); /* for start-up probes */
}

static void test_no_keys(void **state) {
  fixture *f = *state;
  f->issuer.keys = 500;
  begin(f, (psprobe_responder_options){0}, false);
  assert_int_equal(push(f, ACCOUNT, AUDIENCE, false, PUSH), 503);
  assert_int_equal(fake_prober_count(f->prober), 0);
}

static void test_platform_verified(void **state) {
  fixture *f = *state;
  begin(f, (psprobe_responder_options){0}, true);
  assert_int_equal(push(f, ACCOUNT, AUDIENCE, true, PUSH), 204);
  assert_int_equal(push(f, "stranger@p", AUDIENCE, true, PUSH), 403);
  assert_int_equal(push(f, ACCOUNT, "https://other.example", true, PUSH), 401);
  assert_int_equal(ask(f, "POST", "/push", "", PUSH), 401);
}

/* The direct form asks for tokens as well. */
static void test_direct(void **state) {
  fixture *f = *state;
  begin(f, (psprobe_responder_options){.direct = true, .timeout_ns = 1000000}, false);
  assert_int_equal(ask(f, "POST", "/push", "", PUSH), 401);
  assert_int_equal(push(f, "stranger@p", AUDIENCE, false, PUSH), 403);
  assert_int_equal(push(f, ACCOUNT, AUDIENCE, false, PUSH), 204); /* no publish time: never */
  assert_int_equal(psprobe_responder_rejected(f->responder), 1);
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_who_may),
      TEST(test_no_keys),
      TEST(test_platform_verified),
      TEST(test_direct),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
