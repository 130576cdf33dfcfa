/* SPDX-License-Identifier: MIT */
#include "results/held.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a result up to its last answer. */
static size_t size_of(const psprobe_finished *finished) {
  return offsetof(psprobe_finished, result.answers) +
         finished->result.source_count * sizeof finished->result.answers[0];
}

static char *place(const psp_held *held, size_t nth) {
  return held->items + (held->first + nth) % held->capacity * held->size;
}

/* Makes room for one more, up to the most. Without memory there is none. */
static void grow(psp_held *held) {
  size_t capacity = held->capacity == 0 ? 64 : held->capacity * 2;
  if (capacity > PSP_HELD_MAX) capacity = PSP_HELD_MAX;
  if (capacity == held->capacity) return;
  if (held->portion == NULL) held->portion = calloc(PSP_HELD_PORTION, sizeof *held->portion);
  char *items = held->portion == NULL ? NULL : malloc(capacity * held->size);
  if (items == NULL) return;
  for (size_t i = 0; i < held->count; i++)
    memcpy(items + i * held->size, place(held, i), held->size);
  free(held->items);
  held->items = items;
  held->first = 0;
  held->capacity = capacity;
}

void psp_held_add(psp_held *held, const psprobe_finished *finished, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (held->size == 0) held->size = size_of(&finished[i]);
    if (held->count == held->capacity) grow(held);
    if (held->count == held->capacity) held->lost++;
    if (held->capacity == 0) continue;
    if (held->count == held->capacity) psp_held_drop(held, 1);
    memcpy(place(held, held->count++), &finished[i], held->size);
  }
}

size_t psp_held_oldest(psp_held *held, const psprobe_finished **oldest) {
  size_t count = held->count < PSP_HELD_PORTION ? held->count : PSP_HELD_PORTION;
  for (size_t i = 0; i < count; i++)
    memcpy(&held->portion[i], place(held, i), held->size);
  *oldest = held->portion;
  return count;
}

void psp_held_drop(psp_held *held, size_t count) {
  held->first = (held->first + count) % held->capacity;
  held->count -= count;
}

void psp_held_free(psp_held *held) {
  free(held->items);
  free(held->portion);
  *held = (psp_held){0};
}
