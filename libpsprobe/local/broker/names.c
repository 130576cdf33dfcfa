/* SPDX-License-Identifier: MIT */
#include "local/broker/names.h"

#include <stdlib.h>
#include <string.h>

void psp_names_free(psp_names *names) {
  free(names->items);
  *names = (psp_names){0};
}

size_t psp_names_place(const psp_names *names, const char *name) {
  size_t low = 0, high = names->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(names->items[middle].name, name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void *psp_names_at(const psp_names *names, size_t place) {
  return place < names->count ? names->items[place].thing : NULL;
}

void *psp_names_find(const psp_names *names, const char *name) {
  size_t place = psp_names_place(names, name);
  if (place == names->count || strcmp(names->items[place].name, name) != 0) return NULL;
  return names->items[place].thing;
}

bool psp_names_add(psp_names *names, const char *name, void *thing) {
  if (names->count == names->cap) {
    size_t cap = names->cap * 2 + 8;
    psp_named *items = realloc(names->items, cap * sizeof *items);
    if (items == NULL) return false;
    names->items = items;
    names->cap = cap;
  }
  size_t place = psp_names_place(names, name);
  memmove(&names->items[place + 1], &names->items[place],
          (names->count - place) * sizeof *names->items);
  names->items[place] = (psp_named){name, thing};
  names->count++;
  return true;
}

void *psp_names_remove(psp_names *names, const char *name) {
  void *thing = psp_names_find(names, name);
  if (thing == NULL) return NULL;
  size_t place = psp_names_place(names, name);
  names->count--;
  memmove(&names->items[place], &names->items[place + 1],
          (names->count - place) * sizeof *names->items);
  return thing;
}
