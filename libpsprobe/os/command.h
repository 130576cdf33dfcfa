/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_COMMAND_H
#define PSP_OS_COMMAND_H
/** @file Runs a program to its end: no shell, a deadline, its output kept as a secret. */
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "os/secret.h"

/** What is run. All borrowed for the call. */
typedef struct psp_command {
  const char *const *argv; /**< ends with NULL; argv[0] with no "/" in it is looked for … */
  const char *folders;     /**< … here, parted by ":"; NULL: in our PATH */
  const char *const *env;  /**< exactly its environment; ends with NULL */
  const char *input;       /**< its standard input; NULL: /dev/null */
  int64_t timeout_ns;
  size_t max_output; /**< bytes; more is an error */
} psp_command;

/**
 * Runs it in a process group of its own, its standard error at /dev/null and its output read into
 * `out`.
 *
 * @param status receives the exit status; 128 + n after a signal
 * @return NOT_FOUND (no such program); DEADLINE_EXCEEDED (it was killed); RESOURCE_EXHAUSTED
 */
psprobe_code psp_command_run(const psp_command *command, psp_secret *out, int *status,
                             psprobe_error *error);

/**
 * Splits a command as Google's libraries do: at spaces, double quotes group, nothing else is
 * special.
 * @return an array that ends with NULL, to free() with its texts in one block; NULL: no memory,
 *         nothing in it, or a quote without end
 */
char **psp_command_split(const char *command);

#endif
