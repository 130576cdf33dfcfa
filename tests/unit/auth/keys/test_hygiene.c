/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/adc.h"
#include "auth/keys/hygiene.h"
#include "keys.h"
#include "os/command.h"

static void run(const char *directory, const char *a, const char *b, const char *c) {
  char home[128];
  snprintf(home, sizeof home, "HOME=%s", getenv("HOME"));
  const char *argv[] = {"git", "-C", directory, a, b, c, NULL};
  const char *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", home, NULL};
  const psp_command command = {
      .argv = argv, .env = env, .timeout_ns = INT64_C(30000000000), .max_output = 65536};
  psp_secret out = {0};
  int status = -1;
  psprobe_error error;
  if (psp_command_run(&command, &out, &status, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  psp_secret_free(&out);
  assert_int_equal(status, 0);
}

static const char *repository(void) {
  const char *directory = test_directory();
  run(directory, "init", "-q", NULL);
  return directory;
}

static void expect(const char *path, psp_git_answer answer, const char *tree) {
  char found[300];
  psp_git_answer got = psp_git_check(path, found, sizeof found);
  if (got != answer) fail_msg("%s: %d", path, got);
  assert_string_equal(found, tree);
}

static void test_git(void **state) {
  (void)state;
  const char *repo = repository();
  expect(test_write(test_directory(), "key.json", 0600, "x"), PSP_GIT_NO_TREE, "");
  expect(test_write(repo, "key.json", 0600, "x"), PSP_GIT_EXPOSED, repo);
  test_write(repo, ".gitignore", 0644, "*.secret\n/keys/*\n!/keys/shown\n");
  expect(test_write(repo, "key.secret", 0600, "x"), PSP_GIT_IGNORED, repo);
  char below[600];
  snprintf(below, sizeof below, "%s/keys", repo);
  assert_int_equal(mkdir(below, 0700), 0);
  expect(test_write(below, "a", 0600, "x"), PSP_GIT_IGNORED, repo);
  expect(test_write(below, "shown", 0600, "x"), PSP_GIT_EXPOSED, repo);
  /* Ignored, and in the index all the same: it would be committed. */
  run(repo, "add", "-f", "key.secret");
  char path[600];
  snprintf(path, sizeof path, "%s/key.secret", repo);
  expect(path, PSP_GIT_EXPOSED, repo);
  /* A name that git could take for an option or a pattern. */
  expect(test_write(repo, "-q", 0600, "x"), PSP_GIT_EXPOSED, repo);
  expect(test_write(repo, ":!x", 0600, "x"), PSP_GIT_EXPOSED, repo);
}

static void past_of(const char *path, psp_git_past past) {
  psp_git_past got = psp_git_history(path);
  if (got != past) fail_msg("%s: %d", path, got);
}

/* What git has had, it has for ever. */
static void test_git_history(void **state) {
  (void)state;
  const char *repo = repository();
  past_of(test_write(test_directory(), "key.json", 0600, "x"), PSP_GIT_NEVER);
  past_of("/nowhere/at/all", PSP_GIT_NEVER);
  char path[600], other[600], broken[600];
  snprintf(path, sizeof path, "%s", test_write(repo, "key.json", 0600, "x"));
  /* Names are no patterns: this one would match the other. */
  snprintf(other, sizeof other, "%s", test_write(repo, "key.jso[n]", 0600, "x"));
  past_of(path, PSP_GIT_NEVER);
  run(repo, "add", "key.json", NULL);
  past_of(path, PSP_GIT_STAGED);
  past_of(other, PSP_GIT_NEVER);
  run(repo, "config", "user.email", "x@example.com");
  run(repo, "config", "user.name", "x");
  run(repo, "commit", "-qm", "mistake");
  past_of(path, PSP_GIT_COMMITTED);
  /* A repository that cannot be read has not said that it never had it. */
  test_write(repo, ".git/refs/heads/broken", 0644, "1111111111111111111111111111111111111111\n");
  past_of(other, PSP_GIT_PAST_UNKNOWN);
  snprintf(broken, sizeof broken, "%s/.git/refs/heads/broken", repo);
  assert_int_equal(unlink(broken), 0);
  run(repo, "rm", "--cached", "key.json");
  test_write(repo, ".gitignore", 0644, "key.json\n");
  run(repo, "commit", "-qam", "too late");
  past_of(path, PSP_GIT_COMMITTED);
  past_of(other, PSP_GIT_NEVER);
}

static void test_links(void **state) {
  (void)state;
  const char *repo = repository(), *outside = test_directory();
  const char *key = test_write(outside, "key.json", 0600, "x");
  char link[600];
  snprintf(link, sizeof link, "%s/link.json", repo);
  assert_int_equal(symlink(key, link), 0);
  expect(link, PSP_GIT_NO_TREE, "");
  const char *inside = test_write(repo, "inside.json", 0600, "x");
  snprintf(link, sizeof link, "%s/link.json", outside);
  assert_int_equal(symlink(inside, link), 0);
  expect(link, PSP_GIT_EXPOSED, repo);
}

/* The program's own GIT_ variables do not lead git elsewhere, and the repository's configuration
 * cannot run anything. */
static void test_git_is_asked_alone(void **state) {
  (void)state;
  const char *repo = repository(), *other = repository();
  test_write(other, ".gitignore", 0644, "*\n");
  char value[600], mark[600], hook[800];
  snprintf(value, sizeof value, "%s/.git", other);
  setenv("GIT_DIR", value, 1);
  setenv("GIT_WORK_TREE", other, 1);
  snprintf(mark, sizeof mark, "%s/.git/ran", repo);
  snprintf(hook, sizeof hook, "#!/bin/sh\ntouch %s\n", mark);
  const char *script = test_write(repo, ".git/monitor", 0700, hook);
  unsetenv("GIT_DIR");
  unsetenv("GIT_WORK_TREE");
  run(repo, "config", "core.fsmonitor", script);
  setenv("GIT_DIR", value, 1);
  setenv("GIT_WORK_TREE", other, 1);
  expect(test_write(repo, "key.json", 0600, "x"), PSP_GIT_EXPOSED, repo);
  unsetenv("GIT_DIR");
  unsetenv("GIT_WORK_TREE");
  assert_int_not_equal(access(mark, F_OK), 0);
}

/* The system's git, not one that comes first in the PATH of whoever started us. */
static void test_git_of_the_system(void **state) {
  (void)state;
  const char *repo = repository(), *false_bin = test_directory();
  test_write(false_bin, "git", 0700, "#!/bin/sh\nexit 0\n");
  char *path = strdup(getenv("PATH"));
  setenv("PATH", false_bin, 1);
  expect(test_write(repo, "key.json", 0600, "x"), PSP_GIT_EXPOSED, repo);
  setenv("PATH", path, 1);
  free(path);
}

static psprobe_code load(const char *path, bool allow, psprobe_error *error) {
  psp_source *source = NULL;
  psprobe_credentials_options options = {.allow_unsafe_key = allow};
  psprobe_error_clear(error);
  psprobe_code code = psp_adc_load(path, &options, &source, error);
  psp_source_free(source);
  return code;
}

static void test_refused(void **state) {
  (void)state;
  char *text = test_service_account(NULL, "");
  const char *directory = test_directory();
  static const unsigned open_modes[] = {0640, 0604, 0644, 0666, 0610, 0601, 0620};
  psprobe_error error;
  for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
    const char *path = test_write(directory, "open.json", open_modes[i], text);
    assert_int_equal(load(path, false, &error), PSPROBE_FAILED_PRECONDITION);
    assert_non_null(strstr(error.message, "chmod 600"));
    assert_non_null(strstr(error.message, "--allow-unsafe-key"));
    assert_int_equal(load(path, true, &error), PSPROBE_OK);
  }
  assert_int_equal(load(test_write(directory, "good.json", 0600, text), false, &error), PSPROBE_OK);
  assert_int_equal(load(test_write(directory, "good.json", 0400, text), false, &error), PSPROBE_OK);
  const char *path = test_write(repository(), "key.json", 0600, text);
  assert_int_equal(load(path, false, &error), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "git does not ignore it"));
  assert_int_equal(load(path, true, &error), PSPROBE_OK);
  /* The same file has a name in a work tree, which nobody can see from here. */
  char second[600];
  snprintf(second, sizeof second, "%s/second.json", directory);
  assert_int_equal(link(path, second), 0);
  assert_int_equal(load(second, false, &error), PSPROBE_FAILED_PRECONDITION);
  assert_non_null(strstr(error.message, "has 2 names"));
  assert_int_equal(load(second, true, &error), PSPROBE_OK);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(load(second, false, &error), PSPROBE_OK);
  free(text);
}

/* What holds no secret may lie anywhere: federation needs no key, and its files are committed. */
static void test_without_secret(void **state) {
  (void)state;
  static const char text[] =
      "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/x\","
      "\"subject_token_type\":\"urn:x\",\"credential_source\":{\"file\":\"/t\"}}";
  psprobe_error error;
  assert_int_equal(load(test_write(repository(), "key.json", 0644, text), false, &error),
                   PSPROBE_OK);
}

static void test_reading(void **state) {
  (void)state;
  const char *directory = test_directory();
  psprobe_error error;
  char path[600];
  assert_int_equal(load("/nonexistent/x.json", false, &error), PSPROBE_NOT_FOUND);
  assert_int_equal(load(directory, false, &error), PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "a directory"));
  assert_int_equal(load(test_write(directory, "empty", 0600, ""), false, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "empty"));
  /* A pipe that nobody writes to: no hang. */
  snprintf(path, sizeof path, "%s/pipe", directory);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(load(path, false, &error), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(load("/dev/zero", false, &error), PSPROBE_INVALID_ARGUMENT);
  char *large = malloc(300001);
  memset(large, ' ', 300000);
  large[300000] = 0;
  assert_int_equal(load(test_write(directory, "large", 0600, large), false, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_non_null(strstr(error.message, "256 KiB"));
  free(large);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_git),
      cmocka_unit_test(test_git_history),
      cmocka_unit_test(test_links),
      cmocka_unit_test(test_git_is_asked_alone),
      cmocka_unit_test(test_git_of_the_system),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_without_secret),
      cmocka_unit_test(test_reading),
  };
  return cmocka_run_group_tests(tests, test_auth_setup, NULL);
}
