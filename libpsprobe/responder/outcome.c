/* SPDX-License-Identifier: MIT */
/** @file How a message ends: counted, logged now and then, told to whoever began it. */
#include "base/log.h"
#include "responder/parts.h"

#define LOG_FAILED_NS (10 * PSP_SECOND_NS)

bool psp_log_limit_pass(psp_log_limit *limit, int64_t every_ns) {
  int64_t now_ns = psprobe_clock_monotonic();
  int64_t next_ns = atomic_load(&limit->next_ns);
  if (now_ns < next_ns) return false;
  return atomic_compare_exchange_strong(&limit->next_ns, &next_ns,
                                        every_ns == 0 ? INT64_MAX : now_ns + every_ns);
}

static void log_outcome(psprobe_responder *responder, psprobe_code code,
                        const psprobe_error *error) {
  bool rejected = code == PSPROBE_INVALID_ARGUMENT;
  psp_log_limit *limit = rejected ? &responder->log_rejected : &responder->log_failed;
  psp_log_line line;
  if (!psp_log_limit_pass(limit, rejected ? 0 : LOG_FAILED_NS)) return;
  if (!psp_log_begin(&line, &responder->logger, PSPROBE_LOG_WARNING,
                     rejected ? "message_without_probe" : "answer_failed"))
    return;
  psp_log_error(&line, error);
  psp_log_int(&line, "count",
              (int64_t)atomic_load(rejected ? &responder->rejected : &responder->failed));
  psp_log_end(&line);
}

static void count(psprobe_responder *responder, psprobe_code code, const psprobe_error *error) {
  if (code == PSPROBE_OK) {
    atomic_fetch_add(&responder->answered, 1);
    return;
  }
  atomic_fetch_add(code == PSPROBE_INVALID_ARGUMENT ? &responder->rejected : &responder->failed, 1);
  log_outcome(responder, code, error);
}

void psp_answering_end(const psp_answering *answering, psprobe_code code,
                       const psprobe_error *error) {
  psprobe_responder *responder = answering->responder;
  count(responder, code, error);
  if (code != PSPROBE_OK) { /* first: whoever hears of it may try another at once */
    pthread_mutex_lock(&responder->lock);
    responder->taken--;
    pthread_mutex_unlock(&responder->lock);
  }
  answering->done(answering->arg, code, error);
  pthread_mutex_lock(&responder->lock);
  responder->active--;
  pthread_cond_broadcast(&responder->changed);
  pthread_mutex_unlock(&responder->lock);
}
