/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

char *psp_strdup(const char *text) {
  return text == NULL ? NULL : strdup(text);
}

bool psp_text_equal(const char *a, const char *b) {
  if (a == NULL || b == NULL) return a == b;
  return strcmp(a, b) == 0;
}

bool psp_text_starts(const char *text, const char *prefix) {
  return text != NULL && prefix != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool psp_text_ends(const char *text, const char *suffix) {
  if (text == NULL || suffix == NULL) return false;
  size_t len = strlen(text), n = strlen(suffix);
  return len >= n && memcmp(text + len - n, suffix, n) == 0;
}

void psp_percent_encode(psp_buf *out, const char *text) {
  static const char hex[] = "0123456789ABCDEF";
  for (const char *s = text; *s != '\0'; s++) {
    unsigned char c = (unsigned char)*s;
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      psp_buf_char(out, *s);
    } else {
      char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
      psp_buf_add(out, escape, 3);
    }
  }
}

int psp_hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Takes back what was added after `len`. */
static bool undo(psp_buf *out, size_t len) {
  out->len = len;
  if (out->data != NULL) out->data[len] = '\0';
  return false;
}

bool psp_percent_decode(psp_buf *out, const char *text, size_t len) {
  size_t before = out->len;
  if (!psp_buf_reserve(out, len)) return false; /* of nothing too comes a text, not a NULL */
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (c == '%') {
      int high = len - i > 2 ? psp_hex_digit(text[i + 1]) : -1;
      int low = len - i > 2 ? psp_hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0 || high + low == 0) return undo(out, before);
      c = (char)(high << 4 | low);
      i += 2;
    }
    psp_buf_char(out, c);
  }
  return !out->failed;
}

bool psp_parse_int64(const char *text, int64_t min, int64_t max, int64_t *out) {
  if (text == NULL) return false;
  const char *digits = text + (*text == '-');
  if (*digits < '0' || *digits > '9') return false; /* strtoll would take spaces and '+' */
  char *end = NULL;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (errno != 0 || *end != '\0' || value < min || value > max) return false;
  *out = value;
  return true;
}
