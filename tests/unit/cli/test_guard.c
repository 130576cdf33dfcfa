/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include <psprobe/cli.h>

/* A program's main up to where it goes on, in a process of its own: 0 or 1, dumpable or not. */
static int dumpable_after_parse(const char *wanted) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    static const psprobe_program program = {.name = "x", .summary = "y", .about = "z"};
    char *argv[] = {(char[]){"x"}, NULL};
    if (wanted != NULL) setenv("PSPROBE_CORE_DUMPS", wanted, 1);
    int status;
    if (!psprobe_cli_parse(&program, 1, argv, NULL, &status)) _exit(9);
    _exit(prctl(PR_GET_DUMPABLE));
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void test_no_core_dumps(void **state) {
  (void)state;
  unsetenv("PSPROBE_CORE_DUMPS");
  assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
  assert_int_equal(dumpable_after_parse(NULL), 0);
  assert_int_equal(dumpable_after_parse("0"), 0);
  assert_int_equal(dumpable_after_parse("1"), 1);
}

/* What is printed by a program that was started with all three closed goes nowhere. */
static void test_closed_standard_files(void **state) {
  (void)state;
  static const psprobe_program program = {.name = "x", .summary = "y", .about = "z"};
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    char *argv[] = {(char[]){"x"}, NULL};
    for (int fd = 0; fd < 3; fd++)
      close(fd);
    int status;
    if (!psprobe_cli_parse(&program, 1, argv, NULL, &status)) _exit(9);
    int next = dup(0);
    _exit(next > 2 ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void test_openssl_wipes(void **state) {
  (void)state;
  static const psprobe_program program = {.name = "x", .summary = "y", .about = "z"};
  char *argv[] = {(char[]){"x"}, NULL};
  CRYPTO_malloc_fn before, after;
  CRYPTO_get_mem_functions(&before, NULL, NULL);
  int status;
  assert_true(psprobe_cli_parse(&program, 1, argv, NULL, &status));
  CRYPTO_get_mem_functions(&after, NULL, NULL);
  assert_true(before != after);
  char *piece = OPENSSL_malloc(40);
  assert_non_null(piece);
  strcpy(piece, "a secret");
  piece = OPENSSL_realloc(piece, 4000);
  assert_string_equal(piece, "a secret");
  assert_null(OPENSSL_realloc(piece, 0));
  OPENSSL_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_core_dumps),
      cmocka_unit_test(test_closed_standard_files),
      cmocka_unit_test(test_openssl_wipes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
