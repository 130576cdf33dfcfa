/* SPDX-License-Identifier: MIT */
#include "results/columns/old_names.h"

#include <psprobe/probe.h>

#include <string.h>

#include "base/text.h"

#define SUFFIX "_response_time"

static const struct {
  const char *source, *old;
} names[] = {{PSPROBE_CLOUD_FUNCTION, "cloud_func"}, {PSPROBE_REGULAR_SERVICE, "reg_service"}};

void psp_put_response_column(psp_buf *out, const char *source) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i].source, source) == 0) source = names[i].old;
  psp_buf_text(out, source);
  psp_buf_text(out, SUFFIX);
}

bool psp_response_source(psp_buf *out, const char *column) {
  size_t len = strlen(column), suffix = strlen(SUFFIX);
  if (len <= suffix || !psp_text_ends(column, SUFFIX)) return false;
  len -= suffix;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i].old) != len || strncmp(names[i].old, column, len) != 0) continue;
    psp_buf_text(out, names[i].source);
    return true;
  }
  psp_buf_add(out, column, len);
  return true;
}
