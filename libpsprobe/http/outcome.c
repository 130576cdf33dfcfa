/* SPDX-License-Identifier: MIT */
#include "http/outcome.h"

#include "base/log.h"

void psp_http_log_outcome(const psprobe_logger *logger, const char *method, const char *host,
                          int status, const psprobe_error *error) {
  psp_log_line line;
  if (!psp_log_begin(&line, logger, PSPROBE_LOG_DEBUG, "http_request")) return;
  psp_log_text(&line, "method", method);
  psp_log_text(&line, "host", host);
  if (status)
    psp_log_int(&line, "status", status);
  else
    psp_log_error(&line, error);
  psp_log_end(&line);
}
