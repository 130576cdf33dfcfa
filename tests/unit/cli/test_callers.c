/* SPDX-License-Identifier: MIT */
/** @file The options that say who may call a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/cli.h>

static psprobe_callers given;
static const psprobe_option options[] = {PSPROBE_CALLER_OPTIONS(
    given, "require-oidc", "answers", "audience", ": our own", psprobe_check_origin)};
static const psprobe_program program = {
    .name = "test", .options = options, .option_count = sizeof options / sizeof *options};

#define GO_ON (-1)

/* @return GO_ON or the status to end with */
static int check(const psprobe_callers *callers, psprobe_verifier_options *verify) {
  int status = GO_ON;
  given = *callers;
  bool on = psprobe_cli_callers(&program, &given, NULL, verify, &status);
  assert_true(on == (status == GO_ON));
  return status;
}

static void test_together(void **state) {
  (void)state;
  psprobe_verifier_options verify = {.audience = "left over"};
  psprobe_callers callers = {0};
  assert_int_equal(check(&callers, &verify), GO_ON);
  assert_null(verify.audience);
  callers.audience = "https://prober.example";
  assert_int_equal(check(&callers, &verify), 2);
  callers.accounts = (psprobe_text_list){{"a@p", "b@p"}, 2, NULL};
  callers.platform_verified = true;
  assert_int_equal(check(&callers, &verify), GO_ON);
  assert_string_equal(verify.audience, "https://prober.example");
  assert_int_equal(verify.email_count, 2);
  assert_string_equal(verify.emails[1], "b@p");
  assert_true(verify.platform_verified);
  assert_null(verify.jwks_url);
  callers.audience = NULL;
  assert_int_equal(check(&callers, &verify), 2);
  assert_null(verify.audience);
}

/* What would seem to protect and does not. */
static void test_of_no_use(void **state) {
  (void)state;
  psprobe_verifier_options verify;
  assert_int_equal(check(&(psprobe_callers){.platform_verified = true}, &verify), 2);
  assert_int_equal(check(&(psprobe_callers){.jwks = "https://keys.example"}, &verify), 2);
}

static void test_keys_of_others(void **state) {
  (void)state;
  static const struct {
    const char *url;
    int status;
  } cases[] = {{"https://keys.example", GO_ON},
               {"http://127.0.0.1:1/certs", GO_ON},
               {"http://keys.example", 2},
               {"http://127.0.0.1.example", 2}};
  psprobe_verifier_options verify;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_callers callers = {
        .accounts = {{"a@p"}, 1, NULL}, .audience = "https://x", .jwks = cases[i].url};
    assert_int_equal(check(&callers, &verify), cases[i].status);
  }
}

static void test_account(void **state) {
  (void)state;
  static const char *const good[] = {"a@b", "x@p.iam.gserviceaccount.com",
                                     "123-compute@developer.gserviceaccount.com"};
  static const char *const bad[] = {"", "a", "@b", "a@", "a b@c", "a@b,c@d", "A <a@b>"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(psprobe_check_account(good[i], NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(psprobe_check_account(bad[i], NULL), PSPROBE_INVALID_ARGUMENT);
}

static void test_origin(void **state) {
  (void)state;
  static const char *const good[] = {"https://prober-abc-ew.a.run.app", "http://127.0.0.1:8080",
                                     "https://[::1]:1"};
  static const char *const bad[] = {
      "", "prober.example", "https://x/", "https://x/path", "https://x?a=b", "ftp://x", "https://"};
  psprobe_error error = {0};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(psprobe_check_origin(good[i], NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(psprobe_check_origin(bad[i], NULL), PSPROBE_INVALID_ARGUMENT);
  psprobe_check_origin("https://user:hush@x.example", &error);
  assert_null(strstr(error.message, "hush"));
  psprobe_check_origin("https://x.example/", &error);
  assert_non_null(strstr(error.message, "tokens are made for https://x.example"));
}

static void test_host(void **state) {
  (void)state;
  static const char *const good[] = {"prober", "prober.example.com", "10.0.0.2", "[::1]"};
  static const char *const bad[] = {"",    "a//b",      "a/b",      "a?b",
                                    "a b", "prober:80", "u@prober", "[::1"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_int_equal(psprobe_check_host(good[i], NULL), PSPROBE_OK);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(psprobe_check_host(bad[i], NULL), PSPROBE_INVALID_ARGUMENT);
}

static void test_prober_auth(void **state) {
  (void)state;
  assert_int_equal(psprobe_check_prober_auth("none", NULL), PSPROBE_OK);
  assert_int_equal(psprobe_check_prober_auth("oidc", NULL), PSPROBE_OK);
  assert_int_equal(psprobe_check_prober_auth("OIDC", NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_check_mode("streaming", NULL), PSPROBE_OK);
  assert_int_equal(psprobe_check_mode("unary", NULL), PSPROBE_OK);
  assert_int_equal(psprobe_check_mode("push", NULL), PSPROBE_INVALID_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_together),       cmocka_unit_test(test_of_no_use),
      cmocka_unit_test(test_account),        cmocka_unit_test(test_origin),
      cmocka_unit_test(test_host),           cmocka_unit_test(test_prober_auth),
      cmocka_unit_test(test_keys_of_others),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
