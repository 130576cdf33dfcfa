/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_PROCESS_H
#define PSPROBE_PROCESS_H
/**
 * @file
 * A program and its processes: the signals that it gets, the programs that it starts. Unless a
 * function says otherwise:
 *
 * Ownership: what is passed in is borrowed for the call.
 * Threading: from one thread at a time, for each object.
 * Blocks: no.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- signals ---- */

/** Called for each SIGINT or SIGTERM, on a thread of its own: anything may be called but what is
 * of these signals. */
typedef void psprobe_on_signal(void *arg, int count);

typedef struct psprobe_signals psprobe_signals;
/**
 * Takes SIGINT, SIGTERM and SIGHUP (unless that is ignored, as under nohup) of the process, and
 * ignores SIGPIPE. Call it before any other thread is there: they inherit the blocked signals. The
 * third signal ends the process at once.
 *
 * @param signals receives it
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED without memory or threads
 */
PSPROBE_API psprobe_code psprobe_signals_new(psprobe_signals **signals, psprobe_error *error);
/**
 * From now on (and at once, for signals that came before) signals go to `fn`.
 * @param fn NULL: nowhere; it has returned from the last call then
 * Threading: any thread.
 */
PSPROBE_API void psprobe_signals_to(psprobe_signals *signals, psprobe_on_signal *fn, void *arg);
/**
 * How many have come.
 * @return their number
 * Threading: any thread.
 */
PSPROBE_API int psprobe_signals_count(psprobe_signals *signals);
/**
 * Waits for a signal, unless one has come.
 * @param timeout_ns for how long; negative: for ever
 * @return whether one has come
 * Threading: any thread.
 * Blocks: until then.
 */
PSPROBE_API bool psprobe_signals_wait(psprobe_signals *signals, int64_t timeout_ns);
/** Ends its thread and frees; the signals stay blocked. NULL is fine. */
PSPROBE_API void psprobe_signals_free(psprobe_signals *signals);

/* ---- child processes ---- */

/** A program that ours started; it dies with us. */
typedef struct psprobe_child psprobe_child;
/**
 * Starts a program with no signal blocked and its standard output in a pipe. It is killed when the
 * thread that called this ends.
 * @param argv its arguments, NULL-terminated; argv[0] is a path, or a name to look for in PATH
 * @param extra_env "NAME=value" entries beside our environment, NULL-terminated; may be NULL
 * @param child receives it
 * @return PSPROBE_OK; NOT_FOUND or PERMISSION_DENIED when it cannot be run; RESOURCE_EXHAUSTED
 *         without memory or processes
 */
PSPROBE_API psprobe_code psprobe_child_new(const char *const *argv, const char *const *extra_env,
                                           psprobe_child **child, psprobe_error *error);
/**
 * The path of another of our programs, beside the one that runs: "responder" or
 * "psprobe-responder".
 * @param name "responder"
 * @param path, size  receives it
 * @return PSPROBE_OK; NOT_FOUND: it is not there, or its path is longer
 */
PSPROBE_API psprobe_code psprobe_program_path(const char *name, char *path, size_t size,
                                              psprobe_error *error);
/**
 * What a person types to run it: psprobe-NAME if we were called so, else NAME in the folder that
 * we were called from.
 * @param name "responder"
 * @param command, size  receives it, cut to fit
 * @return `command`
 */
PSPROBE_API const char *psprobe_program_command(const char *name, char *command, size_t size);
/**
 * Waits for a line of its standard output that begins with `prefix`; other lines are let go.
 * @param prefix what the line begins with
 * @param timeout_ns for how long
 * @param line, size  receives it, without the newline
 * @return PSPROBE_OK; DEADLINE_EXCEEDED; UNAVAILABLE when the program ended before
 * Blocks: until then.
 */
PSPROBE_API psprobe_code psprobe_child_wait_line(psprobe_child *child, const char *prefix,
                                                 int64_t timeout_ns, char *line, size_t size,
                                                 psprobe_error *error);
/**
 * Ends it: SIGTERM, then SIGKILL.
 * @param patience_ns how long SIGTERM may take
 * @return its exit status, 128 + signal, or -1
 * Blocks: until it has ended.
 */
PSPROBE_API int psprobe_child_stop(psprobe_child *child, int64_t patience_ns);
/** Stops it, with a patience of 5 s, and frees. NULL is fine.
 * Blocks: as psprobe_child_stop does. */
PSPROBE_API void psprobe_child_free(psprobe_child *child);

#ifdef __cplusplus
}
#endif
#endif
