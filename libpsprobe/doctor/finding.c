/* SPDX-License-Identifier: MIT */
/** @file Findings: said once, kept for later. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"
#include "doctor/parts.h"
#include "os/wait.h"

/* Printable text (base/printable.h), to free(); NULL: no memory. */
static char *line(const char *format, va_list args) PSPROBE_PRINTF(1, 0);
static char *line(const char *format, va_list args) {
  char *text = NULL;
  if (vasprintf(&text, format, args) < 0) return NULL;
  const size_t size = (PSP_ESCAPED_SIZE - 1) * strlen(text) + 1;
  char *shown = malloc(size);
  if (shown != NULL) psp_printable_text(shown, size, text);
  free(text);
  return shown;
}

void psp_doctor_mend(psp_doctor *d, const char *format, ...) {
  if (d->mend_count == PSP_DOCTOR_MENDS) return;
  va_list args;
  va_start(args, format);
  char *text = line(format, args);
  va_end(args);
  if (text == NULL)
    d->failed = true;
  else
    d->mend[d->mend_count++] = text;
}

static psp_kept_finding *new_item(psp_doctor *d) {
  psprobe_diagnosis *found = d->found;
  if (found->count == found->room) {
    size_t room = found->room > 0 ? 2 * found->room : 32;
    psp_kept_finding *items = realloc(found->items, room * sizeof *items);
    if (items == NULL) return NULL;
    found->items = items;
    found->room = room;
  }
  psp_kept_finding *item = &found->items[found->count++];
  memset(item, 0, sizeof *item);
  return item;
}

void psp_doctor_found(psp_doctor *d, psprobe_doctor_state state, const char *check,
                      const char *resource, const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *text = line(format, args);
  va_end(args);
  char *copy = psp_strdup(resource);
  psp_kept_finding *item = text != NULL && (resource == NULL || copy != NULL) ? new_item(d) : NULL;
  if (item == NULL) {
    free(text);
    free(copy);
    d->failed = true;
    return;
  }
  item->check = check;
  item->state = state;
  item->resource = copy;
  item->text = text;
  memcpy(item->mend, d->mend, d->mend_count * sizeof *d->mend);
  item->mend_count = d->mend_count;
  d->mend_count = 0;
  if (d->each == NULL) return;
  const char *mend[PSP_DOCTOR_MENDS];
  for (size_t i = 0; i < item->mend_count; i++)
    mend[i] = item->mend[i];
  psprobe_finding finding = {.check = check,
                             .resource = copy,
                             .state = state,
                             .text = text,
                             .mend = mend,
                             .mend_count = item->mend_count};
  d->each(d->arg, &finding);
}

void psprobe_diagnosis_free(psprobe_diagnosis *diagnosis) {
  if (diagnosis == NULL) return;
  for (size_t i = 0; i < diagnosis->count; i++) {
    psp_kept_finding *item = &diagnosis->items[i];
    free(item->resource);
    free(item->text);
    for (size_t m = 0; m < item->mend_count; m++)
      free(item->mend[m]);
  }
  free(diagnosis->items);
  free(diagnosis->project);
  free(diagnosis);
}

size_t psprobe_diagnosis_count(const psprobe_diagnosis *diagnosis, psprobe_doctor_state state) {
  size_t count = 0;
  for (size_t i = 0; i < diagnosis->count; i++)
    if (diagnosis->items[i].state == state) count++;
  return count;
}

int64_t psp_doctor_left(const psp_doctor *d) {
  int64_t left = d->deadline_ns - psprobe_clock_monotonic();
  if (left <= 0) return 0;
  return left < d->o->client.timeout_ns ? left : d->o->client.timeout_ns;
}
