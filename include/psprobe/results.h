/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_RESULTS_H
#define PSPROBE_RESULTS_H
/**
 * @file
 * What is kept: every finished probe as a row in SQLite, which is history and
 * outbox at once, and its upload to Cloud Firestore.
 */
#include <psprobe/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A results file. One process writes it at a time; any may read meanwhile. */
typedef struct psprobe_store psprobe_store;

typedef struct psprobe_store_options {
  bool read_only; /**< it must be there; nothing is changed, nothing checkpointed */
  const psprobe_logger *logger;
} psprobe_store_options;

/**
 * Opens or makes a results file.
 *
 * @return PSPROBE_OK; FAILED_PRECONDITION for a file that is not ours, or from
 *         a newer version, or being written by another prober; PERMISSION_DENIED; NOT_FOUND;
 *         INTERNAL for a file that cannot be read (nothing is set aside for that); DATA_LOSS for a
 *         damaged file (opened to write, it is set aside under
 *         another name, which the log tells, and a new one is begun)
 * Threading: any thread may call anything with a store.
 */
PSPROBE_API psprobe_code psprobe_store_open(const char *path, const psprobe_store_options *options,
                                            psprobe_store **store, psprobe_error *error);
PSPROBE_API void psprobe_store_free(psprobe_store *store);

/** One run of a prober. When given: borrowed. When received: borrowed until the call returns. */
typedef struct psprobe_run {
  char id[PSPROBE_ID_SIZE];
  int64_t started_wall_ns;
  int64_t ended_wall_ns; /**< 0: under way, or killed */
  const char *project;
  const char *topic;
  const char *host;     /**< of the prober; NULL: this machine's name */
  const char *version;  /**< of libpsprobe; NULL: this one's */
  const char *settings; /**< a JSON object of further settings worth keeping; NULL: none */
  int64_t interval_ns, timeout_ns;
  size_t source_count;
  const char *sources[PSPROBE_MAX_SOURCES];
} psprobe_run;

/** Notes a run that begins (its id is the caller's, from psprobe_id_make). */
PSPROBE_API psprobe_code psprobe_store_begin_run(psprobe_store *store, const psprobe_run *run,
                                                 psprobe_error *error);
PSPROBE_API psprobe_code psprobe_store_end_run(psprobe_store *store, const char *run_id,
                                               int64_t ended_wall_ns, psprobe_error *error);

/**
 * Keeps finished probes, all in one transaction; on the disk when it returns.
 * A probe that is there already is left alone unless `update` is set, which
 * replaces its answers and marks it for upload again.
 */
PSPROBE_API psprobe_code psprobe_store_add(psprobe_store *store, const char *run_id,
                                           const psprobe_finished *finished, size_t count,
                                           psprobe_error *error);

/** Which rows to read; zeroed: all. */
typedef struct psprobe_filter {
  const char *run;       /**< an id or the beginning of one; "last": the newest; NULL: all */
  int64_t since_wall_ns; /**< sent at or after; 0: no bound */
  int64_t until_wall_ns; /**< sent before; 0: no bound */
} psprobe_filter;

typedef bool psprobe_run_each(void *arg, const psprobe_run *run);
/** Every run, oldest first. */
PSPROBE_API psprobe_code psprobe_store_each_run(psprobe_store *store, const psprobe_filter *filter,
                                                psprobe_run_each *each, void *arg,
                                                psprobe_error *error);

/** One row as kept. */
typedef struct psprobe_row {
  const psprobe_run *run;
  psprobe_result result;
  int64_t saved_wall_ns;
  bool uploaded;
} psprobe_row;
typedef bool psprobe_row_each(void *arg, const psprobe_row *row);
/** Every probe in the order sent. */
PSPROBE_API psprobe_code psprobe_store_each(psprobe_store *store, const psprobe_filter *filter,
                                            psprobe_row_each *each, void *arg,
                                            psprobe_error *error);
/** Rows not uploaded yet (in their newest state). */
PSPROBE_API psprobe_code psprobe_store_backlog(psprobe_store *store, uint64_t *rows,
                                               psprobe_error *error);

/* ---- upload ---------------------------------------------------------------------- */

/** Carries rows to Firestore on a thread of its own, oldest first, also those that earlier runs
 * left; tries for ever with backoff. */
typedef struct psprobe_uploader psprobe_uploader;

typedef struct psprobe_uploader_options {
  const char *collection; /**< NULL: pubsub_results */
  const psprobe_logger *logger;
} psprobe_uploader_options;

typedef struct psprobe_uploader_stats {
  uint64_t uploaded; /**< rows whose newest state was brought to Firestore */
  uint64_t failures; /**< tries that left rows to be tried again */
  uint64_t refused;  /**< rows that Firestore refused for good (INVALID_ARGUMENT). They hold up no
                          others, and are offered again by the next uploader on this file */
  uint64_t backlog;  /**< rows not there in their newest state, refused ones among them */
  psprobe_error last_error; /**< code OK: none since the last success */
} psprobe_uploader_stats;

PSPROBE_API psprobe_code psprobe_uploader_new(psprobe_store *store, psprobe_client *client,
                                              const psprobe_uploader_options *options,
                                              psprobe_uploader **uploader, psprobe_error *error);
/** Says that rows were added. Never blocks. */
PSPROBE_API void psprobe_uploader_wake(psprobe_uploader *uploader);
/**
 * Waits until nothing is left or `timeout_ns` has passed; tries at least once a second meanwhile.
 * @return OK, or the reason why rows are left, with how many; retryable where that may pass by
 *         itself
 */
PSPROBE_API psprobe_code psprobe_uploader_flush(psprobe_uploader *uploader, int64_t timeout_ns,
                                                psprobe_error *error);
PSPROBE_API void psprobe_uploader_get_stats(psprobe_uploader *uploader,
                                            psprobe_uploader_stats *stats);
/** Ends the thread (a call under way is cancelled), frees. NULL is fine. Before the store's free.
 */
PSPROBE_API void psprobe_uploader_free(psprobe_uploader *uploader);

/**
 * The Firestore document of a row: arbitrary_message_id, probe_sent,
 * cloud_func_response_time, reg_service_response_time, saved_at as the first
 * experiment stored them, and run_id, publish_ns, sources. A map; the caller's.
 */
PSPROBE_API psprobe_value *psprobe_result_document(const psprobe_row *row);

/* ---- recorder -------------------------------------------------------------------- */

/**
 * Between a prober and its results file: keeps what the prober finishes, under a run of its own,
 * and wakes the uploader. Results that the file does not take (a full disk) are held in memory
 * and offered again, so that they are lost only if it takes none until the end of the run.
 */
typedef struct psprobe_recorder psprobe_recorder;

/** `store` and `uploader` (may be NULL) are borrowed until free. */
PSPROBE_API psprobe_code psprobe_recorder_new(psprobe_store *store, psprobe_uploader *uploader,
                                              const psprobe_logger *logger,
                                              psprobe_recorder **recorder, psprobe_error *error);
/** The run, the recorder's: its id from the beginning, the rest from psprobe_recorder_begin on. */
PSPROBE_API const psprobe_run *psprobe_recorder_run(const psprobe_recorder *recorder);
/** Notes the run in the file: the client's project, the prober's sources and its options. */
PSPROBE_API psprobe_code psprobe_recorder_begin(psprobe_recorder *recorder, psprobe_client *client,
                                                const psprobe_prober *prober,
                                                const psprobe_prober_options *options,
                                                psprobe_error *error);
/** The prober's sink; `arg` is the recorder. */
PSPROBE_API void psprobe_recorder_sink(void *arg, const psprobe_finished *finished, size_t count);
/**
 * Ends the run, after psprobe_prober_run. Blocks up to 10 s for a file that takes nothing.
 * @return PSPROBE_OK, or DATA_LOSS with how many results were not kept and why
 */
PSPROBE_API psprobe_code psprobe_recorder_end(psprobe_recorder *recorder, psprobe_error *error);
PSPROBE_API void psprobe_recorder_free(psprobe_recorder *recorder);

#ifdef __cplusplus
}
#endif
#endif
