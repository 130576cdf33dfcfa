/* SPDX-License-Identifier: MIT */
#include "grpc/calls.h"

#include "os/clock.h"

void psp_calls_keep(psp_calls *calls, psp_rpc_connection *connection) {
  connection->next = calls->connections;
  calls->connections = connection;
}

static psp_rpc *find(const psp_calls *calls, uint64_t id) {
  psp_rpc *rpc = calls->waiting.first;
  while (rpc != NULL && rpc->id != id)
    rpc = rpc->next;
  for (psp_rpc_connection *c = calls->connections; c != NULL && rpc == NULL; c = c->next)
    rpc = psp_session_find(c->session, id);
  return rpc;
}

static void end_waiting(psp_calls *calls, psp_rpc *rpc, psprobe_code code, const char *why) {
  psp_rpc_unlink(&calls->waiting, rpc);
  psp_rpc_abort(rpc, code, why);
  psp_rpc_free(rpc);
}

static void cancel(psp_calls *calls, psp_rpc *rpc) {
  if (rpc->session == NULL)
    end_waiting(calls, rpc, PSPROBE_CANCELLED, "called off");
  else
    psp_rpc_abort(rpc, PSPROBE_CANCELLED, "called off");
}

/* A long message that comes slowly is no silence. */
static void give_up(psp_calls *calls, psp_rpc *rpc) {
  const int64_t now_ns = psprobe_clock_monotonic();
  psp_rpc_connection *c = calls->connections;
  while (c != NULL && c->session != rpc->session)
    c = c->next;
  if (c != NULL && now_ns - rpc->heard_ns < c->patience.pong_ns) return;
  if (c != NULL) psp_connection_doubt(c, now_ns);
  cancel(calls, rpc);
}

static void obey_call(psp_calls *calls, psp_rpc *rpc, const psp_rpc_command *c) {
  switch (c->word) {
    case PSP_WORD_SEND:
      psp_rpc_send(rpc, c->data, c->len);
      break;
    case PSP_WORD_HALF_CLOSE:
      psp_rpc_half_close(rpc);
      break;
    case PSP_WORD_PAUSE:
    case PSP_WORD_RESUME:
      psp_rpc_pause(rpc, c->word == PSP_WORD_PAUSE);
      break;
    case PSP_WORD_GIVE_UP:
      give_up(calls, rpc);
      break;
    case PSP_WORD_CANCEL:
      cancel(calls, rpc);
      break;
    case PSP_WORD_DETAIL:
      psp_rpc_set_detail(rpc, c->data, c->len);
      break;
    case PSP_WORD_FINISH:
      psp_rpc_finish(rpc, c->code, c->data);
      break;
    default:
      break;
  }
}

static void obey(psp_calls *calls, psp_words *words, const psp_rpc_command *c) {
  if (c->word == PSP_WORD_BEGIN) {
    psp_rpc_append(&calls->waiting, c->rpc);
  } else if (c->word == PSP_WORD_ADD) {
    psp_rpc_connection *made = calls->greet(calls->arg, c->link, psprobe_clock_monotonic());
    if (made != NULL) psp_calls_keep(calls, made);
  } else {
    psp_rpc *rpc = c->id != 0 ? find(calls, c->id) : NULL;
    if (c->word == PSP_WORD_SEND) atomic_fetch_sub(&words->meter.unsent, c->len);
    if (rpc != NULL) obey_call(calls, rpc, c);
  }
}

bool psp_calls_obey(psp_calls *calls, psp_words *words) {
  bool closing;
  psp_rpc_command *c = psp_words_take(words, &closing);
  for (psp_rpc_command *next; c != NULL; c = next) {
    next = c->next;
    obey(calls, words, c);
    psp_words_done(words, c);
  }
  return !closing;
}

/* ---- calls that wait ---- */

psp_rpc *psp_calls_next_waiting(psp_calls *calls) {
  psp_rpc *rpc = calls->waiting.first;
  if (rpc != NULL) psp_rpc_unlink(&calls->waiting, rpc);
  return rpc;
}

bool psp_calls_has_waiting(const psp_calls *calls) {
  return calls->waiting.first != NULL;
}

int64_t psp_calls_end_waiting(psp_calls *calls, bool all, int64_t now_ns, psprobe_code code,
                              const char *why) {
  int64_t due = INT64_MAX;
  for (psp_rpc *rpc = calls->waiting.first, *next; rpc != NULL; rpc = next) {
    next = rpc->next;
    if (all || rpc->deadline_ns <= now_ns)
      end_waiting(calls, rpc, code, why);
    else if (rpc->deadline_ns < due)
      due = rpc->deadline_ns;
  }
  return due;
}
