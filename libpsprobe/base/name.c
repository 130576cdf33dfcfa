/* SPDX-License-Identifier: MIT */
#include "base/name.h"

#include <stdio.h>
#include <string.h>

#include <psprobe/answer.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/utf8.h"

#define MAX_OURS 63

static bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/* What is wrong with it, or NULL. */
static const char *fault_of(const char *name, size_t len) {
  if (len == 0) return "is empty";
  if (len > PSP_NAME_MAX) return "has more than 128 bytes";
  if (!psp_utf8_valid(name, len)) return "is not UTF-8";
  if (!psp_printable(name, len)) return "holds a character that cannot be seen";
  if (is_space(name[0]) || is_space(name[len - 1])) return "begins or ends with a space";
  if (memchr(name, '/', len) != NULL) return "holds a /";
  if (len <= 2 && strspn(name, ".") >= len) return "is a path's . or ..";
  bool reserved = len >= 4 && memcmp(name, "__", 2) == 0 && memcmp(name + len - 2, "__", 2) == 0;
  return reserved ? "is reserved by Firestore (__…__)" : NULL;
}

psprobe_code psp_name_check(const char *what, const char *name, size_t len, psprobe_error *error) {
  const char *fault = fault_of(name, len);
  if (fault == NULL) return PSPROBE_OK;
  char cut[PSP_NAME_SIZE];
  snprintf(cut, sizeof cut, "%.*s",
           (int)psp_utf8_cut(name, len < PSP_NAME_MAX ? len : PSP_NAME_MAX), name);
  return psp_setting_refuse(error, what, cut, "the name %s", fault);
}

psprobe_code psp_name_check_source(const char *name, const char *const *others, size_t count,
                                   psprobe_error *error) {
  psprobe_code code = psp_name_check("source", name, strlen(name), error);
  for (size_t i = 0; code == PSPROBE_OK && i < count; i++)
    if (strcmp(others[i], name) == 0)
      code = psp_setting_refuse(error, "source", name, "it is named twice");
  return code;
}

static bool is_ours(const char *name) {
  size_t len = strnlen(name, MAX_OURS + 1);
  if (len < 1 || len > MAX_OURS || name[0] < 'a' || name[0] > 'z') return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

psprobe_code psprobe_source_check(const char *name, psprobe_error *error) {
  if (name != NULL && is_ours(name)) return PSPROBE_OK;
  return psp_setting_refuse(error, "source", name,
                            "a name is 1 to %d of a-z 0-9 _ -, a letter first", MAX_OURS);
}
