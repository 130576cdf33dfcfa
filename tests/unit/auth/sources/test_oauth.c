/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/sources/oauth.h"
#include "auth/sources/subject.h"
#include "base/base64.h"

#define WHAT "get an access token for a@b from oauth2.googleapis.com"
#define NOW  INT64_C(1795556815)

static psp_answer answer_of(int status, const char *body) {
  psp_answer answer = {.status = status};
  psp_secret_add(&answer.body, body, strlen(body));
  return answer;
}

typedef psprobe_code reader(const psp_answer *answer, int64_t wall_s, const char *what,
                            psp_secret *token, int64_t *life_s, psprobe_error *error);

static psprobe_code read_id(const psp_answer *answer, int64_t wall_s, const char *what,
                            psp_secret *token, int64_t *life_s, psprobe_error *error) {
  return psp_oauth_id_token(answer, wall_s, "id_token", what, token, life_s, error);
}

typedef struct answer_case {
  reader *read;
  int status;
  const char *body;
  const char *token; /* NULL: refused */
  int64_t life_s;
  psprobe_code code;
  const char *why;
} answer_case;

#define access psp_oauth_access_token
#define TOKEN  "{\"access_token\":\"ya29.x\",\"token_type\":\"Bearer\""
/* {"exp":1795560415}, {"exp":1795556815}, {"exp":"x"}, {} */
#define JWT_GOOD    "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3OTU1NjA0MTV9.c2ln"
#define JWT_EXPIRED "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE3OTU1NTY4MTV9.c2ln"
#define JWT_TEXT    "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOiJ4In0.c2ln"
#define JWT_EMPTY   "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"

static const answer_case cases[] = {
    {access, 200, TOKEN ",\"expires_in\":3599}", "ya29.x", 3599, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":\"3599\"}", "ya29.x", 3599, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":3599.9}", "ya29.x", 3599, 0, ""},
    {access, 200, TOKEN "}", "ya29.x", 3600, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":null}", "ya29.x", 3600, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":1}", "ya29.x", 1, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":1e300}", "ya29.x", 86400, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":1e999}", "ya29.x", 86400, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":\"9223372036854775807\"}", "ya29.x", 86400, 0, ""},
    {access, 200, "{\"access_token\":\"a...............\",\"token_type\":\"bearer\"}",
     "a...............", 3600, 0, ""},
    {access, 200, "{\"access_token\":\"a\"}", "a", 3600, 0, ""},
    {access, 200, TOKEN ",\"expires_in\":0}", NULL, 0, PSPROBE_UNKNOWN, "has expired"},
    {access, 200, TOKEN ",\"expires_in\":-5}", NULL, 0, PSPROBE_UNKNOWN, "has expired"},
    {access, 200, TOKEN ",\"expires_in\":-1e999}", NULL, 0, PSPROBE_UNKNOWN, "has expired"},
    {access, 200, TOKEN ",\"expires_in\":\"soon\"}", NULL, 0, PSPROBE_UNKNOWN, "no number"},
    {access, 200, TOKEN ",\"expires_in\":true}", NULL, 0, PSPROBE_UNKNOWN, "no number"},
    {access, 200, TOKEN ",\"expires_in\":{}}", NULL, 0, PSPROBE_UNKNOWN, "no number"},
    {access, 200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}", NULL, 0, PSPROBE_UNKNOWN,
     "other than Bearer"},
    {access, 200, "{\"access_token\":\"a\",\"token_type\":7}", NULL, 0, PSPROBE_UNKNOWN,
     "other than Bearer"},
    {access, 200, "{\"expires_in\":3599}", NULL, 0, PSPROBE_UNKNOWN, "has no access_token"},
    {access, 200, "{\"access_token\":\"\"}", NULL, 0, PSPROBE_UNKNOWN, "has no access_token"},
    {access, 200, "{\"access_token\":7}", NULL, 0, PSPROBE_UNKNOWN, "has no access_token"},
    {access, 200, "{\"access_token\":\"a\\r\\nx-evil: 1\"}", NULL, 0, PSPROBE_UNKNOWN,
     "cannot stand in a header"},
    {access, 200, "{\"access_token\":\"a b\"}", NULL, 0, PSPROBE_UNKNOWN,
     "cannot stand in a header"},
    {access, 200, "{\"access_token\":\"\\u00e9\"}", NULL, 0, PSPROBE_UNKNOWN,
     "cannot stand in a header"},
    {access, 200, "", NULL, 0, PSPROBE_UNKNOWN, "is empty"},
    {access, 200, "<!DOCTYPE html>", NULL, 0, PSPROBE_UNKNOWN, "is an HTML page"},
    {access, 200, "{\"access_token\":\"ya", NULL, 0, PSPROBE_UNKNOWN, "is no JSON object"},
    {access, 200, "[]", NULL, 0, PSPROBE_UNKNOWN, "is no JSON object"},
    {access, 201, TOKEN "}", NULL, 0, PSPROBE_UNKNOWN, "HTTP 201"},
    {access, 302, "", NULL, 0, PSPROBE_UNKNOWN, "a redirect, which is not followed"},
    {access, 307, "", NULL, 0, PSPROBE_UNKNOWN, "a redirect, which is not followed"},
    {access, 400,
     "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or revoked.\"}",
     NULL, 0, PSPROBE_UNAUTHENTICATED,
     "invalid_grant (HTTP 400): Token has been expired or revoked.; log in again: gcloud auth "
     "application-default login"},
    {access, 400, "{\"error\":\"invalid_grant\",\"error_subtype\":\"invalid_rapt\"}", NULL, 0,
     PSPROBE_UNAUTHENTICATED, "log in again"},
    {access, 400,
     "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT: Token must be a "
     "short-lived token (60 minutes) and in a reasonable timeframe.\"}",
     NULL, 0, PSPROBE_UNAUTHENTICATED, "this machine's clock is wrong"},
    {access, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
     NULL, 0, PSPROBE_UNAUTHENTICATED, "deleted or disabled"},
    {access, 400, "{\"error\":\"invalid_scope\"}", NULL, 0, PSPROBE_INVALID_ARGUMENT,
     "invalid_scope (HTTP 400)"},
    {access, 401, "{\"error\":\"invalid_client\"}", NULL, 0, PSPROBE_UNAUTHENTICATED,
     "invalid_client (HTTP 401)"},
    {access, 403, "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}",
     NULL, 0, PSPROBE_PERMISSION_DENIED, "PERMISSION_DENIED (HTTP 403): no"},
    {access, 404, "<html>", NULL, 0, PSPROBE_NOT_FOUND, "HTTP 404, an HTML page"},
    {access, 500, "{\"error\":\"internal_failure\"}", NULL, 0, PSPROBE_UNAVAILABLE,
     "internal_failure"},
    {access, 502, "bad gateway", NULL, 0, PSPROBE_UNAVAILABLE, "an answer that is no JSON"},
    {access, 503, "", NULL, 0, PSPROBE_UNAVAILABLE, "an empty answer"},
    {access, 429, "{}", NULL, 0, PSPROBE_UNAVAILABLE, "JSON without an error"},
    {read_id, 200, "{\"id_token\":\"" JWT_GOOD "\"}", JWT_GOOD, 3600, 0, ""},
    {read_id, 200, "{\"access_token\":\"a\",\"expires_in\":3599}", NULL, 0, PSPROBE_UNKNOWN,
     "has no id_token"},
    {read_id, 200, "{\"id_token\":\"" JWT_EXPIRED "\"}", NULL, 0, PSPROBE_UNKNOWN,
     "by this machine's clock"},
    {read_id, 200, "{\"id_token\":\"" JWT_TEXT "\"}", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {read_id, 200, "{\"id_token\":\"" JWT_EMPTY "\"}", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {read_id, 200, "{\"id_token\":\"abc\"}", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {read_id, 200, "{\"id_token\":\"a.b\"}", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {psp_oauth_bare_id_token, 200, JWT_GOOD "\n", JWT_GOOD, 3600, 0, ""},
    {psp_oauth_bare_id_token, 200, "", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {psp_oauth_bare_id_token, 200, "<html>", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {psp_oauth_bare_id_token, 200, JWT_GOOD "\r\nx: y", NULL, 0, PSPROBE_UNKNOWN, "no JWT"},
    {psp_oauth_impersonated, 200,
     "{\"accessToken\":\"ya29.i\",\"expireTime\":\"2026-11-24T22:46:55Z\"}", "ya29.i", 3600, 0, ""},
    {psp_oauth_impersonated, 200,
     "{\"accessToken\":\"ya29.i\",\"expireTime\":\"2026-11-24T22:46:55.999Z\"}", "ya29.i", 3600, 0,
     ""},
    {psp_oauth_impersonated, 200, "{\"accessToken\":\"ya29.i\"}", NULL, 0, PSPROBE_UNKNOWN,
     "no expireTime"},
    {psp_oauth_impersonated, 200, "{\"accessToken\":\"ya29.i\",\"expireTime\":\"tomorrow\"}", NULL,
     0, PSPROBE_UNKNOWN, "no expireTime"},
    {psp_oauth_impersonated, 200,
     "{\"accessToken\":\"ya29.i\",\"expireTime\":\"2020-01-01T00:00:00Z\"}", NULL, 0,
     PSPROBE_UNKNOWN, "by this machine's clock"},
    {psp_oauth_impersonated, 200, "{\"expireTime\":\"2026-11-24T22:46:55Z\"}", NULL, 0,
     PSPROBE_UNKNOWN, "no accessToken"},
};

static void test_answers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const answer_case *c = &cases[i];
    psp_answer answer = answer_of(c->status, c->body);
    psp_secret token = {0};
    psp_secret_text(&token, "Bearer "); /* it adds to what is there */
    int64_t life_s = -1;
    psprobe_error error;
    psprobe_error_clear(&error);
    psprobe_code code = c->read(&answer, NOW, WHAT, &token, &life_s, &error);
    if ((code == PSPROBE_OK) != (c->token != NULL))
      fail_msg("%d %s: %s", c->status, c->body, error.message);
    if (code == PSPROBE_OK) {
      assert_string_equal(token.data + 7, c->token);
      assert_int_equal(life_s, c->life_s);
    } else {
      if (strstr(error.message, c->why) == NULL || code != c->code)
        fail_msg("%d %s: %s: %s", c->status, c->body, psprobe_code_name(code), error.message);
      assert_int_equal(error.http_status, c->status);
      assert_ptr_equal(strstr(error.message, WHAT), error.message);
      assert_int_equal(error.retryable, code == PSPROBE_UNAVAILABLE);
    }
    psp_secret_free(&token);
    psp_answer_free(&answer);
  }
}

/* An endpoint that sends back what we sent does not bring it into our log. */
static void test_no_echo(void **state) {
  (void)state;
  psp_answer answer =
      answer_of(400,
                "{\"error\":\"invalid_grant\",\"error_description\":\"bad assertion "
                "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhQGIifQ.c2lnbmF0dXJlc2ln of "
                "a-long-service-account-name@project.iam.gserviceaccount.com, see "
                "https://cloud.google.com/iam/docs/service-account-creds-and-more\"}");
  psprobe_error error;
  psp_oauth_fail(&answer, NOW, WHAT, &error);
  assert_null(strstr(error.message, "eyJ"));
  assert_non_null(strstr(error.message, "bad assertion ? of a-long-service-account-name@project"));
  assert_non_null(strstr(error.message, "https://cloud.google.com/iam"));
  psp_answer_free(&answer);
}

static void test_clock(void **state) {
  (void)state;
  psp_answer answer = answer_of(400, "{\"error\":\"invalid_grant\"}");
  psprobe_error error;
  answer.date_s = NOW - 3600;
  psp_oauth_fail(&answer, NOW, WHAT, &error);
  assert_non_null(strstr(error.message, "clock is 3600 s ahead of the server's"));
  answer.date_s = NOW + 3600;
  psp_oauth_fail(&answer, NOW, WHAT, &error);
  assert_non_null(strstr(error.message, "clock is 3600 s behind the server's"));
  answer.date_s = NOW + 5;
  psp_oauth_fail(&answer, NOW, WHAT, &error);
  assert_null(strstr(error.message, "clock"));
  psp_answer_free(&answer);
  /* With a clock that is an hour ahead an ID token still has its life: the server's clock counts.
   */
  answer = answer_of(200, "{\"id_token\":\"" JWT_GOOD "\"}");
  answer.date_s = NOW;
  psp_secret token = {0};
  int64_t life_s;
  assert_int_equal(read_id(&answer, NOW + 3600, WHAT, &token, &life_s, &error), PSPROBE_OK);
  assert_int_equal(life_s, 3600);
  psp_secret_free(&token);
  psp_answer_free(&answer);
}

static void test_base64url(void **state) {
  (void)state;
  static const struct {
    const char *text;
    long len;
  } texts[] = {{"", 0},       {"AA", 1},   {"AAA", 2},   {"AAAA", 3},      {"_-8", 2},  {"A", -1},
               {"AAAAA", -1}, {"AB", -1},  {"AAB", -1},  {"AA==", -1},     {"AA=", -1}, {"+A", -1},
               {"/A", -1},    {"A A", -1}, {"AA\n", -1}, {"A\xc3\xa9", -1}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    unsigned char out[8];
    long len = psp_base64url_decode(texts[i].text, strlen(texts[i].text), out, sizeof out);
    if (len != texts[i].len) fail_msg("%s: %ld", texts[i].text, len);
  }
  unsigned char out[2];
  assert_int_equal(psp_base64url_decode("AAAA", 4, out, 2), -1);
  assert_int_equal(psp_base64url_decode("AAA", 3, out, 2), 2);
}

/* ---- subject tokens ---- */

static void test_subject(void **state) {
  (void)state;
  static const struct {
    const char *text, *field, *token;
  } texts[] = {
      {"abc", NULL, "abc"},
      {"abc\n", NULL, "abc"},
      {"abc \r\n\t", NULL, "abc"},
      {" abc", NULL, " abc"},
      {"", NULL, NULL},
      {"\n", NULL, NULL},
      {"{\"t\":\"abc\"}", "t", "abc"},
      {"{\"t\":\"\"}", "t", NULL},
      {"{\"t\":1}", "t", NULL},
      {"{}", "t", NULL},
      {"abc", "t", NULL},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    psp_secret token = {0};
    psprobe_code code =
        psp_subject_read(texts[i].text, strlen(texts[i].text), texts[i].field, "x", &token, NULL);
    assert_int_equal(code == PSPROBE_OK, texts[i].token != NULL);
    if (code == PSPROBE_OK) assert_string_equal(token.data, texts[i].token);
    psp_secret_free(&token);
  }
}

#define ANSWER "{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:"
#define EXPIRY "\"expiration_time\":1795557000"

static void test_executable(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool need_expiry;
    psp_executable_verdict verdict;
    const char *why;
  } answers[] = {
      {ANSWER "id_token\",\"id_token\":\"t\"," EXPIRY "}", true, PSP_EXECUTABLE_TOKEN, ""},
      {ANSWER "jwt\",\"id_token\":\"t\"," EXPIRY "}", true, PSP_EXECUTABLE_TOKEN, ""},
      {ANSWER "saml2\",\"saml_response\":\"t\"," EXPIRY "}", true, PSP_EXECUTABLE_TOKEN, ""},
      {ANSWER "jwt\",\"id_token\":\"t\"}", false, PSP_EXECUTABLE_TOKEN, ""},
      {ANSWER "jwt\",\"id_token\":\"t\"}", true, PSP_EXECUTABLE_BROKEN, "expiration_time"},
      {ANSWER "jwt\",\"id_token\":\"t\",\"expiration_time\":\"x\"}", true, PSP_EXECUTABLE_BROKEN,
       "no number"},
      {ANSWER "jwt\",\"id_token\":\"t\",\"expiration_time\":1795556815}", true,
       PSP_EXECUTABLE_EXPIRED, "expired"},
      {ANSWER "saml2\",\"id_token\":\"t\"}", false, PSP_EXECUTABLE_BROKEN, "no token"},
      {ANSWER "saml1\",\"id_token\":\"t\"}", false, PSP_EXECUTABLE_BROKEN, "not supported"},
      {"{\"version\":1,\"success\":true,\"id_token\":\"t\"}", false, PSP_EXECUTABLE_BROKEN,
       "token_type"},
      {"{\"version\":2,\"success\":true}", false, PSP_EXECUTABLE_BROKEN, "version"},
      {"{\"version\":0,\"success\":true}", false, PSP_EXECUTABLE_BROKEN, "version"},
      {"{\"success\":true}", false, PSP_EXECUTABLE_BROKEN, "version"},
      {"{\"version\":1}", false, PSP_EXECUTABLE_BROKEN, "success"},
      {"{\"version\":1,\"success\":false,\"code\":\"401\",\"message\":\"no\"}", false,
       PSP_EXECUTABLE_FAILED, "401: no"},
      {"{\"version\":1,\"success\":false,\"message\":\"no\"}", false, PSP_EXECUTABLE_BROKEN,
       "does not say why"},
      {"warning\n{\"version\":1}", false, PSP_EXECUTABLE_BROKEN, "JSON"},
      {"", false, PSP_EXECUTABLE_BROKEN, "JSON"},
  };
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    psp_secret token = {0};
    psprobe_error error;
    psprobe_error_clear(&error);
    psp_executable_verdict verdict = psp_executable_read(
        answers[i].text, strlen(answers[i].text), NOW, answers[i].need_expiry, "x", &token, &error);
    if (verdict != answers[i].verdict || strstr(error.message, answers[i].why) == NULL)
      fail_msg("%s: %d %s", answers[i].text, verdict, error.message);
    if (verdict == PSP_EXECUTABLE_TOKEN) assert_string_equal(token.data, "t");
    psp_secret_free(&token);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_answers), cmocka_unit_test(test_no_echo),
      cmocka_unit_test(test_clock),   cmocka_unit_test(test_base64url),
      cmocka_unit_test(test_subject), cmocka_unit_test(test_executable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
