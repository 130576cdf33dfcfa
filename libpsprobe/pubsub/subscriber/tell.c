/* SPDX-License-Identifier: MIT */
/** @file Telling the service of leases: acks, nacks, extensions. */
#include <stdlib.h>

#include "base/error.h"
#include "os/clock.h"
#include "os/random.h"
#include "pubsub/parts.h"
#include "pubsub/subscriber/parts.h"

#define EXTEND_MAX PSP_ACK_IDS

static const psp_retry_policy retry = {.codes = UINT32_MAX,
                                       .initial_ns = PSP_SECOND_NS / 10,
                                       .max_ns = 5 * PSP_SECOND_NS,
                                       .factor = 2};

/* A call that tells of leases, or extends some. */
typedef struct telling {
  psprobe_subscriber *subscriber;
  psp_lease_list list; /* empty for an extension */
  bool nack;
  uint64_t extension; /* 0: none */
  int64_t sent_ns;
} telling;

static void finish_list(telling *t, const psprobe_error *error, int64_t now, psp_note *note) {
  psprobe_subscriber *s = t->subscriber;
  if (error == NULL) {
    psp_leases_told(&s->leases, &t->list, t->nack);
    psp_leases_free(&t->list);
    return;
  }
  uint64_t random = 0;
  psp_lease_list gone = {0};
  psp_random(&random, sizeof random);
  int64_t wait = psp_retry_delay(&retry, error, s->leases.failures + 1, now, INT64_MAX, random);
  psp_leases_not_told(&s->leases, &t->list, t->nack, error->code,
                      wait >= 0 && wait < retry.max_ns ? wait : retry.max_ns, now, &gone);
  if (s->state == PSP_STOPPED) psp_leases_abandon(&s->leases, &gone); /* nobody is left to retry */
  if (gone.count > 0)
    *note = (psp_note){PSPROBE_LOG_WARNING,
                       "leases_lost",
                       .meaning = "could not be acknowledged in time; they will come again",
                       .count_name = "count",
                       .count = gone.count,
                       .error = *error};
  psp_leases_free(&gone);
}

/* With the lock. */
static void finish(telling *t, const psprobe_error *error, psp_note *note) {
  psprobe_subscriber *s = t->subscriber;
  int64_t now = psprobe_clock_monotonic();
  s->telling--;
  if (error != NULL) {
    if (!s->ack_failing)
      *note = (psp_note){PSPROBE_LOG_WARNING, "acknowledge_failed", .error = *error};
    s->ack_errors++;
  }
  s->ack_failing = error != NULL;
  if (t->extension)
    psp_leases_extended(&s->leases, t->extension, error == NULL, t->sent_ns, now);
  else
    finish_list(t, error, now, note);
  free(t);
  pthread_cond_signal(&s->wake);
  pthread_cond_broadcast(&s->changed);
}

static void on_told(void *arg, const psp_http_response *response, const psprobe_error *error) {
  (void)response;
  telling *t = arg;
  psprobe_subscriber *s = t->subscriber;
  psp_note note = {0};
  pthread_mutex_lock(&s->lock);
  finish(t, error, &note);
  if (note.event != NULL) {
    pthread_mutex_unlock(&s->lock);
    psp_subscriber_log(s, &note);
    pthread_mutex_lock(&s->lock);
  }
  psp_subscriber_unlock_unref(s);
}

/* A call that hangs must leave time for another before the lease ends. */
static int64_t call_ns(const psprobe_subscriber *s) {
  int64_t ns = s->leases.period_ns / 4;
  return ns < PSP_SECOND_NS ? PSP_SECOND_NS : ns > 10 * PSP_SECOND_NS ? 10 * PSP_SECOND_NS : ns;
}

/* Lets go of the lock for the call. */
static void send(telling *t, const psp_buf *body, bool acknowledge) {
  psprobe_subscriber *s = t->subscriber;
  psprobe_error error = {0};
  psp_call call = {.service = PSP_PUBSUB,
                   .method = "POST",
                   .path = acknowledge ? s->acknowledge.path.data : s->modify.path.data,
                   .body = body->data,
                   .body_len = body->len,
                   .attempt_ns = call_ns(s),
                   .total_ns = call_ns(s),
                   .what = acknowledge ? s->acknowledge.what : s->modify.what};
  s->telling++;
  psp_subscriber_ref(s);
  t->sent_ns = psprobe_clock_monotonic();
  pthread_mutex_unlock(&s->lock);
  psprobe_code code = body->failed ? psp_fail_memory(&error, call.what)
                                   : psp_call_start(s->client, &call, on_told, t, NULL, &error);
  pthread_mutex_lock(&s->lock);
  if (code == PSPROBE_OK) return;
  psp_note note = {0};
  finish(t, &error, &note);
  pthread_mutex_unlock(&s->lock);
  psp_subscriber_log(s, &note);
  pthread_mutex_lock(&s->lock);
  s->refs--; /* never the last: whoever called us has one */
}

static void encode(const telling *t, psp_buf *body) {
  const char **ids = malloc(t->list.count * sizeof *ids);
  size_t count = 0;
  if (ids == NULL) {
    body->failed = true;
    return;
  }
  for (const psp_lease *lease = t->list.first; lease != NULL; lease = lease->next)
    ids[count++] = lease->message.ack_id;
  if (t->nack)
    psp_modify_encode(body, ids, count, 0);
  else
    psp_acknowledge_encode(body, ids, count);
  free(ids);
}

/* One call of acks or of nacks. False: there is nothing to tell, or nothing to tell it with. */
static bool tell_list(psprobe_subscriber *s, bool nack, bool flush) {
  if (s->telling >= PSP_TELLING_MAX) return false;
  telling *t = calloc(1, sizeof *t);
  if (t == NULL) return false;
  *t = (telling){.subscriber = s, .nack = nack};
  if (!psp_leases_take(&s->leases, nack, flush, psprobe_clock_monotonic(), &t->list)) {
    free(t);
    return false;
  }
  psp_buf body = {0};
  pthread_mutex_unlock(&s->lock); /* the leases are this call's alone now */
  encode(t, &body);
  pthread_mutex_lock(&s->lock);
  send(t, &body, !nack);
  psp_buf_free(&body);
  return true;
}

void psp_subscriber_tell(psprobe_subscriber *s, bool flush) {
  while (tell_list(s, true, flush))
    continue;
  while (tell_list(s, false, flush))
    continue;
}

bool psp_subscriber_extend(psprobe_subscriber *s) {
  int64_t now = psprobe_clock_monotonic();
  if (s->telling >= PSP_TELLING_MAX || s->leases.extend_ns > now) return false;
  telling *t = calloc(1, sizeof *t);
  const char **ids = malloc(EXTEND_MAX * sizeof *ids);
  size_t count = t != NULL && ids != NULL
                     ? psp_leases_extend(&s->leases, ids, EXTEND_MAX, now, &t->extension)
                     : 0;
  if (count > 0) {
    psp_buf body = {0};
    t->subscriber = s;
    psp_modify_encode(&body, ids, count, (int)(s->leases.period_ns / PSP_SECOND_NS));
    send(t, &body, false);
    psp_buf_free(&body);
  } else {
    free(t);
  }
  free(ids);
  return count > 0;
}
