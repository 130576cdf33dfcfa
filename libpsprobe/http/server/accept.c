/* SPDX-License-Identifier: MIT */
#include "http/server/accept.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/thread.h"

#define AT_ONCE       64 /* connections, before anything else is seen to */
#define LOOK_EVERY_MS 1000
#define HELD_OFF_MS   2                   /* until others have begun, or left */
#define PATIENCE_NS   (2 * PSP_SECOND_NS) /* some may never begin nor leave, for want of memory */
#define STARVED_MS    20
#define LOG_EVERY_NS  (10 * PSP_SECOND_NS)

/* What the acceptor remembers between two rounds. */
typedef struct acceptor {
  psp_server *server;
  int64_t looked_ns, told_ns;
  int64_t held_off_ns; /* since when nobody was taken who waits; 0: nobody waits */
  bool starving;       /* the last that was tried found no descriptor */
  int door;            /* who stands there and waits; -1: nobody */
  struct sockaddr_storage from;
  socklen_t from_len;
  uint64_t told; /* of what was not taken */
} acceptor;

typedef enum taken { TAKEN, GONE, NONE_LEFT, HELD_OFF, STARVED } taken; /* GONE: has left already */

void psp_server_miss(psp_server *s) {
  atomic_store(&s->untaken_ns, psprobe_clock_monotonic());
  atomic_fetch_add(&s->untaken, 1);
}

bool psp_server_has_missed(const psp_server *s, int64_t since_ns) {
  int64_t last_ns = atomic_load(&s->untaken_ns);
  return last_ns != 0 && last_ns >= since_ns;
}

/* With the room's lock, which keeps its number from being used for something else. The end reaches
 * libmicrohttpd as a hang-up, upon which it closes. */
static void send_away(psp_server *s, psp_guest *guest) {
  shutdown(guest->fd, SHUT_RDWR);
  if (atomic_load(&guest->streams)) psp_hub_hang_up(s->hub, guest->fd);
}

static bool is_anybody_there(const psp_server *s) {
  struct pollfd door = {.fd = s->listener, .events = POLLIN};
  return poll(&door, 1, 0) > 0;
}

static bool is_want_of_room(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static void make_way(psp_server *s, psp_guest *leaves) {
  if (leaves == NULL) return;
  if (psp_room_is_unheard(leaves)) psp_server_miss(s);
  send_away(s, leaves);
}

/* No descriptor is left: somebody idle gives his. Who waits at the door is counted once, however
 * often it is tried. */
static taken starve(acceptor *a) {
  psp_server *s = a->server;
  pthread_mutex_lock(&s->room_lock);
  if (!a->starving) {
    s->starved++;
    psp_server_miss(s);
  } else {
    atomic_store(&s->untaken_ns, psprobe_clock_monotonic());
  }
  a->starving = true;
  make_way(s, psp_room_make(&s->room));
  pthread_mutex_unlock(&s->room_lock);
  return STARVED;
}

/* Takes who waits at the door, or who comes next, into a->door. */
static taken open_door(acceptor *a) {
  psp_server *s = a->server;
  if (a->door >= 0) return TAKEN;
  a->from_len = sizeof a->from;
  a->door =
      accept4(s->listener, (struct sockaddr *)&a->from, &a->from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
  a->starving = a->starving && a->door < 0;
  if (a->door >= 0) return TAKEN;
  int error = errno;
  /* Without a descriptor the kernel says so, also when nobody is at the door. */
  if (is_want_of_room(error)) return is_anybody_there(s) ? starve(a) : NONE_LEFT;
  return error == EAGAIN || error == EWOULDBLOCK || error == EINVAL ? NONE_LEFT : GONE;
}

static psp_room_answer let_in(acceptor *a, bool patient) {
  psp_server *s = a->server;
  psp_guest *leaves = NULL;
  int64_t now_ns = psprobe_clock_monotonic();
  const psp_room_visitor visitor = {.from = (const struct sockaddr *)&a->from,
                                    .fd = a->door,
                                    .impatient = !patient,
                                    .now_ns = now_ns,
                                    .due_ns = now_ns + s->idle_ns};
  pthread_mutex_lock(&s->room_lock);
  psp_room_answer answer = psp_room_enter(&s->room, &visitor, &leaves);
  make_way(s, leaves);
  if (answer == PSP_ROOM_REFUSED) psp_server_miss(s);
  pthread_mutex_unlock(&s->room_lock);
  return answer;
}

void psp_server_set_busy(void *server, int fd, bool busy) {
  psp_server *s = server;
  pthread_mutex_lock(&s->room_lock);
  psp_guest *guest = psp_room_begin(&s->room, fd);
  if (guest != NULL && busy)
    atomic_store(&guest->busy, true);
  else if (guest != NULL)
    psp_room_answered(&s->room, guest);
  if (guest != NULL)
    atomic_store(&guest->due_ns, busy ? INT64_MAX : psprobe_clock_monotonic() + s->idle_ns);
  pthread_mutex_unlock(&s->room_lock);
}

void psp_server_part(void *server, int fd) {
  psp_server *s = server;
  pthread_mutex_lock(&s->room_lock);
  psp_room_leave(&s->room, fd);
  pthread_mutex_unlock(&s->room_lock);
}

/* Its first bytes lie in the kernel, all of them in one segment: no client sends them apart. No
 * method of HTTP/1 begins so. */
static bool is_http2(int fd) {
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  char bytes[sizeof preface - 1];
  ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  return n >= 4 && memcmp(bytes, preface, (size_t)n) == 0;
}

/* Lets libmicrohttpd have it; where it cannot, it has closed it. */
static void hand_over(acceptor *a) {
  psp_server *s = a->server;
  int fd = a->door;
  a->door = -1;
  if (s->http2 != NULL && is_http2(fd)) {
    psp_server_set_busy(s, fd, false);
    s->http2(s->http2_arg, s, fd);
    return;
  }
  if (MHD_add_connection(s->daemon, fd, (struct sockaddr *)&a->from, a->from_len) == MHD_YES)
    return;
  pthread_mutex_lock(&s->room_lock);
  psp_room_leave(&s->room, fd);
  s->starved++;
  psp_server_miss(s);
  pthread_mutex_unlock(&s->room_lock);
}

static taken take_one(acceptor *a, bool patient) {
  psp_server *s = a->server;
  pthread_mutex_lock(&s->room_lock);
  bool held_off = patient && psp_room_is_hurried(&s->room);
  pthread_mutex_unlock(&s->room_lock);
  if (held_off) return HELD_OFF;
  taken there = open_door(a);
  if (there != TAKEN) return there;
  switch (let_in(a, patient)) {
    case PSP_ROOM_IN:
      hand_over(a);
      return TAKEN;
    case PSP_ROOM_WAIT:
      return HELD_OFF;
    default:
      close(a->door);
      a->door = -1;
      return TAKEN;
  }
}

static taken take(acceptor *a) {
  taken last = TAKEN;
  int64_t now_ns = psprobe_clock_monotonic();
  bool patient = a->held_off_ns == 0 || now_ns - a->held_off_ns < PATIENCE_NS, any = false;
  for (int i = 0; i < AT_ONCE && last <= GONE; i++) {
    last = take_one(a, patient);
    any = any || last == TAKEN;
  }
  /* Whoever was taken shows that things move on: nobody need be refused for the wait. */
  if (last != HELD_OFF || any)
    a->held_off_ns = 0;
  else if (a->held_off_ns == 0)
    a->held_off_ns = now_ns;
  return last;
}

/* One at a time, so that nobody who answers waits long for the lock. */
static void end_overdue(psp_server *s, int64_t now_ns) {
  for (psp_guest *guest = NULL;;) {
    pthread_mutex_lock(&s->room_lock);
    guest = psp_room_next_overdue(&s->room, now_ns);
    /* Who never began to ask is no loss: a minute is long. */
    if (guest != NULL && atomic_load(&guest->asks)) psp_server_miss(s);
    if (guest != NULL) send_away(s, guest);
    pthread_mutex_unlock(&s->room_lock);
    if (guest == NULL) return;
  }
}

void psp_server_get_stats(psp_server *s, psp_server_stats *stats) {
  pthread_mutex_lock(&s->room_lock);
  *stats = (psp_server_stats){.open = s->room.count,
                              .refused = s->room.refused,
                              .made_room = s->room.made_room,
                              .overdue = s->room.overdue,
                              .starved = s->starved,
                              .untaken = atomic_load(&s->untaken)};
  pthread_mutex_unlock(&s->room_lock);
}

/* A line at most every ten seconds about what was not taken. */
static void tell(acceptor *a, int64_t now_ns) {
  psp_server *s = a->server;
  psp_server_stats stats;
  psp_server_get_stats(s, &stats);
  uint64_t missed = stats.refused + stats.made_room + stats.starved;
  if (missed == a->told || (a->told_ns != 0 && now_ns - a->told_ns < LOG_EVERY_NS)) return;
  a->told = missed;
  a->told_ns = now_ns;
  psp_log_line line;
  if (!psp_log_begin(&line, &s->logger, PSPROBE_LOG_WARNING, "connections_not_kept")) return;
  psp_log_text(&line, "url", s->url);
  psp_log_int(&line, "open", (int64_t)stats.open);
  psp_log_int(&line, "refused", (int64_t)stats.refused);
  psp_log_int(&line, "made_room", (int64_t)stats.made_room);
  psp_log_int(&line, "no_descriptors", (int64_t)stats.starved);
  psp_log_text(&line, "meaning",
               stats.starved > 0
                   ? "no file descriptors are left (ulimit -n): what came could not be taken"
                   : "more connections than this server keeps: the longest idle ones were closed");
  psp_log_end(&line);
}

static void look_after(acceptor *a) {
  int64_t now_ns = psprobe_clock_monotonic();
  if (now_ns - a->looked_ns < LOOK_EVERY_MS * PSP_MS_NS) return;
  a->looked_ns = now_ns;
  end_overdue(a->server, now_ns);
  tell(a, now_ns);
}

static int pause_after(taken last) {
  switch (last) {
    case HELD_OFF:
      return HELD_OFF_MS;
    case STARVED:
      return STARVED_MS;
    default:
      return LOOK_EVERY_MS;
  }
}

static void *run(void *arg) {
  acceptor a = {.server = arg, .door = -1};
  psp_server *s = a.server;
  struct pollfd fds[2] = {{.fd = s->wake, .events = POLLIN}, {.fd = s->listener, .events = POLLIN}};
  taken last = NONE_LEFT;
  while (fds[0].revents == 0) {
    bool waits = last == HELD_OFF || last == STARVED;
    fds[1].revents = 0;
    poll(fds, waits ? 1 : 2, pause_after(last));
    last = waits || fds[1].revents != 0 ? take(&a) : NONE_LEFT;
    look_after(&a);
  }
  if (a.door >= 0) close(a.door);
  return NULL;
}

bool psp_accept_start(psp_server *s) {
  s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (s->wake < 0) return false;
  s->accepting = psp_thread_start(&s->acceptor, "psp-accept", run, s);
  return s->accepting;
}

void psp_accept_stop(psp_server *s) {
  if (!s->accepting) return;
  s->accepting = false;
  eventfd_write(s->wake, 1);
  pthread_join(s->acceptor, NULL);
}
