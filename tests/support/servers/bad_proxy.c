/* SPDX-License-Identifier: MIT */
#include "bad_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "raw_http.h"

#define MOST_OPEN 256
#define ROOM      16384
#define CLIENT    0
#define SERVER    1

/* What goes one way. */
typedef struct way {
  char room[ROOM];
  size_t len, at; /* what waits to go on */
  int64_t due_ns;
  bool ended, told; /* there will be no more; and that was handed on */
} way;

typedef struct carried {
  int fd[2];
  way ways[2]; /* from fd[i] to the other */
  bad_fate fate;
  size_t left; /* bytes until it comes */
  bool met;
  size_t piece;
  int late_ms;
  uint64_t random;
} carried;

struct bad_proxy {
  int listener, port, server_port, wake;
  pthread_t thread;
  pthread_mutex_t lock; /* over what follows, but for what is `open` */
  bad_weather weather;
  bool over;
  int doom; /* a fate; -1: none */
  unsigned counts[BAD_FATES];
  carried *open[MOST_OPEN];
  size_t count;
};

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* splitmix64 */
static uint64_t next(uint64_t *random) {
  uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* ---- one connection ---- */

/* From 0 to `most`, as many of each order of magnitude. */
static size_t draw_size(uint64_t *random, size_t most) {
  size_t top = 1;
  for (uint64_t orders = next(random) % 24; orders > 0 && top < most; orders--)
    top *= 2;
  return next(random) % ((top < most ? top : most) + 1);
}

static void draw_fate(carried *c, const bad_weather *w) {
  unsigned left = (unsigned)(next(&c->random) % 100);
  c->left = draw_size(&c->random, w->most);
  c->piece = w->piece > 0 && w->piece < ROOM ? w->piece : ROOM;
  c->late_ms = w->late_ms;
  for (c->fate = BAD_CUT; c->fate < BAD_FATES; c->fate++) {
    if (left < w->per_cent[c->fate]) return;
    left -= w->per_cent[c->fate];
  }
  c->fate = BAD_CALM;
}

static int connect_to(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static void prepare(int fd) {
  const int one = 1;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void take_in(bad_proxy *p) {
  int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  int server = p->count < MOST_OPEN ? connect_to(p->server_port) : -1;
  carried *c = server >= 0 ? calloc(1, sizeof *c) : NULL;
  if (c == NULL) { /* nobody is there */
    if (server >= 0) close(server);
    close(fd);
    return;
  }
  pthread_mutex_lock(&p->lock);
  c->random = p->weather.seed + ++p->counts[BAD_CALM];
  draw_fate(c, &p->weather);
  pthread_mutex_unlock(&p->lock);
  c->fd[CLIENT] = fd;
  c->fd[SERVER] = server;
  prepare(fd);
  prepare(server);
  p->open[p->count++] = c;
}

static void let_go(bad_proxy *p, size_t i, bool reset) {
  carried *c = p->open[i];
  const struct linger at_once = {.l_onoff = 1};
  for (int side = 0; side < 2; side++) {
    if (reset) setsockopt(c->fd[side], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(c->fd[side]);
  }
  free(c);
  p->open[i] = p->open[--p->count];
}

/* @return whether it goes on */
static bool meet_fate(bad_proxy *p, size_t i) {
  carried *c = p->open[i];
  c->met = true;
  pthread_mutex_lock(&p->lock);
  p->counts[c->fate]++;
  pthread_mutex_unlock(&p->lock);
  if (c->fate == BAD_STALL || c->fate == BAD_DEAF) return true;
  let_go(p, i, c->fate == BAD_RESET);
  return false;
}

/* ---- bytes ---- */

static void take(carried *c, int from) {
  way *w = &c->ways[from];
  size_t most = 1 + next(&c->random) % c->piece;
  if (c->fate != BAD_CALM && most > c->left) most = c->left;
  ssize_t n = recv(c->fd[from], w->room, most, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  w->ended = n <= 0;
  w->at = 0;
  w->len = n > 0 ? (size_t)n : 0;
  if (c->fate != BAD_CALM) c->left -= w->len;
  if (c->late_ms > 0)
    w->due_ns = now_ns() + (int64_t)(next(&c->random) % (uint64_t)(c->late_ms * 1000)) * 1000;
}

static void hand_on(carried *c, int from) {
  way *w = &c->ways[from];
  int to = c->fd[1 - from];
  if (w->at < w->len) {
    ssize_t n = send(to, w->room + w->at, w->len - w->at, MSG_NOSIGNAL);
    if (n > 0) w->at += (size_t)n;
    if (n < 0 && errno != EAGAIN && errno != EINTR) w->ended = w->told = true;
  }
  if (w->at == w->len && w->ended && !w->told) {
    shutdown(to, SHUT_WR);
    w->told = true;
  }
}

static bool is_empty(const carried *c) {
  return c->ways[0].at == c->ways[0].len && c->ways[1].at == c->ways[1].len;
}

/* What poll is to wait for, and until when. */
static void ask(const carried *c, struct pollfd *two, int64_t *due_ns) {
  const int64_t now = now_ns();
  for (int side = 0; side < 2; side++)
    two[side] = (struct pollfd){.fd = c->fd[side], .events = 0};
  if (c->met) {
    two[CLIENT].events = c->fate == BAD_STALL ? POLLIN | POLLRDHUP : POLLRDHUP;
    two[SERVER].fd = -1;
    return;
  }
  if (c->fate != BAD_CALM && c->left == 0 && is_empty(c)) *due_ns = now;
  for (int from = 0; from < 2; from++) {
    const way *w = &c->ways[from];
    bool waits = w->at < w->len || (w->ended && !w->told);
    if (waits && w->due_ns > now) {
      if (w->due_ns < *due_ns) *due_ns = w->due_ns;
    } else if (waits) {
      two[1 - from].events |= POLLOUT;
    } else if (!w->ended && (c->fate == BAD_CALM || c->left > 0)) {
      two[from].events |= POLLIN;
    }
  }
}

/* A stalled one swallows what comes, so that the sender's window stays open. */
static bool goes_on_stalled(const carried *c, const struct pollfd *two) {
  char nowhere[ROOM];
  if ((two[CLIENT].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) return false;
  if ((two[CLIENT].revents & POLLIN) == 0) return true;
  ssize_t n = recv(c->fd[CLIENT], nowhere, sizeof nowhere, 0);
  return n > 0 || (n < 0 && errno == EAGAIN);
}

static void carry(bad_proxy *p, size_t i, const struct pollfd *two) {
  carried *c = p->open[i];
  if (c->met) {
    if (!goes_on_stalled(c, two)) let_go(p, i, false);
    return;
  }
  const int64_t now = now_ns();
  for (int from = 0; from < 2; from++) {
    way *w = &c->ways[from];
    bool waits = w->at < w->len || (w->ended && !w->told);
    if (!waits && !w->ended && (c->fate == BAD_CALM || c->left > 0) && two[from].revents != 0)
      take(c, from);
    else if (waits && w->due_ns <= now)
      hand_on(c, from);
  }
  if (c->fate != BAD_CALM && c->left == 0 && is_empty(c))
    meet_fate(p, i);
  else if (c->ways[0].told && c->ways[1].told)
    let_go(p, i, false);
}

/* ---- the thread ---- */

static void doom_all(bad_proxy *p, bad_fate fate) {
  for (size_t i = p->count; i-- > 0;) {
    p->open[i]->fate = fate;
    if (!p->open[i]->met) meet_fate(p, i);
  }
}

/* @return whether it goes on */
static bool hear(bad_proxy *p) {
  uint64_t ignored;
  (void)!read(p->wake, &ignored, sizeof ignored);
  pthread_mutex_lock(&p->lock);
  int doom = p->doom;
  bool over = p->over;
  p->doom = -1;
  pthread_mutex_unlock(&p->lock);
  if (doom >= 0) doom_all(p, (bad_fate)doom);
  return !over;
}

static void *run(void *arg) {
  bad_proxy *p = arg;
  struct pollfd fds[2 + 2 * MOST_OPEN];
  while (hear(p)) {
    int64_t due_ns = INT64_MAX;
    size_t n = p->count;
    fds[0] = (struct pollfd){.fd = p->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    for (size_t i = 0; i < n; i++)
      ask(p->open[i], fds + 2 + 2 * i, &due_ns);
    int64_t wait_ns = due_ns == INT64_MAX ? 60000000000 : due_ns - now_ns();
    if (wait_ns < 0) wait_ns = 0;
    const struct timespec wait = {wait_ns / 1000000000, wait_ns % 1000000000};
    /* Not poll: a test may have its own. */
    if (ppoll(fds, 2 + 2 * n, &wait, NULL) < 0) continue;
    /* From the last on, so that the place of one that goes is taken by one that was looked at. */
    for (size_t i = n; i-- > 0;)
      carry(p, i, fds + 2 + 2 * i);
    if (fds[1].revents != 0) take_in(p);
  }
  while (p->count > 0)
    let_go(p, 0, false);
  return NULL;
}

/* ---- its life ---- */

static void wake(bad_proxy *p) {
  const uint64_t one = 1;
  (void)!write(p->wake, &one, sizeof one);
}

bad_proxy *bad_proxy_start(int server_port, const bad_weather *weather) {
  bad_proxy *p = calloc(1, sizeof *p);
  if (p == NULL) abort();
  p->server_port = server_port;
  p->weather = *weather;
  p->doom = -1;
  p->listener = raw_listen(&p->port);
  p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_mutex_init(&p->lock, NULL);
  if (p->wake < 0 || pthread_create(&p->thread, NULL, run, p) != 0) abort();
  return p;
}

int bad_proxy_port(const bad_proxy *p) {
  return p->port;
}

void bad_proxy_set_weather(bad_proxy *p, const bad_weather *weather) {
  pthread_mutex_lock(&p->lock);
  p->weather = *weather;
  pthread_mutex_unlock(&p->lock);
}

void bad_proxy_doom(bad_proxy *p, bad_fate fate) {
  pthread_mutex_lock(&p->lock);
  p->doom = (int)fate;
  pthread_mutex_unlock(&p->lock);
  wake(p);
}

unsigned bad_proxy_count(bad_proxy *p, bad_fate fate) {
  pthread_mutex_lock(&p->lock);
  unsigned count = p->counts[fate];
  pthread_mutex_unlock(&p->lock);
  return count;
}

void bad_proxy_stop(bad_proxy *p) {
  pthread_mutex_lock(&p->lock);
  p->over = true;
  pthread_mutex_unlock(&p->lock);
  wake(p);
  pthread_join(p->thread, NULL);
  close(p->listener);
  close(p->wake);
  pthread_mutex_destroy(&p->lock);
  free(p);
}
