/* SPDX-License-Identifier: MIT */
#include "auth/url.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool split_port(const char *text, size_t len, int *port) {
  *port = 0;
  if (len == 0) return true; /* "https://host:/" is legal, and means the default */
  if (len > 5) return false;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *port = *port * 10 + (text[i] - '0');
  }
  return *port >= 1 && *port <= 65535;
}

/* The part after "user@": "host", "host:port", "[v6]", "[v6]:port". */
static bool split_host(const char *text, size_t len, psp_url_parts *parts) {
  const char *end = text + len;
  const char *after;
  if (len > 0 && text[0] == '[') {
    const char *close = memchr(text, ']', len);
    if (close == NULL) return false;
    parts->host = text + 1;
    parts->host_len = (size_t)(close - text) - 1;
    after = close + 1;
    for (const char *c = parts->host; c < close; c++) {
      if (strchr("0123456789abcdefABCDEF:.", *c) == NULL) return false;
    }
  } else {
    after = memchr(text, ':', len);
    if (after == NULL) after = end;
    parts->host = text;
    parts->host_len = (size_t)(after - text);
    for (const char *c = text; c < after; c++) {
      bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                   (*c >= 'A' && *c <= 'Z') || *c == '-' || *c == '.' || *c == '_';
      if (!plain) return false;
    }
  }
  if (parts->host_len == 0 || parts->host_len > 253) return false;
  if (after == end) return true;
  return *after == ':' && split_port(after + 1, (size_t)(end - after) - 1, &parts->port);
}

bool psp_url_split(const char *url, psp_url_parts *parts) {
  memset(parts, 0, sizeof *parts);
  if (url == NULL) return false;
  if (strncasecmp(url, "https://", 8) == 0) {
    parts->https = true;
    url += 8;
  } else if (strncasecmp(url, "http://", 7) == 0) {
    url += 7;
  } else {
    return false;
  }
  for (const char *c = url; *c != 0; c++) {
    /* A backslash is a slash to some parsers and not to others: not in a URL of ours. */
    if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || *c == '\\') return false;
  }
  size_t authority = strcspn(url, "/?#");
  parts->path = url + authority;
  parts->fragment = strchr(url, '#') != NULL;
  const char *at = memrchr(url, '@', authority);
  parts->user = at != NULL;
  const char *host = at != NULL ? at + 1 : url;
  return split_host(host, authority - (size_t)(host - url), parts);
}

static bool host_text(const psp_url_parts *parts, char out[64]) {
  if (parts->host_len >= 64) return false;
  memcpy(out, parts->host, parts->host_len);
  out[parts->host_len] = 0;
  return true;
}

bool psp_url_is_loopback(const psp_url_parts *parts) {
  char host[64];
  if (!host_text(parts, host)) return false;
  struct in_addr v4;
  struct in6_addr v6;
  if (inet_pton(AF_INET, host, &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, host, &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return strcasecmp(host, "localhost") == 0;
}

bool psp_url_is_link_local(const psp_url_parts *parts) {
  static const struct in6_addr ec2 = {
      {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}}};
  char host[64];
  if (!host_text(parts, host)) return false;
  struct in_addr v4;
  struct in6_addr v6;
  if (inet_pton(AF_INET, host, &v4) == 1) return (ntohl(v4.s_addr) >> 16) == 0xa9fe;
  return inet_pton(AF_INET6, host, &v6) == 1 && memcmp(&v6, &ec2, sizeof v6) == 0;
}

bool psp_url_is_safe(const char *url) {
  psp_url_parts parts;
  return psp_url_split(url, &parts) && !parts.user && (parts.https || psp_url_is_loopback(&parts));
}

bool psp_url_host_within(const psp_url_parts *parts, const char *domain) {
  size_t len = strlen(domain);
  if (len == 0 || parts->host_len < len) return false;
  const char *tail = parts->host + parts->host_len - len;
  if (strncasecmp(tail, domain, len) != 0) return false;
  return tail == parts->host || tail[-1] == '.';
}
