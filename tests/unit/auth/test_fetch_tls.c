/* SPDX-License-Identifier: MIT */
/** @file Over real connections: a token service and a key set behind TLS with a CA of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <psprobe/auth.h>

#include "keys.h"
#include "tls_server.h"

typedef struct service {
  atomic_uint requests;
  bool redirect;
  char *keys;
} service;

static void answer_json(psp_buf *answer, const char *status, const char *headers,
                        const char *body) {
  psp_buf_printf(answer,
                 "HTTP/1.1 %s\r\n%scontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                 status, headers, strlen(body), body);
}

/* A security token service; with `redirect` one that sends people elsewhere, secrets and all. */
static void answer_sts(void *arg, const char *head, const char *body, psp_buf *answer) {
  service *s = arg;
  unsigned number = atomic_fetch_add(&s->requests, 1) + 1;
  if (strncmp(head, "POST /v1/token ", 15) != 0 || strstr(body, "subject_token=subject") == NULL) {
    answer_json(answer, "400 Bad Request", "", "{\"error\":\"invalid_request\"}");
  } else if (s->redirect) {
    answer_json(answer, "307 Temporary Redirect", "location: https://127.0.0.1:1/\r\n", "");
  } else {
    char token[128];
    snprintf(token, sizeof token,
             "{\"access_token\":\"ya29.tls%u\",\"token_type\":\"Bearer\",\"expires_in\":3599}",
             number);
    answer_json(answer, "200 OK", "", token);
  }
}

static psprobe_code look(tls_server *server, const char *ca_file, psprobe_credentials **c,
                         psprobe_error *error) {
  static char text[1024];
  const char *directory = test_directory();
  snprintf(text, sizeof text,
           "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/x\","
           "\"subject_token_type\":\"urn:x\",\"token_url\":\"https://127.0.0.1:%d/v1/token\","
           "\"credential_source\":{\"file\":\"%s\"}}",
           tls_server_port(server), test_write(directory, "subject", 0600, "subject\n"));
  psprobe_credentials_options options = {.file = test_write(directory, "adc.json", 0644, text),
                                         .ca_file = ca_file};
  psprobe_error_clear(error);
  return psprobe_credentials_new(&options, c, error);
}

static void test_token_service(void **state) {
  (void)state;
  service s = {.requests = 0};
  tls_server *server = tls_server_start("IP:127.0.0.1", answer_sts, &s);
  psprobe_credentials *c;
  psprobe_error error;
  assert_int_equal(look(server, tls_server_ca_file(server), &c, &error), PSPROBE_OK);
  for (int i = 0; i < 3; i++) {
    char *token = NULL;
    if (psprobe_credentials_access_token(c, &token, &error) != PSPROBE_OK)
      fail_msg("%s", error.message);
    assert_string_equal(token, "ya29.tls1");
    psprobe_token_free(token);
  }
  assert_int_equal(s.requests, 1);
  psprobe_credentials_free(c);
  tls_server_stop(server);
}

/* A certificate that nobody vouches for, and one for another name: no secret is sent. */
static void test_certificate(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    service s = {.requests = 0};
    tls_server *server =
        tls_server_start(i == 0 ? "IP:127.0.0.1" : "DNS:sts.example", answer_sts, &s);
    psprobe_credentials *c;
    psprobe_error error;
    assert_int_equal(look(server, i == 0 ? NULL : tls_server_ca_file(server), &c, &error),
                     PSPROBE_OK);
    char *token = NULL;
    assert_int_equal(psprobe_credentials_access_token(c, &token, &error), PSPROBE_UNAUTHENTICATED);
    assert_null(token);
    assert_non_null(strstr(error.message, "get a federated token from 127.0.0.1"));
    assert_int_equal(s.requests, 0);
    psprobe_credentials_free(c);
    tls_server_stop(server);
  }
}

static void test_redirect(void **state) {
  (void)state;
  service s = {.redirect = true};
  tls_server *server = tls_server_start("IP:127.0.0.1", answer_sts, &s);
  psprobe_credentials *c;
  psprobe_error error;
  assert_int_equal(look(server, tls_server_ca_file(server), &c, &error), PSPROBE_OK);
  char *token = NULL;
  assert_int_not_equal(psprobe_credentials_access_token(c, &token, &error), PSPROBE_OK);
  assert_non_null(strstr(error.message, "a redirect, which is not followed"));
  assert_int_equal(s.requests, 1);
  psprobe_credentials_free(c);
  tls_server_stop(server);
}

static void answer_keys(void *arg, const char *head, const char *body, psp_buf *answer) {
  service *s = arg;
  (void)head, (void)body;
  atomic_fetch_add(&s->requests, 1);
  answer_json(answer, "200 OK", "cache-control: max-age=3600\r\n", s->keys);
}

static void test_key_set(void **state) {
  (void)state;
  service s = {.keys = test_jwks(TEST_KEY_RSA, "k1")};
  tls_server *server = tls_server_start("DNS:localhost", answer_keys, &s);
  char url[64], claims[512], header[4096];
  snprintf(url, sizeof url, "https://localhost:%d/certs", tls_server_port(server));
  long long now = (long long)time(NULL);
  snprintf(claims, sizeof claims,
           "{\"iss\":\"https://accounts.google.com\",\"aud\":\"https://me\",\"exp\":%lld,\"iat\":"
           "%lld,\"sub\":\"1\"}",
           now + 3600, now);
  char *token = test_jwt(TEST_KEY_RSA, "k1", claims);
  snprintf(header, sizeof header, "Bearer %s", token);
  for (int i = 0; i < 2; i++) {
    /* With its CA, and without: then no key is believed, and nobody comes in. */
    psprobe_verifier_options options = {.audience = "https://me",
                                        .jwks_url = url,
                                        .ca_file = i == 0 ? tls_server_ca_file(server) : NULL};
    psprobe_verifier *verifier;
    assert_int_equal(psprobe_verifier_new(&options, &verifier, NULL), PSPROBE_OK);
    psprobe_identity identity;
    assert_int_equal(psprobe_verifier_check(verifier, header, &identity, NULL),
                     i == 0 ? PSPROBE_OK : PSPROBE_UNAVAILABLE);
    if (i == 0) assert_string_equal(identity.subject, "1");
    psprobe_verifier_free(verifier);
  }
  assert_int_equal(s.requests, 1);
  free(token);
  free(s.keys);
  tls_server_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_token_service),
      cmocka_unit_test(test_certificate),
      cmocka_unit_test(test_redirect),
      cmocka_unit_test(test_key_set),
  };
  return cmocka_run_group_tests(tests, test_auth_setup, NULL);
}
