/* SPDX-License-Identifier: MIT */
/**
 * @file Between a prober and its results file: the prober's sink, on the collector thread. What
 * the file does not take (a full disk) is held in memory and offered again with the next results.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <psprobe/results.h>

#include "base/error.h"
#include "base/log.h"

/** Most results held: about 80 MB. Beyond it the oldest are given up, counted and told. */
#define HELD_MAX 100000
/** At the end of a run: how long a file that takes nothing is tried, and how often. */
#define PATIENCE_NS 10000000000LL
#define RETRY_NS    250000000LL

struct psprobe_recorder {
  psprobe_store *store;
  psprobe_uploader *uploader; /**< may be NULL */
  psprobe_logger logger;
  psprobe_run run; /**< its texts are the client's, the prober's and, for host, ours */
  char host[256];
  bool begun;
  pthread_mutex_t lock; /**< of the rest: sink and end may come from two threads */
  psprobe_finished *held;
  size_t held_count, held_cap;
  uint64_t lost;
  bool failing;
};

psprobe_code psprobe_recorder_new(psprobe_store *store, psprobe_uploader *uploader,
                                  const psprobe_logger *logger, psprobe_recorder **recorder,
                                  psprobe_error *error) {
  psprobe_recorder *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "recorder");
  made->store = store;
  made->uploader = uploader;
  if (logger != NULL) made->logger = *logger;
  pthread_mutex_init(&made->lock, NULL);
  psprobe_code code = psprobe_id_make(made->run.id, error);
  if (code == PSPROBE_OK)
    *recorder = made;
  else
    psprobe_recorder_free(made);
  return code;
}

void psprobe_recorder_free(psprobe_recorder *recorder) {
  if (recorder == NULL) return;
  pthread_mutex_destroy(&recorder->lock);
  free(recorder->held);
  free(recorder);
}

const psprobe_run *psprobe_recorder_run(const psprobe_recorder *recorder) {
  return &recorder->run;
}

psprobe_code psprobe_recorder_begin(psprobe_recorder *recorder, psprobe_client *client,
                                    const psprobe_prober *prober,
                                    const psprobe_prober_options *options, psprobe_error *error) {
  psprobe_run *run = &recorder->run;
  run->started_wall_ns = psprobe_clock_wall();
  run->topic = options->topic;
  psprobe_prober_settings settings;
  psprobe_prober_get_settings(prober, &settings);
  run->interval_ns = settings.interval_ns;
  run->timeout_ns = settings.timeout_ns;
  run->version = psprobe_version();
  if (gethostname(recorder->host, sizeof recorder->host - 1) == 0) run->host = recorder->host;
  run->source_count = psprobe_prober_source_count(prober);
  for (size_t i = 0; i < run->source_count; i++)
    run->sources[i] = psprobe_prober_source(prober, i);
  psprobe_code code = psprobe_client_project(client, &run->project, error);
  if (code == PSPROBE_OK) code = psprobe_store_begin_run(recorder->store, run, error);
  recorder->begun = code == PSPROBE_OK;
  return code;
}

/** Puts results behind those that are held. What has no room is lost, the oldest first. */
static void hold(psprobe_recorder *recorder, const psprobe_finished *finished, size_t count) {
  size_t need = recorder->held_count + count;
  if (need > recorder->held_cap && recorder->held_cap < HELD_MAX) {
    size_t cap = need * 2 < HELD_MAX ? need * 2 : HELD_MAX;
    psprobe_finished *grown = realloc(recorder->held, cap * sizeof *grown);
    if (grown != NULL) recorder->held = grown;
    if (grown != NULL) recorder->held_cap = cap;
  }
  if (count > recorder->held_cap) {
    recorder->lost += count - recorder->held_cap;
    finished += count - recorder->held_cap;
    count = recorder->held_cap;
  }
  if (recorder->held_count + count > recorder->held_cap) {
    size_t over = recorder->held_count + count - recorder->held_cap;
    recorder->lost += over;
    recorder->held_count -= over;
    memmove(recorder->held, recorder->held + over, recorder->held_count * sizeof *recorder->held);
  }
  if (count == 0) return;
  memcpy(recorder->held + recorder->held_count, finished, count * sizeof *finished);
  recorder->held_count += count;
}

/** Logs when writing begins to fail and when it succeeds again, not each try. */
static void note(psprobe_recorder *recorder, bool failing, const psprobe_error *error) {
  psp_log_line line;
  if (failing == recorder->failing) return;
  recorder->failing = failing;
  if (psp_log_begin(&line, &recorder->logger, failing ? PSPROBE_LOG_ERROR : PSPROBE_LOG_WARNING,
                    failing ? "results_held" : "results_kept_again")) {
    if (failing) psp_log_error(&line, error);
    psp_log_int(&line, "held", (int64_t)recorder->held_count);
    psp_log_end(&line);
  }
}

/** Offers what is held to the file. */
static psprobe_code flush(psprobe_recorder *recorder, psprobe_error *error) {
  if (recorder->held_count == 0) return PSPROBE_OK;
  psprobe_code code = psprobe_store_add(recorder->store, recorder->run.id, recorder->held,
                                        recorder->held_count, error);
  note(recorder, code != PSPROBE_OK, error);
  if (code == PSPROBE_OK) recorder->held_count = 0;
  return code;
}

void psprobe_recorder_sink(void *arg, const psprobe_finished *finished, size_t count) {
  psprobe_recorder *recorder = arg;
  psprobe_error error = {0};
  pthread_mutex_lock(&recorder->lock);
  psprobe_code code = flush(recorder, &error);
  if (code == PSPROBE_OK)
    code = psprobe_store_add(recorder->store, recorder->run.id, finished, count, &error);
  if (code != PSPROBE_OK) {
    hold(recorder, finished, count);
    note(recorder, true, &error);
  }
  pthread_mutex_unlock(&recorder->lock);
  if (code == PSPROBE_OK && recorder->uploader != NULL) psprobe_uploader_wake(recorder->uploader);
}

psprobe_code psprobe_recorder_end(psprobe_recorder *recorder, psprobe_error *error) {
  psprobe_error local = {0};
  if (!recorder->begun) return PSPROBE_OK;
  int64_t until = psprobe_clock_monotonic() + PATIENCE_NS;
  pthread_mutex_lock(&recorder->lock);
  psprobe_code code = flush(recorder, &local);
  while (code != PSPROBE_OK && psprobe_clock_monotonic() < until) {
    psprobe_sleep_until(psprobe_clock_monotonic() + RETRY_NS);
    code = flush(recorder, &local);
  }
  uint64_t lost = recorder->lost + recorder->held_count;
  pthread_mutex_unlock(&recorder->lock);
  if (lost > 0)
    return psp_fail(error, PSPROBE_DATA_LOSS, "%llu results could not be kept: %s",
                    (unsigned long long)lost, local.message);
  if (recorder->uploader != NULL) psprobe_uploader_wake(recorder->uploader);
  return psprobe_store_end_run(recorder->store, recorder->run.id, psprobe_clock_wall(), error);
}
