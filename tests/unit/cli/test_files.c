/* SPDX-License-Identifier: MIT */
/** @file Said at the start: too few files for a rate and a timeout, and what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/files.h"

#define S INT64_C(1000000000)

static void expect(uint64_t files, psprobe_prober_settings settings, const char *want) {
  psp_buf note = {0};
  bool said = psp_cli_files_note(&note, files, &settings);
  assert_int_equal(said, want != NULL);
  if (want != NULL) assert_string_equal(note.data, want);
  psp_buf_free(&note);
}

static void test_too_few(void **state) {
  (void)state;
  expect(
      256, (psprobe_prober_settings){.interval_ns = S / 100, .timeout_ns = 30 * S},
      "256 open files are few: with --interval 10.0 ms and --timeout 30.0 s a broker that is slow "
      "can have 128 calls under way, of which 32 are made at once and the others late. Allow "
      "1024 (ulimit -n, LimitNOFILE=), or a --timeout of at most 310 ms");
}

static void test_enough(void **state) {
  (void)state;
  expect(256, (psprobe_prober_settings){.interval_ns = 5 * S, .timeout_ns = 30 * S}, NULL);
  expect(256, (psprobe_prober_settings){.interval_ns = S / 100, .timeout_ns = S * 31 / 100}, NULL);
  expect(1024, (psprobe_prober_settings){.interval_ns = S / 100, .timeout_ns = 30 * S}, NULL);
  expect(UINT64_MAX, (psprobe_prober_settings){.interval_ns = 1000, .timeout_ns = 30 * S}, NULL);
  /* No more probes than that are sent at all. */
  expect(256, (psprobe_prober_settings){.count = 32, .interval_ns = S / 100, .timeout_ns = 30 * S},
         NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_too_few),
      cmocka_unit_test(test_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
