/* SPDX-License-Identifier: MIT */
#include "client/unary.h"

#include "base/error.h"
#include "client/parts.h"
#include "os/random.h"

#define MISSED_MOST 2 /* until an endpoint that has never answered is doubted */
#define DOUBTS_MOST 3 /* until doubts are taken for certain */

/* ---- what is known of an endpoint ---- */

bool psp_grpc_is_foreign(psprobe_client *client, psp_service service) {
  pthread_mutex_lock(&client->lock);
  const bool foreign = client->grpc[service].foreign;
  pthread_mutex_unlock(&client->lock);
  return foreign;
}

bool psp_grpc_set_foreign(psprobe_client *client, psp_service service, psp_grpc_here here) {
  pthread_mutex_lock(&client->lock);
  psp_grpc_known *known = &client->grpc[service];
  const bool sure = here == PSP_GRPC_FOREIGN || ++known->doubts >= DOUBTS_MOST;
  const bool news = sure && !known->spoken && !known->foreign;
  if (news) known->foreign = true;
  pthread_mutex_unlock(&client->lock);
  return news;
}

static bool is_spoken(psp_unary *u, bool now) {
  pthread_mutex_lock(&u->client->lock);
  psp_grpc_known *known = &u->client->grpc[u->call.service];
  known->spoken = known->spoken || now;
  if (now) known->doubts = 0;
  const bool spoken = known->spoken;
  pthread_mutex_unlock(&u->client->lock);
  return spoken;
}

/* ---- its end ---- */

static void leave(psprobe_client *client) {
  pthread_mutex_lock(&client->lock);
  if (--client->active == 0) pthread_cond_broadcast(&client->changed);
  pthread_mutex_unlock(&client->lock);
}

static void finish(psp_unary *u, const psprobe_error *error, psp_grpc_here here) {
  psprobe_client *client = u->client;
  psp_buf answer = u->answer;
  psp_retry_past past = u->past;
  u->call.done(u->call.arg, answer.data, answer.len, error, here); /* u may be gone */
  psp_buf_free(&answer);
  psp_retry_past_free(&past);
  leave(client);
}

/* ---- attempts ---- */

static void again(psp_unary *u);

static void on_timer(psp_timer *timer) {
  psp_unary *u = (psp_unary *)((char *)timer - offsetof(psp_unary, timer));
  again(u);
}

/* Later, or never. */
static void settle(psp_unary *u, const psprobe_error *error) {
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  const int64_t now = psprobe_clock_monotonic();
  const int64_t delay =
      psp_retry_delay(&u->call.retry, error, u->attempt, now, u->call.deadline_ns, random);
  if (delay < 0 || !psp_timers_arm(u->client->timers, &u->timer, now + delay))
    finish(u, error, PSP_GRPC_SPOKEN);
}

/* Whether it may be sent again at once. */
static bool is_to_be_resent(psp_unary *u, psprobe_code code, bool untouched) {
  if (code == PSPROBE_UNAUTHENTICATED && !u->reauthorized &&
      !psp_client_is_emulator(u->client, u->call.service))
    return u->reauthorized = true; /* the token is known to be refused, the next is another one */
  if (code == PSPROBE_UNAVAILABLE && untouched && !u->resent) return u->resent = true;
  return false;
}

static psp_grpc_here judge(psp_unary *u, const psp_rpc_status *status) {
  const bool unknown = status->code == PSPROBE_UNIMPLEMENTED;
  const bool spoken = is_spoken(u, status->from_peer && !unknown);
  if (spoken) return PSP_GRPC_SPOKEN;
  if (unknown) return PSP_GRPC_FOREIGN;
  const bool missed = status->untouched && status->code == PSPROBE_UNAVAILABLE;
  return missed && ++u->missed >= MISSED_MOST ? PSP_GRPC_DOUBTED : PSP_GRPC_SPOKEN;
}

static void fail(psp_unary *u, const psprobe_error *error, const psp_rpc_status *status) {
  psprobe_error outcome = *error;
  u->attempt++;
  if (status != NULL && status->details != NULL)
    u->call.explain(status->details, status->details_len, &outcome);
  if (status != NULL && status->lost && !status->untouched)
    psp_fail(&outcome, PSPROBE_UNKNOWN, "%s: the connection was lost, and it may be done: %s",
             u->call.what, status->message);
  psp_retry_note(&u->past, &outcome);
  if (status == NULL) {
    settle(u, &outcome);
    return;
  }
  const psp_grpc_here here = judge(u, status);
  if (here != PSP_GRPC_SPOKEN)
    finish(u, &outcome, here);
  else if (is_to_be_resent(u, outcome.code, status->untouched))
    again(u);
  else
    settle(u, &outcome);
}

static void on_message(void *arg, const void *message, size_t len) {
  psp_unary *u = arg;
  if (u->answers++ == 0) psp_buf_add(&u->answer, message, len);
}

static void on_end(void *arg, const psprobe_error *error, const psp_rpc_status *status) {
  psp_unary *u = arg;
  psprobe_error odd = {0};
  if (error != NULL) {
    fail(u, error, status);
    return;
  }
  is_spoken(u, true);
  if (u->answers != 1)
    psp_fail(&odd, PSPROBE_INTERNAL, "%s: %u answers to one request", u->call.what, u->answers);
  else if (u->answer.failed)
    psp_fail_memory(&odd, u->call.what);
  finish(u, odd.code != PSPROBE_OK ? &odd : NULL, PSP_GRPC_SPOKEN);
}

/* On PSPROBE_OK it goes on by itself. */
static psprobe_code try_once(psp_unary *u, psprobe_error *error) {
  const int64_t left = u->call.deadline_ns - psprobe_clock_monotonic();
  if (left <= 0)
    return psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "%s: the deadline has passed", u->call.what);
  const psp_stream_call call = {.service = u->call.service,
                                .method = u->call.method,
                                .params = u->call.params,
                                .message = u->call.message,
                                .len = u->call.len,
                                .only = true,
                                .apart = u->call.apart,
                                .timeout_ns = left,
                                .what = u->call.what,
                                .message_came = on_message,
                                .end = on_end,
                                .arg = u};
  u->answers = 0;
  psp_buf_reset(&u->answer);
  return psp_stream_start(u->client, &call, NULL, error);
}

static void again(psp_unary *u) {
  psprobe_error error = {0};
  if (try_once(u, &error) == PSPROBE_OK) return;
  psp_retry_note(&u->past, &error);
  finish(u, &error, PSP_GRPC_SPOKEN);
}

psprobe_code psp_unary_start(psp_unary *unary, psprobe_client *client, const psp_unary_call *call,
                             psprobe_error *error) {
  unary->client = client;
  unary->call = *call;
  unary->timer.fire = on_timer;
  pthread_mutex_lock(&client->lock);
  client->active++;
  pthread_mutex_unlock(&client->lock);
  psprobe_code code = try_once(unary, error);
  if (code != PSPROBE_OK) leave(client);
  return code;
}
