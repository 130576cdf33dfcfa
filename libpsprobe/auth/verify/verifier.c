/* SPDX-License-Identifier: MIT */
#include "auth/verify/verifier.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verify/parts.h"
#include "base/error.h"
#include "base/log.h"
#include "os/latch.h"
#include "os/random.h"
#include "os/wait.h"

#define MAX_JWKS ((size_t)256 << 10)

/* ---- the verdict in public, and in the log ---- */

static psprobe_code code_of(psp_idtoken_verdict verdict) {
  switch (verdict) {
    case PSP_IDTOKEN_GOOD:
      return PSPROBE_OK;
    case PSP_IDTOKEN_NO_KEYS:
    case PSP_IDTOKEN_NOT_LOOKED_AT:
      return PSPROBE_UNAVAILABLE;
    case PSP_IDTOKEN_EMAIL:
    case PSP_IDTOKEN_EMAIL_UNVERIFIED:
      return PSPROBE_PERMISSION_DENIED;
    default:
      return PSPROBE_UNAUTHENTICATED;
  }
}

/* The sender hears one thing, whatever was wrong. */
static void fill_error(psprobe_code code, psprobe_error *error) {
  psprobe_error_clear(error);
  psp_fail(error, code, "%s",
           code == PSPROBE_UNAVAILABLE         ? "the token cannot be checked now"
           : code == PSPROBE_PERMISSION_DENIED ? "this account may not"
                                               : "token refused");
}

/* The first of each kind is loud: a wrong audience shows as endless redelivery. What the token says
 * is only known, and only shown, once its signature was good. */
static void log_refusal(psprobe_verifier *v, psp_idtoken_verdict verdict,
                        const psp_idtoken_claims *claims) {
  unsigned before = atomic_fetch_add_explicit(&v->refused[verdict], 1, memory_order_relaxed);
  psp_log_line line;
  psprobe_log_level level = before == 0 ? PSPROBE_LOG_WARNING : PSPROBE_LOG_DEBUG;
  if (!psp_log_begin(&line, &v->logger, level, "token_refused")) return;
  psp_log_text(&line, "reason", psp_idtoken_reason(verdict));
  psp_log_int(&line, "count", (int64_t)before + 1);
  if (verdict == PSP_IDTOKEN_AUDIENCE) psp_log_text(&line, "expected", v->audience);
  if (claims->kid[0] != 0) {
    psp_log_text(&line, "kid", claims->kid);
    psp_log_text(&line, "iss", claims->issuer);
    psp_log_text(&line, "aud", claims->audience);
    psp_log_text(&line, "email", claims->email);
  }
  psp_log_end(&line);
}

/* With known_only no signature is computed. */
static psp_idtoken_verdict judge(psprobe_verifier *v, psp_jwks *keys, const psp_visit *visit,
                                 bool known_only, psp_idtoken_claims *claims) {
  psp_idtoken_rules rules = v->rules;
  rules.known_only = known_only;
  return psp_idtoken_check(visit->token, visit->len, keys, &rules,
                           psp_clock_wall_s(&v->fetcher.clock), claims);
}

static void tell(psprobe_verifier *v, psp_idtoken_verdict verdict, const psp_idtoken_claims *claims,
                 const psp_visit *visit) {
  if (verdict == PSP_IDTOKEN_GOOD) {
    psprobe_identity identity = {.expires_s = claims->expires_s};
    memcpy(identity.subject, claims->subject, sizeof identity.subject);
    if (claims->email_verified) memcpy(identity.email, claims->email, sizeof identity.email);
    visit->done(visit->arg, visit->subject, &identity, NULL);
    return;
  }
  log_refusal(v, verdict, claims);
  psprobe_error error;
  fill_error(code_of(verdict), &error);
  visit->done(visit->arg, visit->subject, NULL, &error);
}

/* ---- asking ---- */

static psp_jwks *take_keys(psprobe_verifier *v) {
  pthread_mutex_lock(&v->lock);
  psp_jwks *keys = psp_jwks_ref(psp_keystore_keys(&v->store, psp_clock_boot_ns(&v->fetcher.clock)));
  pthread_mutex_unlock(&v->lock);
  return keys;
}

typedef enum queue_answer { QUEUED, NOT_QUEUED, OTHER_KEYS } queue_answer;

/* Whether a fetch is worth waiting for, which it counts as. With the lock. */
static bool may_wait(psprobe_verifier *v, psp_idtoken_verdict verdict, int64_t now_ns) {
  if (v->stopping) return false;
  if (v->line.count > 0) return true; /* others wait already: for the same fetch */
  /* Without keys a failed fetch counts until its pause is over. */
  return verdict == PSP_IDTOKEN_NO_KEYS ? now_ns >= v->store.retry_ns
                                        : psp_keystore_may_ask(&v->store, now_ns);
}

/* Puts a token in the line for the next fetch, unless that may not be, there is no room, or other
 * keys than those that it was judged by have come meanwhile. */
static queue_answer enqueue(psprobe_verifier *v, psp_idtoken_verdict verdict,
                            const psp_jwks *judged, const psp_visit *visit) {
  psp_visitor *made = psp_visitor_new(visit);
  if (made == NULL) return NOT_QUEUED;
  int64_t now_ns = psp_clock_boot_ns(&v->fetcher.clock);
  queue_answer answer = NOT_QUEUED;
  pthread_mutex_lock(&v->lock);
  if (psp_keystore_keys(&v->store, now_ns) != judged) {
    answer = OTHER_KEYS;
  } else if (may_wait(v, verdict, now_ns) && psp_visitor_line_put(&v->line, made)) {
    answer = QUEUED;
    v->wanted = true;
    pthread_cond_signal(&v->changed);
  }
  pthread_mutex_unlock(&v->lock);
  if (answer != QUEUED) psp_visitor_free(made);
  return answer;
}

/* Looks at a token and tells it, or has it wait for keys. */
static psp_idtoken_verdict look(psprobe_verifier *v, const psp_visit *visit, bool known_only) {
  psp_idtoken_claims claims = {0};
  psp_idtoken_verdict verdict;
  queue_answer answer;
  do {
    psp_jwks *keys = take_keys(v);
    verdict = judge(v, keys, visit, known_only, &claims);
    bool unknown = verdict == PSP_IDTOKEN_NO_KEYS || verdict == PSP_IDTOKEN_UNKNOWN_KID;
    answer = unknown ? enqueue(v, verdict, keys, visit) : NOT_QUEUED;
    psp_jwks_unref(keys);
  } while (answer == OTHER_KEYS);
  if (verdict == PSP_IDTOKEN_NOT_LOOKED_AT && psp_checker_add(&v->checker, visit)) return verdict;
  if (answer != QUEUED) tell(v, verdict, &claims, visit);
  return verdict;
}

bool psp_verifier_look(void *verifier, const psp_visit *visit) {
  return look(verifier, visit, false) != PSP_IDTOKEN_SIGNATURE;
}

void psp_verifier_start(psprobe_verifier *v, const char *authorization, psp_verifier_done *done,
                        void *arg, void *subject) {
  psp_visit visit = {.done = done, .arg = arg, .subject = subject};
  visit.token = psp_idtoken_bearer(authorization, &visit.len);
  psp_idtoken_claims none = {0};
  if (visit.token == NULL)
    tell(v, PSP_IDTOKEN_NONE, &none, &visit);
  else
    look(v, &visit, true);
}

typedef struct waiting_check {
  psp_latch over;
  psprobe_identity *identity;
  psprobe_error *error;
  psprobe_code code;
} waiting_check;

static void on_checked(void *arg, void *subject, const psprobe_identity *identity,
                       const psprobe_error *error) {
  (void)subject;
  waiting_check *w = arg;
  w->code = error != NULL ? error->code : PSPROBE_OK;
  if (error != NULL && w->error != NULL) *w->error = *error;
  if (identity != NULL && w->identity != NULL) *w->identity = *identity;
  psp_latch_post(&w->over);
}

psprobe_code psprobe_verifier_check(psprobe_verifier *v, const char *authorization,
                                    psprobe_identity *identity, psprobe_error *error) {
  waiting_check w = {.identity = identity, .error = error};
  psp_latch_init(&w.over);
  psp_verifier_start(v, authorization, on_checked, &w, NULL);
  psp_latch_wait(&w.over);
  psp_latch_destroy(&w.over);
  return w.code;
}

/* ---- fetching ---- */

static psprobe_code fetch_keys(psprobe_verifier *v, psp_jwks **keys, int64_t *fresh_s,
                               psprobe_error *error) {
  static const psp_fetch_limits limits = {.attempts = 2,
                                          .attempt_ns = 4 * PSP_SECOND_NS,
                                          .total_ns = 9 * PSP_SECOND_NS,
                                          .max_answer = MAX_JWKS};
  static const psp_header accept = {"accept", "application/json"};
  psp_http_request request = {
      .method = "GET", .url = v->url, .headers = &accept, .header_count = 1};
  psp_answer answer = {0};
  psprobe_code code = psp_fetch(&v->fetcher, &request, &limits, &answer, error);
  if (code == PSPROBE_OK && answer.status != 200)
    code =
        psp_fail(error, PSPROBE_UNAVAILABLE, "public keys from %s: HTTP %d", v->url, answer.status);
  if (code == PSPROBE_OK)
    code =
        psp_jwks_parse(answer.body.len > 0 ? answer.body.data : "", answer.body.len, keys, error);
  *fresh_s = psp_jwks_fresh_s(answer.cache_control, answer.age);
  psp_answer_free(&answer);
  return code;
}

static void log_fetch(psprobe_verifier *v, psp_jwks *keys, int64_t fresh_s,
                      const psprobe_error *error) {
  psp_log_line line;
  if (!psp_log_begin(&line, &v->logger, error == NULL ? PSPROBE_LOG_DEBUG : PSPROBE_LOG_WARNING,
                     error == NULL ? "keys_fetched" : "keys_failed"))
    return;
  psp_log_text(&line, "url", v->url);
  if (error == NULL) {
    psp_log_int(&line, "keys", (int64_t)psp_jwks_count(keys));
    psp_log_int(&line, "fresh_s", fresh_s);
  } else {
    psp_log_error(&line, error);
  }
  psp_log_end(&line);
}

/* Looks once more at those who waited for this fetch. Without the lock. A key that is unknown still
 * is not Google's, if the fetch was good; if it was not, nobody can tell. */
static void serve(psprobe_verifier *v, psp_visitor_line *line, bool fetched) {
  for (psp_visitor *visitor; (visitor = psp_visitor_line_take(line)) != NULL;) {
    psp_idtoken_claims claims = {0};
    psp_jwks *keys = take_keys(v);
    psp_idtoken_verdict verdict = judge(v, keys, &visitor->visit, false, &claims);
    psp_jwks_unref(keys);
    if (verdict == PSP_IDTOKEN_UNKNOWN_KID && !fetched) verdict = PSP_IDTOKEN_NO_KEYS;
    tell(v, verdict, &claims, &visitor->visit);
    psp_visitor_free(visitor);
  }
}

static psp_visitor_line take_line(psprobe_verifier *v) {
  psp_visitor_line line = v->line;
  v->line = (psp_visitor_line){0};
  v->wanted = false;
  return line;
}

/* With the lock, which is open meanwhile. */
static void refresh(psprobe_verifier *v) {
  pthread_mutex_unlock(&v->lock);
  psp_jwks *keys = NULL;
  int64_t fresh_s = 0, asked_ns = psp_clock_boot_ns(&v->fetcher.clock);
  uint64_t random = 0;
  psprobe_error error;
  psprobe_error_clear(&error);
  psprobe_code code = fetch_keys(v, &keys, &fresh_s, &error);
  log_fetch(v, keys, fresh_s, code == PSPROBE_OK ? NULL : &error);
  psp_random(&random, sizeof random);
  pthread_mutex_lock(&v->lock);
  if (code == PSPROBE_OK)
    psp_keystore_put(&v->store, keys, asked_ns, fresh_s);
  else
    psp_keystore_fail(&v->store, psp_clock_boot_ns(&v->fetcher.clock), random);
  psp_visitor_line line = take_line(v); /* also those who came while it was under way */
  pthread_mutex_unlock(&v->lock);
  serve(v, &line, code == PSPROBE_OK);
  pthread_mutex_lock(&v->lock);
}

void *psp_verifier_run(void *arg) {
  psprobe_verifier *v = arg;
  pthread_mutex_lock(&v->lock);
  while (!v->stopping) {
    int64_t wait_ns = psp_keystore_due_ns(&v->store) - psp_clock_boot_ns(&v->fetcher.clock);
    if (v->wanted || wait_ns <= 0) {
      refresh(v);
      continue;
    }
    psp_cond_wait_until(&v->changed, &v->lock, psprobe_clock_monotonic() + wait_ns);
  }
  psp_visitor_line line = take_line(v);
  pthread_mutex_unlock(&v->lock);
  serve(v, &line, false);
  return NULL;
}
