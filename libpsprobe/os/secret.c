/* SPDX-License-Identifier: MIT */
#include "os/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base64.h"

#define GRAIN 4096u

void *psp_secret_pages(size_t size) {
  void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  /* Best effort: a kernel without it (before 3.4) is no reason to go without a token. */
  madvise(pages, size, MADV_DONTDUMP);
  return pages;
}

void psp_secret_pages_free(void *pages, size_t size) {
  if (pages == NULL) return;
  explicit_bzero(pages, size);
  munmap(pages, size);
}

void psp_secret_free(psp_secret *secret) {
  psp_secret_pages_free(secret->data, secret->cap);
  *secret = (psp_secret){0};
}

void psp_secret_reset(psp_secret *secret) {
  if (secret->data != NULL) explicit_bzero(secret->data, secret->len);
  secret->len = 0;
  secret->failed = false;
}

bool psp_secret_reserve(psp_secret *secret, size_t more) {
  if (secret->failed) return false;
  if (more > SIZE_MAX / 4 - secret->len) {
    secret->failed = true;
    return false;
  }
  size_t need = secret->len + more + 1;
  if (need <= secret->cap) return true;
  size_t cap = secret->cap * 2 > need ? secret->cap * 2 : need;
  cap = (cap + GRAIN - 1) / GRAIN * GRAIN;
  char *grown = psp_secret_pages(cap);
  if (grown == NULL) {
    secret->failed = true;
    return false;
  }
  if (secret->len > 0) memcpy(grown, secret->data, secret->len);
  psp_secret_pages_free(secret->data, secret->cap);
  secret->data = grown;
  secret->cap = cap;
  return true;
}

void psp_secret_add(psp_secret *secret, const void *data, size_t len) {
  if (!psp_secret_reserve(secret, len)) return;
  if (len > 0) memcpy(secret->data + secret->len, data, len);
  secret->len += len;
  secret->data[secret->len] = 0;
}

void psp_secret_text(psp_secret *secret, const char *text) {
  psp_secret_add(secret, text, strlen(text));
}

static bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool psp_view_secret(psp_view string, psp_secret *out) {
  if (string.type != PSP_VIEW_STRING) return false;
  /* With the quotes it is longer than what it holds and the zero behind that. */
  if (!psp_secret_reserve(out, string.len)) return true;
  psp_view_string(string, out->data + out->len, out->cap - out->len);
  out->len += psp_view_length(string);
  return true;
}

void psp_secret_percent(psp_secret *secret, const char *text, size_t len) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
    if (unreserved(text[i]))
      psp_secret_add(secret, &text[i], 1);
    else
      psp_secret_add(secret, escape, 3);
  }
}

bool psp_base64url_secret(const char *text, size_t len, psp_secret *out) {
  if (!psp_secret_reserve(out, len / 4 * 3 + 3)) return false;
  long got = psp_base64url_decode(text, len, (unsigned char *)out->data + out->len,
                                  out->cap - out->len - 1);
  if (got < 0) return false;
  out->len += (size_t)got;
  out->data[out->len] = 0;
  return true;
}

void psp_secret_base64(psp_secret *secret, const void *data, size_t len) {
  if (len > SIZE_MAX / 8 || !psp_secret_reserve(secret, PSP_BASE64_SIZE(len)))
    secret->failed = true;
  else
    secret->len += psp_base64_write(secret->data + secret->len, data, len);
}

void psp_secret_swap(psp_secret *a, psp_secret *b) {
  psp_secret swap = *a;
  *a = *b;
  *b = swap;
}
