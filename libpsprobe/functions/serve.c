/* SPDX-License-Identifier: MIT */
/** @file A function as the whole of a program: named by the environment, ended by a signal. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/shown.h"
#include "base/text.h"
#include "functions/parts.h"
#include "functions/targets.h"
#include "os/clock.h"

#define DEFAULT_GRACE_NS (9 * PSP_SECOND_NS)

static const char *setting(const char *value, const char *variable) {
  return value != NULL ? value : getenv(variable);
}

/* Every address, at PORT. */
static psprobe_code listen_at(char out[16], psprobe_error *error) {
  const char *text = getenv("PORT");
  int64_t port = 8080;
  if (text != NULL && *text != 0 && !psp_parse_int64(text, 0, 65535, &port))
    return psp_setting_refuse(error, "PORT", text, "not a number from 0 to 65535");
  snprintf(out, 16, ":%" PRId64, port);
  return PSPROBE_OK;
}

static void note(const psprobe_function *f, const char *event) {
  psp_log_line line;
  if (!psp_log_begin(&line, &f->logger, PSPROBE_LOG_INFO, event)) return;
  psp_log_text(&line, "target", f->target.name);
  psp_log_text(&line, "service", getenv("K_SERVICE"));
  psp_log_text(&line, "revision", getenv("K_REVISION"));
  psp_log_text(&line, "instance", f->instance->id);
  psp_log_int(&line, "port", psprobe_function_port(f));
  psp_log_int(&line, "ready_ns", atomic_load(&f->instance->ready_ns));
  psp_log_int(&line, "invocations", (int64_t)atomic_load(&f->instance->calls));
  psp_log_end(&line);
}

static psprobe_code run(psprobe_function *f, const sigset_t *signals, int64_t grace_ns,
                        psprobe_error *error) {
  int signal;
  note(f, "function_ready");
  while (sigwait(signals, &signal) != 0) {
  }
  note(f, "function_ending");
  if (psprobe_function_stop(f, grace_ns)) {
    psprobe_function_free(f);
    return PSPROBE_OK;
  }
  /* Its calls still use it: the program's end frees it. */
  return psp_fail(error, PSPROBE_DEADLINE_EXCEEDED,
                  "calls of %.100s went on beyond the grace period", f->target.name);
}

psprobe_code psprobe_function_serve(const psprobe_target *targets, size_t count,
                                    const psprobe_function_options *options, psprobe_error *error) {
  psprobe_function_options o = options != NULL ? *options : (psprobe_function_options){0};
  const psprobe_target *target = NULL;
  psprobe_function *function = NULL;
  sigset_t signals;
  char listen[16];
  psprobe_code code =
      psp_target_choose(targets, count, setting(o.target, "FUNCTION_TARGET"),
                        setting(o.signature_type, "FUNCTION_SIGNATURE_TYPE"), &target, error);
  if (code == PSPROBE_OK && o.listen == NULL) code = listen_at(listen, error);
  if (code != PSPROBE_OK) return code;
  if (o.listen == NULL) o.listen = listen;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);
  code = psprobe_function_new(target, &o, &function, error);
  if (code != PSPROBE_OK) return code;
  return run(function, &signals, o.grace_ns > 0 ? o.grace_ns : DEFAULT_GRACE_NS, error);
}
