/* SPDX-License-Identifier: MIT */
/** @file Where credentials and the project come from: tests/data/auth/adc-order.json and
 * project-id.json, case by case. */
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
#include "auth/parts.h"
#include "base/text.h"
#include "fake_transport.h"
#include "keys.h"

#define META   "http://metadata.test/computeMetadata/v1"
#define FLAVOR "Metadata-Flavor: Google"

static char *user_file(const char *refresh_token) {
  static char text[256];
  snprintf(text, sizeof text,
           "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\","
           "\"refresh_token\":\"%s\"}",
           refresh_token);
  return text;
}

typedef struct fixture {
  fake_transport *fake;
  psprobe_credentials *credentials;
  psprobe_error error;
  char steps[2048];
} fixture;

static int setup(void **state) {
  test_auth_environment();
  fixture *f = calloc(1, sizeof *f);
  *state = f;
  return f == NULL;
}

static int teardown(void **state) {
  fixture *f = *state;
  psprobe_credentials_free(f->credentials);
  if (f->fake != NULL) fake_transport_free(f->fake);
  free(f);
  return 0;
}

static void note(void *arg, const char *place, const char *outcome, bool used) {
  fixture *f = arg;
  size_t len = strlen(f->steps);
  snprintf(f->steps + len, sizeof f->steps - len, "%s%s: %s\n", used ? "*" : "", place, outcome);
}

/* Looks anew. */
static psprobe_code look(fixture *f) {
  psprobe_credentials_free(f->credentials);
  f->credentials = NULL;
  psp_http *http;
  if (f->fake == NULL) {
    f->fake = fake_transport_new(&http);
  } else {
    fake_transport_free(f->fake);
    f->fake = fake_transport_new(&http);
  }
  f->steps[0] = 0;
  psprobe_error_clear(&f->error);
  psprobe_credentials_options options = {.on_step = note, .step_arg = f};
  assert_int_equal(psp_credentials_new_with(&options, NULL, http, &f->credentials, NULL),
                   PSPROBE_OK);
  return psp_credentials_resolve(f->credentials, &f->error);
}

static void expect_user(fixture *f, const char *refresh_token) {
  if (look(f) != PSPROBE_OK) fail_msg("%s", f->error.message);
  assert_string_equal(f->credentials->source->file->refresh_token.data, refresh_token);
}

static void expect_error(fixture *f, psprobe_code code, const char *why) {
  assert_int_equal(look(f), code);
  if (strstr(f->error.message, why) == NULL) fail_msg("%s", f->error.message);
}

static void write_well_known(const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/.config", getenv("HOME"));
  mkdir(path, 0700);
  strcat(path, "/gcloud");
  mkdir(path, 0700);
  test_write(path, "application_default_credentials.json", 0600, text);
}

static void test_order(void **state) {
  fixture *f = *state;
  expect_error(f, PSPROBE_UNAUTHENTICATED, "no credentials were found");
  /* Each place is named, in order, with what was wrong there. */
  assert_non_null(strstr(f->error.message, "GOOGLE_APPLICATION_CREDENTIALS: not set; "));
  assert_non_null(strstr(f->error.message, "application_default_credentials.json: not there; "));
  assert_non_null(strstr(f->error.message, "metadata server 169.254.169.254: METADATA_SERVER"));
  assert_non_null(strstr(f->error.message, "gcloud auth application-default login"));

  write_well_known(user_file("well-known"));
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
  fixture *f = *state;
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
    psprobe_credentials_options options = {.file = names[i].value, .on_step = note, .step_arg = f};
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
  fixture *f = *state;
  const char *directory = test_directory();
  write_well_known(user_file("well-known"));
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
  write_well_known("not json");
  expect_error(f, PSPROBE_INVALID_ARGUMENT, "no proper JSON");
}

/* ---- the metadata server ---- */

/* Credentials over a scripted transport, looked up when the test has said what is answered. */
static psprobe_code look_scripted(fixture *f) {
  return psp_credentials_resolve(f->credentials, &f->error);
}

static void prepare(fixture *f) {
  psp_http *http;
  f->fake = fake_transport_new(&http);
  psprobe_credentials_options options = {.on_step = note, .step_arg = f};
  assert_int_equal(psp_credentials_new_with(&options, NULL, http, &f->credentials, NULL),
                   PSPROBE_OK);
}

static void test_ping(void **state) {
  fixture *f = *state;
  setenv("METADATA_SERVER_DETECTION", "ping-only", 1);
  prepare(f);
  fake_call *ping = fake_expect(f->fake, "GET", "http://169.254.169.254/*/instance");
  fake_reply(ping, 200, FLAVOR, "id\n");
  fake_reply(fake_expect(f->fake, "GET", "*/universe/universe-domain"), 404, FLAVOR, "");
  assert_int_equal(look_scripted(f), PSPROBE_OK);
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
  fixture *f = *state;
  setenv("METADATA_SERVER_DETECTION", "ping-only", 1);
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  static const struct {
    int status;
    const char *headers, *why;
  } answers[] = {{404, FLAVOR, "HTTP 404"},
                 {403, FLAVOR, "HTTP 403"},
                 {200, "", "lacks \"Metadata-Flavor: Google\""},
                 {200, "Metadata-Flavor: google", "lacks \"Metadata-Flavor: Google\""},
                 {0, NULL, "metadata server metadata.test: GET metadata.test: connection refused"}};
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    prepare(f);
    f->credentials->fetcher.patience_ns = 1;
    fake_call *ping = fake_expect(f->fake, "GET", META "/instance");
    if (answers[i].status != 0)
      fake_reply(ping, answers[i].status, answers[i].headers, "");
    else
      fake_fail(ping, PSPROBE_UNAVAILABLE, "GET metadata.test: connection refused");
    assert_int_equal(look_scripted(f), PSPROBE_UNAUTHENTICATED);
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
  fixture *f = *state;
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  static const char *const wishes[] = {"ping-only", "assume-present"};
  for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
    setenv("METADATA_SERVER_DETECTION", wishes[i], 1);
    prepare(f);
    f->credentials->fetcher.first_wait_ns = 1;
    for (int late = 0; late < 5; late++)
      fake_fail(fake_expect(f->fake, "GET", META "/*"), PSPROBE_UNAVAILABLE, "refused");
    fake_reply(fake_expect(f->fake, "GET", META "/*"), 200, FLAVOR, "googleapis.com");
    if (i == 0) fake_reply(fake_expect(f->fake, "GET", META "/*"), 404, FLAVOR, "");
    if (look_scripted(f) != PSPROBE_OK) fail_msg("%s", f->error.message);
    psprobe_credentials_free(f->credentials);
    fake_transport_free(f->fake);
    f->credentials = NULL;
    f->fake = NULL;
  }
}

static void test_metadata_universe(void **state) {
  fixture *f = *state;
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  prepare(f);
  fake_reply(fake_expect(f->fake, "GET", META "/universe/universe-domain"), 200, FLAVOR,
             "evil.example/x?y=");
  assert_int_equal(look_scripted(f), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(f->error.message, "its universe domain is no domain name"));
}

/* A home that may not be entered is passed over; a folder that is named is not. */
static void test_home_closed(void **state) {
  fixture *f = *state;
  const char *home = getenv("HOME");
  bool root = geteuid() == 0;
  if (root) assert_int_equal(setresuid(65534, 65534, 0), 0);
  assert_int_equal(root ? 0 : chmod(home, 0), 0);
  expect_error(f, PSPROBE_UNAUTHENTICATED, "its folder may not be entered; metadata server");
  setenv("CLOUDSDK_CONFIG", home, 1);
  psprobe_code named = look(f);
  if (root)
    assert_int_equal(setresuid(0, 0, 0), 0);
  else
    chmod(home, 0700);
  assert_int_equal(named, PSPROBE_PERMISSION_DENIED);
}

/* What would break a header is named when it is read. */
static void test_settings_of_the_lookup(void **state) {
  fixture *f = *state;
  write_well_known(user_file("x"));
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

/* ---- the project ---- */

static void expect_project(fixture *f, const char *project) {
  const char *found = "none";
  if (psp_credentials_find_project(f->credentials, &found, &f->error) != PSPROBE_OK)
    fail_msg("%s", f->error.message);
  if (!psp_text_equal(found, project)) fail_msg("project %s, not %s", found, project);
}

static void test_project(void **state) {
  fixture *f = *state;
  char *text = test_service_account(NULL, "");
  write_well_known(text);
  free(text);
  assert_int_equal(look(f), PSPROBE_OK);
  expect_project(f, "file-project");
  assert_string_equal(psprobe_credentials_project(f->credentials), "file-project");

  /* A person's file names none: gcloud's active configuration does. */
  write_well_known(
      "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\","
      "\"refresh_token\":\"r\",\"quota_project_id\":\"payer\"}");
  assert_int_equal(look(f), PSPROBE_OK);
  expect_project(f, NULL); /* the quota project is not one to work in */
  char path[512];
  snprintf(path, sizeof path, "%s/.config/gcloud", getenv("HOME"));
  test_write(path, "active_config", 0600, "mine\n");
  strcat(path, "/configurations");
  assert_int_equal(mkdir(path, 0700), 0);
  test_write(path, "config_default", 0600, "[core]\nproject = default-project\n");
  test_write(path, "config_mine", 0600,
             "[compute]\nproject = wrong\n[core]\naccount = a@b\nproject = gcloud-project\n");
  assert_int_equal(look(f), PSPROBE_OK);
  expect_project(f, "gcloud-project");
  setenv("CLOUDSDK_ACTIVE_CONFIG_NAME", "default", 1);
  assert_int_equal(look(f), PSPROBE_OK);
  expect_project(f, "default-project");
  setenv("CLOUDSDK_ACTIVE_CONFIG_NAME", "../../../etc/passwd", 1);
  assert_int_equal(look(f), PSPROBE_OK);
  expect_project(f, NULL);
  setenv("CLOUDSDK_CORE_PROJECT", "variable-project", 1);
  assert_int_equal(look(f), PSPROBE_OK);
  expect_project(f, "variable-project");
}

static void test_quota_project(void **state) {
  fixture *f = *state;
  write_well_known(
      "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s\","
      "\"refresh_token\":\"r\",\"quota_project_id\":\"from-file\"}");
  assert_int_equal(look(f), PSPROBE_OK);
  assert_string_equal(psp_credentials_quota_project(f->credentials), "from-file");
  setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "", 1);
  assert_int_equal(look(f), PSPROBE_OK);
  assert_string_equal(psp_credentials_quota_project(f->credentials), "from-file");
  setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "from-env", 1);
  assert_int_equal(look(f), PSPROBE_OK);
  assert_string_equal(psp_credentials_quota_project(f->credentials), "from-env");
}

static void test_metadata_project(void **state) {
  fixture *f = *state;
  setenv("METADATA_SERVER_DETECTION", "assume-present", 1);
  setenv("GCE_METADATA_HOST", "metadata.test", 1);
  prepare(f);
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "GET", META "/universe/universe-domain"), 200, FLAVOR,
             "universe.example\n");
  fake_reply(fake_expect(f->fake, "GET", META "/project/project-id"), 200, FLAVOR,
             "meta-project\n");
  expect_project(f, "meta-project");
  expect_project(f, "meta-project"); /* and is not asked again */
  assert_string_equal(psp_credentials_universe(f->credentials), "universe.example");
}

/* Federated credentials name a project's number; the Resource Manager knows its id. */
static void test_federated_project(void **state) {
  fixture *f = *state;
  const char *directory = test_directory();
  char text[1024];
  snprintf(
      text, sizeof text,
      "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/projects/123456789/"
      "locations/global/workloadIdentityPools/p/providers/o\",\"subject_token_type\":\"urn:x\","
      "\"credential_source\":{\"file\":\"%s\"}}",
      test_write(directory, "subject", 0600, "subject"));
  setenv("GOOGLE_APPLICATION_CREDENTIALS", test_write(directory, "adc.json", 0644, text), 1);
  prepare(f);
  fake_in_order(f->fake);
  fake_reply(fake_expect(f->fake, "POST", "https://sts.googleapis.com/v1/token"), 200, NULL,
             "{\"access_token\":\"ya29.sts\",\"token_type\":\"Bearer\",\"expires_in\":3599}");
  fake_call *manager = fake_expect(
      f->fake, "GET", "https://cloudresourcemanager.googleapis.com/v1/projects/123456789");
  fake_reply(manager, 200, NULL,
             "{\"projectNumber\":\"123456789\",\"projectId\":\"pool-project\"}");
  expect_project(f, "pool-project");
  assert_string_equal(fake_request_header(fake_request(manager, 0), "authorization"),
                      "Bearer ya29.sts");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
      TEST(test_project),
      TEST(test_quota_project),
      TEST(test_metadata_project),
      TEST(test_federated_project),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
