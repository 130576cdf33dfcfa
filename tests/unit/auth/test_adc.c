/* SPDX-License-Identifier: MIT */
/** @file Where credentials come from: tests/data/auth/adc-order.json, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/adc.h"
#include "keys.h"
#include "lookup.h"

static char *user_file(const char *refresh_token) {
  static char text[256];
  snprintf(text, sizeof text,
           "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\","
           "\"refresh_token\":\"%s\"}",
           refresh_token);
  return text;
}

static void expect_user(lookup *f, const char *refresh_token) {
  if (lookup_anew(f) != PSPROBE_OK) fail_msg("%s", f->error.message);
  assert_string_equal(f->credentials->source->file->refresh_token.data, refresh_token);
}

static void expect_error(lookup *f, psprobe_code code, const char *why) {
  assert_int_equal(lookup_anew(f), code);
  if (strstr(f->error.message, why) == NULL) fail_msg("%s", f->error.message);
}

static void test_order(void **state) {
  lookup *f = *state;
  expect_error(f, PSPROBE_UNAUTHENTICATED, "no credentials were found");
  /* Each place is named, in order, with what was wrong there. */
  assert_non_null(strstr(f->error.message, "GOOGLE_APPLICATION_CREDENTIALS: not set; "));
  assert_non_null(strstr(f->error.message, "application_default_credentials.json: not there; "));
  assert_non_null(strstr(f->error.message, "metadata server 169.254.169.254: METADATA_SERVER"));
  assert_non_null(strstr(f->error.message, "gcloud auth application-default login"));

  lookup_well_known(user_file("well-known"));
  expect_user(f, "well-known");
  assert_non_null(strstr(f->steps, "GOOGLE_APPLICATION_CREDENTIALS: not set\n*"));

  const char *other = test_directory();
  setenv("GOOGLE_APPLICATION_CREDENTIALS",
         test_write(other, "adc.json", 0600, user_file("env-file")), 1);
  expect_user(f, "env-file");
  assert_string_equal(f->steps, "*GOOGLE_APPLICATION_CREDENTIALS: authorized_user\n");

  setenv("GOOGLE_APPLICATION_CREDENTIALS", "", 1); /* as if it were not set */
  expect_user(f, "well-known");

  const char *config = test_directory();
  test_write(config, "application_default_credentials.json", 0600, user_file("cloudsdk-config"));
  setenv("CLOUDSDK_CONFIG", config, 1);
  expect_user(f, "cloudsdk-config");
  setenv("CLOUDSDK_CONFIG", test_directory(), 1); /* without the file: HOME is not tried */
  expect_error(f, PSPROBE_UNAUTHENTICATED, "not there");
}

/* The key itself, or what else is no file's name, stands where the name of its file belongs:
 * nothing of it is shown, by whatever way it came. */
static void test_secret_as_a_name(void **state) {
  lookup *f = *state;
  static const struct {
    const char *value, *secret, *what;
  } names[] = {
      {"{\"type\":\"service_account\",\"private_key\":\"SECRET\"}", "SECRET", "holds JSON"},
      {" \n{\n  \"refresh_token\": \"SECRET\"\n}\n", "SECRET", "holds JSON"},
      {"'{\"private_key\":\"SECRET\"}'", "SECRET", "holds JSON"},
      {"\xef\xbb\xbf{\"private_key\":\"SECRET\"}", "SECRET", "holds JSON"},
      {"-----BEGIN PRIVATE KEY-----\\nSECRET\\n", "SECRET", "holds PEM"},
      {"SECRET\nSECRET", "SECRET", "a line break"},
      {"/keys/SECRET.json\r", "SECRET", "a line break"},
      {"https://user:SECRET@example.com/key.json", "SECRET", "a URL"},
      {"ya29.SECRET", "SECRET", "a token"},
      {"1//SECRET", "SECRET", "a token"},
      {"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCSECRETSECRETSECRETSECRET/x.", "SECRET",
       "something encoded"},
      {"SECRET/abcdefghijklmnopqrstuvwxyz+/abcdefghijklmnopqrstuvwxyz/abcdefghijklmnopqrstuvwxyz+/"
       "abcdefghijklmnopqrstuvwxyz/abcdefghijklmnopqrs==",
       "SECRET", "something encoded"},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    setenv("GOOGLE_APPLICATION_CREDENTIALS", names[i].value, 1);
    expect_error(f, PSPROBE_INVALID_ARGUMENT, names[i].what);
    assert_non_null(strstr(f->error.message, "GOOGLE_APPLICATION_CREDENTIALS: it holds"));
    assert_null(strstr(f->error.message, names[i].secret));
    assert_null(strstr(f->steps, names[i].secret));
    f->steps[0] = 0;
    psprobe_credentials *c = NULL;
    psprobe_credentials_options options = {
        .file = names[i].value, .on_step = lookup_note, .step_arg = f};
    assert_int_equal(psprobe_credentials_new(&options, &c, &f->error), PSPROBE_INVALID_ARGUMENT);
    assert_null(strstr(f->error.message, names[i].secret));
    assert_null(strstr(f->steps, names[i].secret));
  }
  /* A name is one, and shown: also a long one, and one that is there and looks otherwise. */
  setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/the-key-of-our-service-account.json", 1);
  expect_error(f, PSPROBE_NOT_FOUND, "/nowhere/the-key-of-our-service-account.json");
  const char *there =
      "a-name-of-more-than-sixty-four-letters-which-somebody-has-given-to-a-file-without-a-dot";
  setenv("GOOGLE_APPLICATION_CREDENTIALS", there, 1);
  expect_error(f, PSPROBE_INVALID_ARGUMENT, "something encoded");
  setenv("GOOGLE_APPLICATION_CREDENTIALS",
         test_write(test_directory(), there, 0600, user_file("long")), 1);
  expect_user(f, "long");
}

/* A place that holds something decides, also when that is broken. */
static void test_no_fall_through(void **state) {
  lookup *f = *state;
  const char *directory = test_directory();
  lookup_well_known(user_file("well-known"));
  static const struct {
    const char *text;
    psprobe_code code;
    const char *why;
  } files[] = {
      {"not json", PSPROBE_INVALID_ARGUMENT, "no proper JSON"},
      {"[]", PSPROBE_INVALID_ARGUMENT, "no proper JSON"},
      {"\xef\xbb\xbf{\"type\":\"authorized_user\"}", PSPROBE_INVALID_ARGUMENT, "no proper JSON"},
      {"{\"type\":\"x\"}", PSPROBE_INVALID_ARGUMENT, "not supported"},
      {"{\"client_email\":\"a@b\",\"private_key\":\"x\"}", PSPROBE_INVALID_ARGUMENT,
       "type is missing"},
      {"{\"type\":\"authorized_user\",\"client_id\":\"x\",\"client_secret\":\"x\"}",
       PSPROBE_INVALID_ARGUMENT, "refresh_token is missing"},
      {"{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"x\"}",
       PSPROBE_INVALID_ARGUMENT, "private_key is no PEM text"},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(directory, "adc.json", 0600, files[i].text),
           1);
    expect_error(f, files[i].code, files[i].why);
    assert_ptr_equal(strstr(f->error.message, "GOOGLE_APPLICATION_CREDENTIALS: "),
                     f->error.message);
  }
  setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/x.json", 1);
  expect_error(f, PSPROBE_NOT_FOUND, "/nonexistent/x.json: No such file");
  setenv("GOOGLE_APPLICATION_CREDENTIALS", directory, 1);
  expect_error(f, PSPROBE_INVALID_ARGUMENT, "a directory");
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  lookup_well_known("not json");
  expect_error(f, PSPROBE_INVALID_ARGUMENT, "no proper JSON");
}

static void test_ping(void **state) {
  lookup *f = *state;
  setenv("METADATA_SERVER_DETECTION", "ping-only", 1);
  lookup_prepare(f);
  fake_call *ping = fake_expect(f->fake, "GET", "http://169.254.169.254/*/instance");
  fake_reply(ping, 200, LOOKUP_FLAVOR, "id\n");
  fake_reply(fake_expect(f->fake, "GET", "*/universe/universe-domain"), 404, LOOKUP_FLAVOR, "");
  assert_int_equal(psp_credentials_resolve(f->credentials, &f->error), PSPROBE_OK);
  const psp_http_request *sent = fake_request(ping, 0);
  assert_string_equal(fake_request_header(sent, "metadata-flavor"), "Google");
  assert_true(sent->no_proxy);
  assert_true(sent->timeout_ns <= INT64_C(1000000000)); /* off Google: under a second */
  psprobe_credentials_info info;
  psprobe_credentials_describe(f->credentials, &info);
  assert_string_equal(info.kind, "metadata server");
  assert_string_equal(info.universe, "googleapis.com");
}

static void test_ping_fails(void **state) {
  lookup *f = *state;
  setenv("METADATA_SERVER_DETECTION", "ping-only", 1);
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  static const struct {
    int status;
    const char *headers, *why;
  } answers[] = {{404, LOOKUP_FLAVOR, "HTTP 404"},
                 {403, LOOKUP_FLAVOR, "HTTP 403"},
                 {200, "", "lacks \"Metadata-Flavor: Google\""},
                 {200, "Metadata-Flavor: google", "lacks \"Metadata-Flavor: Google\""},
                 {0, NULL, "metadata server metadata.test: GET metadata.test: connection refused"}};
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    lookup_prepare(f);
    f->credentials->fetcher.patience_ns = 1;
    fake_call *ping = fake_expect(f->fake, "GET", LOOKUP_META "/instance");
    if (answers[i].status != 0)
      fake_reply(ping, answers[i].status, answers[i].headers, "");
    else
      fake_fail(ping, PSPROBE_UNAVAILABLE, "GET metadata.test: connection refused");
    assert_int_equal(psp_credentials_resolve(f->credentials, &f->error), PSPROBE_UNAUTHENTICATED);
    if (strstr(f->error.message, answers[i].why) == NULL) fail_msg("%s", f->error.message);
    psprobe_credentials_free(f->credentials);
    fake_transport_free(f->fake);
    f->credentials = NULL;
    f->fake = NULL;
  }
}

/* One that is named, or where the machine is Google's, may still be starting (GKE): it is asked
 * again for a while. */
static void test_metadata_late(void **state) {
  lookup *f = *state;
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  static const char *const wishes[] = {"ping-only", "assume-present"};
  for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
    setenv("METADATA_SERVER_DETECTION", wishes[i], 1);
    lookup_prepare(f);
    f->credentials->fetcher.first_wait_ns = 1;
    for (int late = 0; late < 5; late++)
      fake_fail(fake_expect(f->fake, "GET", LOOKUP_META "/*"), PSPROBE_UNAVAILABLE, "refused");
    fake_reply(fake_expect(f->fake, "GET", LOOKUP_META "/*"), 200, LOOKUP_FLAVOR, "googleapis.com");
    if (i == 0) fake_reply(fake_expect(f->fake, "GET", LOOKUP_META "/*"), 404, LOOKUP_FLAVOR, "");
    if (psp_credentials_resolve(f->credentials, &f->error) != PSPROBE_OK)
      fail_msg("%s", f->error.message);
    psprobe_credentials_free(f->credentials);
    fake_transport_free(f->fake);
    f->credentials = NULL;
    f->fake = NULL;
  }
}

static void test_metadata_universe(void **state) {
  lookup *f = *state;
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  lookup_prepare(f);
  fake_reply(fake_expect(f->fake, "GET", LOOKUP_META "/universe/universe-domain"), 200,
             LOOKUP_FLAVOR, "evil.example/x?y=");
  assert_int_equal(psp_credentials_resolve(f->credentials, &f->error), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(f->error.message, "its universe domain is no domain name"));
}

/* A home that may not be entered is passed over; a folder that is named is not. */
static void test_home_closed(void **state) {
  lookup *f = *state;
  const char *home = getenv("HOME");
  bool root = geteuid() == 0;
  if (root) assert_int_equal(setresuid(65534, 65534, 0), 0);
  assert_int_equal(root ? 0 : chmod(home, 0), 0);
  expect_error(f, PSPROBE_UNAUTHENTICATED, "its folder may not be entered; metadata server");
  setenv("CLOUDSDK_CONFIG", home, 1);
  psprobe_code named = lookup_anew(f);
  if (root)
    assert_int_equal(setresuid(0, 0, 0), 0);
  else
    chmod(home, 0700);
  assert_int_equal(named, PSPROBE_PERMISSION_DENIED);
}

/* What would break a header is named when it is read. */
static void test_settings_of_the_lookup(void **state) {
  lookup *f = *state;
  lookup_well_known(user_file("x"));
  setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "my-project\r", 1);
  expect_error(f, PSPROBE_INVALID_ARGUMENT,
               "GOOGLE_CLOUD_QUOTA_PROJECT: it has a blank or a control");
  unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");
  setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "universe.example", 1);
  expect_error(f, PSPROBE_FAILED_PRECONDITION,
               "GOOGLE_CLOUD_UNIVERSE_DOMAIN names another universe");
  setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "googleapis.com", 1);
  expect_user(f, "x");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, lookup_setup, lookup_teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_order),
      TEST(test_secret_as_a_name),
      TEST(test_no_fall_through),
      TEST(test_ping),
      TEST(test_ping_fails),
      TEST(test_metadata_late),
      TEST(test_metadata_universe),
      TEST(test_home_closed),
      TEST(test_settings_of_the_lookup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
