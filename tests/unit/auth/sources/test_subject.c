/* SPDX-License-Identifier: MIT */
/** @file Subject tokens from executables: tests/data/auth/external-executable-errors.json's cases
 * that need a file or a program. What an answer means is in test_oauth.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/sources/source.h"
#include "keys.h"

#define NOW INT64_C(1795556815)
#define ANSWER                                                                               \
  "{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:jwt\"," \
  "\"id_token\":\"%s\",\"expiration_time\":%d}"
#define ALLOW "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"

static int64_t boot_ns(void *arg) {
  (void)arg;
  return 1;
}

static int64_t wall_s(void *arg) {
  (void)arg;
  return NOW;
}

typedef struct fixture {
  const char *directory;
  psp_fetcher fetcher;
  psp_secret token;
  psprobe_error error;
} fixture;

static int setup(void **state) {
  test_auth_environment();
  fixture *f = calloc(1, sizeof *f);
  f->directory = test_directory();
  psp_clock clock = {.boot_ns = boot_ns, .wall_s = wall_s};
  assert_int_equal(psp_fetcher_init(&f->fetcher, NULL, NULL, &clock, NULL, NULL), PSPROBE_OK);
  setenv(ALLOW, "1", 1);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psp_secret_free(&f->token);
  psp_fetcher_clear(&f->fetcher);
  free(f);
  return 0;
}

/* Runs `script` (NULL: one that gives "from-command" and leaves a mark) with an output file that
 * holds `cached` (NULL: none is there). */
static psprobe_code get(fixture *f, const char *script, const char *cached) {
  char standard[1024], text[2048], answer[512];
  snprintf(answer, sizeof answer, ANSWER, "from-command", (int)NOW + 60);
  snprintf(standard, sizeof standard, "#!/bin/sh\ntouch %s/ran\necho '%s'\n", f->directory, answer);
  const char *command =
      test_write(f->directory, "command.sh", 0700, script != NULL ? script : standard);
  char output[512], mark[512];
  snprintf(mark, sizeof mark, "%s/ran", f->directory);
  snprintf(output, sizeof output, "%s/output", f->directory);
  unlink(mark);
  unlink(output);
  if (cached != NULL) test_write(f->directory, "output", 0600, cached);
  snprintf(text, sizeof text,
           "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/x\","
           "\"subject_token_type\":\"urn:x\",\"credential_source\":{\"executable\":{"
           "\"command\":\"%s a\",\"timeout_millis\":5000,\"output_file\":\"%s\"}}}",
           command, output);
  psp_key_file *file = NULL;
  assert_int_equal(psp_key_file_parse(text, strlen(text), "x", false, &file, NULL), PSPROBE_OK);
  psp_source source = {.file = file};
  psp_secret_reset(&f->token);
  psprobe_error_clear(&f->error);
  psprobe_code code = psp_subject_get(&source, &f->fetcher, &f->token, &f->error);
  psp_key_file_free(file);
  return code;
}

static bool ran(const fixture *f) {
  char mark[512];
  snprintf(mark, sizeof mark, "%s/ran", f->directory);
  return access(mark, F_OK) == 0;
}

static void test_opt_in(void **state) {
  fixture *f = *state;
  static const char *const values[] = {"0", "", "true", "11", " 1"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    setenv(ALLOW, values[i], 1);
    assert_int_equal(get(f, NULL, NULL), PSPROBE_FAILED_PRECONDITION);
    assert_false(ran(f));
    assert_non_null(strstr(f->error.message, ALLOW "=1"));
  }
  unsetenv(ALLOW);
  assert_int_equal(get(f, NULL, NULL), PSPROBE_FAILED_PRECONDITION);
  assert_false(ran(f));
}

static void test_output_file(void **state) {
  fixture *f = *state;
  char cached[512];
  /* Good for a while: used, and nothing is run. */
  snprintf(cached, sizeof cached, ANSWER, "from-file", (int)NOW + 60);
  assert_int_equal(get(f, NULL, cached), PSPROBE_OK);
  assert_string_equal(f->token.data, "from-file");
  assert_false(ran(f));
  /* Missing, empty, expired, or an old failure: the command is run. */
  char expired[512];
  snprintf(expired, sizeof expired, ANSWER, "from-file", (int)NOW);
  const char *const others[] = {
      NULL, "", expired, "{\"version\":1,\"success\":false,\"code\":\"401\",\"message\":\"no\"}"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_int_equal(get(f, NULL, others[i]), PSPROBE_OK);
    assert_string_equal(f->token.data, "from-command");
    assert_true(ran(f));
  }
  /* Something else: an error. */
  assert_int_equal(get(f, NULL, "not JSON"), PSPROBE_INVALID_ARGUMENT);
  assert_false(ran(f));
  assert_int_equal(get(f, NULL,
                       "{\"version\":1,\"success\":true,\"token_type\":"
                       "\"urn:ietf:params:oauth:token-type:jwt\",\"id_token\":\"t\"}"),
                   PSPROBE_INVALID_ARGUMENT);
  assert_false(ran(f));
}

static void test_programs(void **state) {
  fixture *f = *state;
  assert_int_equal(get(f, "#!/bin/sh\nexit 3\n", NULL), PSPROBE_UNAUTHENTICATED);
  assert_non_null(strstr(f->error.message, "exit status is 3"));
  assert_int_equal(get(f, "#!/bin/sh\necho hello\n", NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(get(f, "#!/nonexistent/sh\n", NULL), PSPROBE_NOT_FOUND);
  assert_int_equal(get(f,
                       "#!/bin/sh\necho '{\"version\":1,\"success\":false,\"code\":\"401\","
                       "\"message\":\"log in\"}'\n",
                       NULL),
                   PSPROBE_UNAUTHENTICATED);
  assert_non_null(strstr(f->error.message, "401: log in"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {TEST(test_opt_in), TEST(test_output_file),
                                     TEST(test_programs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
