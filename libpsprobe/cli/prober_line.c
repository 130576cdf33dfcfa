/* SPDX-License-Identifier: MIT */
/** @file What a prober tells beside its report: the progress line, and who was silent. */
#include <stdio.h>

#include <psprobe/cli.h>

#include "base/text.h"

/* Appends to a line of `size` bytes; what does not fit is cut. */
static size_t add(char *line, size_t size, size_t used, const char *text) {
  int n = snprintf(line + used, size - used, "%s", text);
  return n < 0 ? used : used + (size_t)n < size ? used + (size_t)n : size - 1;
}

void psprobe_prober_progress(void *arg, char *line, size_t size) {
  const psprobe_prober *prober = arg;
  psprobe_prober_settings settings;
  psprobe_prober_stats stats;
  char part[160], duration[PSP_DURATION_SIZE];
  psprobe_prober_get_settings(prober, &settings);
  psprobe_prober_get_stats(prober, &stats);
  if (settings.count > 0)
    snprintf(part, sizeof part, "%llu/%llu sent", (unsigned long long)stats.sent,
             (unsigned long long)settings.count);
  else
    snprintf(part, sizeof part, "%llu sent", (unsigned long long)stats.sent);
  size_t used = add(line, size, 0, part);
  for (size_t i = 0; i < psprobe_prober_source_count(prober); i++) {
    bool any = stats.answered[i] > 0;
    snprintf(part, sizeof part, "  %s %s", psprobe_prober_source(prober, i),
             any ? psp_format_duration(duration, stats.last_ns[i]) : "-");
    used = add(line, size, used, part);
    if (stats.lost[i] + stats.late[i] > 0) {
      snprintf(part, sizeof part, " (%llu lost, %llu late)", (unsigned long long)stats.lost[i],
               (unsigned long long)stats.late[i]);
      used = add(line, size, used, part);
    }
  }
  if (stats.publish_failed > 0) {
    snprintf(part, sizeof part, "  %llu not published", (unsigned long long)stats.publish_failed);
    used = add(line, size, used, part);
  }
  snprintf(part, sizeof part, "  %.3g/s", 1e9 / (double)settings.interval_ns);
  used = add(line, size, used, part);
  if (settings.count > stats.sent) {
    int64_t left = (int64_t)(settings.count - stats.sent) * settings.interval_ns;
    snprintf(part, sizeof part, "  eta %s", psp_format_duration(duration, left));
    add(line, size, used, part);
  }
}

void psprobe_cli_tell_silent(FILE *file, const psprobe_prober *prober) {
  psprobe_prober_stats stats;
  char doctor[4096];
  psprobe_prober_get_stats(prober, &stats);
  for (size_t i = 0; i < psprobe_prober_source_count(prober); i++)
    if (stats.lost[i] > 0 && stats.answered[i] + stats.late[i] == 0)
      psprobe_cli_print(file, "\nNobody answered as %s: %s looks for what is missing.\n",
                        psprobe_prober_source(prober, i),
                        psprobe_program_command("doctor", doctor, sizeof doctor));
}
