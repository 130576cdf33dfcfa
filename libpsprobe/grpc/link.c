/* SPDX-License-Identifier: MIT */
#include "grpc/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNACKNOWLEDGED_MS 20000

static ssize_t outcome(psp_link *link, ssize_t n, const char *doing) {
  if (n >= 0) return n;
  if (errno == EAGAIN || errno == EINTR) return PSP_LINK_AGAIN;
  snprintf(link->why, sizeof link->why, "%s: %s", doing, strerror(errno));
  return PSP_LINK_BROKEN;
}

static ssize_t plain_read(psp_link *link, void *room, size_t size) {
  ssize_t n = recv(link->fd, room, size, 0);
  link->drained = n > 0 && (size_t)n < size;
  return outcome(link, n, "receiving");
}

static ssize_t plain_write(psp_link *link, const void *data, size_t len) {
  return outcome(link, send(link->fd, data, len, MSG_NOSIGNAL), "sending");
}

static void plain_free(psp_link *link) {
  free(link);
}

static const psp_link_kind plain = {plain_read, plain_write, plain_free};

void psp_link_init(psp_link *link, const psp_link_kind *kind, int fd) {
  const int one = 1, unacknowledged = UNACKNOWLEDGED_MS;
  link->kind = kind;
  link->fd = fd;
  link->read_on = POLLIN;
  link->write_on = POLLOUT;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  /* A socket that is not TCP's knows neither. */
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof unacknowledged);
}

psp_link *psp_link_plain(int fd) {
  psp_link *link = calloc(1, sizeof *link);
  if (link != NULL)
    psp_link_init(link, &plain, fd);
  else
    close(fd);
  return link;
}

void psp_link_free(psp_link *link) {
  if (link == NULL) return;
  if (link->host.leave != NULL) link->host.leave(link->host.arg, link->fd);
  close(link->fd);
  link->kind->free(link);
}
