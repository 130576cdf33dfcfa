/* SPDX-License-Identifier: MIT */
#include "client/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "client/parts.h"
#include "grpc/channel.h"
#include "http/url.h"

#define TOKEN_NS (30 * PSP_SECOND_NS)

/* Where it stands; guarded by the client's lock. */
typedef enum stream_state {
  WAITING, /* for a token; its timer and its waiter both know it, and whoever is first has it */
  BUSY,    /* between two others */
  OPEN     /* with the channel */
} stream_state;

struct psp_streaming {
  psprobe_client *client;
  psp_stream_call call; /* its texts are behind */
  int64_t deadline_ns;
  stream_state state;
  bool cancelled, paused, half_closed;
  bool missed;         /* the timer found no waiter to stop */
  bool token;          /* it carries one */
  uint64_t generation; /* of it */
  psp_channel *channel;
  uint64_t id;   /* at the channel */
  unsigned refs; /* one until it has ended, one for each that may still come by */
  psp_timer timer;
  psp_token_waiter waiter;
  char text[];
};

static psprobe_code begin(psp_streaming *s, psprobe_error *error);

static void lock(psp_streaming *s) {
  pthread_mutex_lock(&s->client->lock);
}

/* Drops a reference, and the lock. */
static void unref_locked(psp_streaming *s) {
  psprobe_client *client = s->client;
  bool last = --s->refs == 0;
  if (last && --client->active == 0) pthread_cond_broadcast(&client->changed);
  pthread_mutex_unlock(&client->lock);
  if (last) free(s);
}

static void finish(psp_streaming *s, const psprobe_error *error, const psp_rpc_status *status) {
  s->call.end(s->call.arg, error, status);
  lock(s);
  unref_locked(s);
}

static void finish_with(psp_streaming *s, psprobe_code code, const char *why) {
  psprobe_error error = {0};
  psp_fail(&error, code, "%s: %s", s->call.what, why);
  finish(s, &error, NULL);
}

/* ---- on the channel ---- */

static void on_message(void *arg, const void *message, size_t len) {
  psp_streaming *s = arg;
  if (s->call.message_came != NULL) s->call.message_came(s->call.arg, message, len);
}

static void on_end(void *arg, const psp_rpc_status *status) {
  psp_streaming *s = arg;
  psprobe_error error = {0};
  if (status->code == PSPROBE_OK) {
    finish(s, NULL, status);
    return;
  }
  if (status->code == PSPROBE_UNAUTHENTICATED && s->token)
    psp_credentials_reject(s->client->credentials, s->call.service, s->generation);
  psp_status_from_grpc(status, s->call.what, &error);
  finish(s, &error, status);
}

static const psp_rpc_events events = {.message = on_message, .end = on_end};

/* With the lock. The endpoint is a base URL; what lies below its host is not for gRPC. */
static psp_channel *channel_of(const psp_streaming *s, psprobe_error *error) {
  psprobe_client *client = s->client;
  const psp_service service = s->call.service;
  psp_channel **channel = &client->channel[service][s->call.apart];
  if (*channel != NULL) return *channel;
  char *url = psp_client_url(client, service, "", NULL, 0);
  psp_buf target = {0};
  size_t len = 0;
  const char *authority = url != NULL ? psp_http_url_authority(url, &len) : NULL;
  const bool tls = url != NULL && psp_text_starts(url, "https:");
  if (authority != NULL) psp_buf_add(&target, authority, len);
  /* "[::1]" has colons and no port. */
  const char *after = target.data != NULL ? strrchr(target.data, ']') : NULL;
  if (target.data != NULL && strchr(after != NULL ? after : target.data, ':') == NULL)
    psp_buf_text(&target, tls ? ":443" : ":80");
  const psp_channel_options options = {
      .target = target.data, .tls = tls, .ca_file = client->ca_file, .logger = &client->logger};
  if (target.data == NULL || target.failed)
    psp_fail_memory(error, "a channel");
  else
    psp_channel_new(&options, channel, error);
  psp_buf_free(&target);
  free(url);
  return *channel;
}

static psprobe_code hand_over(psp_streaming *s, psp_fields *fields, psprobe_error *error) {
  psprobe_client *client = s->client;
  const psp_rpc_request request = {.path = s->call.method,
                                   .fields = fields,
                                   .deadline_ns = s->deadline_ns,
                                   .message = s->call.message,
                                   .len = s->call.len,
                                   .only = s->call.only,
                                   .events = &events,
                                   .arg = s};
  lock(s);
  if (s->cancelled || client->closing) {
    pthread_mutex_unlock(&client->lock);
    return psp_fail(error, PSPROBE_CANCELLED, "%s: cancelled", s->call.what);
  }
  psp_channel *channel = s->channel = channel_of(s, error);
  if (channel == NULL) {
    pthread_mutex_unlock(&client->lock);
    return PSPROBE_RESOURCE_EXHAUSTED;
  }
  s->refs++; /* ours: it may end before we are back */
  client->sending++;
  pthread_mutex_unlock(&client->lock);
  uint64_t id = 0;
  psprobe_code code = psp_channel_begin(channel, &request, &id, error);
  lock(s);
  s->id = id;
  s->state = code == PSPROBE_OK ? OPEN : BUSY;
  if (code == PSPROBE_OK && s->half_closed) psp_channel_tell(channel, id, PSP_WORD_HALF_CLOSE);
  if (code == PSPROBE_OK && s->paused) psp_channel_tell(channel, id, PSP_WORD_PAUSE);
  if (code == PSPROBE_OK && s->cancelled) psp_channel_tell(channel, id, PSP_WORD_CANCEL);
  /* Up to here the channel is not freed. */
  if (--client->sending == 0 && client->closing) pthread_cond_broadcast(&client->changed);
  unref_locked(s);
  return code;
}

static psprobe_code begin_with(psp_streaming *s, const char *authorization, psprobe_error *error) {
  psp_fields fields = {.first = NULL};
  const char *quota = s->token ? psp_credentials_quota_project(s->client->credentials) : NULL;
  const struct {
    const char *name, *value;
  } list[] = {{"x-goog-api-client", PSP_API_CLIENT},
              {"x-goog-request-params", s->call.params},
              {"authorization", authorization},
              {"x-goog-user-project", quota}};
  bool added = true;
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (list[i].value != NULL)
      added = added && psp_fields_add(&fields, list[i].name, list[i].value, strlen(list[i].value));
  psprobe_code code = added ? hand_over(s, &fields, error) : psp_fail_memory(error, s->call.what);
  psp_fields_clear(&fields);
  return code;
}

/* ---- waiting for a token ---- */

/* True: it was waiting, and is the caller's now. */
static bool take_waiting(psp_streaming *s) {
  lock(s);
  const bool mine = s->state == WAITING;
  s->state = mine ? BUSY : s->state;
  pthread_mutex_unlock(&s->client->lock);
  return mine;
}

static void unref(psp_streaming *s) {
  lock(s);
  unref_locked(s);
}

/* The timer's. False: the token comes by at this moment, or the waiter is not there yet. */
static bool stop_waiting(psp_streaming *s) {
  lock(s);
  const bool stopped = psp_credentials_unwait(s->client->credentials, &s->waiter);
  s->missed = !stopped;
  pthread_mutex_unlock(&s->client->lock);
  return stopped;
}

static bool has_missed(psp_streaming *s) {
  lock(s);
  const bool missed = s->missed;
  pthread_mutex_unlock(&s->client->lock);
  return missed;
}

static void on_timer(psp_timer *timer) {
  psp_streaming *s = (psp_streaming *)((char *)timer - offsetof(psp_streaming, timer));
  if (take_waiting(s)) {
    if (stop_waiting(s)) unref(s);
    if (s->cancelled || s->client->closing)
      finish_with(s, PSPROBE_CANCELLED, "cancelled");
    else
      finish_with(s, PSPROBE_DEADLINE_EXCEEDED, "no access token in time");
  }
  unref(s);
}

static void on_token(void *arg, const psprobe_error *error) {
  psp_streaming *s = arg;
  if (take_waiting(s)) {
    if (psp_timers_disarm(s->client->timers, &s->timer)) unref(s);
    psprobe_error outcome = {0};
    if (error != NULL) {
      outcome = *error;
      psp_fail_in(&outcome, "%s", s->call.what);
      outcome.http_status = 0; /* it was the token endpoint's, not the API's */
      finish(s, &outcome, NULL);
    } else if (begin(s, &outcome) != PSPROBE_OK) {
      finish(s, &outcome, NULL);
    }
  }
  unref(s);
}

/* On PSPROBE_OK it goes on by itself; else the caller still has it. */
static psprobe_code wait_for_token(psp_streaming *s, psprobe_error *error) {
  const int64_t patience_ns = psprobe_clock_monotonic() + TOKEN_NS;
  s->waiter = (psp_token_waiter){.ready = on_token, .arg = s};
  lock(s);
  s->state = WAITING;
  s->refs += 3; /* the timer's, the waiter's, and ours until both are told */
  pthread_mutex_unlock(&s->client->lock);
  psprobe_code code = PSPROBE_OK;
  if (!psp_timers_arm(s->client->timers, &s->timer,
                      s->deadline_ns < patience_ns ? s->deadline_ns : patience_ns)) {
    code = psp_fail(error, PSPROBE_CANCELLED, "%s: cancelled", s->call.what);
    unref(s);
    unref(s);
  } else {
    code = psp_credentials_wait(s->client->credentials, s->call.service, &s->waiter, error);
    if (code != PSPROBE_OK) {
      unref(s);
      if (psp_timers_disarm(s->client->timers, &s->timer)) unref(s);
    }
  }
  if (code == PSPROBE_OK && has_missed(s) &&
      psp_credentials_unwait(s->client->credentials, &s->waiter))
    unref(s);
  /* When the timer was faster it has ended the call already. */
  if (code != PSPROBE_OK && !take_waiting(s)) code = PSPROBE_OK;
  if (code != PSPROBE_OK) psp_fail_in(error, "%s", s->call.what);
  unref(s);
  return code;
}

/* ---- beginning ---- */

static psprobe_code begin(psp_streaming *s, psprobe_error *error) {
  psprobe_client *client = s->client;
  if (client->emulator[s->call.service]) return begin_with(s, NULL, error);
  psp_bearer bearer;
  psprobe_code code =
      psp_bearer_read(&bearer, client->credentials,
                      psp_credentials_slot(client->credentials, s->call.service), error);
  if (code != PSPROBE_OK) return code;
  s->generation = bearer.generation;
  s->token = bearer.len > 0;
  code = bearer.len > 0 ? begin_with(s, bearer.text, error) : wait_for_token(s, error);
  psp_bearer_wipe(&bearer);
  return code;
}

static const char *put(char **at, const void *data, size_t len) {
  char *place = *at;
  if (len > 0) memcpy(place, data, len);
  *at += len;
  return place;
}

static psp_streaming *copy_call(psprobe_client *client, const psp_stream_call *call) {
  const size_t method = strlen(call->method) + 1, params = strlen(call->params) + 1;
  const size_t what = strlen(call->what) + 1;
  const size_t texts = method + params + what + call->len;
  psp_streaming *s = malloc(sizeof *s + (call->only ? 0 : texts));
  if (s == NULL) return NULL;
  char *at = s->text;
  *s = (psp_streaming){.client = client, .call = *call, .state = BUSY, .refs = 1};
  s->timer.fire = on_timer;
  s->deadline_ns = call->timeout_ns > 0 ? psprobe_clock_monotonic() + call->timeout_ns : INT64_MAX;
  if (call->only) return s;
  s->call.method = put(&at, call->method, method);
  s->call.params = put(&at, call->params, params);
  s->call.what = put(&at, call->what, what);
  s->call.message = put(&at, call->message, call->len);
  return s;
}

psprobe_code psp_stream_start(psprobe_client *client, const psp_stream_call *call,
                              psp_streaming **stream, psprobe_error *error) {
  psp_streaming *s = copy_call(client, call);
  if (s == NULL) return psp_fail_memory(error, call->what);
  if (stream != NULL) *stream = s;
  lock(s);
  client->active++;
  pthread_mutex_unlock(&client->lock);
  psprobe_code code = begin(s, error);
  if (code != PSPROBE_OK) unref(s);
  return code;
}

/* The channel, where it has the call: what it is told is told in turn. With the lock, which the
 * channel's callbacks come without; they have not ended the call yet, so it is not freed either. */
static psp_channel *channel_with(const psp_streaming *s) {
  return s->state == OPEN ? s->channel : NULL;
}

void psp_stream_send(psp_streaming *s, const void *message, size_t len) {
  lock(s);
  psp_channel *channel = channel_with(s);
  if (channel != NULL && psp_channel_send(channel, s->id, message, len, NULL) != PSPROBE_OK)
    psp_channel_tell(channel, s->id, PSP_WORD_CANCEL);
  pthread_mutex_unlock(&s->client->lock);
}

void psp_stream_half_close(psp_streaming *s) {
  lock(s);
  psp_channel *channel = channel_with(s);
  s->half_closed = true;
  if (channel != NULL) psp_channel_tell(channel, s->id, PSP_WORD_HALF_CLOSE);
  pthread_mutex_unlock(&s->client->lock);
}

void psp_stream_pause(psp_streaming *s, bool paused) {
  lock(s);
  psp_channel *channel = channel_with(s);
  s->paused = paused;
  if (channel != NULL) psp_channel_tell(channel, s->id, paused ? PSP_WORD_PAUSE : PSP_WORD_RESUME);
  pthread_mutex_unlock(&s->client->lock);
}

static void cancel(psp_streaming *s, psp_rpc_word word) {
  lock(s);
  psp_channel *channel = channel_with(s);
  s->cancelled = true;
  if (s->state == WAITING) psp_timers_hasten(s->client->timers, &s->timer);
  if (channel != NULL) psp_channel_tell(channel, s->id, word);
  pthread_mutex_unlock(&s->client->lock);
}

void psp_stream_cancel(psp_streaming *s) {
  cancel(s, PSP_WORD_CANCEL);
}

void psp_stream_give_up(psp_streaming *s) {
  cancel(s, PSP_WORD_GIVE_UP);
}
