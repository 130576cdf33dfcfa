/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/command.h"

static void test_split(void **state) {
  (void)state;
  char **words = psp_command_split("  /bin/x --a=1  \"two words\" q\"uo\"te \"\" '$HOME' ");
  static const char *const expected[] = {"/bin/x", "--a=1", "two words", "quote", "", "'$HOME'"};
  for (size_t i = 0; i < 6; i++)
    assert_string_equal(words[i], expected[i]);
  assert_null(words[6]);
  free(words);
  assert_null(psp_command_split(""));
  assert_null(psp_command_split("  "));
  assert_null(psp_command_split("\"\" x"));
  assert_null(psp_command_split("a \"b"));
}

static psprobe_code child(const char *script, const char *input, int64_t timeout_ns,
                          psp_secret *out, int *status) {
  const char *argv[] = {"sh", "-c", script, NULL};
  const char *env[] = {"PATH=/usr/bin:/bin", "A=b", NULL};
  *out = (psp_secret){0};
  const psp_command command = {
      .argv = argv, .env = env, .input = input, .timeout_ns = timeout_ns, .max_output = 1000};
  return psp_command_run(&command, out, status, NULL);
}

/* Who was left behind in a group comes to us, its subreaper: killed as well, or the alarm ends us.
 */
static void killed_as_well(pid_t group) {
  int status = 0;
  assert_true(group > 1);
  alarm(20);
  assert_true(waitpid(-group, &status, 0) > 1);
  alarm(0);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_child(void **state) {
  (void)state;
  psp_secret out;
  int status;
  assert_int_equal(child("echo $A; echo x >&2; exit 3", NULL, INT64_C(10000000000), &out, &status),
                   PSPROBE_OK);
  assert_string_equal(out.data, "b\n");
  assert_int_equal(status, 3);
  psp_secret_free(&out);
  assert_int_equal(child("kill -9 $$", NULL, INT64_C(10000000000), &out, &status), PSPROBE_OK);
  assert_int_equal(status, 128 + 9);
  psp_secret_free(&out);
  /* One that hangs, and one that leaves somebody behind with its output. */
  assert_int_equal(child("sleep 1000", NULL, 50000000, &out, &status), PSPROBE_DEADLINE_EXCEEDED);
  psp_secret_free(&out);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  assert_int_equal(child("echo $$; sleep 1000 & exit 0", NULL, 500000000, &out, &status),
                   PSPROBE_DEADLINE_EXCEEDED);
  killed_as_well((pid_t)strtol(out.data, NULL, 10));
  psp_secret_free(&out);
  assert_int_equal(child("exec >&-; sleep 1000", NULL, 50000000, &out, &status),
                   PSPROBE_DEADLINE_EXCEEDED);
  psp_secret_free(&out);
  assert_int_equal(child("yes", NULL, INT64_C(10000000000), &out, &status),
                   PSPROBE_RESOURCE_EXHAUSTED);
  psp_secret_free(&out);
  /* What it reads: nothing, or more than a pipe holds. */
  assert_int_equal(child("wc -c", NULL, INT64_C(10000000000), &out, &status), PSPROBE_OK);
  assert_string_equal(out.data, "0\n");
  psp_secret_free(&out);
  char text[100001];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  assert_int_equal(child("wc -c", text, INT64_C(10000000000), &out, &status), PSPROBE_OK);
  assert_string_equal(out.data, "100000\n");
  psp_secret_free(&out);
}

/* In the folders that are named, and nowhere else. */
static void test_where_it_is(void **state) {
  (void)state;
  const char *here[] = {"pwd", NULL}, *missing[] = {"/nonexistent/program", NULL};
  psp_command command = {
      .argv = here, .env = here + 1, .timeout_ns = INT64_C(10000000000), .max_output = 5000};
  psp_secret out = {0};
  int status = -1;
  static const struct {
    const char *folders;
    psprobe_code code;
  } cases[] = {{NULL, PSPROBE_OK},
               {"/bin:/usr/bin", PSPROBE_OK},
               {"/nonexistent:/usr/bin:/bin", PSPROBE_OK},
               {"/nonexistent:/neither", PSPROBE_NOT_FOUND}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    command.folders = cases[i].folders;
    if (psp_command_run(&command, &out, &status, NULL) != cases[i].code) fail_msg("case %zu", i);
    psp_secret_free(&out);
  }
  command.argv = missing;
  assert_int_equal(psp_command_run(&command, &out, &status, NULL), PSPROBE_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_split),
      cmocka_unit_test(test_child),
      cmocka_unit_test(test_where_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
