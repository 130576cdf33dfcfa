/* SPDX-License-Identifier: MIT */
#include "auth/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "http/client/date.h"
#include "http/client/retry.h"
#include "os/latch.h"
#include "os/random.h"
#include "os/wait.h"

psprobe_code psp_fetcher_init(psp_fetcher *f, const char *ca_file, const psprobe_logger *logger,
                              const psp_clock *clock, psp_http *http, psprobe_error *error) {
  *f = (psp_fetcher){.clock = *clock, .http = http};
  if (logger != NULL) f->logger = *logger;
  psp_cond_init(&f->changed);
  pthread_mutex_init(&f->lock, NULL);
  f->ca_file = psp_strdup(ca_file);
  if (ca_file != NULL && f->ca_file == NULL) return psp_fail_memory(error, "credentials");
  return PSPROBE_OK;
}

void psp_fetcher_stop(psp_fetcher *f) {
  pthread_mutex_lock(&f->lock);
  f->stopping = true;
  bool flying = f->flying;
  uint64_t id = f->id;
  pthread_cond_broadcast(&f->changed);
  pthread_mutex_unlock(&f->lock);
  if (flying) psp_http_cancel(f->http, id);
}

void psp_fetcher_clear(psp_fetcher *f) {
  psp_http_free(f->http);
  free(f->ca_file);
  pthread_cond_destroy(&f->changed);
  pthread_mutex_destroy(&f->lock);
}

void psp_answer_free(psp_answer *answer) {
  psp_secret_free(&answer->body);
  *answer = (psp_answer){0};
}

/* One attempt, waited for. */
typedef struct flight {
  psp_fetcher *fetcher;
  psp_answer *answer;
  psprobe_error *error;
  psp_latch landed;
} flight;

static void copy_text(char *out, size_t size, const char *text) {
  size_t len = text != NULL ? strlen(text) : 0;
  if (len >= size) len = 0; /* too long to mean anything */
  memcpy(out, text != NULL ? text : "", len);
  out[len] = 0;
}

static void take_answer(const psp_http_response *response, int64_t wall_s, psp_answer *answer) {
  answer->status = response->status;
  psp_secret_reset(&answer->body);
  psp_secret_add(&answer->body, response->body, response->body_len);
  answer->retry_after_ns = psp_http_retry_after(psp_http_header(response, "retry-after"), wall_s);
  answer->date_s = psp_http_date(psp_http_header(response, "date"), wall_s);
  answer->google_flavor = psp_text_equal(psp_http_header(response, "metadata-flavor"), "Google");
  const char *type = psp_http_header(response, "content-type");
  answer->html = type != NULL && strncasecmp(type, "text/html", 9) == 0;
  copy_text(answer->cache_control, sizeof answer->cache_control,
            psp_http_header(response, "cache-control"));
  copy_text(answer->age, sizeof answer->age, psp_http_header(response, "age"));
}

static void on_answer(void *arg, const psp_http_response *response, const psprobe_error *error) {
  flight *f = arg;
  if (response != NULL)
    take_answer(response, psp_clock_wall_s(&f->fetcher->clock), f->answer);
  else
    *f->error = *error;
  psp_latch_post(&f->landed);
}

static psprobe_code fail_stopped(psprobe_error *error) {
  return psp_fail(error, PSPROBE_CANCELLED, "cancelled: the credentials are being closed");
}

/* What psp_fetcher_stop has to cancel; to cancel what has landed does nothing. @return false: it is
 * stopping already */
static bool note_flight(psp_fetcher *f, bool flying, uint64_t id) {
  pthread_mutex_lock(&f->lock);
  f->flying = flying;
  f->id = id;
  bool stopping = f->stopping;
  pthread_mutex_unlock(&f->lock);
  return !stopping;
}

static psprobe_code fly(psp_fetcher *f, const psp_http_request *request, psp_answer *answer,
                        psprobe_error *error) {
  psprobe_error cause;
  psprobe_error_clear(&cause);
  flight one = {.fetcher = f, .answer = answer, .error = &cause};
  uint64_t id = 0;
  psp_latch_init(&one.landed);
  psprobe_code code = psp_http_send(f->http, request, on_answer, &one, &id, error);
  if (code == PSPROBE_OK) {
    if (!note_flight(f, true, id)) psp_http_cancel(f->http, id);
    psp_latch_wait(&one.landed);
    note_flight(f, false, id);
  }
  psp_latch_destroy(&one.landed);
  if (code != PSPROBE_OK) return code;
  if (cause.code != PSPROBE_OK) {
    if (error != NULL) *error = cause;
    return cause.code;
  }
  return answer->body.failed ? psp_fail_memory(error, "answer") : PSPROBE_OK;
}

/* False: stopped meanwhile. */
static bool pause_for(psp_fetcher *f, int64_t ns) {
  int64_t due_ns = psprobe_clock_monotonic() + ns;
  pthread_mutex_lock(&f->lock);
  while (!f->stopping && psp_cond_wait_until(&f->changed, &f->lock, due_ns)) {
  }
  bool stopping = f->stopping;
  pthread_mutex_unlock(&f->lock);
  return !stopping;
}

/* What an attempt came to, in the terms that decide whether there is another. */
static psprobe_error outcome_of(psprobe_code code, const psp_answer *answer,
                                const psprobe_error *error) {
  psprobe_error outcome = *error;
  if (code != PSPROBE_OK) return outcome;
  int status = answer->status;
  bool again = status == 408 || status == 429 || (status >= 500 && status <= 599);
  psprobe_error_clear(&outcome);
  if (again) psp_fail(&outcome, PSPROBE_UNAVAILABLE, "HTTP %d", status);
  outcome.http_status = status;
  outcome.retry_after_ns = answer->retry_after_ns;
  return outcome;
}

static psprobe_code connect_first(psp_fetcher *f, psprobe_error *error) {
  if (f->http != NULL) return PSPROBE_OK;
  psp_http_options options = {
      .ca_file = f->ca_file, .connect_timeout_ns = 5 * PSP_SECOND_NS, .logger = &f->logger};
  psp_http *http = NULL;
  psprobe_code code = psp_http_new(&options, &http, error);
  if (code != PSPROBE_OK) return code;
  pthread_mutex_lock(&f->lock);
  f->http = http;
  pthread_mutex_unlock(&f->lock);
  return PSPROBE_OK;
}

/* The limits with their defaults, how attempts follow each other, and what they failed of. */
typedef struct plan {
  psp_retry_policy policy;
  int64_t attempt_ns, deadline_ns;
  size_t max_answer;
  psp_retry_past past;
} plan;

static int64_t or_else(int64_t given, int64_t other) {
  return given != 0 ? given : other;
}

static plan make_plan(const psp_fetcher *f, const psp_fetch_limits *limits) {
  static const psp_fetch_limits none;
  if (limits == NULL) limits = &none;
  int64_t total_ns = or_else(limits->total_ns, 30 * PSP_SECOND_NS);
  if (f->patience_ns != 0 && f->patience_ns < total_ns) total_ns = f->patience_ns;
  return (plan){.policy = {.codes = PSP_RETRY_ON(PSPROBE_UNAVAILABLE) |
                                    PSP_RETRY_ON(PSPROBE_DEADLINE_EXCEEDED),
                           .initial_ns = f->first_wait_ns > 0 ? f->first_wait_ns : 100 * PSP_MS_NS,
                           .max_ns = or_else(limits->max_wait_ns, 5 * PSP_SECOND_NS),
                           .factor = 5,
                           .max_attempts = limits->attempts != 0 ? limits->attempts : 4},
                .attempt_ns = or_else(limits->attempt_ns, 10 * PSP_SECOND_NS),
                .deadline_ns = psprobe_clock_monotonic() + total_ns,
                .max_answer = limits->max_answer != 0 ? limits->max_answer : (size_t)1 << 20};
}

/* One attempt. @return how long to wait for another; -1: it is the last */
static int64_t attempt(psp_fetcher *f, const psp_http_request *request, plan *p, unsigned nth,
                       psp_answer *answer, psprobe_code *code, psprobe_error *cause) {
  psp_http_request timed = *request;
  int64_t left = p->deadline_ns - psprobe_clock_monotonic();
  timed.timeout_ns = left < p->attempt_ns ? (left > 0 ? left : 1) : p->attempt_ns;
  timed.secret = true;
  timed.max_response = p->max_answer;
  *code = fly(f, &timed, answer, cause);
  psprobe_error outcome = outcome_of(*code, answer, cause);
  if (outcome.code == PSPROBE_OK) return -1;
  psp_retry_note(&p->past, *code == PSPROBE_OK ? &outcome : cause);
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  return psp_retry_delay(&p->policy, &outcome, nth, psprobe_clock_monotonic(), p->deadline_ns,
                         random);
}

psprobe_code psp_fetch(psp_fetcher *f, const psp_http_request *request,
                       const psp_fetch_limits *limits, psp_answer *answer, psprobe_error *error) {
  plan p = make_plan(f, limits);
  psprobe_error cause;
  psprobe_error_clear(&cause);
  psprobe_code code = connect_first(f, &cause);
  for (unsigned nth = 1; code == PSPROBE_OK; nth++) {
    int64_t wait_ns = attempt(f, request, &p, nth, answer, &code, &cause);
    if (wait_ns < 0) break;
    code = pause_for(f, wait_ns) ? PSPROBE_OK : fail_stopped(&cause);
  }
  psp_retry_past_free(&p.past);
  if (code != PSPROBE_OK && error != NULL) *error = cause;
  return code;
}
