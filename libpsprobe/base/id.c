/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool psp_random(void *out, size_t len) {
  unsigned char *at = out;
  while (len > 0) {
    ssize_t got = getrandom(at, len, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    len -= (size_t)got;
  }
  return true;
}

bool psp_id_new(char out[PSP_ID_SIZE]) {
  uint64_t id[2];
  if (!psp_random(id, sizeof id)) {
    out[0] = '\0';
    return false;
  }
  psp_id_format(out, id);
  return true;
}

bool psp_id_parse(const char *text, uint64_t out[2]) {
  uint64_t id[2] = {0, 0};
  if (text == NULL) return false;
  for (size_t i = 0; i < PSP_ID_SIZE - 1; i++) { /* the zero of a shorter text is no digit */
    char c = text[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    id[i / 16] = id[i / 16] << 4 | (uint64_t)digit;
  }
  if (text[PSP_ID_SIZE - 1] != '\0') return false;
  memcpy(out, id, sizeof id);
  return true;
}

void psp_id_format(char out[PSP_ID_SIZE], const uint64_t id[2]) {
  static const char hex[] = "0123456789abcdef";
  for (size_t i = 0; i < PSP_ID_SIZE - 1; i++)
    out[i] = hex[id[i / 16] >> (60 - i % 16 * 4) & 15];
  out[PSP_ID_SIZE - 1] = '\0';
}
