/* SPDX-License-Identifier: MIT */
#include "fake_issuer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "keys.h"
#include "os/random.h"

#define KID "key-of-the-test"

static void show(fake_issuer *f, const char *secret) {
  if (f->on_secret != NULL && secret != NULL) f->on_secret(f->arg, secret);
}

/* No two are alike: whether one was dropped and fetched anew can be seen. */
static char *make_token(fake_issuer *f, test_key key, const char *email, const char *audience) {
  psp_buf claims = {0};
  psp_json_writer w = {.buf = &claims};
  long long now = (long long)time(NULL);
  psp_buf_printf(&claims,
                 "{\"iss\":\"https://accounts.google.com\",\"iat\":%lld,\"exp\":%lld,"
                 "\"sub\":\"1\",\"email_verified\":true,\"jti\":\"%u\",\"email\":",
                 now, now + 3600, atomic_fetch_add(&f->issued, 1));
  psp_json_put_string(&w, email);
  psp_buf_text(&claims, ",\"aud\":");
  psp_json_put_string(&w, audience);
  psp_buf_text(&claims, "}");
  assert_false(claims.failed);
  char *token = test_jwt(key, KID, claims.data);
  psp_buf_free(&claims);
  show(f, token);
  return token;
}

char *fake_issuer_token(fake_issuer *f, const char *email, const char *audience) {
  return make_token(f, TEST_KEY_RSA, email, audience);
}

static void reply(psp_exchange *exchange, int status, const char *type, const char *text) {
  psp_exchange_reply(exchange, status, type, text, strlen(text));
}

/* Refuses as a careless server would, with what it was sent in its words. */
static bool refuse(const _Atomic int *status, psp_exchange *exchange, const char *sent) {
  int refusal = atomic_load(status);
  if (refusal == 0 || refusal == 200) return false;
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psp_buf_text(&text, "{\"error\":\"invalid_grant\",\"error_description\":");
  psp_buf words = {0};
  psp_buf_printf(&words, "not taken: %s", sent);
  psp_json_put_string(&w, words.data);
  psp_buf_text(&text, "}");
  reply(exchange, refusal, "application/json", text.data);
  psp_buf_free(&words);
  psp_buf_free(&text);
  return true;
}

/* As long as Google's. */
static void reply_access(fake_issuer *f, psp_exchange *exchange) {
  char token[256] = "ya29.access-token-of-the-test-", text[400];
  for (int i = 0; i < 5; i++)
    assert_true(psp_id_new(token + strlen(token)));
  atomic_fetch_add(&f->issued, 1);
  show(f, token);
  snprintf(text, sizeof text,
           "{\"access_token\":\"%s\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", token);
  reply(exchange, 200, "application/json", text);
}

static void on_metadata(void *arg, psp_exchange *exchange) {
  fake_issuer *f = arg;
  const char *path = psp_exchange_segment(exchange, 0);
  psp_exchange_set_header(exchange, "Metadata-Flavor", "Google");
  if (f->hold_tokens != NULL && strstr(path, "default/") != NULL) sem_wait(f->hold_tokens);
  if (strcmp(path, "instance/service-accounts/default/token") == 0) {
    if (!refuse(&f->tokens, exchange, "")) reply_access(f, exchange);
  } else if (strcmp(path, "instance/service-accounts/default/identity") == 0) {
    if (refuse(&f->tokens, exchange, "")) return;
    char *token = fake_issuer_token(f, f->email, psp_exchange_query(exchange, "audience", 0));
    reply(exchange, 200, "text/html", token);
    free(token);
  } else if (strcmp(path, "universe/universe-domain") == 0) {
    reply(exchange, 404, "text/html", "<p>Not Found</p>");
  } else {
    reply(exchange, 200, "text/plain", "demo-project");
  }
}

static void on_token(void *arg, psp_exchange *exchange) {
  fake_issuer *f = arg;
  size_t len;
  const char *body = psp_exchange_body(exchange, &len);
  const char *assertion = strstr(body, "assertion=");
  char jwt[4096];
  snprintf(jwt, sizeof jwt, "%.*s", assertion != NULL ? (int)strcspn(assertion + 10, "&") : 0,
           assertion != NULL ? assertion + 10 : "");
  if (assertion != NULL) show(f, jwt);
  if (refuse(&f->tokens, exchange, assertion != NULL ? assertion + 10 : body)) return;
  char *claims = assertion != NULL ? test_jwt_part(assertion + 10, 1) : NULL;
  psp_json *json = NULL;
  if (claims != NULL) psp_json_parse(claims, strlen(claims), "claims", &json, NULL);
  const char *audience = psp_json_string(psp_json_get(json, "target_audience"));
  if (audience == NULL) {
    reply_access(f, exchange);
  } else {
    psp_buf text = {0};
    char *token = fake_issuer_token(f, f->email, audience);
    psp_buf_printf(&text, "{\"id_token\":\"%s\"}", token);
    reply(exchange, 200, "application/json", text.data);
    psp_buf_free(&text);
    free(token);
  }
  psp_json_free(json);
  free(claims);
}

static void on_certs(void *arg, psp_exchange *exchange) {
  fake_issuer *f = arg;
  atomic_fetch_add(&f->key_count, 1);
  if (f->hold_keys != NULL) sem_wait(f->hold_keys);
  if (refuse(&f->keys, exchange, "")) return;
  char *keys = test_jwks(TEST_KEY_RSA, KID);
  reply(exchange, 200, "application/json", keys);
  free(keys);
}

static void on_mint(void *arg, psp_exchange *exchange) {
  const char *email = psp_exchange_query(exchange, "email", 0);
  const char *audience = psp_exchange_query(exchange, "aud", 0);
  bool other = psp_exchange_query(exchange, "key", 0) != NULL;
  char *token = make_token(arg, other ? TEST_KEY_RSA_OTHER : TEST_KEY_RSA, email, audience);
  reply(exchange, 200, "text/plain", token);
  free(token);
}

static void on_fail(void *arg, psp_exchange *exchange) {
  fake_issuer *f = arg;
  const char *keys = psp_exchange_query(exchange, "keys", 0);
  const char *tokens = psp_exchange_query(exchange, "tokens", 0);
  atomic_store(&f->keys, keys != NULL ? (int)strtol(keys, NULL, 10) : 0);
  atomic_store(&f->tokens, tokens != NULL ? (int)strtol(tokens, NULL, 10) : 0);
  reply(exchange, 200, "text/plain", "");
}

static void on_api(void *arg, psp_exchange *exchange) {
  fake_issuer *f = arg;
  const char *shown = psp_exchange_header(exchange, "Authorization");
  char text[4096];
  const char *space = shown != NULL ? strchr(shown, ' ') : NULL;
  show(f, space != NULL ? space + 1 : NULL);
  snprintf(text, sizeof text, "Request had invalid credentials: %s", shown != NULL ? shown : "");
  psp_exchange_reply_error(exchange, 401, PSPROBE_UNAUTHENTICATED, text);
}

void fake_issuer_start(fake_issuer *f, int port, const char *email) {
  f->email = email;
  char listen[40];
  snprintf(listen, sizeof listen, "127.0.0.1:%d", port);
  const psp_route routes[] = {{"GET", "/computeMetadata/v1/*", on_metadata, f},
                              {"POST", "/token", on_token, f},
                              {"GET", "/certs", on_certs, f},
                              {"GET", "/mint", on_mint, f},
                              {"POST", "/fail", on_fail, f},
                              {"*", "/v1/*", on_api, f}};
  psp_server_options options = {.listen = listen,
                                .routes = routes,
                                .route_count = sizeof routes / sizeof *routes,
                                .threads = 1}; /* the keys are made on demand */
  psprobe_error error = {0};
  test_key_pem(TEST_KEY_RSA); /* on this thread, before anyone asks */
  if (psp_server_new(&options, &f->server, &error) != PSPROBE_OK) fail_msg("%s", error.message);
}

void fake_issuer_stop(fake_issuer *f) {
  psp_server_free(f->server);
  f->server = NULL;
}

const char *fake_issuer_url(const fake_issuer *f) {
  return psp_server_url(f->server);
}
