/* SPDX-License-Identifier: MIT */
#include "base/shown.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/text.h"

/* At least so many letters of an encoding without a break or a dot: more than names have. */
#define ENCODED_WORD 64
#define ENCODED_TEXT 128

static bool is_token(const char *text) {
  static const char *const starts[] = {"ya29.", "1//", "GOCSPX-", "AIza", "eyJ"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (psp_text_starts(text, starts[i])) return true;
  return false;
}

/* Base64, base64url or hexadecimal digits. */
static bool is_encoded(const char *text) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_=";
  size_t longest = 0;
  bool dotted = false; /* or with any other letter that a name may have and no encoding has */
  for (const char *at = text; *at != '\0';) {
    size_t word = strspn(at, letters);
    if (word > longest) longest = word;
    at += word;
    if (*at != '\0' && *at++ != '/') dotted = true;
  }
  return longest >= ENCODED_WORD || (!dotted && strlen(text) >= ENCODED_TEXT);
}

const char *psp_secret_kind(const char *value) {
  const char *first = value + strspn(value, " \t\r\n'\"\xef\xbb\xbf");
  if (*first == '{' || *first == '[') return "JSON (a key?)";
  if (strstr(value, "-----BEGIN") != NULL) return "PEM (a key?)";
  if (is_token(first)) return "a token";
  return is_encoded(value) ? "something encoded (a key?)" : NULL;
}

/* Past "scheme://", or 0: it is no URL. */
static size_t scheme_length(const char *value) {
  size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
  return len > 0 && strncmp(value + len, "://", 3) == 0 ? len + 3 : 0;
}

/* "host/path?query" too, which somebody takes for a URL. */
static bool has_query(const char *value) {
  size_t before = strcspn(value, "?");
  return value[before] == '?' && strcspn(value, "/:") < before;
}

/* A URL, or "user:password@host", without what may be a secret in it. @return false: it is none */
static bool show_url(char *out, size_t size, const char *value) {
  size_t scheme = scheme_length(value);
  const char *host = value + scheme;
  size_t authority = strcspn(host, "/?#"), path = strcspn(host, "?#");
  const char *at = memrchr(host, '@', authority);
  bool user = at != NULL && memchr(host, ':', (size_t)(at - host)) != NULL;
  if (scheme == 0 && !user && !has_query(value)) return false;
  char plain[2048];
  const char *from = at != NULL ? at + 1 : host;
  snprintf(plain, sizeof plain, "%.*s%s%.*s%s", (int)scheme, value, at != NULL ? "***@" : "",
           (int)(host + path - from), from, host[path] != '\0' ? "?***" : "");
  psp_printable_text(out, size, plain);
  return true;
}

char *psp_setting_shown(char *out, size_t size, const char *value) {
  const char *kind = scheme_length(value) > 0 ? NULL : psp_secret_kind(value);
  if (kind != NULL)
    snprintf(out, size, "(%s, not shown)", kind);
  else if (!show_url(out, size, value))
    psp_printable_text(out, size, value);
  return out;
}

psprobe_code psp_setting_refuse(psprobe_error *error, const char *what, const char *value,
                                const char *why, ...) {
  char shown[PSP_SHOWN_SIZE], reason[sizeof error->message];
  va_list arguments;
  va_start(arguments, why);
  vsnprintf(reason, sizeof reason, why, arguments);
  va_end(arguments);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s \"%s\": %s", what,
                  psp_setting_shown(shown, sizeof shown, value != NULL ? value : ""), reason);
}
