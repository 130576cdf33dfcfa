/* SPDX-License-Identifier: MIT */
/** @file The way of gRPC: streams that are held open, over which messages come by themselves; acks
 * and leases by unary calls on the same connection, since only those are answered for sure. */
#include <stdlib.h>

#include "base/error.h"
#include "client/stream.h"
#include "os/clock.h"
#include "pubsub/proto.h"
#include "pubsub/subscriber/parts.h"

#define SERVICE  "/google.pubsub.v1.Subscriber/"
#define HANG_UPS 2

/* ---- what comes ---- */

static void take_answer(psp_feed *feed, const psp_stream_answer *answer, psp_delivery *delivery) {
  psprobe_subscriber *s = feed->subscriber;
  const int64_t now = psprobe_clock_monotonic();
  psp_sequel next = {.again = false};
  pthread_mutex_lock(&s->lock);
  psp_pulse_heard(&feed->pulse, delivery == NULL, &s->pongs, now);
  feed->silent = PSP_BEAT_NONE;
  s->streamed = true;
  if (answer->told) psp_leases_set_properties(&s->leases, answer->ordered, answer->exactly_once);
  size_t count = delivery != NULL ? psp_feed_bring(feed, delivery, now) : 0;
  if (s->state == PSP_RUNNING) {
    psp_feed_recovered(feed, &next);
    if (feed->state == PSP_FEED_OPEN && psp_feed_park(feed) && feed->stream != NULL)
      psp_stream_pause(feed->stream, true);
  } else {
    psp_feed_refuse(s, now);
  }
  psp_feed_unlock_follow(feed, count, &next);
}

/* For what it brought. */
static void cancel(psp_feed *feed, psprobe_error *fault) {
  psprobe_subscriber *s = feed->subscriber;
  psp_fail_in(fault, "%s", s->pull.what);
  pthread_mutex_lock(&s->lock);
  feed->fault = *fault;
  if (feed->stream != NULL) psp_stream_cancel(feed->stream);
  pthread_mutex_unlock(&s->lock);
}

static void on_message(void *arg, const void *message, size_t len) {
  psp_feed *feed = arg;
  psp_stream_answer answer = {.batch = NULL};
  psp_delivery *delivery = NULL;
  psprobe_error error = {0};
  psprobe_code code = psp_proto_stream_answer(message, len, &answer, &error);
  if (code == PSPROBE_OK && answer.batch != NULL &&
      (delivery = psp_delivery_new(answer.batch)) == NULL)
    code = psp_fail_memory(&error, "received messages");
  if (code == PSPROBE_OK)
    take_answer(feed, &answer, delivery);
  else
    cancel(feed, &error);
}

/* ---- the end of a stream ---- */

/* With the lock. Nothing has ever come on a stream, and it reached somebody who does not know what
 * that is: who says so, or fails again and again, though by REST the subscription is there. */
static bool speaks_no_grpc(const psprobe_subscriber *s, const psp_rpc_status *status) {
  if (s->streamed || status == NULL || status->from_peer) return false;
  if (status->code == PSPROBE_UNIMPLEMENTED) return true;
  return s->own_known && s->pull_failures >= HANG_UPS &&
         (status->code == PSPROBE_INTERNAL || status->code == PSPROBE_UNKNOWN ||
          status->code == PSPROBE_UNAVAILABLE);
}

/* With the lock. */
static void fall_back(psprobe_subscriber *s, const psprobe_error *error, int64_t now,
                      psp_note *note) {
  *note = (psp_note){PSPROBE_LOG_WARNING, "no_grpc_here",
                     .meaning = "the endpoint speaks no gRPC: pulling by REST", .error = *error};
  psp_subscriber_go_unary(s, &psp_way_unary);
  for (size_t i = 0; i < s->feed_count; i++) {
    s->feeds[i].state = PSP_FEED_RESTING;
    s->feeds[i].resume_ns = now;
  }
}

static void note_silence(psprobe_subscriber *s, psp_beat silent, psp_note *note) {
  s->silent++;
  *note = (psp_note){
      silent == PSP_BEAT_DEAD ? PSPROBE_LOG_WARNING : PSPROBE_LOG_INFO, "stream_silent",
      .meaning = silent == PSP_BEAT_DEAD ? "no answer to a ping in 15 s: opening another stream"
                                         : "nothing came in 5 min, and pings are not answered "
                                           "here: opening another stream"};
}

/* With the lock, while it runs. */
static void reopen(psp_feed *feed, const psprobe_error *error, int64_t now, psp_sequel *next) {
  psprobe_subscriber *s = feed->subscriber;
  static const psprobe_error ended = {.code = PSPROBE_UNAVAILABLE,
                                      .message = "the service has ended the stream"};
  const bool broken = feed->fault.code != PSPROBE_OK;
  if (feed->state == PSP_FEED_PARKED) s->parked--;
  if (feed->silent != PSP_BEAT_NONE) note_silence(s, feed->silent, &next->note);
  if (feed->silent != PSP_BEAT_NONE || (psp_pulse_lived(&feed->pulse, now) && !broken)) {
    feed->state = PSP_FEED_RESTING; /* such ends are of the order of things */
    feed->resume_ns = now;
    return;
  }
  s->pull_errors++;
  psp_feed_failed(feed, broken ? &feed->fault : error != NULL ? error : &ended, now, next);
  if (s->streamed || s->pull_failures >= HANG_UPS) return;
  next->note.event = NULL; /* it may only be that no gRPC is spoken, which is said then */
  s->pull_code = PSPROBE_OK;
}

static void on_end(void *arg, const psprobe_error *error, const psp_rpc_status *status) {
  psp_feed *feed = arg;
  psprobe_subscriber *s = feed->subscriber;
  const int64_t now = psprobe_clock_monotonic();
  psp_sequel next = {.again = false};
  pthread_mutex_lock(&s->lock);
  feed->stream = NULL;
  feed->opened = false;
  if (s->state != PSP_RUNNING)
    psp_feed_end(feed, now);
  else if (s->way == &psp_way_streaming && speaks_no_grpc(s, status))
    fall_back(s, error, now, &next.note);
  else if (s->way == &psp_way_streaming)
    reopen(feed, error, now, &next);
  pthread_cond_broadcast(&s->changed);
  psp_feed_unlock_follow(feed, 0, &next);
  pthread_mutex_lock(&s->lock);
  psp_subscriber_unlock_unref(s);
}

/* ---- opening ---- */

static psprobe_code open_stream(psp_feed *feed, uint64_t nth, psprobe_error *error) {
  psprobe_subscriber *s = feed->subscriber;
  psp_streaming *stream = NULL;
  const psp_stream_call call = {.service = PSP_PUBSUB,
                                .method = SERVICE "StreamingPull",
                                .params = s->params.data,
                                .message = s->opening.data,
                                .len = s->opening.len,
                                .what = s->pull.what,
                                .message_came = on_message,
                                .end = on_end,
                                .arg = feed};
  psprobe_code code = psp_stream_start(s->client, &call, &stream, error);
  if (code != PSPROBE_OK) return code;
  pthread_mutex_lock(&s->lock);
  if (feed->opened && feed->openings == nth) { /* and has not ended meanwhile */
    feed->stream = stream;
    if (feed->state == PSP_FEED_PARKED) psp_stream_pause(stream, true);
    if (feed->fault.code != PSPROBE_OK) psp_stream_cancel(stream);
    if (s->state != PSP_RUNNING) psp_stream_half_close(stream);
    if (psp_subscriber_hurry(s)) pthread_cond_signal(&s->wake);
  }
  pthread_mutex_unlock(&s->lock);
  return PSPROBE_OK;
}

static void start(psp_feed *feed) {
  psprobe_subscriber *s = feed->subscriber;
  const int64_t now = psprobe_clock_monotonic();
  psprobe_error error = {0};
  pthread_mutex_lock(&s->lock);
  const bool opened = feed->opened;
  if (opened) {
    psp_pulse_heard(&feed->pulse, false, &s->pongs, now); /* what it was paused for is no silence */
    if (feed->stream != NULL) psp_stream_pause(feed->stream, false);
    psp_subscriber_unlock_unref(s); /* the stream has its own */
    return;
  }
  feed->opened = true;
  feed->fault = (psprobe_error){.code = PSPROBE_OK};
  const uint64_t nth = ++feed->openings;
  feed->silent = PSP_BEAT_NONE;
  psp_pulse_open(&feed->pulse, now);
  psp_subscriber_ref(s); /* ours, since it may end at once */
  pthread_mutex_unlock(&s->lock);
  if (open_stream(feed, nth, &error) != PSPROBE_OK) on_end(feed, &error, NULL);
  pthread_mutex_lock(&s->lock);
  psp_subscriber_unlock_unref(s);
}

/* ---- keeping ---- */

/* With the lock. */
static void beat(psp_feed *feed, int64_t now) {
  psprobe_subscriber *s = feed->subscriber;
  if (feed->state == PSP_FEED_PARKED) psp_pulse_heard(&feed->pulse, false, &s->pongs, now);
  const psp_beat next = psp_pulse_next(&feed->pulse, s->pongs, now);
  if (next == PSP_BEAT_PING) psp_stream_send(feed->stream, NULL, 0);
  if (next != PSP_BEAT_DEAD && next != PSP_BEAT_STALE) return;
  feed->silent = next;
  psp_stream_give_up(feed->stream);
}

static void keep(psprobe_subscriber *s) {
  for (size_t i = 0; i < s->feed_count; i++)
    if (s->feeds[i].stream != NULL) beat(&s->feeds[i], psprobe_clock_monotonic());
}

static int64_t due(const psprobe_subscriber *s) {
  int64_t soonest = PSP_NEVER;
  for (size_t i = 0; i < s->feed_count; i++) {
    const psp_feed *feed = &s->feeds[i];
    const int64_t at = feed->stream != NULL ? psp_pulse_due(&feed->pulse, s->pongs) : PSP_NEVER;
    if (at < soonest) soonest = at;
  }
  return soonest;
}

static bool stop(psprobe_subscriber *s, bool now) {
  bool open = false;
  for (size_t i = 0; i < s->feed_count; i++) {
    psp_feed *feed = &s->feeds[i];
    open = open || feed->opened;
    if (feed->stream == NULL) continue;
    if (now)
      psp_stream_cancel(feed->stream);
    else
      psp_stream_half_close(feed->stream);
    psp_stream_pause(feed->stream, false); /* what waits is to be given back */
  }
  return open;
}

/* ---- telling ---- */

typedef struct told {
  psp_told *done;
  void *arg;
  psp_buf body;
} told;

static void free_told(told *t) {
  psp_buf_free(&t->body);
  free(t);
}

static void on_told(void *arg, const psprobe_error *error, const psp_rpc_status *status) {
  told *t = arg;
  psp_ack_fates fates = {.count = 0};
  if (error != NULL && status != NULL)
    psp_proto_fates(status->details, status->details_len, &fates);
  t->done(t->arg, error, &fates);
  psp_ack_fates_free(&fates);
  free_told(t);
}

/* Takes what `body` holds. */
static psprobe_code call(psprobe_subscriber *s, const char *method, const char *what, psp_buf *body,
                         const psp_tidings *tidings, psprobe_error *error) {
  told *t = malloc(sizeof *t);
  if (t == NULL) {
    psp_buf_free(body);
    return psp_fail_memory(error, what);
  }
  *t = (told){tidings->done, tidings->arg, *body};
  const psp_stream_call call = {.service = PSP_PUBSUB,
                                .method = method,
                                .params = s->params.data,
                                .message = t->body.data,
                                .len = t->body.len,
                                .only = true,
                                .timeout_ns = tidings->timeout_ns,
                                .what = what,
                                .end = on_told,
                                .arg = t};
  psprobe_code code = t->body.failed ? psp_fail_memory(error, what)
                                     : psp_stream_start(s->client, &call, NULL, error);
  if (code != PSPROBE_OK) free_told(t);
  return code;
}

static psprobe_code extend(psprobe_subscriber *s, const psp_tidings *tidings, int seconds,
                           psprobe_error *error) {
  psp_buf body = {0};
  psp_proto_modify(&body, s->full_name.data, tidings->ack_ids, tidings->count, seconds);
  return call(s, SERVICE "ModifyAckDeadline", s->modify.what, &body, tidings, error);
}

static psprobe_code tell(psprobe_subscriber *s, const psp_tidings *tidings, bool nack,
                         psprobe_error *error) {
  psp_buf body = {0};
  if (nack) return extend(s, tidings, 0, error);
  psp_proto_acknowledge(&body, s->full_name.data, tidings->ack_ids, tidings->count);
  return call(s, SERVICE "Acknowledge", s->acknowledge.what, &body, tidings, error);
}

const psp_way psp_way_streaming = {
    .start = start, .tell = tell, .extend = extend, .keep = keep, .due = due, .stop = stop};
