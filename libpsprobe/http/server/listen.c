/* SPDX-License-Identifier: MIT */
#include "http/server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"

/* Where the port begins, behind its colon; NULL: there is none. `*len` receives the host's bytes.
 */
static const char *split(const char *text, size_t *len) {
  if (*text != '\0' && text[strspn(text, "0123456789")] == '\0') {
    *len = 0;
    return text;
  }
  const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
  if (colon == NULL || (bracket != NULL && bracket > colon)) {
    *len = strlen(text);
    return NULL;
  }
  *len = (size_t)(colon - text);
  return colon + 1;
}

bool psp_listen_parse(const char *text, psp_listen_address *address, const char **why) {
  const char *host = text;
  size_t len = 0;
  int64_t number = -1;
  const char *port = split(text, &len);
  *why = "must be host:port, [address]:port, :port or a port";
  if (port == NULL && len == 0) return false;
  if (strstr(text, "//") != NULL) {
    *why = "must be an address to listen on, as 127.0.0.1:8080, not a URL";
    return false;
  }
  if (*text == '[') {
    if (len < 2 || text[len - 1] != ']') return false;
    host++;
    len -= 2;
  } else if (memchr(text, ':', len) != NULL) {
    *why = "needs its IPv6 address in brackets, as [::1]:8080";
    return false;
  }
  if (len >= sizeof address->host) return false;
  if (port != NULL && !psp_parse_int64(port, 0, 65535, &number)) {
    *why = "needs a port of 0 to 65535";
    return false;
  }
  memcpy(address->host, host, len);
  address->host[len] = 0;
  address->port = (int)number;
  return true;
}

typedef union any_address {
  struct sockaddr generic;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} any_address;

/* A port that a server has just left is free at once, except while another listens on it. */
static int open_one(const struct sockaddr *address, socklen_t len) {
  int one = 1, zero = 0;
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  if (bind(fd, address, len) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  int kept = errno;
  close(fd);
  errno = kept;
  return -1;
}

/* Every address: IPv6 and with it IPv4, or IPv4 alone where the kernel has no IPv6. */
static int open_every(int port) {
  any_address any = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
  int fd = open_one(&any.generic, sizeof any.v6);
  if (fd >= 0 || errno == EADDRINUSE || errno == EACCES) return fd;
  any = (any_address){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
  return open_one(&any.generic, sizeof any.v4);
}

static int open_named(const psp_listen_address *address, const char **why) {
  char port[16];
  snprintf(port, sizeof port, "%d", address->port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
  int rc = getaddrinfo(address->host, port, &hints, &list);
  if (rc != 0) {
    *why = gai_strerror(rc);
    return -1;
  }
  int fd = -1;
  for (struct addrinfo *at = list; at != NULL && fd < 0; at = at->ai_next)
    fd = open_one(at->ai_addr, at->ai_addrlen);
  int kept = errno;
  freeaddrinfo(list);
  errno = kept;
  return fd;
}

static void describe(int fd, int *port, char url[PSP_LISTEN_URL]) {
  any_address bound = {0};
  socklen_t len = sizeof bound;
  char host[INET6_ADDRSTRLEN] = "127.0.0.1";
  getsockname(fd, &bound.generic, &len);
  bool v6 = bound.generic.sa_family == AF_INET6;
  *port = ntohs(v6 ? bound.v6.sin6_port : bound.v4.sin_port);
  /* The address of all is none to call; what listens there also hears the loopback's. */
  bool every = v6 ? IN6_IS_ADDR_UNSPECIFIED(&bound.v6.sin6_addr)
                  : bound.v4.sin_addr.s_addr == htonl(INADDR_ANY);
  if (!every && v6) inet_ntop(AF_INET6, &bound.v6.sin6_addr, host, sizeof host);
  if (!every && !v6) inet_ntop(AF_INET, &bound.v4.sin_addr, host, sizeof host);
  snprintf(url, PSP_LISTEN_URL, v6 && !every ? "http://[%s]:%d" : "http://%s:%d", host, *port);
}

psprobe_code psp_listen(const char *text, const char *what, int *fd, int *port,
                        char url[PSP_LISTEN_URL], psprobe_error *error) {
  psp_listen_address address;
  const char *why = NULL;
  if (text == NULL || !psp_listen_parse(text, &address, &why))
    return psp_setting_refuse(error, what, text, "it %s", text != NULL ? why : "names no address");
  if (address.port < 0) return psp_setting_refuse(error, what, text, "it %s", PSP_LISTEN_NO_PORT);
  why = NULL;
  errno = 0;
  int opened = *address.host ? open_named(&address, &why) : open_every(address.port);
  if (opened >= 0) {
    describe(opened, port, url);
    *fd = opened;
    return PSPROBE_OK;
  }
  if (why != NULL) return psp_setting_refuse(error, what, text, "%s", why);
  switch (errno) {
    case EADDRINUSE:
      return psp_fail(error, PSPROBE_UNAVAILABLE,
                      "%s %s: the address is in use by another program; stop it or choose another "
                      "port (0: any free one)",
                      what, text);
    case EACCES:
      return psp_fail(error, PSPROBE_PERMISSION_DENIED,
                      "%s %s: not allowed to listen there (ports below 1024 need privileges)", what,
                      text);
    case EADDRNOTAVAIL:
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s %s: this machine has no such address",
                      what, text);
    default:
      return psp_fail(error, PSPROBE_UNAVAILABLE, "%s %s: %s", what, text, strerror(errno));
  }
}

void psp_listen_for_words(int fd) {
  const int seconds = 3;
  setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}
