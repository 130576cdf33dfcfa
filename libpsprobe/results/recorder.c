/* SPDX-License-Identifier: MIT */
/**
 * @file Between a prober and its results file: the prober's sink, on the collector thread. What
 * the file does not take (a full disk) is held in memory and offered again once a second, so that
 * the work of a result does not grow with what is held.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <psprobe/results.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/timer.h"
#include "results/digests/seal.h"
#include "results/held.h"
#include "results/store/store.h"
#include "results/untaken.h"

/* How often a file that takes nothing is tried. */
#define RETRY_NS PSP_SECOND_NS
/* At the end of a run: how long it is tried, and how often. */
#define PATIENCE_NS  (10 * PSP_SECOND_NS)
#define END_RETRY_NS (250 * PSP_MS_NS)
/* How often it is looked whether the file is there still, though no result comes. */
#define LOOK_NS PSP_SECOND_NS
/* Old results are looked for so often, and so many pieces of the file are looked through at once.
 */
#define PRUNE_NS     (60 * PSP_SECOND_NS)
#define PRUNE_PIECES 10
/* Blocks of probes that are summed up at once, each some milliseconds beside the writer. */
#define SEALS 4
/* What the prober could not take is noted at most this often. */
#define NOTE_NS PSP_SECOND_NS

struct psprobe_recorder {
  psprobe_store *store;
  psprobe_uploader *uploader; /* may be NULL */
  const psprobe_prober *prober;
  psprobe_logger logger;
  psprobe_run run; /* its texts are the client's, the prober's and, for host, ours */
  char host[256], clock[PSP_CLOCK_WORDS];
  psp_buf settings;
  const char *cold_topic; /* the options' */
  const char *resume;     /* the run to go on with; NULL: none */
  bool begun;
  int64_t wall_offset_ns; /* as it began: who sets the clock meanwhile moves nothing */
  psp_timers *timers;
  psp_timer look;
  int64_t keep_ns, prune_at; /* 0: all is kept; when to look for old results */
  psp_pruning pruning;
  pthread_mutex_t lock; /* of the rest: sink and end may come from two threads */
  psp_held held;
  bool failing;
  int64_t retry_at;             /* while it fails: not before */
  psprobe_publish_by asked, by; /* how it is to publish; how it does, as the settings say */
  psp_untaken untaken, earlier; /* as it stands in the file; of probers before, of this run */
  bool stale;                   /* the settings in the file are those of the prober before */
  int64_t untaken_at;           /* noted then */
  psprobe_error error;          /* why it failed last */
};

/* Takes away what is older than it is to be kept. What fails (a full disk) is tried again. */
static void prune(psprobe_recorder *recorder, int64_t now_ns) {
  psp_pruning *pruning = &recorder->pruning;
  if (recorder->keep_ns == 0 || now_ns < recorder->prune_at) return;
  int64_t before_ns = psprobe_clock_wall() - recorder->keep_ns;
  psprobe_code code = PSPROBE_OK;
  for (int i = 0; code == PSPROBE_OK && i < PRUNE_PIECES; i++) {
    code = psp_store_prune(recorder->store, before_ns, pruning, NULL);
    if (code == PSPROBE_OK && pruning->last == 0) break;
  }
  if (code != PSPROBE_OK || pruning->last != 0) return;
  recorder->prune_at = now_ns + PRUNE_NS;
  psp_log_line line;
  if (pruning->gone > 0 &&
      psp_log_begin(&line, &recorder->logger, PSPROBE_LOG_INFO, "results_pruned")) {
    psp_log_int(&line, "results", (int64_t)pruning->gone);
    psp_log_end(&line);
  }
  *pruning = (psp_pruning){0};
}

/* Sums up what is some thousand probes old. What fails is tried again. */
static void seal(psprobe_recorder *recorder) {
  bool done = false;
  for (int i = 0; !done && i < SEALS; i++)
    if (psp_digests_seal(recorder->store, PSP_SEAL_LAG, &done, NULL) != PSPROBE_OK) return;
}

/* A file that was removed or renamed is told of, and made again, before a result needs it. */
static void look(psp_timer *timer) {
  psprobe_recorder *recorder =
      (psprobe_recorder *)((char *)timer - offsetof(psprobe_recorder, look));
  if (psp_store_enter(recorder->store, NULL) == PSPROBE_OK) psp_store_leave(recorder->store);
  prune(recorder, psprobe_clock_monotonic());
  seal(recorder);
  psp_timers_arm(recorder->timers, timer, psprobe_clock_monotonic() + LOOK_NS);
}

psprobe_code psprobe_recorder_new(psprobe_store *store, const psprobe_recorder_options *options,
                                  psprobe_recorder **recorder, psprobe_error *error) {
  psprobe_recorder *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "recorder");
  made->store = store;
  if (options != NULL) {
    made->uploader = options->uploader;
    made->run.region = options->region;
    made->keep_ns = options->keep_ns;
    made->resume = options->resume;
    if (options->logger != NULL) made->logger = *options->logger;
  }
  made->look.fire = look;
  pthread_mutex_init(&made->lock, NULL);
  made->timers = psp_timers_new();
  psprobe_code code = made->timers != NULL ? psprobe_id_make(made->run.id, error)
                                           : psp_fail_memory(error, "recorder");
  if (code == PSPROBE_OK)
    *recorder = made;
  else
    psprobe_recorder_free(made);
  return code;
}

void psprobe_recorder_free(psprobe_recorder *recorder) {
  if (recorder == NULL) return;
  psp_timers_free(recorder->timers);
  pthread_mutex_destroy(&recorder->lock);
  psp_held_free(&recorder->held);
  psp_buf_free(&recorder->settings);
  free(recorder);
}

const psprobe_run *psprobe_recorder_run(const psprobe_recorder *recorder) {
  return &recorder->run;
}

static void put_positive(psp_json_writer *w, const char *key, int64_t value) {
  if (value <= 0) return;
  psp_json_put_key(w, key);
  psp_json_put_int64(w, value);
}

static void put_way(psp_json_writer *w, const char *key, psprobe_publish_by by) {
  psp_json_put_key(w, key);
  psp_json_put_string(w, by == PSPROBE_PUBLISH_BY_REST ? "rest" : "grpc");
}

/* The run's settings as they stand: how it publishes, its cadences, and what could not be taken
 * (NULL: nothing). */
static psprobe_code put_settings(psprobe_recorder *recorder, const psp_untaken *untaken,
                                 psprobe_error *error) {
  psprobe_prober_settings settings;
  psp_json_writer w = {.buf = &recorder->settings};
  psprobe_prober_get_settings(recorder->prober, &settings);
  psp_buf_reset(w.buf);
  psp_json_begin_object(&w);
  put_way(&w, "publish_by", settings.publish_by);
  if (settings.publish_by != recorder->asked) put_way(&w, "publish_asked", recorder->asked);
  put_positive(&w, "cold_every_ns", settings.cold_every_ns);
  if (settings.cold_every_ns > 0) {
    psp_json_put_key(&w, "cold_topic");
    psp_json_put_string(&w, recorder->cold_topic);
  }
  put_positive(&w, "filler_ns", settings.filler_ns);
  if (untaken != NULL)
    psp_untaken_put(&w, untaken, recorder->run.sources, recorder->run.source_count);
  psp_json_end_object(&w);
  if (w.buf->failed) return psp_fail_memory(error, "recorder");
  recorder->run.settings = w.buf->data;
  recorder->by = settings.publish_by;
  return PSPROBE_OK;
}

/* Goes on with a run. What its probers before could not take stays told of it. */
static psprobe_code resume(psprobe_recorder *recorder, psprobe_error *error) {
  psprobe_run *run = &recorder->run;
  char *settings = NULL;
  psprobe_code code =
      psp_store_resume_run(recorder->store, recorder->resume, run, &settings, error);
  if (code == PSPROBE_OK &&
      !psp_untaken_add(&recorder->earlier, settings, run->sources, run->source_count))
    code = psp_fail_memory(error, "recorder");
  free(settings);
  recorder->stale = code == PSPROBE_OK;
  return code;
}

psprobe_code psprobe_recorder_begin(psprobe_recorder *recorder, psprobe_client *client,
                                    const psprobe_prober *prober,
                                    const psprobe_prober_options *options, psprobe_error *error) {
  psprobe_run *run = &recorder->run;
  recorder->prober = prober;
  run->started_wall_ns = psprobe_clock_wall();
  recorder->wall_offset_ns = run->started_wall_ns - psprobe_clock_monotonic();
  run->topic = options->topic;
  psprobe_prober_settings settings;
  psprobe_prober_get_settings(prober, &settings);
  run->interval_ns = settings.interval_ns;
  run->timeout_ns = settings.timeout_ns;
  run->version = psprobe_version();
  psp_clock_tell(recorder->clock);
  run->clock = recorder->clock;
  if (gethostname(recorder->host, sizeof recorder->host - 1) == 0) run->host = recorder->host;
  run->source_count = psprobe_prober_source_count(prober);
  for (size_t i = 0; i < run->source_count; i++)
    run->sources[i] = psprobe_prober_source(prober, i);
  recorder->cold_topic = options->cold_topic;
  recorder->asked = options->publish_by == PSPROBE_PUBLISH_BY_REST ? PSPROBE_PUBLISH_BY_REST
                                                                   : PSPROBE_PUBLISH_BY_GRPC;
  psprobe_code code = put_settings(recorder, NULL, error);
  if (code == PSPROBE_OK) code = psprobe_client_project(client, &run->project, error);
  if (code == PSPROBE_OK && recorder->resume != NULL)
    code = resume(recorder, error);
  else if (code == PSPROBE_OK)
    code = psprobe_store_begin_run(recorder->store, run, error);
  recorder->begun = code == PSPROBE_OK;
  if (recorder->begun && recorder->uploader != NULL) psprobe_uploader_wake(recorder->uploader);
  if (recorder->begun)
    psp_timers_arm(recorder->timers, &recorder->look, psprobe_clock_monotonic() + LOOK_NS);
  return code;
}

/* Logs when writing begins to fail and when it succeeds again, not each try. */
static void note(psprobe_recorder *recorder, bool failing) {
  psp_log_line line;
  if (failing == recorder->failing) return;
  recorder->failing = failing;
  if (psp_log_begin(&line, &recorder->logger, failing ? PSPROBE_LOG_ERROR : PSPROBE_LOG_WARNING,
                    failing ? "results_held" : "results_kept_again")) {
    if (failing) psp_log_error(&line, &recorder->error);
    psp_log_int(&line, "held", (int64_t)recorder->held.count);
    psp_log_end(&line);
  }
}

/* Offers news to the file. One that was made anew, and empty, does not know the run. */
static psprobe_code keep(psprobe_recorder *recorder, const psprobe_news *news) {
  psprobe_error *error = &recorder->error;
  psprobe_code code = psp_store_keep(recorder->store, recorder->run.id, news, error);
  if (code == PSPROBE_NOT_FOUND &&
      psprobe_store_begin_run(recorder->store, &recorder->run, error) == PSPROBE_OK)
    code = psp_store_keep(recorder->store, recorder->run.id, news, error);
  return code;
}

/* Offers what is held, a portion a transaction. */
static psprobe_code flush(psprobe_recorder *recorder) {
  const psprobe_finished *oldest;
  psprobe_code code = PSPROBE_OK;
  while (code == PSPROBE_OK && recorder->held.count > 0) {
    size_t count = psp_held_oldest(&recorder->held, &oldest);
    code = keep(recorder, &(psprobe_news){.finished = oldest, .finished_count = count});
    if (code == PSPROBE_OK) psp_held_drop(&recorder->held, count);
  }
  return code;
}

/* Brings what the prober could not take, and how it publishes, into its run's settings, where
 * either has changed. */
static psprobe_code note_untaken(psprobe_recorder *recorder, psprobe_error *error) {
  psprobe_prober_stats stats;
  psprobe_prober_settings settings;
  if (recorder->prober == NULL) return PSPROBE_OK;
  psprobe_prober_get_stats(recorder->prober, &stats);
  psprobe_prober_get_settings(recorder->prober, &settings);
  psp_untaken now = psp_untaken_of(&stats);
  psp_untaken_sum(&now, &recorder->earlier);
  const bool untaken = now.connections.untaken > 0;
  const bool same = !untaken || memcmp(&now, &recorder->untaken, sizeof now) == 0;
  if (same && settings.publish_by == recorder->by && !recorder->stale) return PSPROBE_OK;
  psprobe_code code = put_settings(recorder, untaken ? &now : NULL, error);
  if (code == PSPROBE_OK)
    code = psp_store_set_settings(recorder->store, recorder->run.id, recorder->run.settings, error);
  if (code != PSPROBE_OK) return code;
  recorder->untaken = now;
  recorder->stale = false;
  return PSPROBE_OK;
}

/* While it runs: a prober that is killed has told of it all the same. */
static void note_untaken_now_and_then(psprobe_recorder *recorder) {
  int64_t now = psprobe_clock_monotonic();
  if (recorder->untaken_at != 0 && now - recorder->untaken_at < NOTE_NS) return;
  recorder->untaken_at = now;
  note_untaken(recorder, NULL);
}

psprobe_code psprobe_recorder_keep(void *arg, const psprobe_news *news, psprobe_error *error) {
  psprobe_recorder *recorder = arg;
  pthread_mutex_lock(&recorder->lock);
  int64_t now = recorder->failing ? psprobe_clock_monotonic() : 0;
  bool waits = recorder->failing && now < recorder->retry_at;
  psprobe_code code = waits ? recorder->error.code : flush(recorder);
  if (code == PSPROBE_OK) code = keep(recorder, news);
  if (code != PSPROBE_OK) psp_held_add(&recorder->held, news->finished, news->finished_count);
  if (!waits) {
    note(recorder, code != PSPROBE_OK);
    if (code != PSPROBE_OK) recorder->retry_at = psprobe_clock_monotonic() + RETRY_NS;
  }
  if (code == PSPROBE_OK) note_untaken_now_and_then(recorder);
  if (code != PSPROBE_OK && error != NULL) *error = recorder->error;
  pthread_mutex_unlock(&recorder->lock);
  if (code == PSPROBE_OK && news->finished_count > 0 && recorder->uploader != NULL)
    psprobe_uploader_wake(recorder->uploader);
  return code;
}

void psprobe_recorder_sink(void *arg, const psprobe_finished *finished, size_t count) {
  const psprobe_news news = {.finished = finished, .finished_count = count};
  psprobe_recorder_keep(arg, &news, NULL); /* what it does not take it holds */
}

/* Finished: all was sent, and waited for. Interrupted: not all that was sent could be told. */
static psprobe_ending ending_of(const psprobe_prober *prober, bool told) {
  if (!told) return PSPROBE_ENDING_INTERRUPTED;
  psprobe_prober_settings settings;
  psprobe_prober_stats stats;
  psprobe_prober_get_settings(prober, &settings);
  psprobe_prober_get_stats(prober, &stats);
  bool all = settings.count > 0 && stats.sent >= settings.count && stats.in_flight == 0;
  return all ? PSPROBE_ENDING_FINISHED : PSPROBE_ENDING_STOPPED;
}

/* All that is held, what the prober could not take, and the end; what comes to nothing can be tried
 * again. */
static psprobe_code try_end(psprobe_recorder *recorder, int64_t ended_wall_ns, bool told) {
  psprobe_error *error = &recorder->error;
  const psprobe_news none = {0};
  psprobe_code code = flush(recorder);
  if (code == PSPROBE_OK) code = keep(recorder, &none); /* a file made anew is told of the run */
  if (code == PSPROBE_OK) code = note_untaken(recorder, error);
  if (code == PSPROBE_OK)
    code = psprobe_store_end_run(recorder->store, recorder->run.id, ended_wall_ns,
                                 ending_of(recorder->prober, told), error);
  return code;
}

/* Why a run has no end in its file, and what that comes to. With the lock held. */
static psprobe_code fail_end(const psprobe_recorder *recorder, psprobe_code code,
                             psprobe_error *error) {
  const char *why = recorder->error.message;
  uint64_t lost = recorder->held.lost + recorder->held.count;
  if (lost > 0)
    return psp_fail(error, PSPROBE_DATA_LOSS, "%llu results could not be kept: %s",
                    (unsigned long long)lost, why);
  return psp_fail(error, code,
                  "the end of the run could not be kept: %s; all its results are, and the next "
                  "prober with that file ends it as interrupted",
                  why);
}

psprobe_code psprobe_recorder_end(psprobe_recorder *recorder, psprobe_error *error) {
  if (!recorder->begun) return PSPROBE_OK;
  int64_t now = psprobe_clock_monotonic(), until = now + PATIENCE_NS;
  int64_t ended_wall_ns = now + recorder->wall_offset_ns;
  pthread_mutex_lock(&recorder->lock);
  bool told = !recorder->failing && recorder->held.lost == 0;
  psprobe_code code = try_end(recorder, ended_wall_ns, told);
  while (code != PSPROBE_OK && psprobe_clock_monotonic() < until) {
    note(recorder, true);
    psprobe_sleep_until(psprobe_clock_monotonic() + END_RETRY_NS);
    code = try_end(recorder, ended_wall_ns, told);
  }
  note(recorder, code != PSPROBE_OK);
  if (code != PSPROBE_OK || recorder->held.lost > 0) code = fail_end(recorder, code, error);
  pthread_mutex_unlock(&recorder->lock);
  if (recorder->uploader != NULL) psprobe_uploader_wake(recorder->uploader);
  return code;
}
