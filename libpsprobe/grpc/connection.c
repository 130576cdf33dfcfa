/* SPDX-License-Identifier: MIT */
#include "grpc/connection.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/clock.h"

#define READ_SIZE  65536
#define READS      16 /* before others have their turn */
#define GIVE_ROOM  (PSP_BUF_KEPT - 1)
#define GIVE_FRAME (16384 + 9) /* that the last may have */

psp_rpc_connection *psp_connection_new(psp_link *link, const psp_session_options *options,
                                       const psp_patience *patience, int64_t now_ns) {
  psp_rpc_connection *c = link != NULL ? calloc(1, sizeof *c) : NULL;
  if (c != NULL) c->session = psp_session_new(options);
  if (c == NULL || c->session == NULL) {
    psp_link_free(link);
    free(c);
    return NULL;
  }
  c->link = link;
  c->patience = *patience;
  c->begun_ns = c->heard_ns = now_ns;
  return c;
}

void psp_connection_free(psp_rpc_connection *c) {
  psp_session_free(c->session);
  psp_link_free(c->link);
  psp_buf_free(&c->out);
  free(c);
}

static void lose(psp_rpc_connection *c, const char *why) {
  const char *http2 = psp_session_why(c->session);
  if (c->over) return;
  c->over = true;
  /* One that is cut off within its first frame may speak HTTP/2 all the same. */
  const bool foreign = c->link->foreign || (!c->up && http2[0] != 0);
  c->code = c->link->refused ? PSPROBE_UNAUTHENTICATED
            : foreign        ? PSPROBE_UNIMPLEMENTED
                             : PSPROBE_UNAVAILABLE;
  snprintf(c->why, sizeof c->why, "%s", http2[0] != 0 ? http2 : why);
}

short psp_connection_events(const psp_rpc_connection *c) {
  short events = c->link->read_on;
  if (c->out_at < c->out.len) events |= c->link->write_on;
  return events;
}

void psp_connection_read(psp_rpc_connection *c, int64_t now_ns) {
  char room[READ_SIZE];
  c->again = false;
  for (int i = 0; i < READS && !c->over; i++) {
    ssize_t n = c->link->kind->read(c->link, room, sizeof room);
    if (n == PSP_LINK_AGAIN) return;
    if (n <= 0) {
      lose(c, n == 0 ? "the other side has closed the connection" : c->link->why);
      return;
    }
    c->heard = true;
    c->heard_ns = now_ns;
    bool useful = psp_session_take(c->session, room, (size_t)n, now_ns);
    c->up = psp_session_is_greeted(c->session);
    if (useful && c->link->drained) return;
    if (useful) continue;
    psp_connection_write(c); /* why we part */
    lose(c, "the connection is over");
  }
  c->again = true;
}

void psp_connection_write(psp_rpc_connection *c) {
  while (!c->over) {
    if (c->out_at == c->out.len) {
      psp_buf_reuse(&c->out);
      psp_buf_reserve(&c->out, GIVE_ROOM);
      c->out_at = 0;
      bool useful = psp_session_give(c->session, &c->out, GIVE_ROOM - GIVE_FRAME);
      if (c->out.len == 0 && !useful) lose(c, "the connection is over");
      if (c->out.len == 0) return;
    }
    ssize_t n = c->link->kind->write(c->link, c->out.data + c->out_at, c->out.len - c->out_at);
    if (n == PSP_LINK_AGAIN) return;
    if (n < 0)
      lose(c, c->link->why);
    else
      c->out_at += (size_t)n;
  }
}

static void lose_silent(psp_rpc_connection *c, int64_t now_ns) {
  char why[80];
  snprintf(why, sizeof why, "the server has said nothing for %" PRId64 " s",
           (now_ns - c->heard_ns) / PSP_SECOND_NS);
  lose(c, why);
}

void psp_connection_doubt(psp_rpc_connection *c, int64_t now_ns) {
  if (now_ns - c->heard_ns >= c->patience.pong_ns) lose_silent(c, now_ns);
}

static int64_t after(int64_t ns, int64_t wait_ns) {
  return wait_ns > INT64_MAX - ns ? INT64_MAX : ns + wait_ns;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static bool is_armed(const psp_rpc_connection *c) {
  return c->patience.armed != NULL && *c->patience.armed;
}

/* Between a ping and its pong, which may never come. */
static bool is_waiting(const psp_rpc_connection *c) {
  return c->pinged_ns != 0 && (!is_armed(c) || c->heard_ns < c->pinged_ns);
}

/* When its silence is long enough for a ping, or for an end. A ping goes out once the peer is
 * there, to learn whether it answers them, and then at the interval, while there are calls that its
 * silence could keep waiting. Once between two of those it goes out after a shorter silence, if the
 * peer has answered calls since the last: servers count pings that come in between as strikes. */
static int64_t silence_due(const psp_rpc_connection *c) {
  const psp_patience *p = &c->patience;
  if (!c->up || p->ping_ns == INT64_MAX || psp_session_calls(c->session) == 0) return INT64_MAX;
  if (c->pinged_ns == 0) return INT64_MIN;
  /* What comes while it is not known whether pings are answered is a sign of life, too. */
  if (!is_armed(c)) return after(most(c->pinged_ns, c->heard_ns), 3 * p->pong_ns);
  if (is_waiting(c)) return after(c->pinged_ns, p->pong_ns);
  const int64_t next = after(c->pinged_ns, p->ping_ns);
  const bool may = !c->early && psp_session_is_answered(c->session);
  return may ? least(next, after(c->heard_ns, 2 * p->pong_ns)) : next;
}

static int64_t break_silence(psp_rpc_connection *c, int64_t now_ns) {
  const int64_t due = silence_due(c);
  if (now_ns < due) return due;
  if (is_waiting(c)) {
    lose_silent(c, now_ns);
    return INT64_MAX;
  }
  c->early = c->pinged_ns != 0 && now_ns < after(c->pinged_ns, c->patience.ping_ns);
  c->pinged_ns = now_ns;
  psp_session_ping(c->session);
  return silence_due(c);
}

/* Nobody has to say anything while no call lives. */
static void notice_calls(psp_rpc_connection *c, int64_t now_ns) {
  bool busy = psp_session_is_busy(c->session);
  if (busy == c->busy) return;
  c->busy = busy;
  if (busy) c->heard_ns = now_ns;
  if (c->link->host.busy != NULL) c->link->host.busy(c->link->host.arg, c->link->fd, busy);
}

bool psp_connection_begin(psp_rpc_connection *c, psp_rpc *rpc, int64_t now_ns, int64_t *due_ns) {
  if (c->over || !c->up || c->again || c->out_at < c->out.len) return false;
  if (!psp_session_is_quiet(c->session) || !psp_session_try(c->session, rpc, now_ns)) return false;
  notice_calls(c, now_ns);
  psp_connection_write(c);
  const bool rest = c->over || c->out_at < c->out.len;
  *due_ns = rest ? 0 : least(silence_due(c), psp_session_due(c->session));
  return true;
}

int64_t psp_connection_tick(psp_rpc_connection *c, int64_t now_ns) {
  int64_t patient = c->up ? INT64_MAX : after(c->begun_ns, c->patience.first_ns);
  if (c->over) return now_ns;
  notice_calls(c, now_ns);
  if (now_ns >= patient) lose(c, "the server accepts connections and says nothing");
  int64_t look_ns = break_silence(c, now_ns);
  /* One look too many, or each call of many would ask for its own. */
  if (psp_session_calls(c->session) == 0 && c->look_ns > now_ns) look_ns = c->look_ns;
  c->look_ns = look_ns;
  int64_t due = least(patient, look_ns);
  const unsigned calls = psp_session_calls(c->session);
  due = least(due, psp_session_tick(c->session, now_ns));
  if (psp_session_calls(c->session) < calls) psp_connection_doubt(c, now_ns);
  return c->again ? now_ns : due;
}
