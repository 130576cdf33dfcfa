/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_LOG_H
#define PSPROBE_LOG_H
/**
 * @file
 * Where the library says what it does. It prints nothing by itself: it hands
 * finished lines to the sink that the program chose, and none by default.
 *
 * Ownership: texts are borrowed until the call returns.
 * Threading: any thread.
 * Blocks: as long as what takes the line does.
 */
#include <psprobe/version.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum psprobe_log_level {
  PSPROBE_LOG_ERROR = 0,
  PSPROBE_LOG_WARNING = 1,
  PSPROBE_LOG_INFO = 2,
  PSPROBE_LOG_DEBUG = 3
} psprobe_log_level;

/**
 * Takes one line, `level=info event=published topic=probes took_ns=1234`, with
 * neither time nor newline. `line` is borrowed until the sink returns.
 * Threading: called from any of the library's threads, so it must be safe for
 * that; it must not call back into the library.
 */
typedef void psprobe_log_sink(void *arg, psprobe_log_level level, const char *line);

/** A logger, copied by whatever takes one. Zeroed: silent. */
typedef struct psprobe_logger {
  psprobe_log_sink *sink;
  void *arg;
  psprobe_log_level level; /**< the most verbose level that reaches the sink */
} psprobe_logger;

/**
 * A sink that writes `time=2026-11-24T22:10:05.123456Z level=…` lines to
 * standard error, each with one write(2). `arg` is not used.
 * @param level not used either: the line says it
 * @param line  as psprobe_log_sink gets it
 */
PSPROBE_API void psprobe_log_stderr(void *arg, psprobe_log_level level, const char *line);

/**
 * Reads "error", "warning", "info" or "debug".
 *
 * @param text  may be NULL, which is none of them
 * @param level receives it
 * @return 0, or -1 with `level` untouched when `text` is none of them.
 */
PSPROBE_API int psprobe_log_level_parse(const char *text, psprobe_log_level *level);

#ifdef __cplusplus
}
#endif
#endif
