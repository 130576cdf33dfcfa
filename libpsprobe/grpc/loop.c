/* SPDX-License-Identifier: MIT */
#include "grpc/loop.h"

#include <pthread.h>
#include <stdlib.h>

#include "os/clock.h"
#include "os/thread.h"

struct psp_loop {
  psp_loop_owner owner;
  pthread_t thread;
  bool started;
  psp_words words;

  /* Over what follows: the thread's but while it waits. */
  pthread_mutex_t driving;
  int64_t due_ns; /* when it wakes by itself */
  psp_calls calls;
  struct pollfd *sockets;
  size_t room;
};

psp_words *psp_loop_words(psp_loop *loop) {
  return &loop->words;
}

psp_calls *psp_loop_calls(psp_loop *loop) {
  return &loop->calls;
}

/* ---- connections ---- */

static void bury(psp_loop *loop, psp_rpc_connection *c) {
  if (loop->owner.lost != NULL) loop->owner.lost(loop->owner.arg, c);
  psp_session_end(c->session, c->code, c->why);
  psp_connection_free(c);
}

/* Lets time pass, writes, buries what is over. @return when next, and how many there are */
static int64_t drive(psp_loop *loop, int64_t now_ns, size_t *count) {
  int64_t due = INT64_MAX;
  *count = 0;
  for (psp_rpc_connection **at = &loop->calls.connections, *c; (c = *at) != NULL;) {
    int64_t next = psp_connection_tick(c, now_ns);
    psp_connection_write(c);
    if (c->over) {
      *at = c->next;
      bury(loop, c);
      due = now_ns; /* its calls may have begun others */
      continue;
    }
    if (next < due) due = next;
    ++*count;
    at = &c->next;
  }
  return due;
}

static bool make_room(psp_loop *loop, size_t count) {
  if (count <= loop->room) return true;
  struct pollfd *grown = realloc(loop->sockets, (count + 16) * sizeof *grown);
  if (grown == NULL) return false;
  loop->sockets = grown;
  loop->room = count + 16;
  return true;
}

static int timeout(int64_t due_ns, int64_t now_ns) {
  if (due_ns <= now_ns) return 0;
  int64_t ms = (due_ns - now_ns) / PSP_MS_NS + 1;
  return ms < 60000 ? (int)ms : 60000;
}

void psp_loop_poll(psp_loop *loop, struct pollfd *sockets, size_t count, int timeout_ms) {
  pthread_mutex_unlock(&loop->driving);
  poll(sockets, count, timeout_ms);
  pthread_mutex_lock(&loop->driving);
}

static void rest(psp_loop *loop, size_t count, int64_t due_ns, int64_t now_ns) {
  size_t i = 1;
  /* Without memory the newest are seen to later. */
  if (!make_room(loop, count + 1)) count = loop->room - 1;
  loop->sockets[0] = (struct pollfd){.fd = loop->words.wake, .events = POLLIN};
  for (psp_rpc_connection *c = loop->calls.connections; c != NULL && i <= count; c = c->next)
    loop->sockets[i++] = (struct pollfd){.fd = c->link->fd, .events = psp_connection_events(c)};
  const int timeout_ms = psp_words_sleep(&loop->words) ? timeout(due_ns, now_ns) : 0;
  loop->due_ns = due_ns;
  if (loop->owner.wait != NULL)
    loop->owner.wait(loop->owner.arg, loop->sockets, i, timeout_ms);
  else
    psp_loop_poll(loop, loop->sockets, i, timeout_ms);
  psp_words_hear(&loop->words, loop->sockets[0].revents != 0);
}

static void read_all(psp_loop *loop, size_t count) {
  size_t i = 1;
  int64_t now_ns = psprobe_clock_monotonic();
  for (psp_rpc_connection *c = loop->calls.connections; c != NULL && i <= count; c = c->next, i++)
    if (loop->sockets[i].revents != 0 || c->again) psp_connection_read(c, now_ns);
}

static void *run(void *arg) {
  psp_loop *loop = arg;
  size_t count;
  pthread_mutex_lock(&loop->driving);
  while (psp_calls_obey(&loop->calls, &loop->words)) {
    int64_t now_ns = psprobe_clock_monotonic();
    int64_t due = loop->owner.turn != NULL ? loop->owner.turn(loop->owner.arg, now_ns) : INT64_MAX;
    int64_t next = drive(loop, now_ns, &count);
    if (next < due) due = next;
    rest(loop, count, due, now_ns);
    read_all(loop, count);
  }
  psp_calls_end_waiting(&loop->calls, true, 0, PSPROBE_CANCELLED, "the channel is being closed");
  for (psp_rpc_connection *c; (c = loop->calls.connections) != NULL;) {
    loop->calls.connections = c->next;
    psp_session_end(c->session, PSPROBE_CANCELLED, "the channel is being closed");
    psp_session_go_away(c->session);
    psp_connection_write(c);
    psp_connection_free(c);
  }
  pthread_mutex_unlock(&loop->driving);
  return NULL;
}

/* ---- in its place ---- */

bool psp_loop_enter(psp_loop *loop) {
  if (pthread_mutex_trylock(&loop->driving) != 0) return false;
  if (!psp_words_has(&loop->words)) return true;
  pthread_mutex_unlock(&loop->driving);
  return false;
}

void psp_loop_leave(psp_loop *loop, int64_t due_ns) {
  const bool soon = due_ns < loop->due_ns;
  if (soon) loop->due_ns = due_ns;
  pthread_mutex_unlock(&loop->driving);
  if (soon) psp_words_ring(&loop->words);
}

/* ---- its life ---- */

psp_loop *psp_loop_new(const psp_loop_owner *owner) {
  psp_loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL) return NULL;
  loop->owner = *owner;
  loop->calls.greet = owner->greet;
  loop->calls.arg = owner->arg;
  pthread_mutex_init(&loop->driving, NULL);
  bool ok = psp_words_init(&loop->words, owner->max_unsent);
  if (ok && make_room(loop, 1)) return loop;
  psp_loop_free(loop);
  return NULL;
}

bool psp_loop_start(psp_loop *loop) {
  loop->started = psp_thread_start(&loop->thread, loop->owner.name, run, loop);
  return loop->started;
}

void psp_loop_free(psp_loop *loop) {
  if (loop == NULL) return;
  psp_words_close(&loop->words);
  if (loop->started) pthread_join(loop->thread, NULL);
  psp_words_clear(&loop->words);
  pthread_mutex_destroy(&loop->driving);
  free(loop->sockets);
  free(loop);
}
