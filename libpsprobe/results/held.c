/* SPDX-License-Identifier: MIT */
#include "results/held.h"

#include <stdlib.h>

/* Makes room for one more, up to the most. Without memory there is none. */
static void grow(psp_held *held) {
  size_t capacity = held->capacity == 0 ? 64 : held->capacity * 2;
  if (capacity > PSP_HELD_MAX) capacity = PSP_HELD_MAX;
  if (capacity == held->capacity) return;
  psprobe_finished *items = calloc(capacity, sizeof *items);
  if (items == NULL) return;
  for (size_t i = 0; i < held->count; i++)
    items[i] = held->items[(held->first + i) % held->capacity];
  free(held->items);
  held->items = items;
  held->first = 0;
  held->capacity = capacity;
}

void psp_held_add(psp_held *held, const psprobe_finished *finished, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (held->count == held->capacity) grow(held);
    if (held->count == held->capacity) held->lost++;
    if (held->capacity == 0) continue;
    if (held->count == held->capacity) psp_held_drop(held, 1);
    held->items[(held->first + held->count++) % held->capacity] = finished[i];
  }
}

size_t psp_held_oldest(const psp_held *held, const psprobe_finished **oldest) {
  size_t count = held->count;
  if (count > held->capacity - held->first) count = held->capacity - held->first;
  *oldest = held->items + held->first;
  return count < PSP_HELD_PORTION ? count : PSP_HELD_PORTION;
}

void psp_held_drop(psp_held *held, size_t count) {
  held->first = (held->first + count) % held->capacity;
  held->count -= count;
}

void psp_held_free(psp_held *held) {
  free(held->items);
  *held = (psp_held){0};
}
