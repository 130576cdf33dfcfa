/* SPDX-License-Identifier: MIT */
#include "http/field.h"

#include <string.h>

bool psp_http_is_token(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL)) return false;
  }
  return len > 0;
}

bool psp_http_is_value(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if ((c < ' ' && c != '\t') || c == 127) return false;
  }
  return true;
}
