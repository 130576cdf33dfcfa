/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_OUTPUT_H
#define PSP_LOCAL_FUNCTIONS_OUTPUT_H
/** @file What a program prints: its lines, and the addresses in them. Pure. */
#include <stddef.h>

#include <psprobe/log.h>

#include "local/functions/address.h"

#define PSP_OUTPUT_ADDRESSES 8 /* that a program may print and not, or not yet, listen at */

/** Valid when zeroed. */
typedef struct psp_function_output {
  char line[900]; /**< as far as it has come; what is longer is cut */
  size_t len;
  char last[200];                            /**< the last line with anything in it, cut */
  psp_address printed[PSP_OUTPUT_ADDRESSES]; /**< the latest */
  size_t printed_count;
} psp_function_output;

/** Receives a whole line that has anything in it. */
typedef void psp_function_line(void *arg, const char *line);

/** Takes what was printed next. */
void psp_function_output_take(psp_function_output *out, const char *bytes, size_t count,
                              psp_function_line *each, void *arg);
/** Its output has ended: so has its last line. */
void psp_function_output_end(psp_function_output *out, psp_function_line *each, void *arg);

/**
 * How grave a line is: as Cloud Run reads it, a JSON object says so in its member `severity`
 * (https://cloud.google.com/logging/docs/structured-logging); else it is for information.
 */
psprobe_log_level psp_function_line_level(const char *line);

#endif
