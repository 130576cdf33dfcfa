/* SPDX-License-Identifier: MIT */
/**
 * @file A crowd at the doors of servers on loopback: connections that ask nothing, that ask half,
 * and that ask a byte at a time. Whoever is shown out comes back, RETURNS a second in all. Until
 * killed. usage: crowd FROM_ADDRESS IDLE HALF DRIPPING HOST:PORT...
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HALF      "POST /cloud_function/0 HTTP/1.1\r\nHost: h\r\nX-A: "
#define ROUND_MS  100
#define RETURNS   200
#define AT_ONCE   16
#define MAX_DOORS 8

typedef enum manner { IDLE, HALF_ASKED, DRIPPING, MANNERS } manner;

typedef struct guest {
  struct sockaddr_in door;
  manner manner;
  int fd; /* -1: outside */
} guest;

static struct sockaddr_in from = {.sin_family = AF_INET};
static int all;

static void give_up(const char *what) {
  fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void go_out(guest *g) {
  close(g->fd);
  g->fd = -1;
}

static void come_in(guest *g) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = g};
  g->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (g->fd < 0) give_up("socket");
  if (bind(g->fd, (struct sockaddr *)&from, sizeof from) != 0) give_up("bind");
  if (connect(g->fd, (struct sockaddr *)&g->door, sizeof g->door) != 0 ||
      (g->manner != IDLE && send(g->fd, HALF, sizeof HALF - 1, MSG_NOSIGNAL) < 0) ||
      epoll_ctl(all, EPOLL_CTL_ADD, g->fd, &event) != 0)
    go_out(g);
}

static void drip(guest *guests, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (guests[i].manner == DRIPPING && guests[i].fd >= 0)
      send(guests[i].fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Who was shown out, for ROUND_MS. */
static void look(void) {
  struct epoll_event events[256];
  poll(NULL, 0, ROUND_MS);
  for (int got; (got = epoll_wait(all, events, 256, 0)) > 0;)
    for (int i = 0; i < got; i++)
      go_out(events[i].data.ptr);
}

static void come_back(guest *guests, size_t count) {
  static size_t next;
  int left = RETURNS * ROUND_MS / 1000;
  for (size_t i = 0; i < count && left > 0; i++, next = (next + 1) % count) {
    if (guests[next].fd >= 0) continue;
    come_in(&guests[next]);
    left--;
  }
}

static void parse_door(const char *text, struct sockaddr_in *door) {
  char host[32];
  int port;
  if (sscanf(text, "%31[0-9.]:%d", host, &port) != 2 ||
      inet_pton(AF_INET, host, &door->sin_addr) != 1) {
    fprintf(stderr, "crowd: %s is no address\n", text);
    exit(2);
  }
  door->sin_family = AF_INET;
  door->sin_port = htons((uint16_t)port);
}

static void raise_limit(size_t wanted) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur > wanted + 32) return;
  fprintf(stderr, "crowd: %zu files are more than may be open here\n", wanted);
  exit(77);
}

int main(int argc, char **argv) {
  size_t each[MANNERS], count = 0;
  if (argc < 6 || argc > 5 + MAX_DOORS || inet_pton(AF_INET, argv[1], &from.sin_addr) != 1)
    return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* of the script that has forgotten us */
  for (int k = 0; k < MANNERS; k++)
    each[k] = (size_t)strtoul(argv[2 + k], NULL, 10);
  size_t a_door = each[IDLE] + each[HALF_ASKED] + each[DRIPPING];
  guest *guests = calloc(a_door * (size_t)(argc - 5) + 1, sizeof *guests);
  raise_limit(a_door * (size_t)(argc - 5));
  all = epoll_create1(EPOLL_CLOEXEC);
  if (guests == NULL || all < 0) give_up("start");
  for (int door = 5; door < argc; door++)
    for (size_t k = 0; k < a_door; k++) {
      guest *g = &guests[count++];
      parse_door(argv[door], &g->door);
      g->manner = k < each[IDLE] ? IDLE : k < each[IDLE] + each[HALF_ASKED] ? HALF_ASKED : DRIPPING;
      come_in(g);
      if (count % AT_ONCE == 0) poll(NULL, 0, 1);
    }
  printf("crowd: %zu are there\n", count);
  fflush(stdout);
  for (;;) {
    look();
    drip(guests, count);
    come_back(guests, count);
  }
}
