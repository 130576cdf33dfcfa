/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stats/bins.h"
#include "stats/rng.h"

/* Every octave is visited alike. */
static int64_t draw(psp_rng *rng) {
  const unsigned bits = (unsigned)psp_rng_below(rng, 63);
  return (int64_t)(psp_rng_next(rng) & ((UINT64_C(1) << bits) - 1)) | (INT64_C(1) << bits) >> 1;
}

static void test_values_lie_in_their_bin(void **state) {
  (void)state;
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  for (int i = 0; i < 200000; i++) {
    const int64_t value = draw(&rng);
    const int32_t bin = psp_bin_of(value);
    const int64_t least = psp_bin_least(bin), width = psp_bin_width(bin);
    assert_true(least <= value && value - least < width);
    assert_true(width == 1 || width <= least / 1024);
    assert_int_equal(psp_bin_of(-value), -bin);
    assert_int_equal(psp_bin_least(-bin), -least);
    assert_int_equal(psp_bin_width(-bin), width);
  }
}

static void test_bins_are_in_order_and_without_gaps(void **state) {
  (void)state;
  for (int32_t bin = 0; bin < PSP_BIN_MOST; bin++) {
    assert_int_equal(psp_bin_of(psp_bin_least(bin)), bin);
    assert_int_equal(psp_bin_least(bin) + psp_bin_width(bin), psp_bin_least(bin + 1));
  }
  assert_int_equal(psp_bin_of(INT64_MAX), PSP_BIN_MOST);
  assert_int_equal(psp_bin_of(INT64_MIN), -PSP_BIN_MOST);
  assert_int_equal(psp_bin_of(0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_lie_in_their_bin),
      cmocka_unit_test(test_bins_are_in_order_and_without_gaps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
