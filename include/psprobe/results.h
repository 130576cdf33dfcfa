/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_RESULTS_H
#define PSPROBE_RESULTS_H
/**
 * @file
 * What is kept: every finished probe as a row in SQLite, which is history and
 * outbox at once, and its upload to Cloud Firestore.
 *
 * Ownership: what is given is borrowed until the call returns; what a callback is given, until the
 * callback returns.
 * Threading: any thread.
 * Blocks: on the disk; up to 5 s for a lock that another tool holds on the file.
 */
#include <psprobe/firestore.h>
#include <psprobe/prober.h>

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
 * @param path    its name, or a link's
 * @param options may be NULL
 * @param store   receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT for a name that is none; FAILED_PRECONDITION for a file that
 *         is not ours, or from a newer version, or being written by another prober (its process is
 *         named); PERMISSION_DENIED; NOT_FOUND; RESOURCE_EXHAUSTED (disk, memory, descriptors);
 *         UNAVAILABLE (locked by another tool); INTERNAL for a file that cannot be read (nothing is
 *         set aside for that); DATA_LOSS for a damaged file that is opened to be read (opened to be
 *         written, it is set aside under another name, which the log tells, and a new one is begun)
 * Ownership: free with psprobe_store_free.
 */
PSPROBE_API psprobe_code psprobe_store_new(const char *path, const psprobe_store_options *options,
                                           psprobe_store **store, psprobe_error *error);
/** Closes a results file. NULL is fine. Threading: after every other call with it. */
PSPROBE_API void psprobe_store_free(psprobe_store *store);
/**
 * Tells what became of a file that was removed or renamed under its writer.
 * @return how many finished probes were carried over to a new one of the old name; 0: it was not
 * Blocks: never.
 */
PSPROBE_API uint64_t psprobe_store_carried(const psprobe_store *store);

/** How a run ended. */
typedef enum psprobe_ending {
  PSPROBE_ENDING_UNKNOWN = 0,    /**< it is under way, or a file of long ago does not tell */
  PSPROBE_ENDING_FINISHED = 1,   /**< all that it was to send was sent, and waited for */
  PSPROBE_ENDING_STOPPED = 2,    /**< it was told to stop */
  PSPROBE_ENDING_INTERRUPTED = 3 /**< its prober was killed, or its machine went off */
} psprobe_ending;

/** One run of a prober. When given: borrowed. When received: borrowed until the call returns. */
typedef struct psprobe_run {
  char id[PSPROBE_ID_SIZE];
  int64_t started_wall_ns;
  int64_t ended_wall_ns; /**< 0: under way, or killed; of one that was interrupted and found so:
                              the last that is known of it */
  psprobe_ending ending;
  uint32_t resumed; /**< how often it was gone on with */
  const char *project;
  const char *topic;
  const char *host;     /**< of the prober; NULL: this machine's name */
  const char *version;  /**< of libpsprobe; NULL: this one's */
  const char *region;   /**< where the prober ran; NULL: not known */
  const char *clock;    /**< what its clock was and how true; NULL: not known */
  const char *settings; /**< a JSON object of further settings worth keeping; NULL: none */
  int64_t interval_ns, timeout_ns;
  size_t source_count;
  const char *sources[PSPROBE_MAX_SOURCES];
} psprobe_run;

/**
 * Notes a run that begins.
 * @param run its id is the caller's, from psprobe_id_make
 * @return PSPROBE_OK; INVALID_ARGUMENT; ALREADY_EXISTS; FAILED_PRECONDITION for a file that is read
 *         only, or whose name another file has taken; RESOURCE_EXHAUSTED; UNAVAILABLE;
 *         PERMISSION_DENIED; DATA_LOSS; INTERNAL
 */
PSPROBE_API psprobe_code psprobe_store_begin_run(psprobe_store *store, const psprobe_run *run,
                                                 psprobe_error *error);
/**
 * Notes the end of a run. What is open of it is closed: a source that has not answered a probe was
 * interrupted; what was planned and not sent goes, but for PSPROBE_ENDING_INTERRUPTED, of which it
 * is not known what was sent.
 * @param run_id        as begun
 * @param ended_wall_ns ns since 1970
 * @param ending        how it ended
 * @return NOT_FOUND for a run that was not begun; else as psprobe_store_begin_run
 */
PSPROBE_API psprobe_code psprobe_store_end_run(psprobe_store *store, const char *run_id,
                                               int64_t ended_wall_ns, psprobe_ending ending,
                                               psprobe_error *error);

/**
 * Keeps finished probes, all in one transaction; on the disk when it returns.
 * A probe that is there already is left alone unless `update` is set, which
 * replaces its answers and marks it for upload again.
 * @param run_id   as begun
 * @param finished the probes
 * @param count    how many; 0: nothing happens
 * @return NOT_FOUND for a run that was not begun; ALREADY_EXISTS for a probe of another run; else
 *         as psprobe_store_begin_run. None is kept unless all are
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

/** One run. @param run borrowed until it returns. @return false to end */
typedef bool psprobe_run_each(void *arg, const psprobe_run *run);
/**
 * Hands every run to `each`, oldest first.
 * @param filter may be NULL: all
 * @param each   called on this thread
 * @return PSPROBE_OK; NOT_FOUND for a run that is not there; INVALID_ARGUMENT for one that is not
 *         the only one; DATA_LOSS; UNAVAILABLE; RESOURCE_EXHAUSTED; PERMISSION_DENIED; INTERNAL
 */
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
/** One row. @param row borrowed until it returns. @return false to end */
typedef bool psprobe_row_each(void *arg, const psprobe_row *row);
/**
 * Hands every probe to `each`, in the order sent, as it was when the call began.
 * @param filter may be NULL: all
 * @param each   called on this thread; may write to the store
 * @return as psprobe_store_each_run
 */
PSPROBE_API psprobe_code psprobe_store_each(psprobe_store *store, const psprobe_filter *filter,
                                            psprobe_row_each *each, void *arg,
                                            psprobe_error *error);
/** Counts rows not uploaded yet, in their newest state. @param rows receives how many.
 * @return as psprobe_store_each_run */
PSPROBE_API psprobe_code psprobe_store_backlog(psprobe_store *store, uint64_t *rows,
                                               psprobe_error *error);

/* ---- upload ---- */

/** Carries rows to Firestore on threads of its own, oldest first and up to four requests at once,
 * also those that earlier runs left; tries for ever with backoff. */
typedef struct psprobe_uploader psprobe_uploader;

typedef struct psprobe_uploader_options {
  const char *collection; /**< of probes; NULL: pubsub_results */
  const char *runs; /**< the collection of runs, a document each: its settings from the start, a
                         summary from the end on; NULL: as the other, with _runs at the end, in
                         place of _results where it has that */
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

/**
 * Starts to upload.
 * @param store    opened to write; borrowed until free
 * @param client   borrowed until free
 * @param options  may be NULL
 * @param uploader receives it; untouched on failure
 * @return PSPROBE_OK; INVALID_ARGUMENT for a collection that is none; else as
 *         psprobe_store_begin_run
 */
PSPROBE_API psprobe_code psprobe_uploader_new(psprobe_store *store, psprobe_client *client,
                                              const psprobe_uploader_options *options,
                                              psprobe_uploader **uploader, psprobe_error *error);
/** Says that rows were added. Blocks: never. */
PSPROBE_API void psprobe_uploader_wake(psprobe_uploader *uploader);
/**
 * Waits until nothing is left; tries at least once a second meanwhile.
 * @param timeout_ns how long at most
 * @return PSPROBE_OK, or the reason why rows are left (any code of a Firestore call or of the
 *         store's; DEADLINE_EXCEEDED when there is none), with how many; retryable where it may
 *         pass by itself
 * Blocks: up to timeout_ns.
 */
PSPROBE_API psprobe_code psprobe_uploader_flush(psprobe_uploader *uploader, int64_t timeout_ns,
                                                psprobe_error *error);
/** Tells how it goes. @param stats receives it. */
PSPROBE_API void psprobe_uploader_get_stats(psprobe_uploader *uploader,
                                            psprobe_uploader_stats *stats);
/** Ends the threads (calls under way are cancelled), frees. NULL is fine. Before the store's free.
 */
PSPROBE_API void psprobe_uploader_free(psprobe_uploader *uploader);

/**
 * The Firestore document of a row: arbitrary_message_id, probe_sent,
 * cloud_func_response_time, reg_service_response_time, saved_at as the first
 * experiment stored them, and run_id, publish_ns, sources.
 * @param row with its run
 * @return a map, the caller's; NULL without memory
 */
PSPROBE_API psprobe_value *psprobe_result_document(const psprobe_row *row);

/* ---- recorder ---- */

/**
 * Between a prober and its results file: keeps what the prober finishes, under a run of its own,
 * and wakes the uploader. Results that the file does not take (a full disk) are held in memory
 * and offered again each second, so that they are lost only if it takes none until the end of the
 * run.
 */
typedef struct psprobe_recorder psprobe_recorder;

/** Valid when zeroed. */
typedef struct psprobe_recorder_options {
  psprobe_uploader *uploader; /**< told of what is kept; borrowed until free; NULL: none */
  const psprobe_logger *logger;
  const char *region; /**< where this prober runs; borrowed until free; NULL: not known */
  int64_t keep_ns;    /**< what was sent longer ago and is uploaded is taken away; 0: nothing is */
  const char *resume; /**< the id of a run that ended, or the beginning of it ("last": the newest),
                           to go on with; borrowed until begin; NULL: a new one */
} psprobe_recorder_options;

/**
 * Makes a recorder, with a run's id.
 * @param store    borrowed until free
 * @param options  may be NULL
 * @param recorder receives it; untouched on failure
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED; UNAVAILABLE (no random numbers)
 */
PSPROBE_API psprobe_code psprobe_recorder_new(psprobe_store *store,
                                              const psprobe_recorder_options *options,
                                              psprobe_recorder **recorder, psprobe_error *error);
/** Shows the run. @return its id from the beginning, the rest from psprobe_recorder_begin on.
 * Ownership: the recorder's. */
PSPROBE_API const psprobe_run *psprobe_recorder_run(const psprobe_recorder *recorder);
/**
 * Notes the run in the file: the client's project, the prober's sources and its options.
 * @param client  names the project; borrowed until free
 * @param prober  borrowed until free
 * @param options its topic; borrowed until free
 * @return FAILED_PRECONDITION without a project, or for a run to go on with that had other settings
 *         (they are named); NOT_FOUND for one that is not there; else as psprobe_store_begin_run
 */
PSPROBE_API psprobe_code psprobe_recorder_begin(psprobe_recorder *recorder, psprobe_client *client,
                                                const psprobe_prober *prober,
                                                const psprobe_prober_options *options,
                                                psprobe_error *error);
/**
 * What a prober keeps its probes by (psprobe_prober_options.keep). What is finished is held in
 * memory where the file does not take it; the rest the prober tells again.
 * @param arg  the recorder
 * @param news what is new
 * @return as psprobe_store_add
 */
PSPROBE_API psprobe_code psprobe_recorder_keep(void *arg, const psprobe_news *news,
                                               psprobe_error *error);
/** The prober's sink, where nothing is kept before it is finished. @param arg the recorder.
 * @param finished the probes. @param count how many */
PSPROBE_API void psprobe_recorder_sink(void *arg, const psprobe_finished *finished, size_t count);
/**
 * Ends the run, after psprobe_prober_run. What has no end, the next prober that opens the file
 * ends.
 * @return PSPROBE_OK; DATA_LOSS with how many results were not kept and why; else as
 *         psprobe_store_end_run: the results are kept, and the end is not
 * Blocks: up to 10 s for a file that takes nothing.
 */
PSPROBE_API psprobe_code psprobe_recorder_end(psprobe_recorder *recorder, psprobe_error *error);
/** Frees a recorder. NULL is fine. Threading: after every other call with it. */
PSPROBE_API void psprobe_recorder_free(psprobe_recorder *recorder);

#ifdef __cplusplus
}
#endif
#endif
