/* SPDX-License-Identifier: MIT */
#include "grpc/timeout.h"

#include <stddef.h>

#define MOST INT64_C(99999999)

static const struct unit {
  char letter;
  int64_t ns;
} units[] = {{'n', 1},
             {'u', 1000},
             {'m', 1000000},
             {'S', 1000000000},
             {'M', INT64_C(60000000000)},
             {'H', INT64_C(3600000000000)}};
#define UNITS (sizeof units / sizeof *units)

char *psp_timeout_write(char out[PSP_TIMEOUT_SIZE], int64_t ns) {
  size_t i = 0;
  while (i + 1 < UNITS && ns / units[i].ns >= MOST)
    i++;
  int64_t count = ns / units[i].ns + (ns % units[i].ns != 0);
  if (count > MOST) count = MOST;
  char *at = out + PSP_TIMEOUT_SIZE;
  *--at = 0;
  *--at = units[i].letter;
  for (; count > 0; count /= 10)
    *--at = (char)('0' + count % 10);
  return at;
}

int64_t psp_timeout_read(const char *text) {
  int64_t count = 0;
  size_t digits = 0;
  for (; digits < 8 && text[digits] >= '0' && text[digits] <= '9'; digits++)
    count = count * 10 + (text[digits] - '0');
  if (digits == 0 || text[digits] == 0 || text[digits + 1] != 0) return -1;
  for (size_t i = 0; i < UNITS; i++)
    if (text[digits] == units[i].letter)
      return count > INT64_MAX / units[i].ns ? INT64_MAX : count * units[i].ns;
  return -1;
}
