/* SPDX-License-Identifier: MIT */
/** @file A prober's run and end as somebody at a terminal sees them. */
#include <stdio.h>

#include "base/error.h"
#include "cli/files.h"
#include "cli/parts.h"
#include "os/limit.h"
#include "os/timer.h"

/* Who runs programs kills them about 10 s after SIGTERM (Cloud Run, docker stop). So long the end
 * may wait for Firestore, counted from the signal if there was one: what is not there by then goes
 * up in a later run. How often it looks for a Ctrl-C meanwhile. */
#define END_NS  INT64_C(10000000000)
#define STOP_NS INT64_C(9000000000) /* from the signal: what stops containers waits for ten */
#define LOOK_NS INT64_C(500000000)

typedef struct running {
  psp_timer patience; /* first: it is found by it */
  psp_timers *timers;
  const psprobe_program *program;
  psprobe_prober *prober;
  int64_t grace_ns;
} running;

/* A second stop: what is in flight is given up. */
static void give_up(psp_timer *patience) {
  psprobe_prober_stop(((running *)patience)->prober);
}

static void stop(void *arg, int count) {
  running *r = arg;
  if (count == 1) {
    psprobe_cli_print(
        stderr, "\npsprobe-%s: stopping; waiting for answers in flight (again to stop that too)\n",
        r->program->name);
    psp_timers_arm(r->timers, &r->patience, psprobe_clock_monotonic() + r->grace_ns);
  }
  psprobe_prober_stop(r->prober);
}

/* Before anything is sent: that is when somebody can change it. */
static void tell_files(const psprobe_program *program, const psprobe_prober *prober) {
  psprobe_prober_settings settings;
  psp_buf note = {0};
  psprobe_prober_get_settings(prober, &settings);
  if (psp_cli_files_note(&note, psp_limit_files(), &settings) && !note.failed)
    psprobe_cli_print(stderr, "psprobe-%s: %s\n", program->name, note.data);
  psp_buf_free(&note);
}

psprobe_code psprobe_cli_run(const psprobe_program *program, psprobe_prober *prober,
                             psprobe_signals *signals, int64_t grace_ns, psprobe_error *error) {
  running r = {{.fire = give_up}, psp_timers_new(), program, prober, grace_ns};
  psprobe_progress *progress = NULL;
  tell_files(program, prober);
  if (r.timers == NULL) return psp_fail_memory(error, program->name);
  psprobe_code code =
      psprobe_progress_new(stderr, psprobe_prober_progress, prober, &progress, error);
  if (code == PSPROBE_OK) {
    psprobe_signals_to(signals, stop, &r);
    code = psprobe_prober_run(prober, error);
    psprobe_signals_to(signals, NULL, NULL);
  }
  psprobe_progress_free(progress);
  psp_timers_disarm(r.timers, &r.patience);
  psp_timers_free(r.timers);
  return code;
}

psprobe_code psprobe_cli_flush(psprobe_uploader *uploader, psprobe_signals *signals,
                               psprobe_error *error) {
  int before = psprobe_signals_count(signals), now;
  int64_t asked_ns = psp_signals_first(signals);
  int64_t until = asked_ns > 0 ? asked_ns + STOP_NS : psprobe_clock_monotonic() + END_NS;
  psprobe_error last = {0};
  psprobe_code code;
  do {
    code = psprobe_uploader_flush(uploader, LOOK_NS, &last);
    now = psprobe_signals_count(signals);
  } while (code != PSPROBE_OK && last.retryable && now < 2 && now == before &&
           psprobe_clock_monotonic() < until);
  if (code != PSPROBE_OK && error != NULL) *error = last;
  return code;
}
