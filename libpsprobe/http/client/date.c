/* SPDX-License-Identifier: MIT */
#include "http/client/date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct date {
  int year, month, day, hour, minute, second;
  bool two_digits; /* of the year */
} date;

/* The value of `count` digits at text, or -1. */
static int digits(const char *text, int count) {
  int value = 0;
  for (int i = 0; i < count; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

static int month_number(const char *text) {
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (int i = 0; i < 12; i++) {
    if (strncmp(text, names + (size_t)i * 3, 3) == 0) return i + 1;
  }
  return 0;
}

static bool day_name(const char *text, size_t len) {
  static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
  for (size_t i = 0; i < 7; i++) {
    if ((len == 3 || len == strlen(names[i])) && strncmp(text, names[i], len) == 0) return true;
  }
  return false;
}

static bool parse_time(const char *text, date *out) {
  if (text[2] != ':' || text[5] != ':') return false;
  out->hour = digits(text, 2);
  out->minute = digits(text + 3, 2);
  out->second = digits(text + 6, 2);
  return out->hour >= 0 && out->hour < 24 && out->minute >= 0 && out->minute < 60 &&
         out->second >= 0 && out->second <= 60;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; `rest` follows the comma and its space. */
static bool parse_fixdate(const char *rest, date *out) {
  if (strlen(rest) != 24 || rest[2] != ' ' || rest[6] != ' ' || rest[11] != ' ') return false;
  out->day = digits(rest, 2);
  out->month = month_number(rest + 3);
  out->year = digits(rest + 7, 4);
  return parse_time(rest + 12, out) && strcmp(rest + 20, " GMT") == 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool parse_rfc850(const char *rest, date *out) {
  if (strlen(rest) != 22 || rest[2] != '-' || rest[6] != '-' || rest[9] != ' ') return false;
  out->day = digits(rest, 2);
  out->month = month_number(rest + 3);
  out->year = digits(rest + 7, 2);
  out->two_digits = true;
  return parse_time(rest + 10, out) && strcmp(rest + 18, " GMT") == 0;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool parse_asctime(const char *text, date *out) {
  if (strlen(text) != 24 || text[7] != ' ' || text[10] != ' ' || text[19] != ' ') return false;
  out->month = month_number(text + 4);
  out->day = text[8] == ' ' ? digits(text + 9, 1) : digits(text + 8, 2);
  out->year = digits(text + 20, 4);
  return parse_time(text + 11, out);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar: whole eras of 400 years (146,097
 * days), then years that begin in March so that the leap day is the last. */
static int64_t days_from_1970(int year, int month, int day) {
  year -= month <= 2;
  int era = year / 400, of_era = year % 400;
  int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return (int64_t)era * 146097 + days - 719468;
}

static bool date_exists(const date *d) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (d->year < 1 || d->month < 1 || d->day < 1) return false;
  bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
  return d->day <= lengths[d->month - 1] + (d->month == 2 && leap);
}

static int64_t seconds_of(const date *d) {
  return days_from_1970(d->year, d->month, d->day) * 86400 + d->hour * 3600 + d->minute * 60 +
         d->second;
}

/* The most recent century in which it is not more than 50 years ahead (RFC 9110, 5.6.7). */
static void place_century(date *d, int64_t now_s) {
  d->year += (int)((now_s / 31556952 + 1970) / 100) * 100 + 100;
  while (d->year > 100 && seconds_of(d) > now_s + (int64_t)50 * 31556952)
    d->year -= 100;
}

/* Any of the three forms. */
static bool parse_date(const char *value, date *d) {
  const char *comma = strchr(value, ',');
  if (comma == NULL)
    return strlen(value) == 24 && value[3] == ' ' && day_name(value, 3) && parse_asctime(value, d);
  if (comma[1] != ' ' || !day_name(value, (size_t)(comma - value))) return false;
  return comma - value == 3 ? parse_fixdate(comma + 2, d) : parse_rfc850(comma + 2, d);
}

int64_t psp_http_date(const char *value, int64_t now_s) {
  date d = {0};
  if (value == NULL || !parse_date(value, &d)) return 0;
  if (d.month == 0 || d.day < 1 || d.year < 0) return 0;
  if (d.two_digits) place_century(&d, now_s);
  return date_exists(&d) ? seconds_of(&d) : 0;
}

int64_t psp_http_retry_after(const char *value, int64_t now_s) {
  const int64_t most = PSP_RETRY_AFTER_MOST_NS / 1000000000;
  if (value == NULL || *value == 0) return 0;
  int64_t wait = 0;
  if (value[strspn(value, "0123456789")] == 0) {
    for (const char *c = value; *c && wait <= most; c++)
      wait = wait * 10 + (*c - '0');
  } else {
    int64_t at = psp_http_date(value, now_s);
    wait = at > now_s ? at - now_s : 0;
  }
  return (wait > most ? most : wait) * 1000000000;
}
