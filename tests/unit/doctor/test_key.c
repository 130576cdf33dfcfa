/* SPDX-License-Identifier: MIT */
/** @file What is said of a key that git ignores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "doctor/parts.h"
#include "keys.h"
#include "os/command.h"

static const char *repository(void) {
  const char *directory = test_directory();
  const char *argv[] = {"git", "-C", directory, "init", "-q", NULL};
  const char *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/", NULL};
  const psp_command command = {
      .argv = argv, .env = env, .timeout_ns = INT64_C(30000000000), .max_output = 65536};
  psp_secret out = {0};
  int status = -1;
  assert_int_equal(psp_command_run(&command, &out, &status, NULL), PSPROBE_OK);
  psp_secret_free(&out);
  assert_int_equal(status, 0);
  test_write(directory, ".gitignore", 0644, "*\n");
  return directory;
}

/* The one finding. */
static void expect(const char *key, psprobe_doctor_state state, const char *says) {
  psprobe_diagnosis *found = calloc(1, sizeof *found);
  assert_non_null(found);
  psp_doctor d = {.found = found, .who = {.kind = "service_account"}};
  psp_doctor_key(&d, key, false);
  assert_int_equal(found->count, 1);
  const psp_kept_finding *item = &found->items[0];
  if (item->state != state || strstr(item->text, says) == NULL)
    fail_msg("%s: %s", psprobe_doctor_state_name(item->state), item->text);
  psprobe_diagnosis_free(found);
}

static void an_ignored_key_is_fine(void **state) {
  (void)state;
  const char *key = test_write(repository(), "key.json", 0600, "x");
  expect(key, PSPROBE_DOCTOR_OK, "git does not have it");
}

static void a_repository_that_cannot_be_read_says_nothing_good(void **state) {
  (void)state;
  const char *repo = repository();
  char key[600];
  snprintf(key, sizeof key, "%s", test_write(repo, "key.json", 0600, "x"));
  test_write(repo, ".git/refs/heads/broken", 0644, "1111111111111111111111111111111111111111\n");
  expect(key, PSPROBE_DOCTOR_WARNING, "could not be asked whether a commit has it");
}

static void a_second_name_is_told(void **state) {
  (void)state;
  const char *directory = test_directory();
  char second[600];
  const char *key = test_write(directory, "key.json", 0600, "x");
  snprintf(second, sizeof second, "%s/second.json", directory);
  assert_int_equal(link(key, second), 0);
  expect(key, PSPROBE_DOCTOR_WARNING, "has 2 names (hard links)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_ignored_key_is_fine),
      cmocka_unit_test(a_second_name_is_told),
      cmocka_unit_test(a_repository_that_cannot_be_read_says_nothing_good),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
