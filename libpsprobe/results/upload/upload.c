/* SPDX-License-Identifier: MIT */
#include "results/upload/upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "firestore/path.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"
#include "os/wait.h"

/* Enough to catch up fast; far below the 500 writes and 10 MiB that a request may have. */
#define BATCH_MAX 200
/* While somebody waits in a flush, a try each second at least. */
#define HURRY_NS PSP_SECOND_NS

static const psp_retry_policy backoff = {
    .codes = UINT32_MAX, .initial_ns = 500 * PSP_MS_NS, .max_ns = 60 * PSP_SECOND_NS, .factor = 2};

struct psprobe_uploader {
  psprobe_store *store;
  char *collection;
  psprobe_logger logger;
  psprobe_client *client;
  psp_stopper stopper; /* of the call under way, and every later one */
  pthread_t thread;

  /* Of the thread alone. */
  size_t batch_max;
  int64_t after;     /* rows up to this one were offered; those that failed wait for the others */
  int64_t round_at;  /* when the failed ones are offered again; 0: not settled */
  unsigned attempt;  /* requests in a row that came to nothing */
  unsigned rounds;   /* rounds in a row that left rows behind */
  psprobe_code told; /* what the log knows of the state */

  pthread_mutex_t mutex; /* of what follows */
  pthread_cond_t changed;
  bool stop, woken, idle; /* idle: nothing was left at the last look */
  unsigned flushers;
  uint64_t hurry; /* counts flushes: each cuts one wait short */
  uint64_t uploaded, failures, refused;
  psprobe_error last_error, refusal;
};

static const char *advice(psprobe_code code) {
  return code == PSPROBE_UNAVAILABLE || code == PSPROBE_DEADLINE_EXCEEDED
             ? "see that Firestore is there; it is tried again by itself, and nothing is lost"
             : "mend what it says; it is tried again by itself, and nothing is lost";
}

/* One line when uploading begins to fail, when it fails in another way, and when it works again. */
static void tell(psprobe_uploader *u, psprobe_code code, const psprobe_error *error) {
  psp_log_line line;
  if (code == u->told || code == PSPROBE_CANCELLED) return;
  u->told = code;
  if (psp_log_begin(&line, &u->logger, code == PSPROBE_OK ? PSPROBE_LOG_INFO : PSPROBE_LOG_WARNING,
                    code == PSPROBE_OK ? "upload_works_again" : "upload_fails")) {
    psp_log_text(&line, "collection", u->collection);
    if (code != PSPROBE_OK) {
      psp_log_error(&line, error);
      psp_log_text(&line, "kept_in", u->store->path);
      psp_log_text(&line, "hint", advice(code));
    }
    psp_log_end(&line);
  }
}

static void tell_refusal(psprobe_uploader *u, const psp_batch *batch) {
  psp_log_line line;
  if (psp_log_begin(&line, &u->logger, PSPROBE_LOG_ERROR, "upload_refused")) {
    psp_log_text(&line, "probe", batch->refused_id);
    psp_log_error(&line, &batch->refusal);
    psp_log_text(&line, "hint", "kept in the file, offered again at the next start");
    psp_log_end(&line);
  }
}

/* One bad row, or too many rows, can make a request be refused: halve until one stands alone. */
static bool halve(psprobe_uploader *u, const psp_batch *batch, const psprobe_error *error) {
  bool large = error->code == PSPROBE_INVALID_ARGUMENT || error->code == PSPROBE_OUT_OF_RANGE ||
               error->http_status == 413;
  if (!large || batch->rows < 2) return false;
  u->batch_max = batch->rows / 2;
  return true;
}

static void note_failure(psprobe_uploader *u, const psprobe_error *error) {
  pthread_mutex_lock(&u->mutex);
  u->failures++;
  u->last_error = *error;
  pthread_mutex_unlock(&u->mutex);
  tell(u, error->code, error);
}

/* Counts what became of a batch's rows. */
static void digest(psprobe_uploader *u, const psp_batch *batch) {
  bool well = batch->again == 0 && u->after == 0;
  if (batch->rows > 0 && (batch->again > 0 || u->after > 0)) u->after = batch->last;
  u->batch_max = u->batch_max * 2 < BATCH_MAX ? u->batch_max * 2 : BATCH_MAX;
  pthread_mutex_lock(&u->mutex);
  bool first_refusal = batch->refused > 0 && u->refused == 0;
  u->uploaded += batch->uploaded;
  u->refused += batch->refused;
  if (batch->refused > 0) u->refusal = batch->refusal;
  if (well && batch->uploaded > 0) psprobe_error_clear(&u->last_error);
  pthread_mutex_unlock(&u->mutex);
  if (first_refusal) tell_refusal(u, batch);
  if (batch->again > 0) note_failure(u, &batch->failure);
  if (well && batch->uploaded > 0) tell(u, PSPROBE_OK, NULL);
}

/* Waits, with the mutex held, until `until` (monotonic) or something happened. */
static void wait_until(psprobe_uploader *u, int64_t until) {
  psp_cond_wait_until(&u->changed, &u->mutex, until);
}

static void wait_for_rows(psprobe_uploader *u) {
  pthread_mutex_lock(&u->mutex);
  if (!u->woken) {
    u->idle = true;
    pthread_cond_broadcast(&u->changed);
  }
  while (!u->woken && !u->stop)
    pthread_cond_wait(&u->changed, &u->mutex);
  pthread_mutex_unlock(&u->mutex);
}

/* When what failed for the `attempt`th time, as `error` says, is tried again. */
static int64_t retry_at(const psprobe_error *error, unsigned attempt) {
  uint64_t random = 0;
  psp_random(&random, sizeof random);
  int64_t now = psprobe_clock_monotonic();
  int64_t delay = psp_retry_delay(&backoff, error, attempt, now, INT64_MAX, random);
  return now + (delay < 0 ? backoff.max_ns : delay);
}

/* Waits until then; a flush cuts it short, and new rows do where they need not wait for it.
 * @return true: what failed is to be tried now */
static bool wait_for_retry(psprobe_uploader *u, int64_t until, bool for_rows) {
  int64_t now = psprobe_clock_monotonic();
  pthread_mutex_lock(&u->mutex);
  uint64_t hurry = u->hurry;
  while (!u->stop && u->hurry == hurry && !(for_rows && u->woken)) {
    if (u->flushers > 0 && until > now + HURRY_NS) until = now + HURRY_NS;
    if (psprobe_clock_monotonic() >= until) break;
    wait_until(u, until);
  }
  bool due = u->hurry != hurry || psprobe_clock_monotonic() >= until;
  pthread_mutex_unlock(&u->mutex);
  return due;
}

/* All rows were offered, and some came to nothing: those come again after a while, and new ones
 * meanwhile. */
static void end_round(psprobe_uploader *u) {
  if (u->round_at == 0) {
    pthread_mutex_lock(&u->mutex);
    psprobe_error error = u->last_error;
    pthread_mutex_unlock(&u->mutex);
    u->round_at = retry_at(&error, ++u->rounds);
  }
  if (!wait_for_retry(u, u->round_at, true)) return;
  u->after = u->round_at = 0;
}

static bool stopped(psprobe_uploader *u) {
  pthread_mutex_lock(&u->mutex);
  bool stop = u->stop;
  u->woken = false; /* what is added from now on wakes again; what was is seen now */
  pthread_mutex_unlock(&u->mutex);
  return stop;
}

/* A request came to nothing. Where one row went alone and was not taken, others go before it. */
static void fail(psprobe_uploader *u, const psp_batch *batch, const psprobe_error *error) {
  if (halve(u, batch, error)) return;
  if (batch->rows == 1 && u->batch_max == 1) u->after = batch->last;
  note_failure(u, error);
  wait_for_retry(u, retry_at(error, ++u->attempt), false);
}

static void *run(void *arg) {
  psprobe_uploader *u = arg;
  while (!stopped(u)) {
    psp_batch batch;
    psprobe_error error = {0};
    psprobe_code code = psp_upload_batch(u->store, u->client, &u->stopper, u->collection, u->after,
                                         u->batch_max, &batch, &error);
    if (code != PSPROBE_OK) {
      fail(u, &batch, &error);
      continue;
    }
    digest(u, &batch);
    u->attempt = batch.rows > 0 && batch.moved == 0 ? u->attempt + 1 : 0;
    if (u->attempt > 0) {
      wait_for_retry(u, retry_at(&batch.failure, u->attempt), false);
    } else if (batch.rows == 0 && u->after > 0) {
      end_round(u);
    } else if (batch.rows == 0) {
      u->rounds = 0;
      wait_for_rows(u);
    }
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
  free(u->collection);
  free(u);
}

psprobe_code psprobe_uploader_new(psprobe_store *store, psprobe_client *client,
                                  const psprobe_uploader_options *options,
                                  psprobe_uploader **uploader, psprobe_error *error) {
  const char *collection =
      options != NULL && options->collection != NULL ? options->collection : PSPROBE_COLLECTION;
  psprobe_code code = psp_collection_setting_check(collection, error);
  if (code == PSPROBE_OK) code = psp_outbox_forgive(store, error);
  if (code != PSPROBE_OK) return code;
  psprobe_uploader *u = calloc(1, sizeof *u);
  if (u == NULL) return psp_fail_memory(error, "uploader");
  u->store = store;
  u->client = client;
  u->batch_max = BATCH_MAX;
  if (options != NULL && options->logger != NULL) u->logger = *options->logger;
  u->collection = psp_strdup(collection);
  if (u->collection == NULL) {
    free(u);
    return psp_fail_memory(error, "uploader");
  }
  init_locks(u);
  if (!psp_thread_start(&u->thread, "psp-upload", run, u)) {
    destroy(u);
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "uploader: no thread can be started");
  }
  *uploader = u;
  return PSPROBE_OK;
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

/* With the mutex held. */
static void wake(psprobe_uploader *u) {
  u->woken = true;
  u->idle = false;
  pthread_cond_broadcast(&u->changed);
}

void psprobe_uploader_wake(psprobe_uploader *uploader) {
  pthread_mutex_lock(&uploader->mutex);
  wake(uploader);
  pthread_mutex_unlock(&uploader->mutex);
}

/* Whether what failed may be well in a moment. What something on the way says may be; what the
 * service says of the project, the key or the caller is not before somebody mends it. */
static bool can_pass(const psprobe_error *error) {
  switch (error->code) {
    case PSPROBE_UNAUTHENTICATED:
    case PSPROBE_PERMISSION_DENIED:
    case PSPROBE_NOT_FOUND:
    case PSPROBE_FAILED_PRECONDITION:
    case PSPROBE_INVALID_ARGUMENT:
    case PSPROBE_OUT_OF_RANGE:
    case PSPROBE_UNIMPLEMENTED:
      return error->http_status != 0 && !error->from_service;
    default:
      return true;
  }
}

psprobe_code psprobe_uploader_flush(psprobe_uploader *uploader, int64_t timeout_ns,
                                    psprobe_error *error) {
  psprobe_uploader *u = uploader;
  int64_t until = psprobe_clock_monotonic() + timeout_ns;
  pthread_mutex_lock(&u->mutex);
  u->flushers++;
  u->hurry++;
  wake(u);
  while (!u->idle && psprobe_clock_monotonic() < until)
    wait_until(u, until);
  u->flushers--;
  bool idle = u->idle;
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
  cause.retryable = !idle && can_pass(&cause);
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
