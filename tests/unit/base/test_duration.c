/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_parse(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t ns; /* -1: refused */
  } cases[] = {
      {"5s", 5000000000},
      {"20ms", 20000000},
      {"1.5m", 90000000000},
      {"250us", 250000},
      {"250µs", 250000},
      {"10ns", 10},
      {"2h", 7200000000000},
      {"90d", 7776000000000000},
      {"1d12h", 129600000000000},
      {"0.99999d", 86399136000000},
      {"1m30s", 90000000000},
      {"1h2m3s4ms5us6ns", 3723004005006},
      {"0", 0},
      {"0s", 0},
      {"0.5s", 500000000},
      {"0.00001s", 10000},
      {"0.000001ms", 0},
      {"2562047h", 9223369200000000000},
      {"2562048h", -1},
      {"99999999999999999999s", -1},
      {"5", -1},
      {"", -1},
      {"s", -1},
      {"5x", -1},
      {"5 s", -1},
      {" 5s", -1},
      {"-5s", -1},
      {"+5s", -1},
      {".5s", -1},
      {"5.s", -1},
      {"1.2.3s", -1},
      {"5s5s", -1},
      {"30s1m", -1},
      {"1m30", -1},
      {"5S", -1},
      {"1e3s", -1},
      {"00", -1},
      {NULL, -1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t ns = 77;
    bool good = psp_parse_duration(cases[i].text, &ns);
    if (good != (cases[i].ns >= 0) || ns != (good ? cases[i].ns : 77))
      fail_msg("\"%s\" gave %d, %lld", cases[i].text, good, (long long)ns);
  }
}

static void test_format(void **state) {
  (void)state;
  static const struct {
    int64_t ns;
    const char *text;
  } cases[] = {
      {0, "0 ns"},
      {812, "812 ns"},
      {999, "999 ns"},
      {1000, "1.00 us"},
      {1004, "1.00 us"},
      {1005, "1.01 us"},
      {9994, "9.99 us"},
      {9995, "10.0 us"},
      {99949, "99.9 us"},
      {99950, "100 us"},
      {999499, "999 us"},
      {999500, "1.00 ms"},
      {6200000, "6.20 ms"},
      {69289647, "69.3 ms"},
      {1500000000, "1.50 s"},
      {123456789012, "123 s"},
      {3600000000000, "3600 s"},
      {-6200000, "-6.20 ms"},
      {-1, "-1 ns"},
      {INT64_MAX, "9223372037 s"},
      {INT64_MIN, "-9223372037 s"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char out[PSP_DURATION_SIZE];
    assert_ptr_equal(psp_format_duration(out, cases[i].ns), out);
    assert_string_equal(out, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_format)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
