/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/timestamp.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_parse(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t seconds;
    int32_t nanos;
    const char *back; /* as written out; NULL: as read */
  } cases[] = {
      {"1970-01-01T00:00:00Z", 0, 0, NULL},
      {"2019-04-16T01:22:53Z", 1555377773, 0, NULL},
      {"2026-11-24T22:18:48.773Z", 1795558728, 773000000, NULL},
      {"2026-11-24T22:18:57.016415Z", 1795558737, 16415000, NULL},
      {"2024-02-29T23:59:59.000000001Z", 1709251199, 1, NULL},
      {"2000-02-29T00:00:00Z", 951782400, 0, NULL},
      {"0001-01-01T00:00:00Z", -62135596800, 0, NULL},
      {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999, NULL},
      {"1969-12-31T23:59:59.500Z", -1, 500000000, NULL},
      {"2024-01-02T03:04:05+02:00", 1704157445, 0, "2024-01-02T01:04:05Z"},
      {"2024-01-02T03:04:05.1-00:30", 1704166445, 100000000, "2024-01-02T03:34:05.100Z"},
      {"2016-12-31T23:59:60Z", 1483228800, 0, "2017-01-01T00:00:00Z"},
      {"2024-01-02T03:04:05.12Z", 1704164645, 120000000, "2024-01-02T03:04:05.120Z"},
      {"2024-01-02T03:04:05.000Z", 1704164645, 0, "2024-01-02T03:04:05Z"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    int64_t seconds = 77;
    int32_t nanos = 77;
    char out[PSP_TIMESTAMP_SIZE];
    if (!psp_timestamp_parse(cases[i].text, strlen(cases[i].text), &seconds, &nanos))
      fail_msg("refused %s", cases[i].text);
    assert_int_equal(seconds, cases[i].seconds);
    assert_int_equal(nanos, cases[i].nanos);
    assert_string_equal(psp_timestamp_format(out, seconds, nanos),
                        cases[i].back == NULL ? cases[i].text : cases[i].back);
  }
}

static void test_refusals(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "2024",
      "2024-01-02",
      "2024-01-02T03:04:05",
      "2024-01-02t03:04:05Z",
      "2024-01-02T03:04:05z",
      "2024-01-02 03:04:05Z",
      "2024-00-02T03:04:05Z",
      "2024-13-02T03:04:05Z",
      "2024-01-00T03:04:05Z",
      "2024-01-32T03:04:05Z",
      "2023-02-29T03:04:05Z",
      "1900-02-29T03:04:05Z",
      "2024-01-02T24:04:05Z",
      "2024-01-02T03:60:05Z",
      "2024-01-02T03:04:61Z",
      "2024-01-02T03:04:05.Z",
      "2024-01-02T03:04:05.1234567890Z",
      "2024-01-02T03:04:05+2:00",
      "2024-01-02T03:04:05+24:00",
      "2024-01-02T03:04:05+02:60",
      "2024-01-02T03:04:05+0200",
      "2024-01-02T03:04:05Zx",
      "0000-12-31T23:59:59Z",
      "0001-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "9999-12-31T23:59:60Z",
      "-024-01-02T03:04:05Z",
      "2024-1-02T03:04:05Z",
      " 2024-01-02T03:04:05Z",
      "20240102T030405Z",
  };
  for (size_t i = 0; i < COUNT(bad); i++) {
    int64_t seconds = 77;
    int32_t nanos = 77;
    if (psp_timestamp_parse(bad[i], strlen(bad[i]), &seconds, &nanos)) fail_msg("took %s", bad[i]);
    assert_int_equal(seconds, 77);
    assert_int_equal(nanos, 77);
  }
  static const char whole[] = "2024-01-02T03:04:05.123Z";
  for (size_t len = 0; len < sizeof whole - 1; len++) { /* cut short anywhere */
    int64_t seconds;
    int32_t nanos;
    assert_false(psp_timestamp_parse(whole, len, &seconds, &nanos));
  }
}

/* The calendar against the C library's, a prime number of days apart. */
static void test_against_gmtime(void **state) {
  (void)state;
  for (int64_t at = -62135596800; at <= 253402300799; at += 86400 * 97 + 3607) {
    char out[PSP_TIMESTAMP_SIZE], want[80];
    struct tm tm;
    time_t t = (time_t)at;
    assert_non_null(gmtime_r(&t, &tm));
    snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    assert_string_equal(psp_timestamp_format(out, at, 0), want);
    int64_t seconds;
    int32_t nanos;
    assert_true(psp_timestamp_parse(want, strlen(want), &seconds, &nanos));
    assert_int_equal(seconds, at);
  }
}

static void test_format_ns(void **state) {
  (void)state;
  char out[PSP_TIMESTAMP_SIZE];
  assert_string_equal(psp_timestamp_format_ns(out, 0), "1970-01-01T00:00:00Z");
  assert_string_equal(psp_timestamp_format_ns(out, 1), "1970-01-01T00:00:00.000000001Z");
  assert_string_equal(psp_timestamp_format_ns(out, -1), "1969-12-31T23:59:59.999999999Z");
  assert_string_equal(psp_timestamp_format_ns(out, INT64_MAX), "2262-04-11T23:47:16.854775807Z");
  assert_string_equal(psp_timestamp_format_ns(out, INT64_MIN), "1677-09-21T00:12:43.145224192Z");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parse),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_against_gmtime),
      cmocka_unit_test(test_format_ns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
