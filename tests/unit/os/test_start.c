/* SPDX-License-Identifier: MIT */
/** @file When a process started, from what the kernel tells in hundredths of a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/start.h"

/* A program may call itself anything. */
#define STAT(ticks) \
  "12 (a ) b (c) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " ticks " 1000 100 18446744\n"

static void test_of(void **state) {
  (void)state;
  static const struct {
    const char *stat;
    int64_t boot_ms, now_ms, cpu_ms, start_ms;
  } cases[] = {
      {STAT("100"), 1020, 1020, 15, 1005},  /* within its tick: what the CPU time says */
      {STAT("100"), 1020, 1020, 25, 1000},  /* two threads: no sooner than the tick */
      {STAT("100"), 5000, 5000, 15, 1010},  /* it waited: no later than the tick's end */
      {STAT("100"), 9000, 1020, 15, -6970}, /* asleep for a while: one clock stood still */
      {"", 1020, 1020, 15, 1005},           {"12 (x", 1020, 1020, 15, 1005},
      {"12 (x) S 1", 1020, 1020, 15, 1005},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(psp_start_of(cases[i].stat, 100, cases[i].boot_ms * PSP_MS_NS,
                                  cases[i].now_ms * PSP_MS_NS, cases[i].cpu_ms * PSP_MS_NS),
                     cases[i].start_ms * PSP_MS_NS);
}

static void test_ours(void **state) {
  (void)state;
  int64_t start_ns = psp_process_start_ns(), now_ns = psprobe_clock_monotonic();
  assert_true(start_ns <= now_ns);
  assert_true(now_ns - start_ns < 60 * PSP_SECOND_NS);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_of), cmocka_unit_test(test_ours)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
