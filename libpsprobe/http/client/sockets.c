/* SPDX-License-Identifier: MIT */
#include "http/client/sockets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct psp_socket_entry {
  uint32_t wanted;     /* by curl */
  uint32_t registered; /* with the kernel; 0: not in the set */
  bool ours;
} entry;

bool psp_sockets_init(psp_sockets *sockets) {
  *sockets = (psp_sockets){.epoll = epoll_create1(EPOLL_CLOEXEC)};
  return sockets->epoll >= 0;
}

void psp_sockets_clear(psp_sockets *sockets) {
  if (sockets->epoll >= 0) close(sockets->epoll);
  free(sockets->entries);
  *sockets = (psp_sockets){.epoll = -1};
}

static entry *get(psp_sockets *sockets, int fd) {
  return (size_t)fd < sockets->capacity ? &sockets->entries[fd] : NULL;
}

static entry *make(psp_sockets *sockets, int fd) {
  entry *e = get(sockets, fd);
  if (e != NULL) return e;
  size_t capacity = ((size_t)fd + 1) * 2;
  entry *grown = realloc(sockets->entries, capacity * sizeof *grown);
  if (grown == NULL) return NULL;
  memset(grown + sockets->capacity, 0, (capacity - sockets->capacity) * sizeof *grown);
  sockets->entries = grown;
  sockets->capacity = capacity;
  return get(sockets, fd);
}

bool psp_sockets_opened(psp_sockets *sockets, int fd) {
  entry *e = make(sockets, fd);
  if (e == NULL) return false;
  *e = (entry){.ours = true};
  return true;
}

static bool enlist(psp_sockets *sockets, int fd, entry *e, uint32_t events) {
  if (events == e->registered) return true;
  int operation = events == 0 ? EPOLL_CTL_DEL : e->registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  struct epoll_event event = {.events = events, .data.fd = fd};
  e->registered = events;
  return epoll_ctl(sockets->epoll, operation, fd, &event) == 0 || events == 0;
}

void psp_sockets_closed(psp_sockets *sockets, int fd) {
  entry *e = get(sockets, fd);
  if (e == NULL) return;
  enlist(sockets, fd, e, 0);
  *e = (entry){0};
}

bool psp_sockets_want(psp_sockets *sockets, int fd, uint32_t events) {
  entry *e = make(sockets, fd);
  if (e == NULL) return false;
  e->wanted = events;
  if (events == 0 && e->ours) return true;
  bool done = enlist(sockets, fd, e, events);
  if (!done) e->registered = 0;
  return done;
}

bool psp_sockets_ready(psp_sockets *sockets, int fd) {
  entry *e = get(sockets, fd);
  if (e == NULL) return false;
  /* An idle connection that its server has closed, most likely. */
  if (e->wanted == 0) enlist(sockets, fd, e, 0);
  return e->wanted != 0;
}
