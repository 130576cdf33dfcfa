/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_REPORT_H
#define PSPROBE_REPORT_H
/**
 * @file
 * What people look at: the table, rows as CSV, figures as JSON. Unless a function says otherwise:
 *
 * Ownership: what goes in is borrowed until it returns; a returned `char *` is the caller's, to
 * free(). Threading: one thread at a time for one report. Blocks: never.
 */
#include <psprobe/results.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Results in memory, in columns, as every figure and picture is made from them. */
typedef struct psprobe_report psprobe_report;

/**
 * Reads results from a store.
 * @param store  stays the caller's
 * @param filter what to let through; may be NULL: all
 * @param report receives it
 * @return PSPROBE_OK; otherwise as psprobe_store_each; RESOURCE_EXHAUSTED: no memory
 * Ownership: free it with psprobe_report_free.
 * Blocks: while the file is read.
 */
PSPROBE_API psprobe_code psprobe_report_load(psprobe_store *store, const psprobe_filter *filter,
                                             psprobe_report **report, psprobe_error *error);

/** What to read; valid when zeroed. All borrowed. */
typedef struct psprobe_report_options {
  psprobe_filter filter;
  const char *const *sources; /**< these alone, in this order; NULL: all */
  size_t source_count;
  const psprobe_logger *logger;
  bool recount; /**< sum up each row anew, though the file has sums of blocks of them */
  bool rows; /**< hold each probe of a results file, for psprobe_report_csv and the like; else more
                than 500,000 are summed up in histograms: durations to 0.1 %, in little memory */
} psprobe_report_options;

/**
 * Reads a results file, or a CSV or JSON lines of the first experiment's fields
 * (docs/report-json.md), told apart by what is in it.
 *
 * @param path    "-": standard input, CSV or JSON lines
 * @param options may be NULL
 * @param report  receives it
 * @return PSPROBE_OK; INVALID_ARGUMENT names line and column; NOT_FOUND a source; the store's
 * Ownership: free it with psprobe_report_free.
 * Blocks: while it is read.
 */
PSPROBE_API psprobe_code psprobe_report_read(const char *path,
                                             const psprobe_report_options *options,
                                             psprobe_report **report, psprobe_error *error);
/** Takes some of a text. @param text not zero-terminated. @param len its bytes. @return false to
 * end */
typedef bool psprobe_report_put(void *arg, const char *text, size_t len);
/** The forms of rows. */
typedef enum psprobe_report_form {
  PSPROBE_REPORT_CSV,       /**< as psprobe_report_csv */
  PSPROBE_REPORT_JSON_LINES /**< as psprobe_report_json_lines; of a results file all runs, whatever
                                 their sources, unless some are asked for */
} psprobe_report_form;
/**
 * Hands out the rows in constant memory, however many they are: what they are in is read more than
 * once (a pipe goes into a nameless file in /tmp first).
 *
 * @param path    as psprobe_report_read
 * @param options as psprobe_report_read; may be NULL
 * @param form    of the rows
 * @param put     called on this thread
 * @return PSPROBE_OK, also when `put` ended it; else as psprobe_report_read
 * Blocks: while it is read.
 */
PSPROBE_API psprobe_code psprobe_report_export(const char *path,
                                               const psprobe_report_options *options,
                                               psprobe_report_form form, psprobe_report_put *put,
                                               void *arg, psprobe_error *error);

/** Where in Firestore; valid when zeroed. All borrowed. */
typedef struct psprobe_report_cloud {
  const char *collection; /**< of probes; NULL: pubsub_results */
  const char *runs;       /**< of runs; NULL: as psprobe_uploader_options has it */
  void (*progress)(void *arg,
                   uint64_t rows); /**< told how many there were so far; NULL: nobody is */
  void *progress_arg;
} psprobe_report_cloud;
/**
 * Reads what probers uploaded, by a query that goes on where its answer breaks off: the same rows
 * in the same order as from their results file. Documents of the first experiment are read too.
 *
 * @param client  reads
 * @param cloud   may be NULL
 * @param options may be NULL
 * @param report  receives it
 * @return PSPROBE_OK; NOT_FOUND a run or a source; INVALID_ARGUMENT also for a document that is not
 *         as it must be, named; else as psprobe_query_run
 * Ownership: free it with psprobe_report_free.
 * Blocks: while it is read.
 */
PSPROBE_API psprobe_code psprobe_report_fetch(psprobe_client *client,
                                              const psprobe_report_cloud *cloud,
                                              const psprobe_report_options *options,
                                              psprobe_report **report, psprobe_error *error);
/**
 * Hands out what probers uploaded, without a report, in constant memory: JSON lines as they come,
 * in Firestore's order; a CSV, or some sources, in the order sent, by way of a temporary file.
 *
 * @param client  reads
 * @param cloud   may be NULL
 * @param options as psprobe_report_export
 * @param form    of the rows
 * @param put     called on this thread
 * @return PSPROBE_OK, also when `put` ended it; RESOURCE_EXHAUSTED also: no room for that file;
 *         else as psprobe_report_fetch
 *
 * Blocks: while it is read.
 */
PSPROBE_API psprobe_code psprobe_report_export_cloud(psprobe_client *client,
                                                     const psprobe_report_cloud *cloud,
                                                     const psprobe_report_options *options,
                                                     psprobe_report_form form,
                                                     psprobe_report_put *put, void *arg,
                                                     psprobe_error *error);
/** Frees. NULL is fine. */
PSPROBE_API void psprobe_report_free(psprobe_report *report);
/** @return probes in the report */
PSPROBE_API size_t psprobe_report_count(const psprobe_report *report);

/** @return the answer in one sentence; the report's, until it is freed */
PSPROBE_API const char *psprobe_report_sentence(const psprobe_report *report);

/** How a text is laid out; zeroed: 80 columns, Unicode, no colour. */
typedef struct psprobe_text_options {
  int width;  /**< columns; less than 20 counts as 20 */
  bool ascii; /**< no block characters */
  bool color; /**< ANSI colours */
} psprobe_text_options;

/**
 * The report for a terminal: the sentence, the table, a histogram drawn in text, and what else a
 * careful reader should know.
 * @param options may be NULL
 * @return the text; NULL: no memory
 */
PSPROBE_API char *psprobe_report_text(const psprobe_report *report,
                                      const psprobe_text_options *options);
/**
 * The table alone: per source sent, answered, late, lost, duplicate, min, p50, p90, p99, max; then
 * the paired difference's median and who was first how often.
 * @return the text; NULL: no memory
 */
PSPROBE_API char *psprobe_report_table(const psprobe_report *report);
/**
 * One row a probe, its id in the first column (RFC 4180, LF).
 * @return the text; NULL: no memory, or probes are summed up (psprobe_report_options)
 */
PSPROBE_API char *psprobe_report_csv(const psprobe_report *report);
/**
 * An object a line: each run, then each probe with its answers (docs/report-json.md).
 * @return the text; NULL: no memory, or as psprobe_report_csv
 */
PSPROBE_API char *psprobe_report_json_lines(const psprobe_report *report);
/**
 * The figures, in the schema of docs/report-json.md.
 * @return the text; NULL: no memory
 */
PSPROBE_API char *psprobe_report_json(const psprobe_report *report);
/**
 * The sentence and the table for an issue or a pull request (GitHub's Markdown).
 * @return the text; NULL: no memory
 */
PSPROBE_API char *psprobe_report_markdown(const psprobe_report *report);
/**
 * The page: one self-contained HTML file that opens from disk, with the plots.
 * @return the text; NULL: no memory
 */
PSPROBE_API char *psprobe_report_html(const psprobe_report *report);

/**
 * What became of each source from one run to another.
 * @param after   the later one
 * @param options may be NULL
 * @param text    receives it, to free()
 * @return PSPROBE_OK; INVALID_ARGUMENT: figures that cannot be compared; RESOURCE_EXHAUSTED: no
 *         memory
 */
PSPROBE_API psprobe_code psprobe_report_before_after(const psprobe_report *before,
                                                     const psprobe_report *after,
                                                     const psprobe_text_options *options,
                                                     char **text, psprobe_error *error);

/**
 * Draws with gnuplot: STEM-series, STEM-ecdf, STEM-histogram and, where two sources
 * answered the same probes, STEM-differences.
 *
 * @param stem   of the files' names
 * @param format "svg" or "png"
 * @return PSPROBE_OK; NOT_FOUND when gnuplot is not installed; FAILED_PRECONDITION with nothing to
 *         draw; INTERNAL when gnuplot fails; INVALID_ARGUMENT: another format; PERMISSION_DENIED
 *         and others: a file that cannot be written, named; RESOURCE_EXHAUSTED: no memory
 *
 * Blocks: while gnuplot runs.
 */
PSPROBE_API psprobe_code psprobe_report_draw(const psprobe_report *report, const char *stem,
                                             const char *format, psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
