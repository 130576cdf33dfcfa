/* SPDX-License-Identifier: MIT */
/** @file How many files may be open, shared out; and what a program that we start is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/timing.h>

#include "os/limit.h"
#include "os/process.h"

/* Runs `what` in a process of its own, with these bounds; true when it says 1. */
static bool holds(bool (*what)(void), rlim_t soft, rlim_t hard) {
  int status = 0;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct rlimit limit = {soft, hard};
    _exit(setrlimit(RLIMIT_NOFILE, &limit) == 0 && what() ? 1 : 0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status) == 1;
}

static bool is_raised(void) {
  return psp_limit_files() == 64 && psp_limit_files_raise() == 256 && psp_limit_files() == 256 &&
         psp_limit_files_raise() == 256;
}

static bool is_restored(void) {
  psp_limit_files_raise();
  psp_limit_files_raise();
  psp_limit_files_restore();
  return psp_limit_files() == 64;
}

static bool is_left_alone(void) {
  psp_limit_files_restore();
  return psp_limit_files_raise() == 64 && psp_limit_files() == 64;
}

static bool is_shared_out(void) {
  return psp_limit_files_share(PSP_FILES_CALLS, 1000) == 256 &&
         psp_limit_files_share(PSP_FILES_SERVER, 1000) == 384 &&
         psp_limit_files_share(PSP_FILES_PAGE, 1000) == 64 &&
         psp_limit_files_share(PSP_FILES_SERVER, 100) == 100;
}

static bool is_never_none(void) {
  return psp_limit_files_share(PSP_FILES_PAGE, 1000) == 4;
}

/* What a program has that we start after raising our own bound. */
static bool starts_others_as_we_were(void) {
  const char *argv[] = {"/bin/sh", "-c", "echo files $(ulimit -Sn)", NULL};
  psp_process process;
  char line[40];
  psp_limit_files_raise();
  bool ok = psp_process_start(&process, argv, NULL, false, NULL) == PSPROBE_OK &&
            psp_process_wait_line(&process, "files 64", psprobe_clock_monotonic() + 10000000000,
                                  line, sizeof line, NULL) == PSPROBE_OK;
  psp_process_stop(&process, 1000000000);
  return ok;
}

static void test_raise(void **state) {
  (void)state;
  assert_true(holds(is_raised, 64, 256));
  assert_true(holds(is_restored, 64, 256));
  assert_true(holds(is_left_alone, 64, 64));
}

static void test_share(void **state) {
  (void)state;
  assert_true(holds(is_shared_out, 1024, 1024));
  assert_true(holds(is_never_none, 30, 30));
}

static void test_children(void **state) {
  (void)state;
  assert_true(holds(starts_others_as_we_were, 64, 256));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_raise),
      cmocka_unit_test(test_share),
      cmocka_unit_test(test_children),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
