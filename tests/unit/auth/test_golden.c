/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Each flow that was captured from Google's own library, gone through by ours: the same requests,
 * field by field, and the same header at the end. Where we differ on purpose the flow says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/parts.h"
#include "auth/sources/claims.h"
#include "base/text.h"
#include "captured_request.h"
#include "fake_transport.h"
#include "files.h"
#include "keys.h"

/* The captures' own time, by which their answers are alive. */
#define WALL INT64_C(1795556815)

#define AUDIENCE "https://responder-abc-ew.a.run.app"
#define SCOPE    "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"

typedef struct flow {
  const char *name;
  const char *requests; /* which of the captured ones, by digit, in order */
  const char *audience; /* of an ID token; NULL: access to Pub/Sub */
  const char *env[2];   /* "NAME=value" */
  const char *error;    /* how it ends where it does not end with a header */
  /* Where we differ on purpose: a url, and a form field or member of the body. */
  const char *url;
  const char *field, *value;
  bool other_hosts;
} flow;

static const flow flows[] = {
    {.name = "sa-selfsigned-aud", .requests = ""},
    {.name = "sa-selfsigned-default-service", .requests = ""},
    {.name = "sa-nondefault-universe", .requests = ""},
    {.name = "sa-id-token", .requests = "0", .audience = AUDIENCE},
    /* Scope beside target_audience is an error by AIP-4116: left out. */
    {.name = "sa-id-token-with-scopes", .requests = "0", .audience = AUDIENCE, .field = "scope"},
    {.name = "sa-id-token-missing",
     .requests = "0",
     .audience = "https://a",
     .error = "has no id_token in it"},
    {.name = "authorized-user", .requests = "0"},
    {.name = "authorized-user-id-token",
     .requests = "",
     .audience = AUDIENCE,
     .error = "impersonate a service account"},
    {.name = "impersonated-sa-source", .requests = "01"},
    {.name = "impersonated-user-source", .requests = "01"},
    {.name = "impersonated-lifetime", .requests = "01"},
    /* We ask for cloud-platform where no scope is named; the made-up 400 is answered all the same.
     */
    {.name = "impersonated-no-scopes",
     .requests = "01",
     .field = "scope",
     .value = "[\"" PSP_SCOPE_CLOUD "\"]",
     .error = "INVALID_ARGUMENT (HTTP 400)"},
    {.name = "impersonated-other-host", .requests = "01"},
    {.name = "impersonated-denied",
     .requests = "01",
     .error = "impersonate target@target-project.iam.gserviceaccount.com (generateAccessToken): "
              "PERMISSION_DENIED (HTTP 403): Permission"},
    {.name = "impersonated-id-token", .requests = "01", .audience = AUDIENCE},
    /* The final newline of the file is no part of the token. */
    {.name = "external-file-text",
     .requests = "1",
     .field = "subject_token",
     .value = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3In0.c2ln"},
    {.name = "external-file-json-impersonated",
     .requests = "01",
     .field = "scope",
     .value = "[\"" PSP_SCOPE_CLOUD "\"]"},
    {.name = "external-url-json", .requests = "01"},
    {.name = "external-url-text", .requests = "", .error = "must be https"},
    {.name = "external-url-error", .requests = "0123", .error = "HTTP 503"},
    {.name = "external-client-auth", .requests = "0"},
    {.name = "external-workforce", .requests = "0"},
    {.name = "external-no-expires-in", .requests = "0"},
    {.name = "external-sts-error",
     .requests = "0",
     .error = "invalid_grant (HTTP 400): The audience"},
    {.name = "external-executable",
     .requests = "01",
     .env = {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"}},
    {.name = "external-authorized-user", .requests = "0"},
    {.name = "metadata-host-env",
     .requests = "2",
     .env = {"GCE_METADATA_HOST=metadata.test"},
     .url = "http://metadata.test/computeMetadata/v1/instance/service-accounts/default/"
            "token?scopes=" SCOPE},
    {.name = "metadata-ip-env-wins",
     .requests = "2",
     .env = {"GCE_METADATA_HOST=metadata.other.example.com", "GCE_METADATA_IP=metadata.test"}},
    {.name = "metadata-residency-env",
     .requests = "1",
     .env = {"K_SERVICE=responder", "GCE_METADATA_HOST=metadata.test"}},
    {.name = "metadata-detect-default",
     .requests = "3",
     .url = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/"
            "token?scopes=" SCOPE},
    /* The audience is percent-encoded, so that an & in it is one. */
    {.name = "metadata-id-token",
     .requests = "2",
     .audience = AUDIENCE "/path?x=1&y=2",
     .env = {"GCE_METADATA_HOST=metadata.test"},
     .url = "http://metadata.test/computeMetadata/v1/instance/service-accounts/default/"
            "identity?audience=https%3A%2F%2Fresponder-abc-ew.a.run.app%2Fpath%3Fx%3D1%26y%3D2"
            "&format=full"},
};

static captured_flow differences(const flow *f) {
  return (captured_flow){.name = f->name, .field = f->field, .value = f->value, .wall_s = WALL};
}

static int64_t boot_ns(void *arg) {
  (void)arg;
  return INT64_C(1000000000000);
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return WALL;
}

/* The capture's file, with a key of ours in it and with our directory for /HOME. */
static void write_credentials(const psp_json *capture, const char *directory) {
  const psp_json *file = psp_json_get(capture, "credentials_file");
  if (file == NULL) return;
  char *text = captured_text(file);
  psp_buf out = {0};
  for (const char *p = text; *p != 0;) {
    if (psp_text_starts(p, "/HOME")) {
      psp_buf_text(&out, directory);
      p += 5;
    } else if (psp_text_starts(p, "\"-----BEGIN")) {
      psp_json_writer w = {.buf = &out};
      psp_json_put_string(&w, test_key_pem(TEST_KEY_RSA));
      p = strchr(p + 1, '"') + 1;
    } else {
      psp_buf_char(&out, *p++);
    }
  }
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(directory, "adc.json", 0600, out.data), 1);
  psp_buf_free(&out);
  free(text);
}

static void write_subjects(const char *directory) {
  test_write(directory, "t", 0644, "subject");
  test_write(directory, "oidc-token", 0644, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3In0.c2ln\n");
  test_write(directory, "oidc.json", 0644,
             "{\"id_token\":\"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3In0.c2ln\"}");
  test_write(
      directory, "exe.sh", 0755,
      "#!/bin/sh\n[ \"$1\" = --arg1=v1 ] && [ \"$2\" = 'two words' ] && [ $# = 2 ] || exit 9\n"
      "[ \"$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE\" = \"//iam.googleapis.com/projects/123456789/"
      "locations/global/workloadIdentityPools/my-pool/providers/my-oidc\" ] || exit 8\n"
      "[ $GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE = urn:ietf:params:oauth:token-type:id_token ] "
      "|| exit 7\n"
      "[ $GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE = 0 ] || exit 6\n"
      "[ $GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL = "
      "target@target-project.iam.gserviceaccount.com ] || exit 5\n"
      "[ \"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE\" = \"$(dirname $0)/cache/resp.json\" ] || "
      "exit 4\n"
      "echo a warning >&2\n"
      "echo '{\"version\":1,\"success\":true,\"token_type\":"
      "\"urn:ietf:params:oauth:token-type:id_token\",\"id_token\":\"exe-subject\","
      "\"expiration_time\":1795560419}'\n");
}

/* Everything that is logged, and every error: at the end no secret may be in it. */
static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static psp_buf said;

static void note_line(void *arg, psprobe_log_level level, const char *line) {
  (void)arg, (void)level;
  pthread_mutex_lock(&said_lock);
  psp_buf_text(&said, line);
  psp_buf_char(&said, '\n');
  pthread_mutex_unlock(&said_lock);
}

static void no_secret_was_said(const flow *f) {
  static const char *const secrets[] = {"ya29",        "BEGIN",         "eyJ",     "d-secret",
                                        "csecret",     "refresh-token", "Bearer ", "wf-refresh",
                                        "exe-subject", "subject-from",  "Basic "};
  assert_non_null(said.data);
  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
    if (strstr(said.data, secrets[i]) != NULL)
      fail_msg("%s: \"%s\" is in what was said:\n%s", f->name, secrets[i], said.data);
  const char *pem = strchr(test_key_pem(TEST_KEY_RSA), '\n') + 1;
  char line[65] = "";
  strncat(line, pem + 130, 60);
  assert_null(strstr(said.data, line));
  psp_buf_reset(&said);
}

typedef struct run {
  fake_transport *fake;
  fake_call *calls[8];
  unsigned count;
  psprobe_credentials *credentials;
} run;

static void expect_requests(const flow *f, const psp_json *capture, run *r) {
  const psp_json *requests = captured_get(capture, "requests"),
                 *responses = captured_get(capture, "responses");
  fake_in_order(r->fake);
  for (const char *digit = f->requests; *digit != 0; digit++) {
    const psp_json *request = psp_json_first(requests), *response = psp_json_first(responses);
    for (int i = 0; i < *digit - '0'; i++) {
      request = psp_json_next(request);
      response = psp_json_next(response);
    }
    fake_call *call =
        fake_expect(r->fake, psp_json_string(captured_get(request, "method")),
                    f->url != NULL ? f->url : psp_json_string(captured_get(request, "url")));
    psp_buf headers = {0};
    const psp_json *lines = captured_get(response, "headers");
    for (const psp_json *h = psp_json_first(lines); h != NULL; h = psp_json_next(h))
      psp_buf_printf(&headers, "%s: %s\n", psp_json_key(h), psp_json_string(h));
    const psp_json *body = captured_get(response, "body");
    char *text = psp_json_is_string(body) ? psp_strdup(psp_json_string(body)) : captured_text(body);
    int64_t status;
    assert_true(psp_json_int64(captured_get(response, "status"), &status));
    fake_reply(call, (int)status, headers.data, text);
    psp_buf_free(&headers);
    free(text);
    r->calls[r->count++] = call;
  }
}

static void start(const flow *f, const psp_json *capture, run *r) {
  const char *directory = test_directory();
  test_auth_environment();
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  for (int i = 0; i < 2 && f->env[i] != NULL; i++) {
    char pair[128];
    snprintf(pair, sizeof pair, "%s", f->env[i]);
    char *equals = strchr(pair, '=');
    *equals = 0;
    setenv(pair, equals + 1, 1);
  }
  write_subjects(directory);
  write_credentials(capture, directory);
  psp_http *http;
  r->fake = fake_transport_new(&http);
  /* Once a machine's universe is asked for; that is part of another capture. */
  if (psp_text_starts(f->name, "metadata-")) {
    fake_call *universe = fake_expect(r->fake, "GET", "http://*/universe/universe-domain");
    fake_reply(universe, 404, "Metadata-Flavor: Google", "");
  }
  expect_requests(f, capture, r);
  psp_clock clock = {.boot_ns = boot_ns, .wall_s = wall_s};
  psprobe_logger logger = {.sink = note_line, .level = PSPROBE_LOG_DEBUG};
  psprobe_credentials_options options = {.allow_other_hosts = f->other_hosts, .logger = &logger};
  assert_int_equal(psp_credentials_new_with(&options, &clock, http, &r->credentials, NULL),
                   PSPROBE_OK);
  r->credentials->fetcher.first_wait_ns = 1000;
}

typedef struct outcome {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool heard;
  psprobe_error error;
} outcome;

static void on_ready(void *arg, const psprobe_error *error) {
  outcome *o = arg;
  pthread_mutex_lock(&o->lock);
  o->heard = true;
  if (error != NULL) o->error = *error;
  pthread_cond_signal(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

/* The header that an API call would carry, or "" and the error. */
static void get_header(run *r, const char *audience, char *header, size_t size,
                       psprobe_error *error) {
  outcome o = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  psp_token_waiter waiter = {.ready = on_ready, .arg = &o};
  psp_token_slot *slot = psp_credentials_slot(r->credentials, PSP_PUBSUB);
  if (audience != NULL)
    assert_int_equal(psp_credentials_id_slot(r->credentials, audience, &slot, NULL), PSPROBE_OK);
  assert_int_equal(psp_token_slot_wait(r->credentials, slot, &waiter, NULL), PSPROBE_OK);
  pthread_mutex_lock(&o.lock);
  while (!o.heard)
    pthread_cond_wait(&o.changed, &o.lock);
  pthread_mutex_unlock(&o.lock);
  *error = o.error;
  if (audience == NULL) slot = psp_credentials_slot(r->credentials, PSP_PUBSUB);
  uint64_t generation;
  size_t len = psp_token_slot_authorization(r->credentials, slot, header, size, &generation);
  assert_true(len < size);
  assert_int_equal(len == 0, o.error.code != PSPROBE_OK);
  if (len == 0) header[0] = 0;
}

static void check_end(const flow *f, const psp_json *capture, run *r) {
  static char header[8192];
  const captured_flow where = differences(f);
  psprobe_error error;
  psprobe_error_clear(&error);
  get_header(r, f->audience, header, sizeof header, &error);
  note_line(NULL, PSPROBE_LOG_ERROR, error.message);
  if (f->error != NULL) {
    if (strstr(error.message, f->error) == NULL) fail_msg("%s: %s", f->name, error.message);
    return;
  }
  if (error.code != PSPROBE_OK) fail_msg("%s: %s", f->name, error.message);
  const psp_json *result = psp_json_get(capture, "resulting_header");
  const char *theirs = psp_json_string(psp_json_get(result, "authorization"));
  if (psp_json_get(capture, "decoded_jwt") != NULL) {
    assert_int_equal(strncmp(header, "Bearer ", 7), 0);
    captured_check_jwt(&where, header + 7, psp_json_get(capture, "decoded_jwt"));
  } else if (psp_text_equal(theirs, "Bearer <JWT; see decoded_jwt>")) {
    fail_msg("%s: nothing to compare with", f->name);
  } else if (theirs != NULL) {
    assert_string_equal(header, theirs);
  }
  /* Not of an ID token: that is for a service of one's own. */
  const char *quota = psp_json_string(psp_json_get(result, "x-goog-user-project"));
  if (f->audience == NULL && result != NULL) {
    const char *ours = psp_credentials_quota_project(r->credentials);
    if (!psp_text_equal(ours, quota)) fail_msg("%s: quota project %s", f->name, ours);
  }
}

static void run_flow(const flow *f) {
  char path[128];
  snprintf(path, sizeof path, "tests/data/auth/%s.json", f->name);
  psp_buf text = test_file(path);
  psp_json *capture = captured_parse(text.data);
  run r = {0};
  const captured_flow where = differences(f);
  start(f, capture, &r);
  check_end(f, capture, &r);
  psprobe_credentials_free(r.credentials);
  no_secret_was_said(f);
  const psp_json *requests = captured_get(capture, "requests");
  for (unsigned i = 0; i < r.count; i++) {
    const psp_json *captured = psp_json_first(requests);
    for (int k = 0; k < f->requests[i] - '0'; k++)
      captured = psp_json_next(captured);
    captured_check_request(&where, fake_request(r.calls[i], 0), captured);
  }
  fake_transport_free(r.fake);
  psp_json_free(capture);
  psp_buf_free(&text);
}

static void test_flows(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
    print_message("  %s\n", flows[i].name);
    run_flow(&flows[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_flows)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  psp_buf_free(&said);
  return failed;
}
