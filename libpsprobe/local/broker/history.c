/* SPDX-License-Identifier: MIT */
#include "local/broker/history.h"

#include <stdlib.h>
#include <string.h>

void psp_history_free(psp_history *history) {
  while (history->count > 0)
    psp_history_drop(history);
  free(history->items);
  *history = (psp_history){0};
}

bool psp_history_reserve(psp_history *history, size_t more) {
  if (history->first + history->count + more <= history->cap) return true;
  if (history->first > history->count) { /* the room before them is more than they are */
    memmove(history->items, history->items + history->first, history->count * sizeof(psp_letter *));
    history->first = 0;
    return psp_history_reserve(history, more);
  }
  size_t cap = (history->first + history->count + more) * 2;
  psp_letter **items = realloc(history->items, cap * sizeof(psp_letter *));
  if (items == NULL) return false;
  history->items = items;
  history->cap = cap;
  return true;
}

void psp_history_add(psp_history *history, psp_letter *letter) {
  history->items[history->first + history->count++] = psp_letter_ref(letter);
}

bool psp_history_merge(psp_history *history, psp_letter *const *letters, size_t count) {
  psp_history all = {0};
  if (!psp_history_reserve(&all, history->count + count)) return false;
  size_t old = 0, new = 0;
  while (old < history->count || new < count) {
    psp_letter *mine = psp_history_at(history, old), *other = new < count ? letters[new] : NULL;
    bool take_mine = other == NULL || (mine != NULL && mine->id <= other->id);
    psp_history_add(&all, take_mine ? mine : other);
    if (other != NULL && (!take_mine || mine->id == other->id)) new ++;
    if (take_mine) old++;
  }
  psp_history_free(history);
  *history = all;
  return true;
}

psp_letter *psp_history_at(const psp_history *history, size_t place) {
  return place < history->count ? history->items[history->first + place] : NULL;
}

void psp_history_drop(psp_history *history) {
  if (history->count == 0) return;
  psp_letter_unref(history->items[history->first++]);
  if (--history->count == 0) history->first = 0;
}
