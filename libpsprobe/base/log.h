/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_LOG_H
#define PSP_BASE_LOG_H
/** @file Making key=value log lines, without allocation. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>
#include <psprobe/log.h>

/**
 * A line under way. Use:
 *
 *     psp_log_line line;
 *     if (psp_log_begin(&line, logger, PSPROBE_LOG_INFO, "published")) {
 *       psp_log_text(&line, "topic", topic);
 *       psp_log_int(&line, "took_ns", took);
 *       psp_log_end(&line);
 *     }
 */
typedef struct psp_log_line {
  const psprobe_logger *logger;
  psprobe_log_level level;
  size_t len;
  char text[1024];
} psp_log_line;

/** False: nobody listens at this level, so say no more. `logger` may be NULL. */
bool psp_log_begin(psp_log_line *line, const psprobe_logger *logger, psprobe_log_level level,
                   const char *event);
/** Quoted ("…" with \" \\ \n \xNN) when it holds more than plain characters; NULL is left out. */
void psp_log_text(psp_log_line *line, const char *key, const char *value);
void psp_log_int(psp_log_line *line, const char *key, int64_t value);
/** code= http= retryable= error="…" */
void psp_log_error(psp_log_line *line, const psprobe_error *error);
void psp_log_end(psp_log_line *line);

#endif
