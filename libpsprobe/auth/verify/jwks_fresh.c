/* SPDX-License-Identifier: MIT */
/** @file Cache-Control and Age of a key set (RFC 9111, 5.1 and 5.2.2). */
#include <string.h>
#include <strings.h>

#include "auth/verify/jwks.h"

#define DEFAULT_S INT64_C(300)
#define LEAST_S   INT64_C(60)
#define MOST_S    INT64_C(86400)

/* Digits, maybe in quotes, and nothing else; large ones are large. -1: no number. */
static int64_t read_seconds(const char *text, size_t len) {
  if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
    text++;
    len -= 2;
  }
  if (len == 0) return -1;
  int64_t seconds = 0;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    if (seconds < INT64_C(1000000000000)) seconds = seconds * 10 + (text[i] - '0');
  }
  return seconds;
}

static bool is_word(const char *text, size_t len, const char *word) {
  return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* The directives between commas: -1 where nothing of use is said, 0 for no-store and its kin. */
static int64_t max_age(const char *control) {
  int64_t age = -1;
  for (const char *p = control; *p != 0;) {
    p += strspn(p, " \t,");
    size_t len = strcspn(p, ",");
    size_t end = len;
    while (end > 0 && (p[end - 1] == ' ' || p[end - 1] == '\t'))
      end--;
    size_t name = 0;
    while (name < end && p[name] != '=')
      name++;
    if (is_word(p, name, "no-store") || is_word(p, name, "no-cache")) return 0;
    if (is_word(p, name, "max-age") && name < end && age < 0)
      age = read_seconds(p + name + 1, end - name - 1);
    p += len;
  }
  return age;
}

int64_t psp_jwks_fresh_s(const char *cache_control, const char *age) {
  int64_t fresh = cache_control != NULL ? max_age(cache_control) : -1;
  if (fresh < 0) return DEFAULT_S;
  int64_t old = age != NULL ? read_seconds(age, strlen(age)) : 0;
  if (old > 0) fresh -= old;
  return fresh < LEAST_S ? LEAST_S : fresh > MOST_S ? MOST_S : fresh;
}
