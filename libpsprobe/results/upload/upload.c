/* SPDX-License-Identifier: MIT */
#include "results/upload/upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"
#include "os/wait.h"

/* While somebody waits in a flush, a try each second at least. */
#define HURRY_NS PSP_SECOND_NS

struct psprobe_uploader {
  psp_uplink link;
  psp_collections collections;
  psprobe_logger logger;
  psp_stopper stopper; /* of the call under way, and every later one */
  pthread_t thread;

  psprobe_code told; /* of the thread alone: what the log knows of the state */

  pthread_mutex_t mutex; /* of what follows */
  pthread_cond_t changed;
  psp_plan plan;
  bool stop;
  uint64_t uploaded, failures, refused;
  psprobe_error last_error, refusal;
};

static const char *advice(const psprobe_error *error) {
  if (error->code == PSPROBE_FAILED_PRECONDITION &&
      strstr(error->message, "Datastore Mode") != NULL)
    return "the database keeps no documents: make one in Native mode (gcloud firestore databases "
           "create) and name it with PSPROBE_DATABASE; nothing is lost";
  if (error->code == PSPROBE_NOT_FOUND && error->from_service)
    return "make the database (psprobe-setup, or gcloud firestore databases create); nothing is "
           "lost";
  if (error->code == PSPROBE_UNAVAILABLE || error->code == PSPROBE_DEADLINE_EXCEEDED)
    return "see that Firestore is there; it is tried again by itself, and nothing is lost";
  if (!error->from_service &&
      (error->http_status != 0 || strstr(error->message, "the answer cannot be read") != NULL))
    return "that is not Firestore's own answer: see what stands in its place (a proxy, a portal); "
           "it is tried again by itself, and nothing is lost";
  return "mend what it says; it is tried again by itself, and nothing is lost";
}

/* One line when uploading begins to fail, when it fails in another way, and when it works again. */
static void tell(psprobe_uploader *u, psprobe_code code, const psprobe_error *error) {
  psp_log_line line;
  if (code == u->told || code == PSPROBE_CANCELLED) return;
  u->told = code;
  if (psp_log_begin(&line, &u->logger, code == PSPROBE_OK ? PSPROBE_LOG_INFO : PSPROBE_LOG_WARNING,
                    code == PSPROBE_OK ? "upload_works_again" : "upload_fails")) {
    psp_log_text(&line, "collection", u->collections.results);
    if (code != PSPROBE_OK) {
      psp_log_error(&line, error);
      psp_log_text(&line, "kept_in", u->link.store->path);
      psp_log_text(&line, "hint", advice(error));
    }
    psp_log_end(&line);
  }
}

static void tell_refusal(psprobe_uploader *u, const psp_batch *batch) {
  psp_log_line line;
  if (psp_log_begin(&line, &u->logger, PSPROBE_LOG_ERROR, "upload_refused")) {
    psp_log_text(&line, "id", batch->refused_id);
    psp_log_error(&line, &batch->refusal);
    psp_log_text(&line, "hint", "kept in the file, offered again at the next start");
    psp_log_end(&line);
  }
}

/* Counts what became of a batch, with the mutex held. */
static void count(psprobe_uploader *u, const psp_batch *batch, bool left) {
  u->uploaded += batch->uploaded;
  u->refused += batch->refused;
  u->failures += left;
  if (batch->refused > 0) u->refusal = batch->refusal;
  if (left) u->last_error = u->plan.failure;
  if (!left && batch->moved > batch->refused && u->plan.after == 0)
    psprobe_error_clear(&u->last_error);
}

/* Asks the plan until it is time to send. @return false: the uploader is to stop */
static bool wait_for_step(psprobe_uploader *u, psp_plan_step *step) {
  pthread_mutex_lock(&u->mutex);
  while (!u->stop) {
    *step = psp_plan_next(&u->plan, psprobe_clock_monotonic());
    if (step->act == PSP_PLAN_SEND) break;
    pthread_cond_broadcast(&u->changed); /* it may be idle now */
    if (step->act == PSP_PLAN_WAIT)
      psp_cond_wait_until(&u->changed, &u->mutex, step->until);
    else
      pthread_cond_wait(&u->changed, &u->mutex);
  }
  bool stop = u->stop;
  pthread_mutex_unlock(&u->mutex);
  return !stop;
}

static void *run(void *arg) {
  psprobe_uploader *u = arg;
  psp_plan_step step;
  while (wait_for_step(u, &step)) {
    psp_batch batch;
    psprobe_error error = {0};
    uint64_t random = 0;
    psprobe_code code = psp_upload_batch(&u->link, &step, &batch, &error);
    psp_random(&random, sizeof random);
    pthread_mutex_lock(&u->mutex);
    bool first_refusal = batch.refused > 0 && u->refused == 0;
    bool left = psp_plan_outcome(&u->plan, &batch, code == PSPROBE_OK ? NULL : &error,
                                 psprobe_clock_monotonic(), random);
    count(u, &batch, left);
    error = u->last_error;
    pthread_mutex_unlock(&u->mutex);
    if (first_refusal) tell_refusal(u, &batch);
    if (left || (batch.moved > batch.refused && error.code == PSPROBE_OK))
      tell(u, error.code, &error);
  }
  return NULL;
}

/* A condition that is waited on by the monotonic clock: setting the date disturbs no flush. */
static void init_locks(psprobe_uploader *u) {
  psp_cond_init(&u->changed);
  pthread_mutex_init(&u->mutex, NULL);
  psp_stopper_init(&u->stopper);
}

static void destroy(psprobe_uploader *u) {
  psp_stopper_destroy(&u->stopper);
  pthread_mutex_destroy(&u->mutex);
  pthread_cond_destroy(&u->changed);
  psp_collections_free(&u->collections);
  free(u);
}

static psprobe_code start(psprobe_uploader *u, psprobe_error *error) {
  psprobe_code code = psp_outbox_forgive(u->link.store, error);
  if (code == PSPROBE_OK && !psp_thread_start(&u->thread, "psp-upload", run, u))
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "uploader: no thread can be started");
  return code;
}

psprobe_code psprobe_uploader_new(psprobe_store *store, psprobe_client *client,
                                  const psprobe_uploader_options *options,
                                  psprobe_uploader **uploader, psprobe_error *error) {
  static const psprobe_uploader_options none = {0};
  if (options == NULL) options = &none;
  psprobe_uploader *u = calloc(1, sizeof *u);
  if (u == NULL) return psp_fail_memory(error, "uploader");
  init_locks(u);
  psp_plan_init(&u->plan, !psp_client_is_emulator(client, PSP_FIRESTORE));
  if (options->logger != NULL) u->logger = *options->logger;
  psprobe_code code =
      psp_collections_name(&u->collections, options->collection, options->runs, error);
  u->link = (psp_uplink){store, client, &u->stopper, &u->collections};
  if (code == PSPROBE_OK) code = start(u, error);
  if (code == PSPROBE_OK)
    *uploader = u;
  else
    destroy(u);
  return code;
}

void psprobe_uploader_free(psprobe_uploader *uploader) {
  if (uploader == NULL) return;
  pthread_mutex_lock(&uploader->mutex);
  uploader->stop = true;
  pthread_cond_broadcast(&uploader->changed);
  pthread_mutex_unlock(&uploader->mutex);
  psp_stopper_stop(&uploader->stopper);
  pthread_join(uploader->thread, NULL);
  destroy(uploader);
}

void psprobe_uploader_wake(psprobe_uploader *uploader) {
  pthread_mutex_lock(&uploader->mutex);
  psp_plan_rows(&uploader->plan);
  pthread_cond_broadcast(&uploader->changed);
  pthread_mutex_unlock(&uploader->mutex);
}

/* Waits until nothing is left, with the mutex held. */
static bool wait_for_idle(psprobe_uploader *u, int64_t until) {
  int64_t now = psprobe_clock_monotonic(), hurry = now;
  psp_plan_rows(&u->plan);
  for (; !psp_plan_is_idle(&u->plan) && now < until; now = psprobe_clock_monotonic()) {
    if (now >= hurry) {
      psp_plan_hurry(&u->plan, now);
      pthread_cond_broadcast(&u->changed);
      hurry = now + HURRY_NS;
    }
    psp_cond_wait_until(&u->changed, &u->mutex, hurry < until ? hurry : until);
  }
  return psp_plan_is_idle(&u->plan);
}

psprobe_code psprobe_uploader_flush(psprobe_uploader *uploader, int64_t timeout_ns,
                                    psprobe_error *error) {
  psprobe_uploader *u = uploader;
  pthread_mutex_lock(&u->mutex);
  bool idle = wait_for_idle(u, psprobe_clock_monotonic() + timeout_ns);
  uint64_t refused = u->refused;
  psprobe_error cause = idle ? u->refusal : u->last_error;
  pthread_mutex_unlock(&u->mutex);
  uint64_t rows = 0, unwelcome = 0;
  if (idle && refused == 0) return PSPROBE_OK;
  psprobe_code code = psp_outbox_count(u->link.store, &rows, &unwelcome, error);
  if (code != PSPROBE_OK) return code;
  if (idle && unwelcome == 0) return PSPROBE_OK; /* refused once, and taken in a later state */
  if (cause.code == PSPROBE_OK) {
    psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "results not in Firestore yet: %llu (kept in %s)",
             (unsigned long long)rows, u->link.store->path);
    if (error != NULL) error->retryable = true;
    return PSPROBE_DEADLINE_EXCEEDED;
  }
  cause.retryable = !idle && psp_plan_can_pass(&cause);
  if (error != NULL) *error = cause;
  psp_fail_in(error, "results not in Firestore: %llu (kept in %s)", (unsigned long long)rows,
              u->link.store->path);
  return cause.code;
}

void psprobe_uploader_get_stats(psprobe_uploader *uploader, psprobe_uploader_stats *stats) {
  uint64_t rows = 0, unwelcome = 0;
  psp_outbox_count(uploader->link.store, &rows, &unwelcome, NULL);
  pthread_mutex_lock(&uploader->mutex);
  *stats = (psprobe_uploader_stats){.uploaded = uploader->uploaded,
                                    .failures = uploader->failures,
                                    .refused = uploader->refused,
                                    .backlog = rows,
                                    .last_error = uploader->last_error};
  pthread_mutex_unlock(&uploader->mutex);
}
