/* SPDX-License-Identifier: MIT */
#include "results/store/further.h"

#include <stdlib.h>

bool psp_further_add(psp_further_list *list, const psp_further *further) {
  if (list->count == list->room) {
    size_t room = list->room * 2 + 4;
    psp_further *grown = realloc(list->items, room * sizeof *grown);
    if (grown == NULL) return false;
    list->items = grown;
    list->room = room;
  }
  list->items[list->count++] = *further;
  return true;
}

void psp_further_free(psp_further_list *list) {
  free(list->items);
  *list = (psp_further_list){0};
}
