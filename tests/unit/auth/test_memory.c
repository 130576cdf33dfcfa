/* SPDX-License-Identifier: MIT */
/** @file Memory that runs out at every single allocation: an error each time, and nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "auth/parts.h"
#include "auth/sources/claims.h"
#include "auth/verify/idtoken.h"
#include "auth/verify/verifier.h"
#include "failing_malloc.h"
#include "keys.h"

/* Secrets have pages of their own, which run out as well. */
void *__real_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset) {
  return failing_now() ? MAP_FAILED : __real_mmap(at, len, protection, flags, fd, offset);
}

/* A call that may have failed for want of memory, and for nothing else. */
static bool done(psprobe_code code, const psprobe_error *error) {
  if (code != PSPROBE_OK && code != PSPROBE_RESOURCE_EXHAUSTED) fail_msg("%s", error->message);
  return code == PSPROBE_OK;
}

static bool parse_file(void *arg) {
  const char *text = arg;
  psp_key_file *file = NULL;
  psprobe_error error;
  psprobe_error_clear(&error);
  bool good = done(psp_key_file_parse(text, strlen(text), "x", false, &file, &error), &error);
  assert_int_equal(good, file != NULL);
  psp_key_file_free(file);
  return good;
}

static void test_key_files(void **state) {
  (void)state;
  char *account = test_service_account(
      NULL, ",\"quota_project_id\":\"q\",\"universe_domain\":\"universe.example\"");
  char *const texts[] = {
      account,
      (char[]){"{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
               "\"refresh_token\":\"r\"}"},
      (char[]){"{\"type\":\"external_account_authorized_user\",\"client_id\":\"i\","
               "\"client_secret\":\"s\",\"refresh_token\":\"r\"}"},
      (char[]){"{\"type\":\"impersonated_service_account\",\"service_account_impersonation_url\":"
               "\"https://x/a/t@p:generateAccessToken\",\"delegates\":[\"d\",\"e\"],\"scopes\":"
               "[\"s\"],\"source_credentials\":{\"type\":\"authorized_user\",\"client_id\":\"i\","
               "\"client_secret\":\"s\",\"refresh_token\":\"r\"}}"},
      (char[]){
          "{\"type\":\"external_account\",\"audience\":\"//x\",\"subject_token_type\":\"u\","
          "\"credential_source\":{\"url\":\"https://x/\",\"headers\":{\"A\":\"b\",\"C\":\"d\"},"
          "\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"f\"}}}"},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_true(failing_each(parse_file, texts[i]) > 3);
  free(account);
}

static bool make_token(void *arg) {
  (void)arg;
  psp_signer *signer = NULL;
  psp_secret jwt = {0};
  psp_buf claims = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_claims_self_signed(&claims, "a@b", "https://x/", NULL, 1);
  bool good =
      done(psp_signer_new(test_key_pem(TEST_KEY_RSA), "kid", "key", &signer, &error), &error);
  if (good && claims.failed) good = false;
  if (good) good = done(psp_signer_jwt(signer, claims.data, &jwt, &error), &error);
  if (!good) assert_int_equal(jwt.len, 0);
  psp_signer_free(signer);
  psp_secret_free(&jwt);
  psp_buf_free(&claims);
  return good;
}

static void test_signing(void **state) {
  (void)state;
  test_key_pem(TEST_KEY_RSA);
  assert_true(failing_each(make_token, NULL) > 5);
}

static bool parse_keys(void *arg) {
  psp_jwks *keys = NULL;
  psprobe_error error;
  psprobe_error_clear(&error);
  bool good = done(psp_jwks_parse(arg, strlen(arg), &keys, &error), &error);
  psp_jwks_unref(keys);
  return good;
}

static void test_key_sets(void **state) {
  (void)state;
  char *text = test_jwks(TEST_KEY_RSA, "k");
  assert_int_equal(failing_each(parse_keys, text), 1);
  free(text);
}

/* All of it: found, read, checked for hygiene, signed, in the cache, shown. */
static bool find_and_sign(void *arg) {
  psprobe_credentials_options options = {.file = arg};
  psprobe_credentials *c = NULL;
  psp_secret token = {0};
  psp_got got = {0};
  psp_token_slot *slot = NULL;
  psprobe_error error;
  psprobe_error_clear(&error);
  bool good = done(psprobe_credentials_new(&options, &c, &error), &error);
  if (good) good = done(psp_credentials_id_slot(c, "https://a", &slot, &error), &error);
  if (good) {
    const psp_want want = {.kind = PSP_WANT_API};
    good = done(psp_source_get(c->source, &c->fetcher, &want, &got, &error), &error);
  }
  if (good)
    good = psp_token_cache_write(&c->api[0].cache, got.token.data, got.token.len,
                                 psp_token_schedule(0, got.life_s));
  psp_secret_free(&got.token);
  psp_secret_free(&token);
  psprobe_credentials_free(c);
  return good;
}

static void test_credentials(void **state) {
  (void)state;
  test_auth_environment();
  char *text = test_service_account(NULL, "");
  char path[512];
  snprintf(path, sizeof path, "%s", test_write(test_directory(), "adc.json", 0600, text));
  free(text);
  assert_true(failing_each(find_and_sign, path) > 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_key_files),
      cmocka_unit_test(test_signing),
      cmocka_unit_test(test_key_sets),
      cmocka_unit_test(test_credentials),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
