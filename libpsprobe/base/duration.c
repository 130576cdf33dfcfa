/* SPDX-License-Identifier: MIT */
/** @file Lengths of time as people write and read them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct {
  const char *name;
  int64_t ns;
} units[] = {
    {"d", 86400000000000}, {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000},
    {"ms", 1000000},       {"us", 1000},         {"µs", 1000},       {"ns", 1},
};

/* The unit that stands at `text`: longest name first, so that "ms" is not "m". */
static size_t unit_at(const char *text, int64_t *ns) {
  size_t best = 0;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    size_t len = strlen(units[i].name);
    if (len > best && strncmp(text, units[i].name, len) == 0) {
      best = len;
      *ns = units[i].ns;
    }
  }
  return best;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* One number with its unit, added to `total`. Decimals below a nanosecond are dropped. */
static bool parse_part(const char **text, int64_t *last_unit, int64_t *total) {
  const char *s = *text;
  int64_t whole = 0, fraction = 0, scale = 1, unit = 0;
  if (!is_digit(*s)) return false;
  for (; is_digit(*s); s++)
    if (__builtin_mul_overflow(whole, (int64_t)10, &whole) ||
        __builtin_add_overflow(whole, (int64_t)(*s - '0'), &whole))
      return false;
  if (*s == '.') {
    if (!is_digit(*++s)) return false;
    for (; is_digit(*s); s++) {
      if (scale >= 100000) continue; /* fraction * unit stays below INT64_MAX for days */
      fraction = fraction * 10 + (*s - '0');
      scale *= 10;
    }
  }
  size_t len = unit_at(s, &unit);
  if (len == 0 || unit >= *last_unit) return false;
  *last_unit = unit;
  *text = s + len;
  return !__builtin_mul_overflow(whole, unit, &whole) &&
         !__builtin_add_overflow(*total, whole, total) &&
         !__builtin_add_overflow(*total, fraction * unit / scale, total);
}

bool psp_parse_duration(const char *text, int64_t *ns) {
  if (text == NULL || *text == '\0') return false;
  int64_t total = 0, last_unit = INT64_MAX;
  if (strcmp(text, "0") != 0)
    while (*text != '\0')
      if (!parse_part(&text, &last_unit, &total)) return false;
  *ns = total;
  return true;
}

char *psp_format_duration(char out[PSP_DURATION_SIZE], int64_t ns) {
  static const char *const names[] = {"ns", "us", "ms", "s"};
  const char *sign = ns < 0 ? "-" : "";
  uint64_t value = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, unit = 1;
  size_t i = 0;
  /* 999.5 and more would be printed as 1000: it is 1.00 of the next unit. */
  while (i < 3 && (i == 0 ? value >= 1000 : value >= unit * 1000 - unit / 2)) {
    unit *= 1000;
    i++;
  }
  if (i == 0) {
    snprintf(out, PSP_DURATION_SIZE, "%s%llu ns", sign, (unsigned long long)value);
    return out;
  }
  int decimals = 0;
  uint64_t step = unit; /* what the last printed digit is worth */
  if (value < unit * 100 - unit / 20) decimals = 1;
  if (value < unit * 10 - unit / 200) decimals = 2;
  for (int k = 0; k < decimals; k++)
    step /= 10;
  uint64_t steps = value / step + (value % step >= step - step / 2);
  uint64_t per = unit / step;
  if (decimals == 0)
    snprintf(out, PSP_DURATION_SIZE, "%s%llu %s", sign, (unsigned long long)steps, names[i]);
  else
    snprintf(out, PSP_DURATION_SIZE, "%s%llu.%0*llu %s", sign, (unsigned long long)(steps / per),
             decimals, (unsigned long long)(steps % per), names[i]);
  return out;
}
