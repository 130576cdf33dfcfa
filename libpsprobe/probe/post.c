/* SPDX-License-Identifier: MIT */
/* Answering by POST to the prober, with another attempt after what may pass. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "http/http.h"
#include "http/retry.h"
#include "probe/responder.h"

#define SECOND_NS    INT64_C(1000000000)
#define LOG_EVERY_NS (60 * SECOND_NS)
#define MAX_RESPONSE 65536

/** Short waits: the message is leased for ten seconds by default. */
static const psp_retry_policy policy = {
    .codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE) | PSP_RETRY_ON(PSPROBE_DEADLINE_EXCEEDED),
    .initial_ns = 50000000,
    .max_ns = SECOND_NS,
    .factor = 2};

typedef struct post {
  psp_answering answering;
  psp_timer timer; /**< of the next attempt */
  int64_t received_ns, deadline_ns;
  unsigned attempt;
  bool cold;
  psprobe_error last; /**< what the last attempt came to */
  char url[];
} post;

static void end(post *p, psprobe_code code, const psprobe_error *error) {
  psp_answering_end(&p->answering, code, error);
  free(p);
}

/** What is no answer of a prober that has it. Another attempt may help after 429 and 5xx. */
static void read_refusal(const post *p, const psp_http_response *response, psprobe_error *error) {
  char what[512];
  snprintf(what, sizeof what, "POST %s", p->url);
  psp_status_parse(response->status, response->body, response->body_len,
                   psp_http_retry_after(psp_http_header(response, "retry-after"),
                                        psprobe_clock_wall() / SECOND_NS),
                   what, error);
  /* INVALID_ARGUMENT is said of messages; this is about the prober, or what stands in its place. */
  if (error->code == PSPROBE_INVALID_ARGUMENT) error->code = PSPROBE_FAILED_PRECONDITION;
  if (response->status < 500 && response->status != 429) return;
  error->code = PSPROBE_UNAVAILABLE;
  error->retryable = true;
}

static void try_again(post *p, const psprobe_error *error) {
  psprobe_responder *responder = p->answering.responder;
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  p->last = *error;
  int64_t now_ns = psprobe_clock_monotonic();
  int64_t wait_ns = psp_retry_delay(&policy, error, p->attempt, now_ns, p->deadline_ns, random);
  if (wait_ns < 0 || !psp_timers_arm(responder->timers, &p->timer, now_ns + wait_ns))
    end(p, p->last.code, &p->last);
}

static void on_response(void *arg, const psp_http_response *response, const psprobe_error *error) {
  post *p = arg;
  psprobe_responder *responder = p->answering.responder;
  psp_log_line line;
  psprobe_error refusal = {0};
  if (response == NULL) {
    try_again(p, error);
    return;
  }
  if (response->status >= 200 && response->status < 300) {
    end(p, PSPROBE_OK, NULL);
    return;
  }
  if (response->status != 404) {
    read_refusal(p, response, &refusal);
    try_again(p, &refusal);
    return;
  }
  /* A probe of an earlier run, or one that timed out long ago: nobody waits for it. */
  uint64_t count = atomic_fetch_add(&responder->not_wanted, 1) + 1;
  if (psp_log_limit_pass(&responder->log_not_wanted, LOG_EVERY_NS) &&
      psp_log_begin(&line, &responder->logger, PSPROBE_LOG_WARNING, "answer_not_wanted")) {
    psp_log_text(&line, "url", p->url);
    psp_log_int(&line, "count", (int64_t)count);
    psp_log_end(&line);
  }
  end(p, PSPROBE_OK, NULL);
}

/** One attempt gets no more than half of the time, so that a connection that has died in silence
 * leaves time for a new one. */
static int64_t attempt_ns(const post *p, int64_t now_ns) {
  int64_t left = p->deadline_ns - now_ns, half = p->answering.responder->timeout_ns / 2;
  if (half < SECOND_NS) half = SECOND_NS;
  return left < half ? left : half;
}

static psprobe_code attempt(post *p, psprobe_error *error) {
  int64_t now_ns = psprobe_clock_monotonic();
  char handled[24];
  snprintf(handled, sizeof handled, "%" PRId64,
           now_ns > p->received_ns ? now_ns - p->received_ns : 0);
  const psp_header headers[] = {{PSPROBE_HEADER_HANDLED, handled}, {PSPROBE_HEADER_COLD, "1"}};
  psp_http_request request = {.method = "POST",
                              .url = p->url,
                              .headers = headers,
                              .header_count = p->cold ? 2 : 1,
                              .timeout_ns = attempt_ns(p, now_ns),
                              .max_response = MAX_RESPONSE};
  if (request.timeout_ns <= 0) {
    *error = p->last;
    return PSPROBE_DEADLINE_EXCEEDED;
  }
  p->attempt++;
  return psp_http_send(psp_client_http(p->answering.responder->client), &request, on_response, p,
                       NULL, error);
}

static void on_timer(psp_timer *timer) {
  post *p = (post *)((char *)timer - offsetof(post, timer));
  psprobe_error error = {0};
  psprobe_responder *responder = p->answering.responder;
  pthread_mutex_lock(&responder->lock);
  bool closing = responder->closing;
  pthread_mutex_unlock(&responder->lock);
  if (closing)
    end(p, p->last.code, &p->last);
  else if (attempt(p, &error) != PSPROBE_OK)
    end(p, error.code, &error);
}

psprobe_code psp_answer_by_post(const psp_answering *answering, const char *probe_id,
                                int64_t received_ns, psprobe_error *error) {
  psprobe_responder *responder = answering->responder;
  size_t prefix_len = strlen(responder->prefix);
  post *p = calloc(1, sizeof *p + prefix_len + PSPROBE_ID_SIZE);
  if (p == NULL) return psp_fail_memory(error, "an answer");
  p->answering = *answering;
  p->timer.fire = on_timer;
  p->received_ns = received_ns;
  p->deadline_ns = psprobe_clock_monotonic() + responder->timeout_ns;
  p->cold = !atomic_exchange(&responder->warm, true);
  memcpy(p->url, responder->prefix, prefix_len);
  memcpy(p->url + prefix_len, probe_id, PSPROBE_ID_SIZE);
  psprobe_code code = attempt(p, error);
  if (code != PSPROBE_OK) free(p);
  return code;
}
