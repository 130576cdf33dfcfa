/* SPDX-License-Identifier: MIT */
#include "grpc/channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "grpc/loop.h"
#include "grpc/target.h"
#include "grpc/tls.h"
#include "http/client/dial.h"
#include "os/clock.h"

#define CONNECT_NS    (10 * PSP_SECOND_NS)
#define PING_NS       (300 * PSP_SECOND_NS) /* servers take offence at less */
#define PONG_NS       (15 * PSP_SECOND_NS)
#define MAX_CALLS     1000
#define DEFAULT_BYTES ((size_t)64 << 20)

struct psp_channel {
  psp_loop *loop;
  psp_session_options session;
  psp_patience patience;
  psprobe_logger logger;
  char *target, *host;
  psp_tls *tls;
  unsigned max_calls;
  _Atomic uint64_t ids;

  psp_dial *dial; /* from here on the thread's own: a connection in the making */
  psp_rpc_connection *current;
  bool used;  /* the current one has taken a call */
  bool armed; /* this peer answers pings */
};

/* ---- on its thread ---- */

static void log_event(const psp_channel *ch, const char *event, const char *why) {
  psp_log_line line;
  if (!psp_log_begin(&line, &ch->logger, PSPROBE_LOG_INFO, event)) return;
  psp_log_text(&line, "target", ch->target);
  psp_log_text(&line, "why", why);
  psp_log_end(&line);
}

/* No connection: whoever waits is told, since only they know whether to try again. */
static void give_up(psp_channel *ch, psprobe_code code, const char *why) {
  log_event(ch, "grpc_unreachable", why);
  psp_calls_end_waiting(psp_loop_calls(ch->loop), true, 0, code, why);
}

static void on_pong(void *arg) {
  psp_channel *ch = arg;
  if (!ch->armed) log_event(ch, "grpc_pings_answered", NULL);
  ch->armed = true;
}

static void begin_dial(psp_channel *ch) {
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code =
      psp_dial_begin(ch->target, ch->tls != NULL, ch->patience.first_ns, &ch->dial, &error);
  if (code != PSPROBE_OK) give_up(ch, code, error.message);
}

static void connect_with(psp_channel *ch, int fd) {
  psp_link *link = ch->tls != NULL ? psp_tls_link(ch->tls, fd, ch->host) : psp_link_plain(fd);
  ch->current = psp_connection_new(link, &ch->session, &ch->patience, psprobe_clock_monotonic());
  ch->used = false;
  if (ch->current != NULL)
    psp_calls_keep(psp_loop_calls(ch->loop), ch->current);
  else
    give_up(ch, PSPROBE_RESOURCE_EXHAUSTED, "out of memory: a connection");
}

/* Waits for the connection in the making too. */
static void on_wait(void *arg, struct pollfd *sockets, size_t count, int timeout_ms) {
  psp_channel *ch = arg;
  psprobe_error error;
  int fd = -1;
  if (ch->dial == NULL) {
    psp_loop_poll(ch->loop, sockets, count, timeout_ms);
    return;
  }
  psprobe_error_clear(&error);
  psp_dial_state state = psp_dial_wait(ch->dial, sockets, count, timeout_ms, &fd, &error);
  if (state == PSP_DIALING) return;
  psp_dial_free(ch->dial);
  ch->dial = NULL;
  if (state == PSP_DIALED)
    connect_with(ch, fd);
  else
    give_up(ch, error.code, error.message);
}

/* The current one takes no more calls. One that never took any is as good as none, and another
 * would be too. */
static void leave(psp_channel *ch, psprobe_code code, const char *why) {
  log_event(ch, "grpc_connection_left", why);
  if (!ch->used) give_up(ch, code, why);
  ch->current = NULL;
}

static void on_lost(void *arg, psp_rpc_connection *connection) {
  psp_channel *ch = arg;
  if (connection == ch->current) leave(ch, connection->code, connection->why);
}

static void place(psp_channel *ch, int64_t now_ns) {
  psp_session *session = ch->current->session;
  while (psp_calls_has_waiting(psp_loop_calls(ch->loop)) && psp_session_has_room(session)) {
    ch->used = true;
    psp_session_begin(session, psp_calls_next_waiting(psp_loop_calls(ch->loop)), now_ns);
  }
}

static int64_t on_turn(void *arg, int64_t now_ns) {
  psp_channel *ch = arg;
  int64_t due =
      psp_calls_end_waiting(psp_loop_calls(ch->loop), false, now_ns, PSPROBE_DEADLINE_EXCEEDED,
                            "its time is over, and there was no connection for it");
  if (ch->current != NULL && psp_session_is_leaving(ch->current->session)) {
    const char *why = psp_session_why(ch->current->session);
    leave(ch, PSPROBE_UNAVAILABLE, why[0] != 0 ? why : "the server goes away");
  }
  if (ch->current != NULL && ch->current->up) place(ch, now_ns);
  if (ch->current == NULL && ch->dial == NULL && psp_calls_has_waiting(psp_loop_calls(ch->loop)))
    begin_dial(ch);
  return due;
}

/* ---- its life ---- */

static psprobe_code fill_in(psp_channel *ch, const psp_channel_options *o, psprobe_error *error) {
  const int64_t first_ns = o->connect_timeout_ns != 0 ? o->connect_timeout_ns : CONNECT_NS;
  ch->patience = (psp_patience){first_ns, PING_NS, PONG_NS, &ch->armed};
  ch->max_calls = o->max_calls != 0 ? o->max_calls : MAX_CALLS;
  if (o->logger != NULL) ch->logger = *o->logger;
  ch->target = psp_strdup(o->target);
  ch->host = psp_target_host(o->target);
  const psp_loop_owner owner = {.name = "psp-grpc",
                                .max_unsent = o->max_unsent != 0 ? o->max_unsent : DEFAULT_BYTES,
                                .turn = on_turn,
                                .wait = on_wait,
                                .lost = on_lost,
                                .arg = ch};
  ch->loop = psp_loop_new(&owner);
  if (ch->target == NULL || ch->host == NULL || ch->loop == NULL)
    return psp_fail_memory(error, "gRPC channel");
  ch->session = (psp_session_options){.tls = o->tls,
                                      .authority = ch->target,
                                      .max_message = o->max_message,
                                      .window = o->window,
                                      .pong = on_pong,
                                      .arg = ch};
  psprobe_code code = o->tls ? psp_tls_new(o->ca_file, &ch->tls, error) : PSPROBE_OK;
  if (code == PSPROBE_OK && !psp_loop_start(ch->loop))
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "gRPC channel: no thread is left");
  return code;
}

psprobe_code psp_channel_new(const psp_channel_options *options, psp_channel **channel,
                             psprobe_error *error) {
  psprobe_code code = psp_target_check(options->target, error);
  if (code != PSPROBE_OK) return code;
  psp_channel *ch = calloc(1, sizeof *ch);
  if (ch == NULL) return psp_fail_memory(error, "gRPC channel");
  code = fill_in(ch, options, error);
  if (code == PSPROBE_OK)
    *channel = ch;
  else
    psp_channel_free(ch);
  return code;
}

void psp_channel_free(psp_channel *ch) {
  if (ch == NULL) return;
  psp_loop_free(ch->loop);
  psp_dial_free(ch->dial);
  psp_tls_free(ch->tls);
  free(ch->target);
  free(ch->host);
  free(ch);
}

/* ---- any thread ---- */

static psprobe_code check_call(psp_channel *ch, const psp_rpc_request *request,
                               psprobe_error *error) {
  const psp_rpc_field *field = request->fields != NULL ? request->fields->first : NULL;
  for (; field != NULL; field = field->next)
    if (!psp_field_check(field->name, field->value, field->len))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "gRPC cannot send the header field %s",
                      field->name);
  if (atomic_load(&psp_loop_words(ch->loop)->meter.calls) >= ch->max_calls)
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "%u calls of %s are under way already",
                    ch->max_calls, ch->target);
  return PSPROBE_OK;
}

/* Begins it without waking the thread, where that waits and the connection has nothing to do.
 * False: it has not begun. */
static bool begin_here(psp_channel *ch, psp_rpc *rpc) {
  const psp_words *words = psp_loop_words(ch->loop);
  if (atomic_load(&words->meter.unsent) > words->max_unsent || !psp_loop_enter(ch->loop))
    return false;
  int64_t due_ns = INT64_MAX;
  const bool begun = ch->current != NULL && !psp_calls_has_waiting(psp_loop_calls(ch->loop)) &&
                     psp_connection_begin(ch->current, rpc, psprobe_clock_monotonic(), &due_ns);
  if (begun) ch->used = true;
  psp_loop_leave(ch->loop, due_ns);
  return begun;
}

psprobe_code psp_channel_begin(psp_channel *ch, const psp_rpc_request *request, uint64_t *id,
                               psprobe_error *error) {
  psp_words *words = psp_loop_words(ch->loop);
  psprobe_code code = check_call(ch, request, error);
  if (code != PSPROBE_OK) return code;
  psp_rpc *rpc = psp_rpc_new(request);
  if (rpc == NULL) return psp_fail_memory(error, "gRPC call");
  const uint64_t number = atomic_fetch_add(&ch->ids, 1) + 1;
  psp_rpc_set_id(rpc, number);
  psp_rpc_set_meter(rpc, &words->meter);
  if (id != NULL) *id = number;
  if (!request->only && !psp_words_reserve(words)) code = PSPROBE_RESOURCE_EXHAUSTED;
  if (code == PSPROBE_OK && begin_here(ch, rpc)) return code;
  if (code == PSPROBE_OK) code = psp_words_begin(words, rpc);
  if (code == PSPROBE_OK) return code;
  psp_rpc_free(rpc);
  return psp_fail(error, code, "gRPC call of %s: %s", ch->target,
                  code == PSPROBE_CANCELLED ? "the channel is being closed"
                                            : "too much is unsent, or memory has run out");
}

psprobe_code psp_channel_send(psp_channel *ch, uint64_t id, const void *message, size_t len,
                              psprobe_error *error) {
  psp_words *words = psp_loop_words(ch->loop);
  psprobe_code code = psp_words_tell(words, PSP_WORD_SEND, id, PSPROBE_OK, message, len);
  if (code == PSPROBE_OK) return code;
  return psp_fail(error, code, "gRPC message to %s: too much is unsent", ch->target);
}

void psp_channel_tell(psp_channel *ch, uint64_t id, psp_rpc_word word) {
  psp_words_tell(psp_loop_words(ch->loop), word, id, PSPROBE_OK, NULL, 0);
}
