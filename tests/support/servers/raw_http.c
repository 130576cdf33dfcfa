/* SPDX-License-Identifier: MIT */
#include "raw_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 30000

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int raw_connect(int port) {
  struct sockaddr_in at = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
    fail_msg("cannot connect to port %d: %s", port, strerror(errno));
  return fd;
}

void raw_send_bytes(int fd, const void *data, size_t len) {
  for (size_t sent = 0; sent < len;) {
    ssize_t n = send(fd, (const char *)data + sent, len - sent, MSG_NOSIGNAL);
    if (n <= 0) return; /* closed: the reader will find out */
    sent += (size_t)n;
  }
}

void raw_send(int fd, const char *text) {
  raw_send_bytes(fd, text, strlen(text));
}

static bool read_byte(int fd, char *byte) {
  struct pollfd at = {.fd = fd, .events = POLLIN};
  if (poll(&at, 1, PATIENCE_MS) == 0) fail_msg("nothing came for thirty seconds");
  return recv(fd, byte, 1, 0) == 1;
}

static bool read_bytes(int fd, psp_buf *to, size_t len) {
  char byte;
  while (len-- > 0) {
    if (!read_byte(fd, &byte)) return false;
    psp_buf_char(to, byte);
  }
  return true;
}

static bool read_until(int fd, psp_buf *to, const char *end) {
  size_t start = to->len, len = strlen(end);
  char byte;
  while (read_byte(fd, &byte)) {
    psp_buf_char(to, byte);
    if (to->len - start >= len && memcmp(to->data + to->len - len, end, len) == 0) return true;
  }
  return false;
}

/* Looks for "name: value" in a head, whatever the case of the name. */
static const char *find_header(const psp_buf *head, const char *name) {
  size_t len = strlen(name);
  for (const char *line = head->data; line != NULL && *line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncasecmp(line, name, len) == 0 && line[len] == ':')
      return line + len + 1 + strspn(line + len + 1, " ");
  }
  return NULL;
}

bool raw_has_header(const raw_answer *answer, const char *line) {
  const char *colon = strchr(line, ':');
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)(colon - line), line);
  const char *value = find_header(&answer->head, name);
  const char *want = colon + 1 + strspn(colon + 1, " ");
  return value != NULL && strncmp(value, want, strlen(want)) == 0 && value[strlen(want)] == '\r';
}

bool raw_read_head(int fd, raw_answer *answer) {
  raw_free(answer);
  if (!read_until(fd, &answer->head, "\r\n\r\n")) return false;
  if (sscanf(answer->head.data, "HTTP/1.%*d %d", &answer->status) != 1)
    fail_msg("no HTTP answer: %s", answer->head.data);
  return true;
}

bool raw_read_chunk(int fd, raw_answer *answer) {
  psp_buf line = {0};
  unsigned long len = 0;
  bool more = read_until(fd, &line, "\r\n");
  if (more) len = strtoul(line.data, NULL, 16);
  psp_buf_reset(&line);
  more = more && read_bytes(fd, &answer->body, len) && read_until(fd, &line, "\r\n");
  psp_buf_free(&line);
  return more && len > 0;
}

bool raw_read(int fd, raw_answer *answer) {
  if (!raw_read_head(fd, answer)) return false;
  psp_buf_text(&answer->body, "");
  const char *length = find_header(&answer->head, "content-length");
  const char *coding = find_header(&answer->head, "transfer-encoding");
  if (coding != NULL && strncmp(coding, "chunked", 7) == 0) {
    while (raw_read_chunk(fd, answer)) {
    }
    return true;
  }
  return length == NULL || read_bytes(fd, &answer->body, strtoul(length, NULL, 10));
}

void raw_free(raw_answer *answer) {
  psp_buf_free(&answer->head);
  psp_buf_free(&answer->body);
  *answer = (raw_answer){0};
}

int raw_ask(int fd, const char *text, raw_answer *answer) {
  raw_send(fd, text);
  return raw_read(fd, answer) ? answer->status : 0;
}

bool raw_is_closed(int fd) {
  char bytes[4096];
  for (;;) {
    struct pollfd at = {.fd = fd, .events = POLLIN};
    if (poll(&at, 1, PATIENCE_MS) == 0) return false;
    if (recv(fd, bytes, sizeof bytes, 0) <= 0) return true;
  }
}

bool raw_is_silent(int fd, int ms) {
  struct pollfd at = {.fd = fd, .events = POLLIN};
  return poll(&at, 1, ms) == 0;
}

int raw_hold(int *port) {
  struct sockaddr_in at = loopback(0);
  socklen_t len = sizeof at;
  int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
      bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
      getsockname(fd, (struct sockaddr *)&at, &len) != 0)
    fail_msg("cannot bind: %s", strerror(errno));
  *port = ntohs(at.sin_port);
  return fd;
}

int raw_listen(int *port) {
  int fd = raw_hold(port);
  if (listen(fd, 64) != 0) fail_msg("cannot listen: %s", strerror(errno));
  return fd;
}

int raw_accept(int listener) {
  struct pollfd at = {.fd = listener, .events = POLLIN};
  if (poll(&at, 1, PATIENCE_MS) == 0) fail_msg("nobody connected for thirty seconds");
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) fail_msg("accept: %s", strerror(errno));
  return fd;
}

bool raw_read_request(int fd, psp_buf *head, psp_buf *body) {
  psp_buf_reset(head);
  psp_buf_reset(body);
  if (!read_until(fd, head, "\r\n\r\n")) return false;
  psp_buf_text(body, "");
  const char *length = find_header(head, "content-length");
  return length == NULL || read_bytes(fd, body, strtoul(length, NULL, 10));
}
