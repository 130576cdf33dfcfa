/* SPDX-License-Identifier: MIT */
#include "results/columns/old_names.h"

#include <psprobe/answer.h>

#include <string.h>

#include "base/text.h"

#define STATUS "_status"

static const struct {
  const char *source, *old;
} names[] = {{PSPROBE_CLOUD_FUNCTION, "cloud_func"}, {PSPROBE_REGULAR_SERVICE, "reg_service"}};
#define COUNT (sizeof names / sizeof *names)

/* Whether `text` is `name` and `suffix`. */
static bool is(const char *text, const char *name, const char *suffix) {
  size_t len = strlen(name);
  return strncmp(text, name, len) == 0 && strcmp(text + len, suffix) == 0;
}

void psp_old_names_note(psp_old_names *old, const char *column) {
  for (size_t i = 0; i < COUNT; i++)
    old->own[i] |= is(column, names[i].old, STATUS);
}

static bool has(const char *const *sources, size_t count, const char *name) {
  for (size_t k = 0; k < count; k++)
    if (strcmp(sources[k], name) == 0) return true;
  return false;
}

void psp_put_response_column(psp_buf *out, const char *const *sources, size_t count, size_t which) {
  const char *name = sources[which];
  for (size_t i = 0; i < COUNT; i++)
    if (strcmp(names[i].source, name) == 0 && !has(sources, count, names[i].old))
      name = names[i].old;
  psp_buf_text(out, name);
  psp_buf_text(out, PSP_RESPONSE_SUFFIX);
}

bool psp_response_source(psp_buf *out, const psp_old_names *old, const char *column) {
  size_t len = strlen(column), suffix = strlen(PSP_RESPONSE_SUFFIX);
  if (len <= suffix || !psp_text_ends(column, PSP_RESPONSE_SUFFIX)) return false;
  for (size_t i = 0; i < COUNT; i++) {
    if (old->own[i] || !is(column, names[i].old, PSP_RESPONSE_SUFFIX)) continue;
    psp_buf_text(out, names[i].source);
    return true;
  }
  psp_buf_add(out, column, len - suffix);
  return true;
}
