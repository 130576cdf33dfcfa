/* SPDX-License-Identifier: MIT */
/** @file Making, asking and freeing a responder. How it answers is in answer.c. */
#include <stdlib.h>
#include <string.h>

#include "auth/url.h"
#include "base/error.h"
#include "base/shown.h"
#include "base/text.h"
#include "firestore/path.h"
#include "http/url.h"
#include "responder/parts.h"

#define DEFAULT_TIMEOUT_NS (8 * PSP_SECOND_NS)

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
    return o->collection == NULL ? PSPROBE_OK : psp_collection_setting_check(o->collection, error);
  if (o->prober == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "responder: the prober's URL is needed");
  if (psp_http_url_check(o->prober, &why)) {
    if (strpbrk(o->prober, "?#") != NULL)
      why = "a base URL has no query and no fragment";
    else if (o->prober_oidc && !psp_url_is_safe(o->prober))
      why =
          "it must be https: ID tokens are sent there (http is for this machine's loopback "
          "addresses only)";
  }
  if (why == NULL) return PSPROBE_OK;
  return psp_setting_refuse(error, "prober URL", o->prober, "%s", why);
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

/* Whom it answers for, and by what way. */
static psprobe_code find_way(psprobe_responder *r, const psprobe_responder_options *o,
                             psprobe_error *error) {
  if (o->direct) return psp_firestore_root_of(r->client, &r->root, error);
  r->prefix = make_prefix(o->prober, r->source);
  if (r->prefix == NULL) return psp_fail_memory(error, "responder");
  return o->prober_oidc ? psp_responder_show_tokens(r, o->prober, error) : PSPROBE_OK;
}

static psprobe_code set_up(psprobe_responder *r, psprobe_client *client,
                           const psprobe_responder_options *o, psprobe_error *error) {
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  r->client = client;
  r->limit = o->limit;
  if (o->logger != NULL) r->logger = *o->logger;
  r->timeout_ns = o->timeout_ns == 0 ? DEFAULT_TIMEOUT_NS : o->timeout_ns;
  r->source = psp_strdup(o->source != NULL ? o->source : PSPROBE_CLOUD_FUNCTION);
  r->collection = psp_strdup(o->collection != NULL ? o->collection : PSPROBE_COLLECTION);
  r->timers = psp_timers_new();
  if (!psp_instance_init(&r->instance))
    return psp_fail(error, PSPROBE_INTERNAL, "responder: the kernel gave no random numbers");
  if (r->source == NULL || r->collection == NULL || r->timers == NULL)
    return psp_fail_memory(error, "responder");
  psprobe_code code = find_way(r, o, error);
  if (code == PSPROBE_OK && o->verify != NULL)
    code = psprobe_verifier_new(o->verify, &r->verifier, error);
  return code;
}

psprobe_code psprobe_responder_new(psprobe_client *client, const psprobe_responder_options *o,
                                   psprobe_responder **responder, psprobe_error *error) {
  psprobe_code code = check(o, error);
  if (code != PSPROBE_OK) return code;
  psprobe_responder *r = calloc(1, sizeof *r);
  if (r == NULL) return psp_fail_memory(error, "responder");
  code = set_up(r, client, o, error);
  if (code != PSPROBE_OK) {
    psprobe_responder_free(r);
    return code;
  }
  *responder = r;
  return PSPROBE_OK;
}

void psprobe_responder_free(psprobe_responder *r) {
  if (r == NULL) return;
  if (r->function != NULL) psp_function_quiesce(r->function);
  pthread_mutex_lock(&r->lock);
  r->closing = true;
  pthread_mutex_unlock(&r->lock);
  /* Whoever waits for another attempt is told at once that it failed. */
  if (r->timers != NULL) psp_timers_close(r->timers);
  pthread_mutex_lock(&r->lock);
  while (r->active > 0)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
  psprobe_function_free(r->function);
  psprobe_verifier_free(r->verifier);
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
