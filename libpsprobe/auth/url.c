/* SPDX-License-Identifier: MIT */
#include "auth/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "http/url.h"

/* The host without brackets, and the port's text ("" when not given). False: no URL, or a host too
 * long to be one. */
static bool split(const char *url, char host[256], const char **port, size_t *port_len) {
  if (!psp_http_url_check(url, NULL)) return false;
  size_t len;
  const char *text = psp_http_url_authority(url, &len);
  bool v6 = *text == '[';
  const char *end = v6 ? memchr(text, ']', len) : memchr(text, ':', len);
  size_t host_len = end != NULL ? (size_t)(end - text) : len;
  const char *from = text + v6;
  host_len -= v6;
  if (host_len >= 256) return false;
  memcpy(host, from, host_len);
  host[host_len] = 0;
  const char *after = from + host_len + v6;
  bool given = after < text + len; /* ":port" */
  *port = given ? after + 1 : after;
  *port_len = given ? (size_t)(text + len - after) - 1 : 0;
  return true;
}

bool psp_url_is_https(const char *url) {
  return psp_http_url_check(url, NULL) && strncasecmp(url, "https://", 8) == 0;
}

bool psp_url_is_safe(const char *url) {
  return psp_url_is_https(url) || (psp_http_url_check(url, NULL) && psp_http_url_is_loopback(url));
}

bool psp_url_is_link_local(const char *url) {
  char host[256];
  const char *port;
  size_t port_len;
  if (!split(url, host, &port, &port_len)) return false;
  struct in_addr v4;
  struct in6_addr v6, ec2;
  if (inet_pton(AF_INET, host, &v4) == 1) return ntohl(v4.s_addr) >> 16 == 0xa9fe;
  inet_pton(AF_INET6, "fd00:ec2::254", &ec2);
  return inet_pton(AF_INET6, host, &v6) == 1 && memcmp(&v6, &ec2, sizeof v6) == 0;
}

bool psp_url_is_within(const char *url, const char *domain) {
  char host[256];
  const char *port;
  size_t port_len;
  if (!split(url, host, &port, &port_len)) return false;
  if (port_len != 0 && (port_len != 3 || memcmp(port, "443", 3) != 0)) return false;
  size_t len = strlen(host), tail = strlen(domain);
  if (tail == 0 || len < tail || strcasecmp(host + len - tail, domain) != 0) return false;
  return len == tail || host[len - tail - 1] == '.';
}
