/* SPDX-License-Identifier: MIT */
/** @file Authorization headers as a real server gets them: tests/data/idtoken/authorization.json,
 * and what only a socket can send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/verify/gate.h"
#include "base/json.h"
#include "base/text.h"
#include "fake_transport.h"
#include "files.h"
#include "keys.h"
#include "raw_http.h"

#define URL "https://www.googleapis.com/oauth2/v3/certs"

typedef struct fixture {
  fake_transport *fake;
  fake_call *keys;
  psprobe_verifier *verifier;
  psp_gate gate;
  psp_server *server;
  atomic_uint inside;
  char *good, *other, *key_text;
} fixture;

static void enter(void *arg, psp_exchange *exchange) {
  fixture *f = arg;
  atomic_fetch_add(&f->inside, 1);
  psp_exchange_reply(exchange, 200, "text/plain", "in", 2);
}

static char *token_of(const char *email) {
  char claims[512];
  long long now = (long long)time(NULL);
  snprintf(claims, sizeof claims,
           "{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\",\"exp\":%lld,\"iat\":%lld,"
           "\"sub\":\"1\",\"email\":\"%s\",\"email_verified\":true}",
           now + 3600, now, email);
  return test_jwt(TEST_KEY_RSA, "k1", claims);
}

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_http *http;
  f->fake = fake_transport_new(&http);
  f->keys = fake_times(fake_expect(f->fake, "GET", URL), 0);
  f->key_text = test_jwks(TEST_KEY_RSA, "k1");
  f->good = token_of("a@b");
  f->other = token_of("c@d");
  static const char *const emails[] = {"a@b"};
  psprobe_verifier_options options = {.audience = "https://me", .emails = emails, .email_count = 1};
  assert_int_equal(psp_verifier_new_with(&options, NULL, http, &f->verifier, NULL), PSPROBE_OK);
  f->gate = (psp_gate){.verifier = f->verifier};
  psp_route route = {.method = "POST", .pattern = "/push", .handler = enter, .arg = f};
  psp_server_options serve = {.listen = "127.0.0.1:0",
                              .routes = &route,
                              .route_count = 1,
                              .admit = psp_gate_admit,
                              .admit_arg = &f->gate};
  assert_int_equal(psp_server_new(&serve, &f->server, NULL), PSPROBE_OK);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_verifier_free(f->verifier); /* who still waits is answered */
  psp_server_free(f->server);
  fake_transport_free(f->fake);
  free(f->good);
  free(f->other);
  free(f->key_text);
  free(f);
  return 0;
}

static int ask(fixture *f, const char *lines, raw_answer *answer) {
  char request[8400];
  snprintf(request, sizeof request, "POST /push HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n%s\r\n",
           lines);
  int fd = raw_connect(psp_server_port(f->server));
  int status = raw_ask(fd, request, answer);
  close(fd);
  return status;
}

static void test_answers(void **state) {
  fixture *f = *state;
  raw_answer answer = {0};
  char lines[8192];
  fake_reply(f->keys, 200, NULL, f->key_text);
  snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", f->good);
  assert_int_equal(ask(f, lines, &answer), 200);
  assert_int_equal(f->inside, 1);
  assert_int_equal(ask(f, "", &answer), 401);
  assert_true(raw_has_header(&answer, "WWW-Authenticate: Bearer"));
  assert_non_null(strstr(answer.body.data, "token refused"));
  snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", f->other);
  assert_int_equal(ask(f, lines, &answer), 403);
  assert_false(raw_has_header(&answer, "WWW-Authenticate: Bearer"));
  assert_int_equal(f->inside, 1);
  raw_free(&answer);
}

static void test_no_keys(void **state) {
  fixture *f = *state;
  raw_answer answer = {0};
  char lines[8192];
  fake_reply(f->keys, 404, NULL, "");
  snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", f->good);
  assert_int_equal(ask(f, lines, &answer), 503);
  assert_int_equal(f->inside, 0);
  raw_free(&answer);
}

/* The captured cases, with a token that is good in place of theirs. */
static void test_headers(void **state) {
  fixture *f = *state;
  fake_reply(f->keys, 200, NULL, f->key_text);
  psp_buf text = test_file("tests/data/idtoken/authorization.json");
  psp_json *cases = NULL;
  assert_int_equal(psp_json_parse(text.data, text.len, "cases", &cases, NULL), PSPROBE_OK);
  psp_buf_free(&text);
  unsigned count = 0;
  for (const psp_json *c = psp_json_first(cases); c != NULL; c = psp_json_next(c)) {
    psp_buf lines = {0};
    bool target = false;
    const psp_json *headers = psp_json_get(c, "headers");
    for (const psp_json *h = psp_json_first(headers); h != NULL; h = psp_json_next(h)) {
      const char *line = psp_json_string(h);
      target = target || line[0] == '(';
      const char *at;
      while ((at = strstr(line, "aaa.bbb.ccc")) != NULL) {
        psp_buf_add(&lines, line, (size_t)(at - line));
        psp_buf_text(&lines, f->good);
        line = at + 11;
      }
      psp_buf_text(&lines, line);
      psp_buf_text(&lines, "\r\n");
    }
    bool good = psp_text_equal(psp_json_string(psp_json_get(c, "expect")), "accept");
    raw_answer answer = {0};
    int status = target ? 401 : ask(f, lines.data != NULL ? lines.data : "", &answer);
    if (status != (good ? 200 : 401))
      fail_msg("%s: %d", psp_json_string(psp_json_get(c, "name")), status);
    count += good;
    raw_free(&answer);
    psp_buf_free(&lines);
  }
  assert_int_equal(f->inside, count);
  psp_json_free(cases);
}

/* A name that is almost Authorization is another name, or no request at all. */
static void test_odd_names(void **state) {
  fixture *f = *state;
  fake_reply(f->keys, 200, NULL, f->key_text);
  static const char *const names[] = {"Authorization ", "Authorization\t", "Authorization\x01",
                                      "Authorizatio",   "XAuthorization",  " Authorization"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char lines[8192];
    raw_answer answer = {0};
    snprintf(lines, sizeof lines, "%s: Bearer %s\r\n", names[i], f->good);
    int status = ask(f, lines, &answer);
    if (status == 200) fail_msg("\"%s\" was taken for Authorization", names[i]);
    raw_free(&answer);
  }
  assert_int_equal(f->inside, 0);
}

static void test_open_gate(void **state) {
  fixture *f = *state;
  fake_reply(f->keys, 200, NULL, f->key_text);
  f->gate.verifier = NULL;
  raw_answer answer = {0};
  assert_int_equal(ask(f, "", &answer), 200);
  raw_free(&answer);
}

/* threads meet here */
int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {TEST(test_answers), TEST(test_no_keys), TEST(test_headers),
                                     TEST(test_odd_names), TEST(test_open_gate)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
