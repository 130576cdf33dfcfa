/* SPDX-License-Identifier: MIT */
#include "base/timestamp.h"

#include <string.h>

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z (google/protobuf/timestamp.proto) */
#define FIRST INT64_C(-62135596800)
#define LAST  INT64_C(253402300799)

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March. */
static int64_t days_from_date(int64_t year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t m = (month + 9) % 12;
  int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day) {
  int64_t since = days + 719468; /* since 0000-03-01; not negative from year 1 on */
  int64_t era = since / 146097, of_era = since % 146097;
  int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
  int64_t m = (5 * of_year + 2) / 153;
  *day = (int)(of_year - (153 * m + 2) / 5 + 1);
  *month = (int)(m < 10 ? m + 3 : m - 9);
  *year = (int)(y + era * 400 + (*month <= 2));
}

static int days_of_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

typedef struct reader {
  const char *at, *end;
  bool bad;
} reader;

/* `digits` digits that make a number in [min, max]. */
static int number(reader *r, int digits, int min, int max) {
  int value = 0;
  for (int i = 0; i < digits; i++, r->at++) {
    if (r->at >= r->end || *r->at < '0' || *r->at > '9') {
      r->bad = true;
      return min;
    }
    value = value * 10 + (*r->at - '0');
  }
  if (value < min || value > max) r->bad = true;
  return value;
}

static bool accept(reader *r, char c) {
  if (r->at >= r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static void expect(reader *r, char c) {
  if (!accept(r, c)) r->bad = true;
}

static int32_t decimals(reader *r) {
  int32_t value = 0;
  int count = 0;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
    if (++count > 9) break;
    value = value * 10 + (*r->at - '0');
  }
  if (count < 1 || count > 9) r->bad = true;
  for (; count < 9; count++)
    value *= 10;
  return value;
}

bool psp_timestamp_parse(const char *text, size_t len, int64_t *seconds, int32_t *nanos) {
  reader r = {.at = text, .end = text + len};
  int year = number(&r, 4, 1, 9999);
  expect(&r, '-');
  int month = number(&r, 2, 1, 12);
  expect(&r, '-');
  int day = number(&r, 2, 1, 31);
  expect(&r, 'T');
  int hour = number(&r, 2, 0, 23);
  expect(&r, ':');
  int minute = number(&r, 2, 0, 59);
  expect(&r, ':');
  int second = number(&r, 2, 0, 60);
  if (r.bad || day > days_of_month(year, month)) return false;
  int32_t fraction = accept(&r, '.') ? decimals(&r) : 0;
  int64_t offset = 0;
  if (!accept(&r, 'Z')) {
    int sign = accept(&r, '-') ? -1 : 1;
    if (sign > 0) expect(&r, '+');
    int hours = number(&r, 2, 0, 23);
    expect(&r, ':');
    offset = (int64_t)sign * (hours * 3600 + number(&r, 2, 0, 59) * 60);
  }
  int of_day = hour * 3600 + minute * 60 + second;
  int64_t total = days_from_date(year, month, day) * 86400 + of_day;
  total -= offset;
  if (r.bad || r.at != r.end || total < FIRST || total > LAST) return false;
  *seconds = total;
  *nanos = fraction;
  return true;
}

/* So many digits of a number, and what comes after them. By hand: a table has two times a row, and
 * printf took a fifth of the time of writing it. */
static char *put(char *at, int64_t value, int digits, char after) {
  for (int i = digits; i-- > 0; value /= 10)
    at[i] = (char)('0' + value % 10);
  at[digits] = after;
  return at + digits + 1;
}

char *psp_timestamp_format(char out[PSP_TIMESTAMP_SIZE], int64_t seconds, int32_t nanos) {
  if (seconds < FIRST) seconds = FIRST;
  if (seconds > LAST) seconds = LAST;
  int64_t days = seconds / 86400, of_day = seconds % 86400;
  if (of_day < 0) {
    of_day += 86400;
    days--;
  }
  int year, month, day;
  date_from_days(days, &year, &month, &day);
  bool whole = nanos <= 0 || nanos > 999999999;
  char *at = put(out, year, 4, '-');
  at = put(at, month, 2, '-');
  at = put(at, day, 2, 'T');
  at = put(at, of_day / 3600, 2, ':');
  at = put(at, of_day / 60 % 60, 2, ':');
  at = put(at, of_day % 60, 2, whole ? 'Z' : '.');
  if (!whole && nanos % 1000000 == 0)
    at = put(at, nanos / 1000000, 3, 'Z');
  else if (!whole && nanos % 1000 == 0)
    at = put(at, nanos / 1000, 6, 'Z');
  else if (!whole)
    at = put(at, nanos, 9, 'Z');
  *at = '\0';
  return out;
}

char *psp_timestamp_format_ns(char out[PSP_TIMESTAMP_SIZE], int64_t ns) {
  int64_t seconds = ns / 1000000000, nanos = ns % 1000000000;
  if (nanos < 0) {
    nanos += 1000000000;
    seconds--;
  }
  return psp_timestamp_format(out, seconds, (int32_t)nanos);
}
