/* SPDX-License-Identifier: MIT */
#include "http/head.h"

#include <string.h>

size_t psp_head_split(char *head, psp_header *headers, size_t capacity) {
  size_t count = 0;
  for (char *line = head, *end; *line && count < capacity; line = end) {
    char *next = strchr(line, '\n');
    end = next ? next + 1 : line + strlen(line);
    if (next) *next = 0;
    char *colon = strchr(line, ':');
    if (!colon || colon == line || *line == ' ' || *line == '\t') continue;
    for (char *c = line; c < colon; c++)
      *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    *colon = 0;
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && strchr(" \t\r", value[len - 1]))
      len--;
    value[len] = 0;
    headers[count++] = (psp_header){line, value};
  }
  return count;
}
