/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_COMMAND_H
#define PSP_OS_COMMAND_H
/** @file Runs a program to its end: no shell, a deadline, its output kept as a secret. */
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#include "os/secret.h"

/**
 * Runs argv[0] (looked for in PATH) with exactly the environment `env`, in a process group of its
 * own, standard input and error at /dev/null and output read into `out`.
 *
 * @param max_output bytes; more is an error
 * @param status receives the exit status; 128 + n after a signal
 * @return NOT_FOUND (no such program); DEADLINE_EXCEEDED (it was killed); RESOURCE_EXHAUSTED
 */
psprobe_code psp_child_run(const char *const *argv, const char *const *env, int64_t timeout_ns,
                           size_t max_output, psp_secret *out, int *status, psprobe_error *error);

/**
 * Splits a command as Google's libraries do: at spaces, double quotes group, nothing else is
 * special.
 * @return an array that ends with NULL, to free() with its texts in one block; NULL: no memory,
 *         nothing in it, or a quote without end
 */
char **psp_child_split(const char *command);

#endif
