/* SPDX-License-Identifier: MIT */
#include "local/functions/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/url.h"

/* How long the host is at the beginning of a text: a name, or an IPv6 address in brackets. */
static size_t host_len(const char *text) {
  if (*text != '[')
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
  size_t len = strspn(text + 1, "0123456789abcdefABCDEF:.") + 1;
  return text[len] == ']' ? len + 1 : 0;
}

/* What listens on all addresses is reached by one. */
static bool is_any(const char *host, size_t len) {
  return (len == 7 && memcmp(host, "0.0.0.0", len) == 0) ||
         (len == 4 && memcmp(host, "[::]", len) == 0);
}

/* Whether the scheme or the authority of a URL goes on with this character (RFC 3986, 3.1, 3.2):
 * "xhttp:" is another scheme, and in "127.0.0.1:80@host" a user is named. A '.' may end a sentence,
 * and three of them may begin one. */
static bool goes_on(char c) {
  return c != '\0' && c != '.' &&
         strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~%+@:", c) != NULL;
}

/* Whether what stands before a scheme belongs to it; the letter that ends a terminal's escape
 * sequence (ECMA-48, 5.4) does not. */
static bool is_joined(const char *text, const char *url) {
  if (url == text || !goes_on(url[-1])) return false;
  const char *start = url - 1;
  while (start > text && strchr("0123456789;", start[-1]) != NULL)
    start--;
  return start - text < 2 || start[-1] != '[' || start[-2] != '\x1b';
}

bool psp_address_next(const char **at, psp_address *out) {
  const char *url, *text = *at;
  while ((url = strcasestr(*at, "http://")) != NULL) {
    const char *host = url + strlen("http://");
    size_t len = host_len(host);
    *at = host + len;
    size_t digits = host[len] == ':' ? strspn(host + len + 1, "0123456789") : 0;
    if (len == 0 || len > 60 || digits == 0 || digits > 5) continue;
    if (is_joined(text, url) || goes_on(host[len + 1 + digits])) continue;
    out->port = atoi(host + len + 1);
    bool any = is_any(host, len);
    snprintf(out->url, sizeof out->url, "http://%.*s:%d", any ? 9 : (int)len,
             any ? "127.0.0.1" : host, out->port);
    if (out->port > 0 && out->port <= 65535 && psp_http_url_is_loopback(out->url)) return true;
  }
  return false;
}
