/* SPDX-License-Identifier: MIT */
/** @file A prober's run as somebody at a terminal sees it. */
#include <stdio.h>

#include <psprobe/cli.h>

typedef struct running {
  const psprobe_program *program;
  psprobe_prober *prober;
} running;

static void stop(void *arg, int count) {
  const running *r = arg;
  if (count == 1)
    fprintf(stderr,
            "\npsprobe-%s: stopping; waiting for answers in flight (again to stop that too)\n",
            r->program->name);
  psprobe_prober_stop(r->prober);
}

psprobe_code psprobe_cli_run(const psprobe_program *program, psprobe_prober *prober,
                             psprobe_signals *signals, psprobe_error *error) {
  running r = {program, prober};
  psprobe_signals_to(signals, stop, &r);
  psprobe_progress *progress = psprobe_progress_new(stderr, psprobe_prober_progress, prober);
  psprobe_code code = psprobe_prober_run(prober, error);
  psprobe_progress_free(progress);
  psprobe_signals_to(signals, NULL, NULL);
  return code;
}
