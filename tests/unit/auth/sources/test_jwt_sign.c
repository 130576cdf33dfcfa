/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/sources/claims.h"
#include "auth/sources/jwt_sign.h"
#include "keys.h"

static psprobe_code make(const char *pem, psp_signer **signer, psprobe_error *error) {
  psprobe_error_clear(error);
  *signer = NULL;
  return psp_signer_new(pem, "kid-1", "credentials file x: private_key", signer, error);
}

/* OpenSSL, asked without libjwt, finds each token good. */
static void test_signatures(void **state) {
  (void)state;
  static const test_key keys[] = {TEST_KEY_RSA, TEST_KEY_PKCS1, TEST_KEY_RSA_4096};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    psp_signer *signer;
    psprobe_error error;
    assert_int_equal(make(test_key_pem(keys[i]), &signer, &error), PSPROBE_OK);
    for (int round = 0; round < 3; round++) {
      static const char claims[] = "{\"iat\":1,\"iss\":\"a@b\"}";
      psp_secret jwt = {0};
      assert_int_equal(psp_signer_jwt(signer, claims, &jwt, &error), PSPROBE_OK);
      assert_true(test_jwt_verifies(jwt.data, keys[i]));
      assert_false(test_jwt_verifies(jwt.data, TEST_KEY_RSA_OTHER));
      char *header = test_jwt_part(jwt.data, 0), *payload = test_jwt_part(jwt.data, 1);
      assert_string_equal(header, "{\"alg\":\"RS256\",\"kid\":\"kid-1\",\"typ\":\"JWT\"}");
      assert_string_equal(payload, claims);
      free(header);
      free(payload);
      psp_secret_free(&jwt);
    }
    psp_signer_free(signer);
  }
}

static void test_no_kid(void **state) {
  (void)state;
  psp_signer *signer;
  assert_int_equal(psp_signer_new(test_key_pem(TEST_KEY_RSA), NULL, "x", &signer, NULL),
                   PSPROBE_OK);
  psp_secret jwt = {0};
  assert_int_equal(psp_signer_jwt(signer, "{}", &jwt, NULL), PSPROBE_OK);
  char *header = test_jwt_part(jwt.data, 0);
  assert_string_equal(header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
  free(header);
  psp_secret_free(&jwt);
  psp_signer_free(signer);
}

static void test_refused(void **state) {
  (void)state;
  const struct {
    const char *pem, *why;
  } cases[] = {
      {test_key_pem(TEST_KEY_ENCRYPTED), "is encrypted"},
      {test_key_pem(TEST_KEY_EC), "is not an RSA key"},
      {test_key_pem(TEST_KEY_RSA_512), "fewer than 2048 bits"},
      {test_key_public(TEST_KEY_RSA), "is not a private key"},
      {"", "is no PEM text"},
      {"hello", "is no PEM text"},
      {"-----BEGIN PRIVATE KEY-----\nMIIE", "cut short"},
      {"-----BEGIN PRIVATE KEY-----\nM!!E\n-----END PRIVATE KEY-----\n", "OpenSSL can read"},
      {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "OpenSSL can read"},
      {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "OpenSSL can read"},
      {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA\n"
       "-----END RSA PRIVATE KEY-----\n",
       "is encrypted"},
      {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", "not an RSA key"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a private key"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_signer *signer;
    psprobe_error error;
    assert_int_equal(make(cases[i].pem, &signer, &error), PSPROBE_INVALID_ARGUMENT);
    if (strstr(error.message, cases[i].why) == NULL) fail_msg("%s", error.message);
    assert_non_null(strstr(error.message, "credentials file x: private_key"));
    assert_null(strstr(error.message, "MII"));
  }
}

/* Base64 lines left out one at a time: refused, or a key that cannot sign. Never read beyond. */
static void test_damaged(void **state) {
  (void)state;
  const char *pem = test_key_pem(TEST_KEY_RSA);
  const char *line = strchr(pem, '\n') + 1;
  while (strncmp(line, "-----", 5) != 0) {
    const char *next = strchr(line, '\n') + 1;
    char *damaged = malloc(strlen(pem) + 1);
    size_t before = (size_t)(line - pem);
    memcpy(damaged, pem, before);
    strcpy(damaged + before, next);
    psp_signer *signer;
    psprobe_error error;
    if (make(damaged, &signer, &error) == PSPROBE_OK) {
      psp_secret jwt = {0};
      if (psp_signer_jwt(signer, "{}", &jwt, &error) == PSPROBE_OK)
        assert_false(test_jwt_verifies(jwt.data, TEST_KEY_RSA));
      else
        assert_non_null(strstr(error.message, "private_key cannot sign"));
      psp_secret_free(&jwt);
      psp_signer_free(signer);
    }
    free(damaged);
    line = next;
  }
}

static void test_claims(void **state) {
  (void)state;
  psp_buf json = {0};
  psp_claims_self_signed(&json, "a@b", "https://pubsub.googleapis.com/", NULL, 1000);
  assert_string_equal(json.data,
                      "{\"iss\":\"a@b\",\"sub\":\"a@b\",\"aud\":\"https://pubsub.googleapis.com/"
                      "\",\"iat\":1000,\"exp\":4600}");
  psp_buf_reset(&json);
  psp_claims_self_signed(&json, "a@b", NULL, "s1 s2", 1000);
  assert_string_equal(json.data,
                      "{\"iss\":\"a@b\",\"sub\":\"a@b\",\"scope\":\"s1 "
                      "s2\",\"iat\":1000,\"exp\":4600}");
  psp_buf_reset(&json);
  psp_claims_exchange(&json, "a@b", "https://t", "s", NULL, 1000);
  assert_string_equal(
      json.data,
      "{\"iss\":\"a@b\",\"aud\":\"https://t\",\"scope\":\"s\",\"iat\":1000,\"exp\":4600}");
  psp_buf_reset(&json);
  psp_claims_exchange(&json, "a@b", "https://t", "s", "https://run", 1000);
  assert_string_equal(json.data,
                      "{\"iss\":\"a@b\",\"aud\":\"https://t\",\"target_audience\":\"https://"
                      "run\",\"iat\":1000,\"exp\":4600}");
  psp_buf_free(&json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signatures), cmocka_unit_test(test_no_kid),
      cmocka_unit_test(test_refused),    cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_claims),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
