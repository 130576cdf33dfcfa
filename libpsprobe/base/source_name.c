/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <psprobe/probe.h>

#include "base/error.h"

#define MAX_NAME 63

static bool is_name(const char *name) {
  size_t len = strnlen(name, MAX_NAME + 1);
  if (len < 1 || len > MAX_NAME || name[0] < 'a' || name[0] > 'z') return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

psprobe_code psprobe_source_check(const char *name, psprobe_error *error) {
  if (name != NULL && is_name(name)) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "source \"%.80s\": a name is 1 to %d of a-z 0-9 _ -, a letter first",
                  name == NULL ? "" : name, MAX_NAME);
}
