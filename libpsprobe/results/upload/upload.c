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

/* One who carries rows, a request at a time. */
typedef struct carrier {
  psprobe_uploader *uploader;
  psp_uplink link;
  psp_stopper stopper; /* of the call under way, and every later one */
  pthread_t thread;
} carrier;

struct psprobe_uploader {
  psprobe_store *store;
  psp_collections collections;
  psprobe_logger logger;
  carrier carriers[PSP_PLAN_FLIGHTS];
  size_t started;

  pthread_mutex_t mutex;        /* of what follows */
  pthread_cond_t changed, work; /* for those who wait in a flush; for a carrier: any can go */
  psp_plan plan;
  bool stop;
  psprobe_code told; /* what the log knows of the state */
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
static void tell(psprobe_uploader *u, const psprobe_error *error) {
  psp_log_line line;
  psprobe_code code = error->code;
  if (psp_log_begin(&line, &u->logger, code == PSPROBE_OK ? PSPROBE_LOG_INFO : PSPROBE_LOG_WARNING,
                    code == PSPROBE_OK ? "upload_works_again" : "upload_fails")) {
    psp_log_text(&line, "collection", u->collections.results);
    if (code != PSPROBE_OK) {
      psp_log_error(&line, error);
      psp_log_text(&line, "kept_in", u->store->path);
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
  if (!left && batch->moved > batch->refused && !u->plan.left && u->plan.attempts == 0)
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
      psp_cond_wait_until(&u->work, &u->mutex, step->until);
    else
      pthread_cond_wait(&u->work, &u->mutex);
  }
  bool stop = u->stop;
  pthread_mutex_unlock(&u->mutex);
  return !stop;
}

/* Takes the rows of a step, and sends them while another takes the next. */
static psprobe_code carry(carrier *c, const psp_plan_step *step, psp_batch *batch,
                          psprobe_error *error) {
  psprobe_uploader *u = c->uploader;
  psp_outbox outbox;
  *batch = (psp_batch){0};
  psprobe_code code =
      psp_outbox_take(u->store, step->after, step->most, step->runs, &outbox, error);
  int64_t last = outbox.count > 0 ? outbox.rows[outbox.count - 1].seq : step->after;
  pthread_mutex_lock(&u->mutex);
  psp_plan_taken(&u->plan, step, outbox.count, outbox.due_count, last);
  pthread_cond_signal(&u->work);
  pthread_mutex_unlock(&u->mutex);
  if (code == PSPROBE_OK) code = psp_upload_send(&c->link, step, &outbox, batch, error);
  psp_outbox_free(&outbox);
  return code;
}

/* Tells the plan what came of a request, and the log what is new to it. */
static void settle(psprobe_uploader *u, const psp_plan_step *step, const psp_batch *batch,
                   const psprobe_error *error) {
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  pthread_mutex_lock(&u->mutex);
  bool first_refusal = batch->refused > 0 && u->refused == 0;
  bool left = psp_plan_outcome(&u->plan, step, batch, error, psprobe_clock_monotonic(), random);
  count(u, batch, left);
  psprobe_error last = u->last_error;
  bool moved = batch->moved > batch->refused && last.code == PSPROBE_OK;
  bool news = (left || moved) && last.code != u->told && last.code != PSPROBE_CANCELLED;
  if (news) u->told = last.code;
  pthread_mutex_unlock(&u->mutex);
  if (first_refusal) tell_refusal(u, batch);
  if (news) tell(u, &last);
}

static void *run(void *arg) {
  carrier *c = arg;
  psp_plan_step step;
  while (wait_for_step(c->uploader, &step)) {
    psp_batch batch;
    psprobe_error error = {0};
    psprobe_code code = carry(c, &step, &batch, &error);
    settle(c->uploader, &step, &batch, code == PSPROBE_OK ? NULL : &error);
  }
  return NULL;
}

/* Conditions that are waited on by the monotonic clock: setting the date disturbs no flush. */
static void init_locks(psprobe_uploader *u) {
  psp_cond_init(&u->changed);
  psp_cond_init(&u->work);
  pthread_mutex_init(&u->mutex, NULL);
  for (size_t i = 0; i < PSP_PLAN_FLIGHTS; i++)
    psp_stopper_init(&u->carriers[i].stopper);
}

static void stop(psprobe_uploader *u) {
  pthread_mutex_lock(&u->mutex);
  u->stop = true;
  pthread_cond_broadcast(&u->work);
  pthread_mutex_unlock(&u->mutex);
  for (size_t i = 0; i < u->started; i++)
    psp_stopper_stop(&u->carriers[i].stopper);
  for (size_t i = 0; i < u->started; i++)
    pthread_join(u->carriers[i].thread, NULL);
}

static psprobe_code start(psprobe_uploader *u, psprobe_client *client, psprobe_error *error) {
  psprobe_code code = psp_outbox_forgive(u->store, error);
  for (size_t i = 0; code == PSPROBE_OK && i < PSP_PLAN_FLIGHTS; i++) {
    carrier *c = &u->carriers[i];
    c->uploader = u;
    c->link = (psp_uplink){u->store, client, &c->stopper, &u->collections};
    if (psp_thread_start(&c->thread, "psp-upload", run, c))
      u->started++;
    else
      code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "uploader: no thread can be started");
  }
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
  u->store = store;
  if (code == PSPROBE_OK) code = start(u, client, error);
  if (code == PSPROBE_OK)
    *uploader = u;
  else
    psprobe_uploader_free(u);
  return code;
}

void psprobe_uploader_free(psprobe_uploader *u) {
  if (u == NULL) return;
  stop(u);
  for (size_t i = 0; i < PSP_PLAN_FLIGHTS; i++)
    psp_stopper_destroy(&u->carriers[i].stopper);
  pthread_mutex_destroy(&u->mutex);
  pthread_cond_destroy(&u->changed);
  pthread_cond_destroy(&u->work);
  psp_collections_free(&u->collections);
  free(u);
}

void psprobe_uploader_wake(psprobe_uploader *uploader) {
  pthread_mutex_lock(&uploader->mutex);
  psp_plan_rows(&uploader->plan);
  pthread_cond_signal(&uploader->work);
  pthread_mutex_unlock(&uploader->mutex);
}

/* Waits until nothing is left, with the mutex held. */
static bool wait_for_idle(psprobe_uploader *u, int64_t until) {
  int64_t now = psprobe_clock_monotonic(), hurry = now;
  psp_plan_rows(&u->plan);
  for (; !psp_plan_is_idle(&u->plan) && now < until; now = psprobe_clock_monotonic()) {
    if (now >= hurry) {
      psp_plan_hurry(&u->plan, now);
      pthread_cond_signal(&u->work);
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
  psprobe_code code = psp_outbox_count(u->store, &rows, &unwelcome, error);
  if (code != PSPROBE_OK) return code;
  if (idle && unwelcome == 0) return PSPROBE_OK; /* refused once, and taken in a later state */
  if (cause.code == PSPROBE_OK) {
    psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "results not in Firestore yet: %llu (kept in %s)",
             (unsigned long long)rows, u->store->path);
    if (error != NULL) error->retryable = true;
    return PSPROBE_DEADLINE_EXCEEDED;
  }
  cause.retryable = !idle && psp_plan_can_pass(&cause);
  if (error != NULL) *error = cause;
  psp_fail_in(error, "results not in Firestore: %llu (kept in %s)", (unsigned long long)rows,
              u->store->path);
  return cause.code;
}

void psprobe_uploader_get_stats(psprobe_uploader *uploader, psprobe_uploader_stats *stats) {
  uint64_t rows = 0, unwelcome = 0;
  psp_outbox_count(uploader->store, &rows, &unwelcome, NULL);
  pthread_mutex_lock(&uploader->mutex);
  *stats = (psprobe_uploader_stats){.uploaded = uploader->uploaded,
                                    .failures = uploader->failures,
                                    .refused = uploader->refused,
                                    .backlog = rows,
                                    .last_error = uploader->last_error};
  pthread_mutex_unlock(&uploader->mutex);
}
