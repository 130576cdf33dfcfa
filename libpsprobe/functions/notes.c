/* SPDX-License-Identifier: MIT */
/** @file What a served function writes down: failures with their words, and what it did not take.
 */
#include "base/log.h"
#include "functions/parts.h"

void psp_function_note(psprobe_call *call, psprobe_code code, const psprobe_error *error) {
  psp_served *served = call->served;
  psprobe_function *function = served->function;
  psp_log_line line;
  if (code == PSPROBE_OK) return;
  atomic_store(&served->outcome, (int)code);
  uint64_t count = atomic_fetch_add(&function->failed, 1) + 1;
  if (function->hooks.quiet ||
      !psp_log_begin(&line, &function->logger, PSPROBE_LOG_ERROR, "function_failed"))
    return;
  psp_log_text(&line, "target", function->target.name);
  psp_log_int(&line, "invocation", (int64_t)call->number);
  if (call->event != NULL) psp_log_text(&line, "id", call->event->id);
  psp_log_text(&line, "execution", psp_exchange_header(served->exchange, "Function-Execution-Id"));
  psprobe_error bare = {.code = code};
  psp_log_error(&line, error != NULL && error->code != PSPROBE_OK ? error : &bare);
  psp_log_int(&line, "count", (int64_t)count);
  psp_log_end(&line);
}

void psp_function_note_event(psprobe_function *function, const char *what, psprobe_code code,
                             const psprobe_error *error) {
  bool unhandled = code == PSPROBE_UNIMPLEMENTED;
  psp_log_line line;
  uint64_t count = atomic_fetch_add(unhandled ? &function->unhandled : &function->refused, 1) + 1;
  /* Whoever sends such sends many: the first ten, then each that doubles their number. */
  if (count > 10 && (count & (count - 1)) != 0) return;
  if (!psp_log_begin(&line, &function->logger, PSPROBE_LOG_WARNING, what)) return;
  psp_log_text(&line, "target", function->target.name);
  psp_log_error(&line, error);
  psp_log_int(&line, "count", (int64_t)count);
  psp_log_end(&line);
}
