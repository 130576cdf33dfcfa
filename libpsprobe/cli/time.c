/* SPDX-License-Identifier: MIT */
/** @file Moments as people write them. */
#include <stdio.h>
#include <string.h>

#include <psprobe/timing.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "cli/parts.h"

/* A date alone is its beginning, in UTC. */
static bool parse(const char *text, int64_t now_ns, int64_t *ns) {
  char whole[64];
  int64_t seconds = 0, ago = 0;
  int32_t nanos = 0;
  if (psp_parse_duration(text, &ago)) {
    *ns = now_ns - ago;
    return true;
  }
  snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
  bool date = strlen(text) == 10 && psp_timestamp_parse(whole, strlen(whole), &seconds, &nanos);
  if (!date && !psp_timestamp_parse(text, strlen(text), &seconds, &nanos)) return false;
  if (seconds < 0 || seconds > 9200000000) return false;
  *ns = seconds * 1000000000 + nanos;
  return true;
}

psprobe_code psprobe_check_moment(const char *text, psprobe_error *error) {
  int64_t ns;
  if (parse(text, psprobe_clock_wall(), &ns)) return PSPROBE_OK;
  return psp_cli_refuse(error, text,
                        "is no moment: write 2026-11-24, 2026-11-24T22:10:05Z, or 2h for two hours "
                        "ago");
}

int64_t psprobe_cli_moment(const char *text) {
  int64_t ns = 0;
  return parse(text, psprobe_clock_wall(), &ns) ? ns : 0;
}
