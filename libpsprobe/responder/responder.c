/* SPDX-License-Identifier: MIT */
#include "responder/responder.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "auth/url.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "firestore/path.h"
#include "http/client/http.h"

#define DEFAULT_SOURCE     "cloud_function"
#define DEFAULT_COLLECTION "pubsub_results"
#define DEFAULT_TIMEOUT_NS INT64_C(8000000000)
#define LOG_FAILED_NS      INT64_C(10000000000)

bool psp_log_limit_pass(psp_log_limit *limit, int64_t every_ns) {
  int64_t now_ns = psprobe_clock_monotonic();
  int64_t next_ns = atomic_load(&limit->next_ns);
  if (now_ns < next_ns) return false;
  return atomic_compare_exchange_strong(&limit->next_ns, &next_ns,
                                        every_ns == 0 ? INT64_MAX : now_ns + every_ns);
}

/* ---- answering ---- */

static void log_outcome(psprobe_responder *responder, psprobe_code code,
                        const psprobe_error *error) {
  bool rejected = code == PSPROBE_INVALID_ARGUMENT;
  psp_log_limit *limit = rejected ? &responder->log_rejected : &responder->log_failed;
  psp_log_line line;
  if (!psp_log_limit_pass(limit, rejected ? 0 : LOG_FAILED_NS)) return;
  if (!psp_log_begin(&line, &responder->logger, PSPROBE_LOG_WARNING,
                     rejected ? "message_without_probe" : "answer_failed"))
    return;
  psp_log_error(&line, error);
  psp_log_int(&line, "count",
              (int64_t)atomic_load(rejected ? &responder->rejected : &responder->failed));
  psp_log_end(&line);
}

static void count(psprobe_responder *responder, psprobe_code code, const psprobe_error *error) {
  if (code == PSPROBE_OK) {
    atomic_fetch_add(&responder->answered, 1);
    return;
  }
  atomic_fetch_add(code == PSPROBE_INVALID_ARGUMENT ? &responder->rejected : &responder->failed, 1);
  log_outcome(responder, code, error);
}

void psp_answering_end(const psp_answering *answering, psprobe_code code,
                       const psprobe_error *error) {
  psprobe_responder *responder = answering->responder;
  count(responder, code, error);
  if (code != PSPROBE_OK) { /* first: whoever hears of it may try another at once */
    pthread_mutex_lock(&responder->lock);
    responder->taken--;
    pthread_mutex_unlock(&responder->lock);
  }
  answering->done(answering->arg, code, error);
  pthread_mutex_lock(&responder->lock);
  responder->active--;
  pthread_cond_broadcast(&responder->changed);
  pthread_mutex_unlock(&responder->lock);
}

static psprobe_code begin(const psp_answering *answering, const psprobe_message *message,
                          int64_t received_ns, psprobe_error *error) {
  const char *id = psprobe_message_attribute(message, PSPROBE_ATTRIBUTE_ID);
  uint64_t parsed[2];
  if (answering->responder->prefix == NULL)
    return psp_answer_by_document(answering, message, error);
  if (id == NULL || !psp_id_parse(id, parsed))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "message %s has no %s attribute of a prober",
                    message->message_id != NULL ? message->message_id : "without id",
                    PSPROBE_ATTRIBUTE_ID);
  return psp_answer_by_post(answering, id, received_ns, error);
}

void psp_responder_begin(psprobe_responder *responder, const psprobe_message *message,
                         int64_t received_ns, psp_answered *done, void *arg) {
  psp_answering answering = {responder, done, arg};
  psprobe_error error = {0};
  pthread_mutex_lock(&responder->lock);
  bool full = responder->limit > 0 && responder->taken == responder->limit;
  bool closing = responder->closing;
  if (!full) responder->active++;
  if (!full) responder->taken++;
  pthread_mutex_unlock(&responder->lock);
  if (full) { /* nothing has failed */
    psp_fail(&error, PSPROBE_UNAVAILABLE, "the responder has answered what it was to answer");
    done(arg, error.code, &error);
    return;
  }
  psprobe_code code = closing
                          ? psp_fail(&error, PSPROBE_UNAVAILABLE, "the responder is being stopped")
                          : begin(&answering, message, received_ns, &error);
  if (code != PSPROBE_OK) psp_answering_end(&answering, code, &error);
}

typedef struct waiting {
  sem_t over;
  psprobe_code code;
  psprobe_error *error;
} waiting;

static void on_answered(void *arg, psprobe_code code, const psprobe_error *error) {
  waiting *w = arg;
  w->code = code;
  if (code != PSPROBE_OK && w->error != NULL) *w->error = *error;
  sem_post(&w->over);
}

psprobe_code psprobe_responder_answer(psprobe_responder *responder, const psprobe_message *message,
                                      int64_t received_ns, psprobe_error *error) {
  waiting w = {.error = error};
  sem_init(&w.over, 0, 0);
  psp_responder_begin(responder, message, received_ns, on_answered, &w);
  while (sem_wait(&w.over) != 0 && errno == EINTR) {
  }
  sem_destroy(&w.over);
  return w.code;
}

/* ---- making and freeing ---- */

static psprobe_code check(const psprobe_responder_options *o, psprobe_error *error) {
  const char *why = NULL;
  if (o->source != NULL) {
    psprobe_code code = psprobe_source_check(o->source, error);
    if (code != PSPROBE_OK) return code;
  }
  if (o->timeout_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "responder: the timeout must be above 0");
  if (o->direct)
    return o->collection == NULL ? PSPROBE_OK : psp_collection_path_check(o->collection, error);
  if (o->prober == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "responder: the prober's URL is needed");
  if (!psp_http_url_check(o->prober, &why))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "prober URL \"%s\": %s", o->prober, why);
  if (strpbrk(o->prober, "?#") != NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "prober URL \"%s\": a base URL has no query and no fragment", o->prober);
  if (o->prober_oidc && !psp_url_is_safe(o->prober))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "prober URL \"%s\": it must be https: ID tokens are sent there (http is for "
                    "this machine's loopback addresses only)",
                    o->prober);
  return PSPROBE_OK;
}

static char *make_prefix(const char *prober, const char *source) {
  psp_buf prefix = {0};
  size_t len = strlen(prober);
  while (len > 0 && prober[len - 1] == '/')
    len--;
  psp_buf_add(&prefix, prober, len);
  psp_buf_printf(&prefix, "/%s/", source);
  return psp_buf_take(&prefix, NULL);
}

psprobe_code psprobe_responder_new(psprobe_client *client, const psprobe_responder_options *o,
                                   psprobe_responder **responder, psprobe_error *error) {
  psprobe_code code = check(o, error);
  if (code != PSPROBE_OK) return code;
  psprobe_responder *r = calloc(1, sizeof *r);
  if (r == NULL) return psp_fail_memory(error, "responder");
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  r->client = client;
  r->limit = o->limit;
  if (o->logger != NULL) r->logger = *o->logger;
  r->timeout_ns = o->timeout_ns == 0 ? DEFAULT_TIMEOUT_NS : o->timeout_ns;
  r->source = psp_strdup(o->source != NULL ? o->source : DEFAULT_SOURCE);
  r->collection = psp_strdup(o->collection != NULL ? o->collection : DEFAULT_COLLECTION);
  r->timers = psp_timers_new();
  bool ok = r->source != NULL && r->collection != NULL && r->timers != NULL;
  if (ok && !o->direct) ok = (r->prefix = make_prefix(o->prober, r->source)) != NULL;
  if (!ok)
    code = psp_fail_memory(error, "responder");
  else if (o->direct)
    code = psp_firestore_root_of(client, &r->root, error);
  else if (o->prober_oidc)
    code = psp_responder_show_tokens(r, o->prober, error);
  if (code == PSPROBE_OK && o->verify != NULL)
    code = psprobe_verifier_new(o->verify, &r->gate.verifier, error);
  if (code != PSPROBE_OK) {
    psprobe_responder_free(r);
    return code;
  }
  *responder = r;
  return PSPROBE_OK;
}

void psprobe_responder_free(psprobe_responder *r) {
  if (r == NULL) return;
  if (r->server != NULL) psp_server_quiesce(r->server);
  psp_verifier_stop(r->gate.verifier);
  pthread_mutex_lock(&r->lock);
  r->closing = true;
  pthread_mutex_unlock(&r->lock);
  /* Whoever waits for another attempt is told at once that it failed. */
  if (r->timers != NULL) psp_timers_close(r->timers);
  pthread_mutex_lock(&r->lock);
  while (r->active > 0)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
  psp_server_free(r->server);
  psprobe_verifier_free(r->gate.verifier);
  psp_timers_free(r->timers);
  psp_pulling_free(r->pulling);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->lock);
  free(r->source);
  free(r->prefix);
  free(r->collection);
  free(r);
}

/* ---- asking and waiting ---- */

uint64_t psprobe_responder_answered(const psprobe_responder *responder) {
  return atomic_load(&responder->answered);
}

uint64_t psprobe_responder_rejected(const psprobe_responder *responder) {
  return atomic_load(&responder->rejected);
}

void psprobe_responder_run(psprobe_responder *responder, uint64_t count_wanted) {
  pthread_mutex_lock(&responder->lock);
  while (!responder->stopped &&
         (count_wanted == 0 || atomic_load(&responder->answered) < count_wanted))
    pthread_cond_wait(&responder->changed, &responder->lock);
  pthread_mutex_unlock(&responder->lock);
}

void psprobe_responder_stop(psprobe_responder *responder) {
  pthread_mutex_lock(&responder->lock);
  responder->stopped = true;
  pthread_cond_broadcast(&responder->changed);
  pthread_mutex_unlock(&responder->lock);
}
