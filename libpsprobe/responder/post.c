/* SPDX-License-Identifier: MIT */
/** @file Answering by POST to the prober, with another attempt after what may pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "http/client/retry.h"
#include "http/client/transport.h"
#include "http/url.h"
#include "os/random.h"
#include "responder/parts.h"
#include "responder/reading.h"

#define LOG_EVERY_NS (60 * PSP_SECOND_NS)
#define MAX_RESPONSE 65536

/* Short waits: the message is leased for ten seconds by default. */
static const psp_retry_policy policy = {
    .codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE) | PSP_RETRY_ON(PSPROBE_DEADLINE_EXCEEDED),
    .initial_ns = 50 * PSP_MS_NS,
    .max_ns = PSP_SECOND_NS,
    .factor = 2};

typedef struct post {
  psp_answering answering;
  psp_timer timer; /* of the next attempt, or of the end of the wait for a token */
  psp_token_waiter waiter;
  atomic_uint met;     /* see await_token */
  uint64_t generation; /* of the token that the attempt carried */
  bool awaits_token, reauthorized;
  int64_t deadline_ns, sent_ns; /* monotonic; wall clock, of the last attempt */
  psp_event_facts facts;
  unsigned attempt;
  psprobe_error last; /* what the last attempt came to */
  psp_retry_past past;
  char url[];
} post;

static void end(post *p, psprobe_code code, const psprobe_error *error) {
  psp_answering_end(&p->answering, code, error);
  psp_retry_past_free(&p->past);
  free(p);
}

static void try_again(post *p, const psprobe_error *error) {
  psprobe_responder *responder = p->answering.responder;
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  p->last = *error;
  psp_retry_note(&p->past, &p->last);
  int64_t now_ns = psprobe_clock_monotonic();
  int64_t wait_ns = psp_retry_delay(&policy, error, p->attempt, now_ns, p->deadline_ns, random);
  if (wait_ns < 0 || !psp_timers_arm(responder->timers, &p->timer, now_ns + wait_ns))
    end(p, p->last.code, &p->last);
}

static psprobe_code attempt(post *p, psprobe_error *error);

static void attempt_or_end(post *p) {
  psprobe_error error = {0};
  psprobe_code code = attempt(p, &error);
  if (code != PSPROBE_OK) end(p, code, &error);
}

/* A probe of an earlier run, or one that timed out long ago: nobody waits for it. */
static void note_not_wanted(post *p) {
  psprobe_responder *responder = p->answering.responder;
  psp_log_line line;
  uint64_t count = atomic_fetch_add(&responder->not_wanted, 1) + 1;
  if (!psp_log_limit_pass(&responder->log_not_wanted, LOG_EVERY_NS) ||
      !psp_log_begin(&line, &responder->logger, PSPROBE_LOG_WARNING, "answer_not_wanted"))
    return;
  psp_log_text(&line, "url", p->url);
  psp_log_int(&line, "count", (int64_t)count);
  psp_log_end(&line);
}

/* The stamps of a finished exchange go with the next answer. */
static void note_exchange(post *p, const psp_http_response *response, int64_t back_ns) {
  psprobe_responder *responder = p->answering.responder;
  psp_last_exchange stamps;
  if (!psp_last_exchange_read(&stamps, p->sent_ns, response, back_ns)) return;
  pthread_mutex_lock(&responder->lock);
  responder->last_exchange = stamps;
  pthread_mutex_unlock(&responder->lock);
}

static void on_response(void *arg, const psp_http_response *response, const psprobe_error *error) {
  int64_t back_ns = psprobe_clock_wall();
  post *p = arg;
  psprobe_responder *responder = p->answering.responder;
  psprobe_error refusal = {0};
  if (response == NULL) {
    try_again(p, error);
    return;
  }
  if (response->status == 401 && responder->token != NULL && !p->reauthorized) {
    p->reauthorized = true;
    psp_token_slot_reject(responder->credentials, responder->token, p->generation);
    attempt_or_end(p);
    return;
  }
  psp_heard heard = psp_prober_heard(response, p->url, responder->token != NULL,
                                     psprobe_clock_wall() / PSP_SECOND_NS, &refusal);
  if (heard == PSP_HEARD_REFUSAL) {
    try_again(p, &refusal);
    return;
  }
  if (heard == PSP_HEARD_NOT_WANTED) note_not_wanted(p);
  note_exchange(p, response, back_ns);
  end(p, PSPROBE_OK, NULL);
}

/* One attempt gets no more than half of the time, so that a connection that has died in silence
 * leaves time for a new one. */
static int64_t attempt_ns(const post *p, int64_t now_ns) {
  int64_t left = p->deadline_ns - now_ns, half = p->answering.responder->timeout_ns / 2;
  if (half < PSP_SECOND_NS) half = PSP_SECOND_NS;
  return left < half ? left : half;
}

/* The facts, and our token; they live as long as the headers. */
static size_t write_headers(post *p, const char *authorization, psp_fact_headers *facts,
                            psp_header out[PSP_FACT_HEADERS + 1]) {
  psprobe_responder *responder = p->answering.responder;
  pthread_mutex_lock(&responder->lock);
  psp_last_exchange last = responder->last_exchange;
  pthread_mutex_unlock(&responder->lock);
  p->sent_ns = psprobe_clock_wall();
  psp_facts_write(&p->facts, &responder->instance, &last, p->sent_ns, facts);
  memcpy(out, facts->list, facts->count * sizeof *out);
  if (authorization == NULL) return facts->count;
  out[facts->count] = (psp_header){"Authorization", authorization};
  return facts->count + 1;
}

static psprobe_code send(post *p, const char *authorization, psprobe_error *error) {
  int64_t now_ns = psprobe_clock_monotonic();
  psp_fact_headers facts;
  psp_header headers[PSP_FACT_HEADERS + 1];
  psp_http_request request = {.method = "POST",
                              .url = p->url,
                              .headers = headers,
                              .header_count = write_headers(p, authorization, &facts, headers),
                              .timeout_ns = attempt_ns(p, now_ns),
                              .max_response = MAX_RESPONSE};
  if (request.timeout_ns <= 0) {
    if (p->last.code == PSPROBE_OK) { /* nothing has failed before: the token came too late */
      psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "POST %s: its time was over before it", p->url);
      return PSPROBE_DEADLINE_EXCEEDED;
    }
    psprobe_code code = p->last.code;
    *error = p->last;
    return code;
  }
  p->attempt++;
  return psp_http_send(psp_client_http(p->answering.responder->client), &request, on_response, p,
                       NULL, error);
}

/* ---- waiting for a token: the first of a kind, or after an outage ---- */

/* The time for it is over. */
static void end_waiting(post *p) {
  psprobe_error error = {0};
  psp_fail(&error, PSPROBE_DEADLINE_EXCEEDED, "POST %s: no ID token was there in time", p->url);
  psp_retry_note(&p->past, &error);
  end(p, error.code, &error);
}

static void on_token(void *arg, const psprobe_error *error) {
  post *p = arg;
  if (!psp_timers_disarm(p->answering.responder->timers, &p->timer)) {
    if (atomic_fetch_add(&p->met, 1) > 0) end_waiting(p);
    return;
  }
  p->awaits_token = false;
  if (error == NULL) {
    attempt_or_end(p);
    return;
  }
  psprobe_error outcome = *error;
  /* That is said of messages; this is about our credentials. */
  if (outcome.code == PSPROBE_INVALID_ARGUMENT) outcome.code = PSPROBE_FAILED_PRECONDITION;
  outcome.http_status = 0; /* it was the token endpoint's, not the prober's */
  p->attempt++;
  try_again(p, &outcome);
}

/*
 * Both the token and the timer are told where to find the post. Whoever of them comes while the
 * other can be called off has it to himself; when both are on their way the second ends it.
 */
static psprobe_code await_token(post *p, psprobe_error *error) {
  psprobe_responder *responder = p->answering.responder;
  p->waiter = (psp_token_waiter){.ready = on_token, .arg = p};
  p->awaits_token = true;
  atomic_store(&p->met, 0);
  if (!psp_timers_arm(responder->timers, &p->timer, p->deadline_ns)) {
    p->awaits_token = false;
    return psp_fail(error, PSPROBE_UNAVAILABLE, "the responder is being stopped");
  }
  psprobe_code code =
      psp_token_slot_wait(responder->credentials, responder->token, &p->waiter, error);
  if (code == PSPROBE_OK) return PSPROBE_OK; /* p may be gone */
  bool ours = psp_timers_disarm(responder->timers, &p->timer) || atomic_fetch_add(&p->met, 1) > 0;
  return ours ? code : PSPROBE_OK;
}

static void on_timer(psp_timer *timer) {
  post *p = (post *)((char *)timer - offsetof(post, timer));
  psprobe_responder *responder = p->answering.responder;
  if (p->awaits_token) {
    if (psp_credentials_unwait(responder->credentials, &p->waiter) ||
        atomic_fetch_add(&p->met, 1) > 0)
      end_waiting(p);
    return;
  }
  pthread_mutex_lock(&responder->lock);
  bool closing = responder->closing;
  pthread_mutex_unlock(&responder->lock);
  if (closing)
    end(p, p->last.code, &p->last);
  else
    attempt_or_end(p);
}

static psprobe_code attempt(post *p, psprobe_error *error) {
  psprobe_responder *responder = p->answering.responder;
  if (responder->token == NULL) return send(p, NULL, error);
  psp_bearer bearer;
  psprobe_code code = psp_bearer_read(&bearer, responder->credentials, responder->token, error);
  if (code != PSPROBE_OK) return code;
  p->generation = bearer.generation;
  code = bearer.len > 0 ? send(p, bearer.text, error) : await_token(p, error);
  psp_bearer_wipe(&bearer);
  return code;
}

psprobe_code psp_responder_show_tokens(psprobe_responder *responder, const char *prober,
                                       psprobe_error *error) {
  char *audience = strndup(prober, psp_http_url_origin_len(prober));
  if (audience == NULL) return psp_fail_memory(error, "responder");
  psprobe_credentials *credentials = psp_client_credentials(responder->client);
  char *token = NULL;
  psprobe_code code = psprobe_credentials_id_token(credentials, audience, &token, error);
  psprobe_token_free(token);
  if (code == PSPROBE_OK)
    code = psp_credentials_id_slot(credentials, audience, &responder->token, error);
  if (code == PSPROBE_OK)
    responder->credentials = credentials;
  else
    psp_fail_in(error, "ID token for the prober, %s", audience);
  free(audience);
  return code;
}

psprobe_code psp_answer_by_post(const psp_answering *answering, const char *probe_id,
                                const psp_event_facts *facts, psprobe_error *error) {
  psprobe_responder *responder = answering->responder;
  size_t prefix_len = strlen(responder->prefix);
  post *p = calloc(1, sizeof *p + prefix_len + PSPROBE_ID_SIZE);
  if (p == NULL) return psp_fail_memory(error, "an answer");
  p->answering = *answering;
  p->timer.fire = on_timer;
  p->facts = *facts;
  p->deadline_ns = psprobe_clock_monotonic() + responder->timeout_ns;
  memcpy(p->url, responder->prefix, prefix_len);
  memcpy(p->url + prefix_len, probe_id, PSPROBE_ID_SIZE);
  psprobe_code code = attempt(p, error);
  if (code != PSPROBE_OK) free(p);
  return code; /* NOLINT(clang-analyzer-unix.Malloc): whoever ends the attempt has it */
}
