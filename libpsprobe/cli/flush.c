/* SPDX-License-Identifier: MIT */
/** @file The end of a program that uploads. */
#include <psprobe/cli.h>
#include <psprobe/timing.h>

/** How long the end waits for Firestore, and how often it looks for a Ctrl-C meanwhile: what is
 * not there by then goes up in a later run. */
#define FLUSH_NS INT64_C(10000000000)
#define LOOK_NS  INT64_C(500000000)

psprobe_code psprobe_cli_flush(psprobe_uploader *uploader, psprobe_signals *signals,
                               psprobe_error *error) {
  int before = psprobe_signals_count(signals), now;
  int64_t until = psprobe_clock_monotonic() + FLUSH_NS;
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
