/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_CLI_H
#define PSPROBE_CLI_H
/**
 * @file
 * What the programs share, of which this header is the front door: options, signals, other
 * programs, a progress line. The only part of the library that prints, and it prints where it is
 * told to. Unless a function says otherwise:
 *
 * Ownership: what is passed in is borrowed for the call.
 * Threading: from one thread at a time, for each object.
 * Blocks: no.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <psprobe/client.h>
#include <psprobe/options.h>
#include <psprobe/probe.h>
#include <psprobe/process.h>
#include <psprobe/report.h>
#include <psprobe/results.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- progress ---- */

/** Writes one line, without newline, into `line`. On the progress thread. */
typedef void psprobe_progress_line(void *arg, char *line, size_t size);

/** A line about work under way: written over ten times a second on a terminal, and a plain line
 * each 30 s elsewhere. */
typedef struct psprobe_progress psprobe_progress;
/**
 * Begins to show progress.
 * @param file where
 * @param line asked for each line
 * @param progress receives it
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED without memory or threads
 * Ownership: `file` is borrowed until psprobe_progress_free.
 */
PSPROBE_API psprobe_code psprobe_progress_new(FILE *file, psprobe_progress_line *line, void *arg,
                                              psprobe_progress **progress, psprobe_error *error);
/** Takes the line off the terminal, ends the thread, frees. NULL is fine. */
PSPROBE_API void psprobe_progress_free(psprobe_progress *progress);

/**
 * A psprobe_progress_line of a prober, which `arg` is.
 * @param line, size  receives it
 * Threading: any thread.
 */
PSPROBE_API void psprobe_prober_progress(void *arg, char *line, size_t size);
/**
 * Names each source that was silent throughout, which is a matter of how things are set up and not
 * of speed, and the program that looks for what is missing.
 * @param file where
 * @param prober one that has run
 */
PSPROBE_API void psprobe_cli_tell_silent(FILE *file, const psprobe_prober *prober);

/* ---- output ---- */

/**
 * Prints as fprintf does, and shows what stands in it as it may be shown on a terminal: no control
 * character but line feeds, nothing that is no UTF-8. All that a program says itself goes this way.
 * @param file where
 * @param format as of printf; what is over 8 KiB is cut
 */
PSPROBE_API void psprobe_cli_print(FILE *file, const char *format, ...) PSPROBE_PRINTF(2, 3);
/**
 * How a text is laid out on a stream: the terminal's width (or COLUMNS), colour only on a terminal
 * and unless NO_COLOR is set.
 * @param file where it is to be written
 * @param ascii no block characters
 * @return the options
 */
PSPROBE_API psprobe_text_options psprobe_cli_text_options(FILE *file, bool ascii);
/**
 * Prints a finished text, as the library makes them (psprobe_report_text and its like, which show
 * what stands in them as it may be shown), or writes it to a file, which nobody sees half of.
 * @param text takes it, and frees it; NULL: there was no memory for it
 * @param path the file's name; NULL or "-": standard output
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED when there is no text; PERMISSION_DENIED; NOT_FOUND when
 *         there is no such folder; UNAVAILABLE when it cannot be written else; the error names the
 *         path
 * Blocks: on the disk.
 */
PSPROBE_API psprobe_code psprobe_cli_put(char *text, const char *path, psprobe_error *error);

/* ---- start ---- */

/**
 * Makes sure, before a program begins, that the service answers and the topic is there.
 *
 * @param topic its id, or in full
 * @param create make the topic if it is not
 * @return PSPROBE_OK, also when we may not look; NOT_FOUND or UNAVAILABLE with what to do about it;
 *         else as psprobe_topic_create and psprobe_topic_exists
 * Blocks: up to 4 s.
 */
PSPROBE_API psprobe_code psprobe_topic_ready(psprobe_client *client, const char *topic, bool create,
                                             psprobe_error *error);
/**
 * Likewise for a subscription that is to be pulled: whether it is there, and can bring anything.
 * @param subscription its id, or in full
 * @param topic what it is to be subscribed to
 * @param create make the topic and it if they are not there, and it again if it is cut off since
 * its topic was deleted. Without, one of another topic is only warned of, in the client's log
 * @return PSPROBE_OK, also when we may not look; NOT_FOUND or UNAVAILABLE with what to do about it;
 *         FAILED_PRECONDITION: it is cut off, of another topic, or pushes; else as
 *         psprobe_subscription_create and psprobe_subscription_get
 * Blocks: as they do.
 */
PSPROBE_API psprobe_code psprobe_subscription_ready(psprobe_client *client,
                                                    const char *subscription, const char *topic,
                                                    bool create, psprobe_error *error);

/* ---- run and end ---- */

/**
 * Runs a prober to its end, with a progress line on standard error. A signal ends the sending;
 * what is in flight then is waited for until the grace is over or another signal comes.
 * @param prober one that has not run
 * @param signals asked meanwhile; nowhere afterwards
 * @param grace_ns how long; 0: what is in flight is given up
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED: no memory, no thread; else as psprobe_prober_run
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_cli_run(const psprobe_program *program, psprobe_prober *prober,
                                         psprobe_signals *signals, int64_t grace_ns,
                                         psprobe_error *error);

/**
 * Waits until results are uploaded, until ten seconds have passed (nine since the signal, if one
 * ended the run), but not against somebody who has asked for the end twice, or once since.
 * @param signals asked meanwhile
 * @return PSPROBE_OK, or as psprobe_uploader_flush
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_cli_flush(psprobe_uploader *uploader, psprobe_signals *signals,
                                           psprobe_error *error);

#ifdef __cplusplus
}
#endif
#endif
