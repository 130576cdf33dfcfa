/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_STORE_STORE_H
#define PSP_RESULTS_STORE_STORE_H
/**
 * @file
 * The results file from inside.
 *
 * One connection writes and checkpoints: SQLite before 3.51.3 can lose pages
 * when two do (its WAL-reset bug, https://sqlite.org/wal.html). Each reading
 * call opens a connection of its own, read-only, that never checkpoints, so
 * that a reader never waits for the writer's disk nor the writer for a reader.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

#include <psprobe/results.h>

#include "results/store/further.h"
#include "results/store/lock.h"
#include "sql/sql.h"

/** "psPr" in the header of our files (PRAGMA application_id). */
#define PSP_APPLICATION_ID 0x70735072
/** Of the tables below; a higher one is refused (PRAGMA user_version). */
#define PSP_SCHEMA_VERSION 4

/** Of a probe: the column `state`. */
typedef enum psp_probe_state {
  PSP_PROBE_PLANNED,
  PSP_PROBE_SENT,
  PSP_PROBE_CLOSED
} psp_probe_state;

typedef enum psp_statement {
  PSP_INSERT_RUN,
  PSP_INSERT_SOURCE,
  PSP_END_RUN,
  PSP_RESUME_RUN,
  PSP_SET_SETTINGS,
  PSP_FIND_RUN,
  PSP_PLAN_PROBE,
  PSP_SEND_PROBE,
  PSP_INSERT_PROBE,
  PSP_FIND_PROBE,
  PSP_UPDATE_PROBE,
  PSP_NEXT_REVISION,
  PSP_COUNT_DELIVERY,
  PSP_PUT_INSTANCE,
  PSP_PUT_ANSWER,
  PSP_TAKE_RUNS,
  PSP_TAKE_SOURCES,
  PSP_TAKE_ROWS,
  PSP_FORGET_DIGEST,
  PSP_PUT_DIGEST,
  PSP_MARK_RUN,
  PSP_MARK_UPLOADED,
  PSP_MARK_REFUSED,
  PSP_STATEMENTS
} psp_statement;

/** Probes of a block: those whose seq, divided by it, is the block's number. */
#define PSP_BLOCK 4096

/** What is known of the file's digests, so that few probes ask it. */
typedef struct psp_digesting_state {
  int64_t below;  /**< each block below has one */
  int64_t last;   /**< the last that has; -1: none */
  int64_t making; /**< a block that one is being made of; -1: none */
  bool stale;     /**< it has changed meanwhile */
} psp_digesting_state;

struct psprobe_store {
  char *path; /**< absolute, without symbolic links */
  psprobe_logger logger;
  bool read_only;
  pthread_mutex_t mutex; /**< of what follows */
  psp_file_lock *lock;   /**< NULL when read-only */
  sqlite3 *db;           /**< the writer's; NULL when read-only, or when the file is gone */
  sqlite3_stmt *statements[PSP_STATEMENTS];
  ino_t log_inode;         /**< of the log that the writer has open; 0: it has none */
  struct timespec written; /**< when the file was written to, as we left it */
  off_t size;              /**< and its size */
  bool unsynced;           /**< its commits do not wait for the disk (PRAGMA synchronous) */
  psp_digesting_state digests;
  bool damaged;             /**< a page of it made no sense as it was written to */
  bool gone;                /**< the file went away, and that was told */
  _Atomic uint64_t carried; /**< psprobe_store_carried */
};

/** What a file turned out to be. */
typedef enum psp_file_kind {
  PSP_FILE_OURS,
  PSP_FILE_NEW, /**< empty */
  PSP_FILE_NEWER,
  PSP_FILE_FOREIGN,
  PSP_FILE_DAMAGED
} psp_file_kind;

/** Looks into an open database. @return false for SQLite's error, which `db` tells */
bool psp_schema_look(sqlite3 *db, psp_file_kind *kind, int64_t *version);
/** Makes the tables, in one transaction. `path` is for errors. */
psprobe_code psp_schema_create(sqlite3 *db, const char *path, psprobe_error *error);
/** Brings a file of ours of an older version to this one, in one transaction. */
psprobe_code psp_schema_migrate(sqlite3 *db, const char *path, int64_t version,
                                psprobe_error *error);
/** Lets a connection that only reads see an older version's tables as if they were this one's.
 * @return SQLite's code */
int psp_schema_bridge(sqlite3 *db, int64_t version);
/** What the bytes say of a file that SQLite cannot read: DAMAGED (once ours) or FOREIGN. */
psp_file_kind psp_file_look(const char *path);
/** Refuses what a stranger can have put beside a file, where SQLite has its own: what is no plain
 * file, and a journal whose end names a further file, which SQLite would take away.
 * @return FAILED_PRECONDITION */
psprobe_code psp_file_check_beside(const char *path, psprobe_error *error);
/** The error of a file that is none of ours, or none any more. */
psprobe_code psp_file_refuse(const char *path, psp_file_kind kind, int64_t version,
                             psprobe_error *error);
/** Renames a damaged file, with its log, to "path.damaged-TIME" and logs it. */
psprobe_code psp_file_set_aside(const char *path, const psprobe_logger *logger,
                                psprobe_error *error);

/** How long a connection waits for a lock that some other tool holds on the file. */
#define PSP_BUSY_MS 5000
/** What every connection is told first. @return SQLite's code */
int psp_connection_configure(sqlite3 *db);
/** Opens a read-only connection with a snapshot of its own; close with psp_reader_close. */
psprobe_code psp_reader_open(psprobe_store *store, sqlite3 **db, psprobe_error *error);
void psp_reader_close(sqlite3 *db);

/** Takes the lock of the file at `path`, and gives back the one before. */
psprobe_code psp_writer_lock(psprobe_store *store, const char *path, psprobe_error *error);
/** Bounds the log of the connection that writes. @return SQLite's code */
int psp_checkpoint_configure(psprobe_store *store);
/** Notes how the file stands, which the writer alone writes to: at its checkpoints. */
void psp_checkpoint_note(psprobe_store *store);
/** Opens the connection that writes, under the lock. A damaged file is set aside. */
psprobe_code psp_writer_open(psprobe_store *store, psprobe_error *error);
void psp_writer_close(psprobe_store *store);
/** Closes what runs that died left open. Once, by who opens the file to write. */
psprobe_code psp_store_recover(psprobe_store *store, psprobe_error *error);

/** What became of probes that were open as their run ended. */
typedef struct psp_closed {
  int64_t interrupted, uncertain;
} psp_closed;
/**
 * Closes what is open of a run: answered where all have, else interrupted. What was planned and not
 * sent goes, where that is known: `told` says that all sent ones are noted; after a death it is
 * known of those alone whose time has not come. In a transaction.
 */
psprobe_code psp_store_close_probes(psprobe_store *store, int64_t run, bool told,
                                    psp_closed *closed, psprobe_error *error);
/** The last of a run's planned probes that may have been sent, though nobody noted it. @return
 * SQLite's code */
int psp_store_find_last_sent(sqlite3 *db, int64_t run, int64_t *last);
/**
 * Sees that what is written reaches the file of that name: when it was removed or renamed, a new
 * one is made with all that the old one held; one that turned out to be damaged is set aside, and
 * a new one begun. With the mutex held; a stat where all is well.
 */
psprobe_code psp_writer_follow(psprobe_store *store, psprobe_error *error);

/** Takes the mutex of a writer whose file is there (psp_writer_follow). Fails without it. */
psprobe_code psp_store_enter(psprobe_store *store, psprobe_error *error);
void psp_store_leave(psprobe_store *store);
/** Takes away the digest of a closed probe's block, which is changed or is new in it. In a
 * transaction. */
psprobe_code psp_store_forget(psprobe_store *store, int64_t seq, psprobe_error *error);
/** The same of all blocks from one to another. */
psprobe_code psp_store_forget_blocks(psprobe_store *store, int64_t from, int64_t to,
                                     psprobe_error *error);
/** The same of all blocks in which a run has a probe open. */
psprobe_code psp_store_forget_open(psprobe_store *store, int64_t run, psprobe_error *error);
/** Looks which digests there are, as the writer opens. @return SQLite's code */
int psp_store_look_for_digests(psprobe_store *store);
/** Says that a digest of `block` is about to be made from what a reader sees from now on.
 * @param below receives up to which block there are digests */
psprobe_code psp_store_make_digest(psprobe_store *store, int64_t block, int64_t *below,
                                   psprobe_error *error);
/** A digest of a run's part of a block, as bytes. */
typedef struct psp_digest_bytes {
  int64_t run;
  const char *data;
  size_t len;
} psp_digest_bytes;
/** Keeps the digests of the block that psp_store_make_digest named, unless it has changed since.
 * @return PSPROBE_OK in either case; as psprobe_store_add */
psprobe_code psp_store_put_digests(psprobe_store *store, int64_t block,
                                   const psp_digest_bytes *digests, size_t count,
                                   psprobe_error *error);
/** Runs a statement that changes something. */
psprobe_code psp_store_change(psprobe_store *store, psp_statement which, psprobe_error *error);
/** Runs a statement, bound, that finds a row of two numbers. @return NOT_FOUND, without a word:
 * none
 */
psprobe_code psp_store_find(psprobe_store *store, psp_statement which, int64_t found[2],
                            psprobe_error *error);
/** A run's number and how many sources it has. @return NOT_FOUND: it was not begun */
psprobe_code psp_store_find_run(psprobe_store *store, const char *id, int64_t *seq, size_t *sources,
                                psprobe_error *error);
/** Keeps what is new of a run, all in one transaction. @return as psprobe_store_add */
psprobe_code psp_store_keep(psprobe_store *store, const char *run_id, const psprobe_news *news,
                            psprobe_error *error);
/**
 * Goes on with a run that has ended: `run` is as it would be begun, and receives its id.
 * @param which as in psprobe_filter
 * @param settings receives what the run's were, to free(); NULL: nobody wants to know
 * @return NOT_FOUND, INVALID_ARGUMENT; FAILED_PRECONDITION names a setting that is another
 */
psprobe_code psp_store_resume_run(psprobe_store *store, const char *which, psprobe_run *run,
                                  char **settings, psprobe_error *error);
/** Replaces the settings of a run that has begun. @return as psprobe_store_end_run */
psprobe_code psp_store_set_settings(psprobe_store *store, const char *run_id, const char *settings,
                                    psprobe_error *error);
/** Begins a transaction of the writer, with the mutex taken. Fails on a read-only store. */
psprobe_code psp_store_begin(psprobe_store *store, psprobe_error *error);
/**
 * The same of what is found out again where it is lost with the power, and so waits for no disk: a
 * mark, a digest. It is there for everybody at once, and on the disk with whatever is kept next; a
 * process that dies takes nothing of it along.
 */
psprobe_code psp_store_begin_unsynced(psprobe_store *store, psprobe_error *error);
/** Commits when `code` is OK, else rolls back; releases the mutex. @return the code in the end */
psprobe_code psp_store_finish(psprobe_store *store, psprobe_code code, psprobe_error *error);

/** How far old probes are taken away. Valid when zeroed. */
typedef struct psp_pruning {
  int64_t last;  /**< the last that was looked at; 0: the next piece is the first */
  uint64_t gone; /**< probes that were taken away */
  int piece;     /**< how many are looked at at once; 0: as usual */
} psp_pruning;
/**
 * Takes away what was sent before a time and is uploaded, of a piece of some hundred probes, in one
 * transaction. A pass is over when `last` is 0 again. @return as psprobe_store_add
 */
psprobe_code psp_store_prune(psprobe_store *store, int64_t before_ns, psp_pruning *pruning,
                             psprobe_error *error);

/** A run and the texts in it, as read. */
typedef struct psp_run {
  int64_t seq, revision, uploaded;
  psprobe_run run;
  char *text; /**< what run's pointers point into */
} psp_run;
typedef struct psp_runs {
  psp_run *items;
  size_t count;
} psp_runs;

/** Reads the runs that a filter names, oldest first. @return also NOT_FOUND, INVALID_ARGUMENT */
psprobe_code psp_runs_read(sqlite3 *db, const char *path, const psprobe_filter *filter,
                           psp_runs *runs, psprobe_error *error);
/** Reads the runs that stepping `run` gives (PSP_RUN_SQL), with `sources` (PSP_SOURCES_SQL) for
 * the names in them; both are reset. */
psprobe_code psp_runs_take(sqlite3 *db, const char *path, sqlite3_stmt *run, sqlite3_stmt *sources,
                           psp_runs *runs, psprobe_error *error);
#define PSP_RUN_SQL                                                                        \
  "seq, id, started_ns, coalesce(ended_ns, 0), interval_ns, timeout_ns, ending, resumed, " \
  "revision, uploaded, project, topic, host, version, settings, region, clock"
#define PSP_SOURCES_SQL "SELECT name FROM sources WHERE run = ? ORDER BY position"
void psp_runs_free(psp_runs *runs);
/** The run with that seq, or NULL. */
const psp_run *psp_runs_find(const psp_runs *runs, int64_t seq);

/** The columns of a row, in the order of PSP_ROW_COLUMNS, with one answer a step. */
#define PSP_ROW_COLUMNS                                                                      \
  "p.seq, p.id, p.run, p.sent_ns, p.lateness_ns, p.publish_ns, p.saved_ns, p.revision, "     \
  "p.uploaded, p.cadence, a.position, a.status, a.elapsed_ns, a.duplicates, a.cold, "        \
  "a.handled_ns, a.received_ns, a.instance, a.invocation, a.attempt, a.age_ns, a.ready_ns, " \
  "a.published_ns, a.arrived_ns, a.responder_sent_ns, a.t1_ns, a.t2_ns, a.t3_ns, a.t4_ns, i.name"
/** What they are of, after the probes as p: the answers that count, and who gave them. */
#define PSP_ROW_ANSWERS                                         \
  " LEFT JOIN answers a ON a.probe = p.seq AND a.delivery = 1 " \
  "LEFT JOIN instances i ON i.seq = a.instance "
/** A row, and the answers after the first of each source, which are the callee's to change. @return
 * false to end */
typedef bool psp_row_further(void *arg, const psprobe_row *row, psp_further_list *further);
/** As psprobe_store_each, with further answers. */
psprobe_code psp_store_each_further(psprobe_store *store, const psprobe_filter *filter,
                                    psp_row_further *each, void *arg, psprobe_error *error);

/** A probe as it stands in the file. */
typedef struct psp_stored_row {
  int64_t seq, run, saved_ns, revision, uploaded;
  uint32_t answers; /**< bit i: there is one at position i */
  psprobe_result result;
} psp_stored_row;
/**
 * Reads the probe that `statement` (stepped: SQLITE_ROW) stands at, with its answers, and steps on
 * to the next probe. @return SQLITE_ROW (there is one more), SQLITE_DONE, or an error;
 * SQLITE_MISMATCH for values that we never write
 */
int psp_row_read(sqlite3_stmt *statement, psp_stored_row *stored);
/** Fits it to its run (NULL: not found): a source without an answer has lost it. @return false: it
 * has answers of sources that the run does not have */
bool psp_row_fit(psp_stored_row *stored, const psp_run *run);

#endif
