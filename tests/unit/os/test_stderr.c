/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/log.h>

#include "base/text.h"

static void test_stderr(void **state) {
  (void)state;
  int pipe_ends[2], saved = dup(STDERR_FILENO);
  assert_int_equal(pipe(pipe_ends), 0);
  assert_true(dup2(pipe_ends[1], STDERR_FILENO) >= 0);
  psprobe_log_stderr(NULL, PSPROBE_LOG_INFO, "level=info event=x");
  dup2(saved, STDERR_FILENO);
  close(saved);
  close(pipe_ends[1]);
  char text[200] = "";
  ssize_t len = read(pipe_ends[0], text, sizeof text - 1);
  close(pipe_ends[0]);
  assert_int_equal(len, strlen("time=2026-11-24T22:10:05.123456Z level=info event=x\n"));
  assert_true(psp_text_starts(text, "time=20"));
  assert_true(psp_text_ends(text, "Z level=info event=x\n"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_stderr)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
