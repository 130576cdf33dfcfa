/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The tables of captured failures (token endpoint, JWT bearer, metadata server): for each answer
 * the number of attempts and how it ends. Google's library ends some of them in ways that we do not
 * want to share; those are listed.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "auth/parts.h"
#include "base/json.h"
#include "base/text.h"
#include "fake_transport.h"
#include "files.h"
#include "keys.h"

#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define METADATA_TOKEN                                                                      \
  "http://metadata.test/computeMetadata/v1/instance/service-accounts/default/token?scopes=" \
  "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
#define GOOD "{\"access_token\":\"ya29.then\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"

/* Where we end otherwise than Google's library: an error in place of `Bearer undefined`, the
 * decoded body in place of a crash, a redirect that is not followed, more patience. */
static const struct {
  const char *table, *name;
  unsigned attempts; /* 0: as captured */
  const char *header, *error;
} ours[] = {
    {"errors-token-endpoint", "connection reset always", 4, NULL, "reset"},
    {"errors-token-endpoint", "200 without access_token", 0, NULL, "has no access_token"},
    {"errors-token-endpoint", "200 HTML (proxy)", 0, NULL, "is an HTML page"},
    {"errors-token-endpoint", "200 empty body", 0, NULL, "is empty"},
    {"errors-token-endpoint", "200 JSON, content-type text/plain", 0, "Bearer ya29.test-token",
     NULL},
    {"errors-token-endpoint", "200 truncated JSON", 0, NULL, "is no JSON object"},
    {"errors-token-endpoint", "200 token_type mac", 0, NULL, "other than Bearer"},
    {"errors-token-endpoint", "200 access_token with CR LF", 0, NULL, "cannot stand in a header"},
    {"errors-token-endpoint", "302 to another host", 1, NULL, "a redirect, which is not followed"},
    {"errors-token-endpoint", "307 to another host", 1, NULL, "a redirect, which is not followed"},
    {"errors-token-endpoint", "404 HTML", 0, NULL, "HTTP 404, an HTML page"},
    {"errors-token-endpoint", "503 HTML always", 0, NULL, "HTTP 503, an HTML page"},
    {"errors-token-endpoint", "400 invalid_grant, reauth needed", 0, NULL,
     "gcloud auth application-default login"},
    {"errors-jwt-bearer", "200 with id_token instead", 0, NULL, "has no access_token"},
    {"errors-jwt-bearer", "400 invalid_grant, clock", 0, NULL, "this machine's clock is wrong"},
    {"metadata-errors", "200 HTML (captive portal) with flavor", 0, NULL, "is an HTML page"},
    {"metadata-errors", "404", 0, NULL, "this machine has no service account"},
    {"metadata-errors", "403", 0, NULL, "access scopes"},
    {"metadata-errors", "200 without Metadata-Flavor", 0, NULL, "it is not Google's"},
    {"metadata-errors", "301 to elsewhere", 1, NULL, "a redirect, which is not followed"},
};

static psp_json *load(const char *path) {
  psp_buf text = test_file(path);
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text.data, text.len, path, &json, NULL), PSPROBE_OK);
  psp_buf_free(&text);
  return json;
}

typedef struct answer_script {
  int status;
  psp_buf headers, body;
  unsigned bad; /* so many times, then a good one; 0: always */
  unsigned count;
} answer_script;

static void answer(void *arg, const psp_http_request *request, fake_answer *out) {
  (void)request;
  answer_script *script = arg;
  bool good = script->bad != 0 && script->count >= script->bad;
  script->count++;
  out->status = good ? 200 : script->status;
  out->headers = good ? "Metadata-Flavor: Google" : script->headers.data;
  psp_buf_text(&out->body, good ? GOOD : script->body.data != NULL ? script->body.data : "");
}

static void read_response(const psp_json *response, answer_script *script) {
  int64_t status;
  assert_true(psp_json_int64(psp_json_get(response, "status"), &status));
  script->status = (int)status;
  const psp_json *headers = psp_json_get(response, "headers");
  for (const psp_json *h = psp_json_first(headers); h != NULL; h = psp_json_next(h))
    if (strcasecmp(psp_json_key(h), "retry-after") != 0) /* a second is a second in a test too */
      psp_buf_printf(&script->headers, "%s: %s\n", psp_json_key(h), psp_json_string(h));
  const psp_json *body = psp_json_get(response, "body");
  psp_json_writer w = {.buf = &script->body};
  if (psp_json_is_string(body))
    psp_json_text(body, &script->body);
  else
    psp_json_put_json(&w, body);
}

typedef struct end {
  sem_t over;
  psprobe_error error;
} end;

static void on_ready(void *arg, const psprobe_error *error) {
  end *e = arg;
  if (error != NULL) e->error = *error;
  sem_post(&e->over);
}

/* Which credentials a table is about. */
static void choose(const char *table) {
  test_auth_environment();
  const char *directory = test_directory();
  if (strcmp(table, "metadata-errors") == 0) {
    setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
    setenv("GCE_METADATA_HOST", "metadata.test", 1);
    return;
  }
  char *text = strcmp(table, "errors-jwt-bearer") == 0
                   ? test_service_account(NULL, "")
                   : psp_strdup(
                         "{\"type\":\"authorized_user\",\"client_id\":\"id\","
                         "\"client_secret\":\"s\",\"refresh_token\":\"1//r\"}");
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(directory, "adc.json", 0600, text), 1);
  free(text);
}

static void run_case(const char *table, const psp_json *test) {
  const char *name = psp_json_key(test);
  const psp_json *response = psp_json_get(test, "response");
  const psp_json *good = psp_json_get(test, "ok");
  int64_t captured_attempts = 0;
  psp_json_int64(psp_json_get(test, "attempts"), &captured_attempts);
  unsigned attempts = (unsigned)captured_attempts;
  const char *header = psp_json_string(psp_json_get(good, "authorization"));
  const char *why = header == NULL ? "" : NULL;
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
    if (strcmp(ours[i].table, table) != 0 || strcmp(ours[i].name, name) != 0) continue;
    if (ours[i].attempts != 0) attempts = ours[i].attempts;
    header = ours[i].header;
    why = ours[i].error;
  }
  bool then = strstr(name, "then 200") != NULL;
  if (then) header = "Bearer ya29.then";

  choose(table);
  psp_http *http;
  fake_transport *fake = fake_transport_new(&http);
  bool metadata = strcmp(table, "metadata-errors") == 0;
  if (metadata)
    fake_reply(fake_expect(fake, "GET", "http://metadata.test/*/universe/universe-domain"), 404,
               "Metadata-Flavor: Google", "");
  fake_call *call = fake_times(
      fake_expect(fake, metadata ? "GET" : "POST", metadata ? METADATA_TOKEN : TOKEN_URL), 0);
  answer_script script = {.bad = then ? attempts - 1 : 0};
  const char *special = psp_json_string(response);
  if (special != NULL) {
    fake_fail(call, special[0] == 'h' ? PSPROBE_DEADLINE_EXCEEDED : PSPROBE_UNAVAILABLE, special);
  } else {
    read_response(response, &script);
    fake_handle(call, answer, &script);
  }
  psprobe_credentials *c;
  assert_int_equal(psp_credentials_new_with(NULL, NULL, http, &c, NULL), PSPROBE_OK);
  c->fetcher.first_wait_ns = 1000;
  psp_token_slot *slot = psp_credentials_slot(c, PSP_PUBSUB);
  /* A service account goes to the endpoint only when it is exchanged. */
  if (strcmp(table, "errors-jwt-bearer") == 0)
    assert_int_equal(psp_credentials_cloud_slot(c, &slot, NULL), PSPROBE_OK);
  end e = {.error = {.code = PSPROBE_OK}};
  sem_init(&e.over, 0, 0);
  psp_token_waiter waiter = {.ready = on_ready, .arg = &e};
  assert_int_equal(psp_token_slot_wait(c, slot, &waiter, NULL), PSPROBE_OK);
  sem_wait(&e.over);
  char out[4096] = "";
  uint64_t generation;
  psp_token_slot_authorization(c, slot, out, sizeof out, &generation);
  if (header != NULL && strcmp(out, header) != 0)
    fail_msg("%s: %s: \"%s\" %s", table, name, out, e.error.message);
  if (header == NULL && (out[0] != 0 || strstr(e.error.message, why) == NULL))
    fail_msg("%s: %s: \"%s\" %s", table, name, out, e.error.message);
  if (strstr(e.error.message, "<html") != NULL) fail_msg("%s shows a page", name);
  psprobe_credentials_free(c);
  if (fake_count(call) != attempts)
    fail_msg("%s: %s: %u attempts, not %u", table, name, fake_count(call), attempts);
  fake_transport_free(fake);
  sem_destroy(&e.over);
  psp_buf_free(&script.headers);
  psp_buf_free(&script.body);
}

static void run_table(const char *table, unsigned least) {
  char path[128];
  snprintf(path, sizeof path, "tests/data/auth/%s.json", table);
  psp_json *capture = load(path);
  const psp_json *results = psp_json_get(capture, "results");
  unsigned count = 0;
  for (const psp_json *t = psp_json_first(results); t != NULL; t = psp_json_next(t), count++)
    run_case(table, t);
  assert_true(count >= least);
  psp_json_free(capture);
}

static void test_token_endpoint(void **state) {
  (void)state;
  run_table("errors-token-endpoint", 20);
}

static void test_jwt_bearer(void **state) {
  (void)state;
  run_table("errors-jwt-bearer", 6);
}

static void test_metadata(void **state) {
  (void)state;
  run_table("metadata-errors", 13);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_token_endpoint),
      cmocka_unit_test(test_jwt_bearer),
      cmocka_unit_test(test_metadata),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
