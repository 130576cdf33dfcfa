/* SPDX-License-Identifier: MIT */
/** @file What the vectors of tests/data/idtoken (run by test_idtoken_vectors.sh) leave open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "auth/verify/idtoken.h"
#include "auth/verify/keystore.h"
#include "base/json.h"
#include "base/text.h"
#include "files.h"
#include "keys.h"

#define NOW INT64_C(1800000000)
#define S   INT64_C(1000000000)

static psp_json *load(const char *path) {
  psp_buf text = test_file(path);
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text.data, text.len, path, &json, NULL), PSPROBE_OK);
  psp_buf_free(&text);
  return json;
}

/* ---- the header ---- */

static void test_authorization(void **state) {
  (void)state;
  psp_json *cases = load("tests/data/idtoken/authorization.json");
  unsigned count = 0;
  for (const psp_json *c = psp_json_first(cases); c != NULL; c = psp_json_next(c), count++) {
    /* What a server hands on: the value of the one field of that name. */
    const char *value = NULL;
    unsigned fields = 0;
    const psp_json *lines = psp_json_get(c, "headers");
    for (const psp_json *l = psp_json_first(lines); l != NULL; l = psp_json_next(l)) {
      const char *line = psp_json_string(l);
      if (strncasecmp(line, "Authorization:", 14) != 0) continue;
      value = line + 14;
      fields++;
    }
    size_t len = 0;
    const char *token = psp_idtoken_bearer(fields == 1 ? value : NULL, &len);
    const char *expected = psp_json_string(psp_json_get(c, "token"));
    const char *name = psp_json_string(psp_json_get(c, "name"));
    if (expected == NULL && token != NULL) fail_msg("%s: accepted", name);
    if (expected == NULL) continue;
    if (token == NULL) fail_msg("%s: refused", name);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(token, expected, len);
  }
  assert_true(count > 20);
  psp_json_free(cases);
}

/* ---- key sets ---- */

static const char *header_of(const psp_json *response, const char *name) {
  return psp_json_string(psp_json_get(psp_json_get(response, "headers"), name));
}

static void test_key_answers(void **state) {
  (void)state;
  psp_json *cases = load("tests/data/idtoken/jwks-answers.json");
  unsigned count = 0;
  for (const psp_json *c = psp_json_first(cases); c != NULL; c = psp_json_next(c), count++) {
    const char *name = psp_json_string(psp_json_get(c, "name"));
    const psp_json *response = psp_json_get(c, "response");
    const char *body = psp_json_string(psp_json_get(response, "body"));
    int64_t status, keys = 0, seconds = 0;
    assert_true(psp_json_int64(psp_json_get(response, "status"), &status));
    psp_jwks *set = NULL;
    psprobe_error error;
    bool good = status == 200 && psp_jwks_parse(body, strlen(body), &set, &error) == PSPROBE_OK;
    bool expected = psp_json_int64(psp_json_get(c, "keys"), &keys);
    if (good != expected) fail_msg("%s: %s", name, good ? "accepted" : "refused");
    if (!good) continue;
    if (psp_jwks_count(set) != (size_t)keys) fail_msg("%s: %zu keys", name, psp_jwks_count(set));
    assert_true(psp_json_int64(psp_json_get(c, "cache_s"), &seconds));
    int64_t fresh =
        psp_jwks_fresh_s(header_of(response, "cache-control"), header_of(response, "age"));
    if (fresh != seconds) fail_msg("%s: fresh for %lld s", name, (long long)fresh);
    psp_jwks_unref(set);
  }
  assert_true(count > 20);
  psp_json_free(cases);
}

static void test_freshness(void **state) {
  (void)state;
  static const struct {
    const char *control, *age;
    int64_t fresh_s;
  } cases[] = {
      {NULL, NULL, 300},
      {"", "", 300},
      {"public", NULL, 300},
      {"max-age=600", "-5", 600},
      {"max-age", NULL, 300},
      {"max-age=", NULL, 300},
      {"max-age=1x", NULL, 300},
      {" , max-age=600 ,", NULL, 600},
      {"max-age=600, max-age=700", NULL, 600},
      {"max-age=600,no-store", NULL, 60},
      {"max-age=\"", NULL, 300},
      {"max-age=600", "99999999999999999999", 60},
      {"max-age=600", "x", 600},
      {"max-age =600", NULL, 300},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t fresh = psp_jwks_fresh_s(cases[i].control, cases[i].age);
    if (fresh != cases[i].fresh_s) fail_msg("%s: %lld", cases[i].control, (long long)fresh);
  }
}

static void test_key_store(void **state) {
  (void)state;
  psp_keystore store = {0};
  assert_null(psp_keystore_keys(&store, 0));
  assert_int_equal(psp_keystore_due_ns(&store), 0); /* at once */
  psp_keystore_fail(&store, 10 * S, 0);
  assert_int_equal(psp_keystore_due_ns(&store), 11 * S);
  psp_keystore_fail(&store, 11 * S, 0);
  assert_int_equal(psp_keystore_due_ns(&store), 13 * S);
  char *text = test_jwks(TEST_KEY_RSA, "k");
  psp_jwks *keys;
  assert_int_equal(psp_jwks_parse(text, strlen(text), &keys, NULL), PSPROBE_OK);
  free(text);
  psp_keystore_put(&store, keys, 100 * S, 1000);
  assert_ptr_equal(psp_keystore_keys(&store, 100 * S), keys);
  assert_int_equal(psp_keystore_due_ns(&store), 1000 * S); /* 100 s before they are stale */
  /* Stale keys serve while fetches fail, for a day after their own fetch. */
  psp_keystore_fail(&store, 2000 * S, 0);
  assert_int_equal(psp_keystore_due_ns(&store), 2001 * S);
  assert_ptr_equal(psp_keystore_keys(&store, (100 + 86400) * S - 1), keys);
  assert_null(psp_keystore_keys(&store, (100 + 86400) * S));
  /* One fetch a minute for ids that we do not know. */
  assert_true(psp_keystore_may_ask(&store, 5000 * S));
  assert_false(psp_keystore_may_ask(&store, 5000 * S));
  assert_false(psp_keystore_may_ask(&store, 5060 * S - 1));
  assert_true(psp_keystore_may_ask(&store, 5060 * S));
  psp_keystore_clear(&store);
}

/* ---- tokens ---- */

#define CLAIMS                                                                                  \
  "{\"iss\":\"https://accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":" \
  "1799999400,\"sub\":\"113\",\"email\":\"a@b\",\"email_verified\":true"

static psp_idtoken_verdict check(const char *token, psp_jwks *keys, bool platform,
                                 psp_idtoken_claims *claims) {
  static const char *const emails[] = {"a@b"};
  psp_idtoken_rules rules = {.audience = "https://me",
                             .emails = emails,
                             .email_count = 1,
                             .leeway_s = 60,
                             .platform_verified = platform};
  return psp_idtoken_check(token, strlen(token), keys, &rules, NOW, claims);
}

static psp_jwks *keys_of(test_key key, const char *kid) {
  char *text = test_jwks(key, kid);
  psp_jwks *keys = NULL;
  assert_int_equal(psp_jwks_parse(text, strlen(text), &keys, NULL), PSPROBE_OK);
  free(text);
  return keys;
}

static void test_good(void **state) {
  (void)state;
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1");
  char *token = test_jwt(TEST_KEY_RSA, "k1", CLAIMS "}");
  psp_idtoken_claims claims;
  assert_int_equal(check(token, keys, false, &claims), PSP_IDTOKEN_GOOD);
  assert_string_equal(claims.kid, "k1");
  assert_string_equal(claims.subject, "113");
  assert_string_equal(claims.email, "a@b");
  assert_int_equal(claims.expires_s, 1800003000);
  /* OpenSSL, asked for the signature alone, agrees. */
  assert_true(test_jwt_verifies(token, TEST_KEY_RSA));
  free(token);
  psp_jwks_unref(keys);
}

/* A token that was found good is known again: itself, by that set of keys, and for the signature
 * alone. */
static void test_shown_again(void **state) {
  (void)state;
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1"), *others = keys_of(TEST_KEY_RSA_OTHER, "k1");
  char *token = test_jwt(TEST_KEY_RSA, "k1", CLAIMS "}");
  for (int i = 0; i < 3; i++)
    assert_int_equal(check(token, keys, false, NULL), PSP_IDTOKEN_GOOD);
  assert_int_equal(check(token, others, false, NULL), PSP_IDTOKEN_SIGNATURE);
  psp_idtoken_rules rules = {.audience = "https://me", .leeway_s = 60};
  assert_int_equal(psp_idtoken_check(token, strlen(token), keys, &rules, NOW + 10000, NULL),
                   PSP_IDTOKEN_EXPIRED);
  rules.audience = "https://you";
  assert_int_equal(psp_idtoken_check(token, strlen(token), keys, &rules, NOW, NULL),
                   PSP_IDTOKEN_AUDIENCE);
  char *dot = strrchr(token, '.');
  dot[10] = dot[10] == 'A' ? 'B' : 'A';
  assert_int_equal(check(token, keys, false, NULL), PSP_IDTOKEN_SIGNATURE);
  assert_int_equal(check(token, keys, false, NULL), PSP_IDTOKEN_SIGNATURE); /* not learned */
  free(token);
  /* More of them than are remembered: good all the same. */
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 70; i++) {
      char claims[512];
      snprintf(claims, sizeof claims, "%s,\"n\":%d}", CLAIMS, i);
      char *one = test_jwt(TEST_KEY_RSA, "k1", claims);
      assert_int_equal(check(one, keys, false, NULL), PSP_IDTOKEN_GOOD);
      free(one);
    }
  }
  psp_jwks_unref(keys);
  psp_jwks_unref(others);
}

/* Before the signature is found good nothing of a token is handed on, not even its key's id. */
static void test_nothing_before_the_signature(void **state) {
  (void)state;
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1");
  psp_idtoken_claims claims;
  char *forged = test_jwt(TEST_KEY_RSA_OTHER, "k1", CLAIMS "}");
  assert_int_equal(check(forged, keys, false, &claims), PSP_IDTOKEN_SIGNATURE);
  assert_string_equal(claims.kid, "");
  assert_string_equal(claims.email, "");
  free(forged);
  char *unknown = test_jwt(TEST_KEY_RSA_OTHER, "k2", CLAIMS "}");
  assert_int_equal(check(unknown, keys, false, &claims), PSP_IDTOKEN_UNKNOWN_KID);
  assert_int_equal(check(unknown, NULL, false, &claims), PSP_IDTOKEN_NO_KEYS);
  assert_string_equal(claims.kid, "");
  free(unknown);
  psp_jwks_unref(keys);
}

static void test_order(void **state) {
  (void)state;
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1");
  static const struct {
    const char *claims;
    psp_idtoken_verdict verdict;
  } cases[] = {
      {"{}", PSP_IDTOKEN_ISSUER},
      {"{\"iss\":\"accounts.google.com\"}", PSP_IDTOKEN_AUDIENCE},
      {"{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\"}", PSP_IDTOKEN_EXP},
      {"{\"iss\":\"accounts.google.com\",\"aud\":[\"https://me\"],\"exp\":1800003000}",
       PSP_IDTOKEN_IAT},
      {"{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":1}",
       PSP_IDTOKEN_SUBJECT},
      {"{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":1,"
       "\"sub\":\"\"}",
       PSP_IDTOKEN_SUBJECT},
      {"{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":1,"
       "\"sub\":\"1\"}",
       PSP_IDTOKEN_EMAIL},
      {"{\"iss\":\"accounts.google.com\",\"aud\":\"https://me\",\"exp\":1800003000,\"iat\":1,"
       "\"sub\":\"1\",\"email\":\"a@b\"}",
       PSP_IDTOKEN_EMAIL_UNVERIFIED},
      {CLAIMS ",\"nbf\":null}", PSP_IDTOKEN_NBF},
      {CLAIMS ",\"nbf\":1800000060}", PSP_IDTOKEN_GOOD},
      {CLAIMS ",\"nbf\":1800000061}", PSP_IDTOKEN_NBF},
      {CLAIMS ",\"azp\":{\"deep\":[[[1]]]}}", PSP_IDTOKEN_GOOD},
      {"[]", PSP_IDTOKEN_PAYLOAD_JSON},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *token = test_jwt(TEST_KEY_RSA, "k1", cases[i].claims);
    psp_idtoken_verdict verdict = check(token, keys, false, NULL);
    if (verdict != cases[i].verdict)
      fail_msg("%s: %s", cases[i].claims, psp_idtoken_reason(verdict));
    free(token);
  }
  psp_jwks_unref(keys);
}

/* A signature that Cloud Run removed is never a good one by default. */
static void test_platform_verified(void **state) {
  (void)state;
  char *token = test_jwt(TEST_KEY_RSA, "k1", CLAIMS "}");
  char removed[4096];
  snprintf(removed, sizeof removed, "%.*s.SIGNATURE_REMOVED_BY_GOOGLE",
           (int)(strrchr(token, '.') - token), token);
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1");
  assert_int_equal(check(removed, keys, false, NULL), PSP_IDTOKEN_REMOVED);
  assert_int_equal(check(removed, NULL, false, NULL), PSP_IDTOKEN_REMOVED);
  assert_int_equal(check(removed, keys, true, NULL), PSP_IDTOKEN_GOOD);
  assert_int_equal(check(removed, NULL, true, NULL), PSP_IDTOKEN_GOOD);
  /* The claims count all the same, and another signature is looked at as ever. */
  char *forged = test_jwt(TEST_KEY_RSA_OTHER, "k1", CLAIMS "}");
  assert_int_equal(check(forged, keys, true, NULL), PSP_IDTOKEN_SIGNATURE);
  free(forged);
  free(token);
  token = test_jwt(TEST_KEY_RSA, "k1", "{\"iss\":\"https://evil\"}");
  snprintf(removed, sizeof removed, "%.*s.SIGNATURE_REMOVED_BY_GOOGLE",
           (int)(strrchr(token, '.') - token), token);
  assert_int_equal(check(removed, keys, true, NULL), PSP_IDTOKEN_ISSUER);
  free(token);
  psp_jwks_unref(keys);
}

/* No audience is no check that anything could pass. */
static void test_no_audience(void **state) {
  (void)state;
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1");
  char *token = test_jwt(TEST_KEY_RSA, "k1",
                         "{\"iss\":\"accounts.google.com\",\"aud\":\"\",\"exp\":1800003000,"
                         "\"iat\":1,\"sub\":\"1\"}");
  psp_idtoken_rules rules = {.audience = "", .leeway_s = 60};
  assert_int_equal(psp_idtoken_check(token, strlen(token), keys, &rules, NOW, NULL),
                   PSP_IDTOKEN_AUDIENCE);
  rules.audience = NULL;
  assert_int_equal(psp_idtoken_check(token, strlen(token), keys, &rules, NOW, NULL),
                   PSP_IDTOKEN_AUDIENCE);
  free(token);
  psp_jwks_unref(keys);
}

/* Cut anywhere, or with any one byte changed: refused, and never read too far. */
static void test_damage(void **state) {
  (void)state;
  psp_jwks *keys = keys_of(TEST_KEY_RSA, "k1");
  char *token = test_jwt(TEST_KEY_RSA, "k1", CLAIMS "}");
  size_t whole = strlen(token);
  for (size_t len = 0; len < whole; len++) {
    char *copy = malloc(len + (len == 0));
    memcpy(copy, token, len);
    psp_idtoken_rules rules = {.audience = "https://me", .leeway_s = 60};
    assert_int_not_equal(psp_idtoken_check(copy, len, keys, &rules, NOW, NULL), PSP_IDTOKEN_GOOD);
    free(copy);
  }
  for (size_t i = 0; i < whole; i += 7) {
    char kept = token[i];
    token[i] = kept == 'A' ? 'B' : 'A';
    assert_int_not_equal(check(token, keys, false, NULL), PSP_IDTOKEN_GOOD);
    token[i] = kept;
  }
  assert_int_equal(check(token, keys, false, NULL), PSP_IDTOKEN_GOOD);
  free(token);
  psp_jwks_unref(keys);
}

static void test_reasons(void **state) {
  (void)state;
  for (int i = 0; i < PSP_IDTOKEN_VERDICTS; i++)
    assert_non_null(psp_idtoken_reason((psp_idtoken_verdict)i));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_authorization),
      cmocka_unit_test(test_key_answers),
      cmocka_unit_test(test_freshness),
      cmocka_unit_test(test_key_store),
      cmocka_unit_test(test_good),
      cmocka_unit_test(test_shown_again),
      cmocka_unit_test(test_nothing_before_the_signature),
      cmocka_unit_test(test_order),
      cmocka_unit_test(test_platform_verified),
      cmocka_unit_test(test_no_audience),
      cmocka_unit_test(test_damage),
      cmocka_unit_test(test_reasons),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
