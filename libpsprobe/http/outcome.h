/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_OUTCOME_H
#define PSP_HTTP_OUTCOME_H
/** @file What the client logs of a request, at debug level. */
#include <psprobe/error.h>
#include <psprobe/log.h>

/** `status` 0: there is an `error`. `host` without path or query. */
void psp_http_log_outcome(const psprobe_logger *logger, const char *method, const char *host,
                          int status, const psprobe_error *error);

#endif
