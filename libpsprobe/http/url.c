/* SPDX-License-Identifier: MIT */
#include "http/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char *check_host(const char *host, size_t len) {
  if (len == 0) return "needs a host";
  if (*host != '[') {
    if (strspn(host, ALPHANUMERIC "-._") != len) return "has a character that no host name has";
    return NULL;
  }
  char text[INET6_ADDRSTRLEN];
  struct in6_addr address;
  if (len - 2 >= sizeof text) return "has a broken IPv6 address";
  memcpy(text, host + 1, len - 2);
  text[len - 2] = 0;
  return inet_pton(AF_INET6, text, &address) == 1 ? NULL : "has a broken IPv6 address";
}

static const char *check_port(const char *port, size_t len) {
  if (len == 0 || len > 5 || strspn(port, "0123456789") < len)
    return "needs a port of 1 to 65535 after the colon";
  unsigned value = 0;
  for (size_t i = 0; i < len; i++)
    value = value * 10 + (unsigned)(port[i] - '0');
  return value >= 1 && value <= 65535 ? NULL : "needs a port of 1 to 65535 after the colon";
}

/* authority = host [ ":" port ], as RFC 3986, 3.2, has it, less the user information: a name and
 * password in a URL end up in logs. */
static const char *check_authority(const char *text, size_t len) {
  if (memchr(text, '@', len) != NULL) return "must not hold a user name or password";
  size_t host = 0;
  if (len > 0 && *text == '[') {
    const char *end = memchr(text, ']', len);
    if (end == NULL) return "has a broken IPv6 address";
    host = (size_t)(end - text) + 1;
    if (host < len && text[host] != ':') return "has a broken IPv6 address";
  } else {
    const char *colon = memchr(text, ':', len);
    host = colon != NULL ? (size_t)(colon - text) : len;
  }
  const char *why = check_host(text, host);
  if (why == NULL && host < len) why = check_port(text + host + 1, len - host - 1);
  return why;
}

static size_t scheme_len(const char *url) {
  if (strncasecmp(url, "http://", 7) == 0) return 7;
  return strncasecmp(url, "https://", 8) == 0 ? 8 : 0;
}

static const char *check(const char *url) {
  size_t scheme = url != NULL ? scheme_len(url) : 0;
  if (scheme == 0) return "must begin with http:// or https://";
  for (const char *c = url; *c; c++) {
    if (*c <= ' ' || *c > '~') return "must be printable ASCII without spaces (percent-encode it)";
  }
  if (strchr(url, '#') != NULL) return "must not hold a fragment (#)";
  return check_authority(url + scheme, strcspn(url + scheme, "/?"));
}

bool psp_http_url_check(const char *url, const char **why) {
  const char *rule = check(url);
  if (rule != NULL && why != NULL) *why = rule;
  return rule == NULL;
}

const char *psp_http_url_authority(const char *url, size_t *len) {
  const char *authority = url + scheme_len(url);
  *len = authority == url ? 0 : strcspn(authority, "/?");
  return authority;
}

size_t psp_http_url_origin_len(const char *url) {
  size_t len;
  const char *authority = psp_http_url_authority(url, &len);
  return (size_t)(authority - url) + len;
}

/* 127.0.0.0/8 and 0.0.0.0, in the first of which the second ends when it is connected to. */
static bool is_own_v4(const struct in_addr *address) {
  return ntohl(address->s_addr) >> 24 == 127 || address->s_addr == htonl(INADDR_ANY);
}

static bool is_own_v6(const struct in6_addr *address) {
  struct in_addr v4;
  if (!IN6_IS_ADDR_V4MAPPED(address))
    return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address);
  memcpy(&v4, address->s6_addr + 12, sizeof v4);
  return is_own_v4(&v4);
}

static bool is_localhost(const char *host, size_t len) {
  static const char local[] = "localhost";
  const size_t local_len = sizeof local - 1;
  if (len < local_len || strncasecmp(host + len - local_len, local, local_len) != 0) return false;
  return len == local_len || host[len - local_len - 1] == '.';
}

bool psp_http_url_is_loopback(const char *url) {
  size_t len = 0;
  const char *host = psp_http_url_authority(url, &len);
  bool v6 = len > 0 && *host == '[';
  const char *end = len > 0 ? memchr(host, v6 ? ']' : ':', len) : NULL;
  if (end != NULL) len = (size_t)(end - host);
  if (v6) {
    host++;
    len--;
  }
  char text[INET6_ADDRSTRLEN];
  if (len >= sizeof text) return !v6 && is_localhost(host, len);
  memcpy(text, host, len);
  text[len] = 0;
  struct in6_addr six;
  struct in_addr four;
  if (v6) return inet_pton(AF_INET6, text, &six) == 1 && is_own_v6(&six);
  /* Also as 127.1, which a resolver takes for 127.0.0.1. */
  if (inet_aton(text, &four) != 0) return is_own_v4(&four);
  return is_localhost(host, len);
}
