/* SPDX-License-Identifier: MIT */
#include "results/columns/interned.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

uint64_t psp_interned_hash(const char *text) {
  uint64_t h = 14695981039346656037u;
  for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
    h = (h ^ *p) * 1099511628211u;
  return h ^ h >> 32;
}

void psp_interned_free(psp_interned *names) {
  for (size_t i = 0; i < names->count; i++)
    free(names->items[i]);
  free(names->items);
  free(names->places);
  *names = (psp_interned){0};
}

/* The place of a name: its own, or the free one where it belongs. */
static uint32_t *find(const psp_interned *names, const char *name) {
  size_t at = psp_interned_hash(name) & (names->size - 1);
  while (names->places[at] != 0 && strcmp(names->items[names->places[at] - 1], name) != 0)
    at = (at + 1) & (names->size - 1);
  return &names->places[at];
}

/* Room for twice as many, half of it free. */
static bool grow(psp_interned *names) {
  psp_interned wider = *names;
  wider.size = names->size == 0 ? 64 : names->size * 2;
  wider.places = calloc(wider.size, sizeof *wider.places);
  wider.items = realloc(names->items, wider.size / 2 * sizeof *wider.items);
  if (wider.items != NULL) names->items = wider.items;
  if (wider.items == NULL || wider.places == NULL) {
    free(wider.places);
    return false;
  }
  for (size_t i = 0; i < names->count; i++)
    *find(&wider, wider.items[i]) = (uint32_t)(i + 1);
  free(names->places);
  *names = wider;
  return true;
}

bool psp_interned_number(psp_interned *names, const char *name, uint32_t *number) {
  *number = 0;
  if (name[0] == '\0') return true;
  if (names->count == names->size / 2 && !grow(names)) return false;
  uint32_t *place = find(names, name);
  if (*place == 0) {
    names->items[names->count] = psp_strdup(name);
    if (names->items[names->count] == NULL) return false;
    *place = (uint32_t)++names->count;
  }
  *number = *place;
  return true;
}

const char *psp_interned_at(const psp_interned *names, uint32_t number) {
  return number == 0 ? "" : names->items[number - 1];
}
