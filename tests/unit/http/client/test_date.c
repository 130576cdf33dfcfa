/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/client/date.h"

#define NOW INT64_C(1795559410) /* 2026-11-24 22:30:10 */
#define S   INT64_C(1000000000)

static void test_dates(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t want;
  } cases[] = {
      /* the three forms of RFC 9110, 5.6.7, with its own examples */
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
      {"Sun Nov  6 08:49:37 1994", 784111777},
      {"Tue, 24 Nov 2026 22:30:10 GMT", NOW},
      {"Thu, 29 Feb 2024 23:59:60 GMT", 1709251200},
      {"Thu, 01 Jan 1970 00:00:01 GMT", 1},
      {"Thu, 31 Dec 2099 00:00:00 GMT", 4102358400},
      {"Sun, 29 Feb 2400 00:00:00 GMT", 13574563200},
      {"Friday, 01-Jan-77 00:00:00 GMT", 220924800},  /* 2077 is 51 years ahead: 1977 */
      {"Friday, 01-Jan-76 00:00:00 GMT", 3345062400}, /* 2076 is not yet 50 */
      {"Wed, 29 Feb 2023 00:00:00 GMT", 0},           /* no such day */
      {"Mon, 31 Apr 2023 00:00:00 GMT", 0},
      {"Mon, 00 Apr 2023 00:00:00 GMT", 0},
      {"Sun, 06 Nov 1994 24:00:00 GMT", 0},
      {"Sun, 06 Nov 1994 08:60:37 GMT", 0},
      {"Sun, 06 Nov 1994 08:49:61 GMT", 0},
      {"Sun, 06 Nov 1994 08:49:37 CET", 0},
      {"Sun, 06 Nov 1994 08:49:37", 0},
      {"Sun, 6 Nov 1994 08:49:37 GMT", 0},
      {"Sun, 06 nov 1994 08:49:37 GMT", 0},
      {"Abc, 06 Nov 1994 08:49:37 GMT", 0},
      {"Sun,06 Nov 1994 08:49:37 GMT", 0},
      {"Sun Nov 06 08:49:37 199", 0},
      {"Sun, 06 Nov 1994 08:49:37 GMT ", 0},
      {"Sun, -6 Nov 1994 08:49:37 GMT", 0},
      {",", 0},
      {", ", 0},
      {"Sun, ", 0},
      {"", 0},
      {NULL, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (psp_http_date(cases[i].text, NOW) != cases[i].want)
      fail_msg("%s gives %lld", cases[i].text, (long long)psp_http_date(cases[i].text, NOW));
  }
}

static void test_every_day(void **state) {
  (void)state;
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t day = 0;
  for (int year = 1970; year < 2410; year++) {
    for (int month = 0; month < 12; month++) {
      bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
      for (int d = 1; d <= lengths[month] + (month == 1 && leap); d++, day++) {
        char text[64];
        snprintf(text, sizeof text, "Sun, %02d %.3s %04d 00:00:01 GMT", d, months + month * 3,
                 year);
        assert_int_equal(psp_http_date(text, NOW), day * 86400 + 1);
      }
    }
  }
}

static void test_retry_after(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t want;
  } cases[] = {
      {"59", 59 * S},
      {"60", 60 * S},
      {"120", 60 * S}, /* nobody makes us wait longer */
      {"3600", 60 * S},
      {"0", 0},
      {"007", 7 * S},
      {"Tue, 24 Nov 2026 22:30:40 GMT", 30 * S},
      {"Tuesday, 24-Nov-26 22:30:40 GMT", 30 * S},
      {"Tue Nov 24 22:30:40 2026", 30 * S},
      {"Tue, 24 Nov 2026 23:30:10 GMT", 60 * S},
      {"Tue, 24 Nov 2026 22:30:10 GMT", 0}, /* now */
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0}, /* long ago */
      {"-5", 0},
      {"+5", 0},
      {"5s", 0},
      {"1.5", 0},
      {" 5", 0},
      {"soon", 0},
      {"", 0},
      {NULL, 0},
      {"9223372036", 60 * S},
      {"9223372037", 60 * S},
      {"99999999999999999999999999999999", 60 * S},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 60 * S},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t got = psp_http_retry_after(cases[i].text, NOW);
    if (got != cases[i].want) fail_msg("%s gives %lld", cases[i].text, (long long)got);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dates),
      cmocka_unit_test(test_every_day),
      cmocka_unit_test(test_retry_after),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
