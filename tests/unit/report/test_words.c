/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "report/words.h"

#define US 1000
#define MS 1000000

static void expect(psp_buf *buf, const char *want) {
  assert_string_equal(buf->data == NULL ? "" : buf->data, want);
  psp_buf_reset(buf);
}

static void test_counts_and_shares(void **state) {
  (void)state;
  psp_buf buf = {0};
  psp_words_count(&buf, 7), expect(&buf, "7");
  psp_words_count(&buf, 1440), expect(&buf, "1,440");
  psp_words_count(&buf, 123456), expect(&buf, "123,456");
  psp_words_count(&buf, UINT64_MAX), expect(&buf, "18,446,744,073,709,551,615");
  psp_words_probes(&buf, 1), expect(&buf, "1 probe");
  psp_words_probes(&buf, 0), expect(&buf, "0 probes");
  psp_words_share(&buf, 83, 100), expect(&buf, "83 %");
  psp_words_share(&buf, 0, 100), expect(&buf, "0 %");
  psp_words_share(&buf, 100, 100), expect(&buf, "100 %");
  psp_words_share(&buf, 1439, 1440), expect(&buf, "99.9 %");
  psp_words_share(&buf, 1, 1440), expect(&buf, "0.1 %");
  psp_words_share(&buf, 1, 100000), expect(&buf, "0.001 %");
  psp_words_share(&buf, 0, 0), expect(&buf, "0 %");
  assert_int_equal(psp_words_rounded(7), 7);
  assert_int_equal(psp_words_rounded(99), 99);
  assert_int_equal(psp_words_rounded(1234), 1200);
  assert_int_equal(psp_words_rounded(1250), 1300);
  assert_int_equal(psp_words_rounded(99600), 100000);
  psp_buf_free(&buf);
}

static void expect_interval(int64_t estimate, int64_t low, int64_t high, const char *want) {
  psp_buf buf = {0};
  const psprobe_interval interval = {true, true, low, high};
  const psp_scale scale = psp_scale_of_interval(estimate, &interval);
  psp_words_duration(&buf, scale, estimate);
  psp_buf_text(&buf, ", ");
  assert_true(psp_words_interval(&buf, scale, &interval));
  assert_string_equal(buf.data, want);
  psp_buf_free(&buf);
}

static void test_durations_with_intervals(void **state) {
  (void)state;
  expect_interval(6234 * US, 5812 * US, 6671 * US, "6.2 ms, 95 % interval 5.8 to 6.7 ms");
  expect_interval(6234567, 6230100, 6239000, "6.235 ms, 95 % interval 6.230 to 6.239 ms");
  expect_interval(100 * US, -300 * US, 500 * US, "100 us, 95 % interval -300 to 500 us");
  expect_interval(100 * US, -300 * US, 1500 * US, "0.1 ms, 95 % interval -0.3 to 1.5 ms");
  expect_interval(40, 31, 55, "40 ns, 95 % interval 31 to 55 ns");
  expect_interval(-143 * MS, -160 * MS, -120 * MS, "-143 ms, 95 % interval -160 to -120 ms");
  expect_interval(1234 * (int64_t)MS * 1000, 1200 * (int64_t)MS * 1000, 1270 * (int64_t)MS * 1000,
                  "1,234 s, 95 % interval 1,200 to 1,270 s");
  /* A bound beside zero must not look like zero: the verdict hangs on it. */
  expect_interval(50 * MS, 40 * US, 99 * MS, "50.00 ms, 95 % interval 0.04 to 99.00 ms");
  expect_interval(3 * MS, 3 * MS, 3 * MS, "3.0 ms, 95 % interval 3.0 to 3.0 ms");
  expect_interval(0, 0, 0, "0 ns, 95 % interval 0 to 0 ns");
}

static void test_single_durations(void **state) {
  (void)state;
  const struct {
    int64_t ns;
    const char *want;
  } cases[] = {{0, "0 ns"},
               {7, "7 ns"},
               {999, "999 ns"},
               {1000, "1.0 us"},
               {143 * MS, "143 ms"},
               {9700 * US, "9.7 ms"},
               {999400 * US, "999 ms"},
               {INT64_C(999600000), "1.00 s"},
               {INT64_C(3600000000000), "3,600 s"},
               {-1500, "-1.5 us"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf buf = {0};
    psp_words_duration(&buf, psp_scale_of(cases[i].ns), cases[i].ns);
    assert_string_equal(buf.data, cases[i].want);
    psp_buf_free(&buf);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_counts_and_shares),
      cmocka_unit_test(test_durations_with_intervals),
      cmocka_unit_test(test_single_durations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
