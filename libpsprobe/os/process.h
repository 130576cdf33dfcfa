/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_PROCESS_H
#define PSP_OS_PROCESS_H
/** @file A program that ours starts, reads from, and stops; it dies with us. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <psprobe/error.h>

/** One owner, one thread at a time. */
typedef struct psp_process {
  pid_t pid;  /**< 0: not running */
  int output; /**< read end of what it prints, non-blocking; -1: closed */
  int status; /**< once it has ended: its exit status, or 128 + signal */
} psp_process;

/**
 * Starts argv[0] (a path, or a name that is looked for in PATH) with no signal blocked or ignored,
 * a process group of its own (so that Ctrl-C reaches us alone), standard input from /dev/null and
 * standard output in a pipe. The kernel kills it when the thread that called this ends.
 *
 * @param extra_env "NAME=value" entries beside our environment, NULL-terminated; may be NULL
 * @param errors_too standard error goes into the same pipe; else it is ours
 * @return PSPROBE_OK; NOT_FOUND or PERMISSION_DENIED, naming the program; …
 */
psprobe_code psp_process_start(psp_process *process, const char *const *argv,
                               const char *const *extra_env, bool errors_too, psprobe_error *error);

/**
 * Waits until it prints a line that begins with `prefix`; others are let go.
 * @param line receives it, without the newline, cut to `size`
 * @return OK; DEADLINE_EXCEEDED at monotonic `until_ns`; UNAVAILABLE when it closed its output
 */
psprobe_code psp_process_wait_line(psp_process *process, const char *prefix, int64_t until_ns,
                                   char *line, size_t size, psprobe_error *error);

/** A new descriptor that poll(2) finds readable once it has ended; -1: the kernel has none (before
 * 5.3). The caller's to close. */
int psp_process_handle(const psp_process *process);
/** True once it has ended (it is reaped then). */
int psp_process_ended(psp_process *process);
/** SIGTERM; SIGKILL after `patience_ns`; waits. @return status as above; 0 when it never ran */
int psp_process_stop(psp_process *process, int64_t patience_ns);

#endif
