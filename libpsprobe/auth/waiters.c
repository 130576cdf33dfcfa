/* SPDX-License-Identifier: MIT */
/** @file The lists of those who wait for a token. */
#include "auth/parts.h"

void psp_waiters_add(psp_token_slot *slot, psp_token_waiter *waiter) {
  waiter->slot = slot;
  waiter->next = NULL;
  waiter->prev = slot->last;
  if (slot->last != NULL)
    slot->last->next = waiter;
  else
    slot->first = waiter;
  slot->last = waiter;
}

void psp_waiters_move(psp_token_slot *from, psp_token_slot *to) {
  while (from->first != NULL) {
    psp_token_waiter *waiter = from->first;
    from->first = waiter->next;
    psp_waiters_add(to, waiter);
  }
  from->last = NULL;
}

bool psp_waiters_remove(psp_token_waiter *waiter) {
  psp_token_slot *slot = waiter->slot;
  if (slot == NULL) return false;
  if (waiter->prev != NULL)
    waiter->prev->next = waiter->next;
  else
    slot->first = waiter->next;
  if (waiter->next != NULL)
    waiter->next->prev = waiter->prev;
  else
    slot->last = waiter->prev;
  waiter->slot = NULL;
  return true;
}

psp_token_waiter *psp_waiters_take(psp_token_slot *slot) {
  psp_token_waiter *list = slot->first;
  for (psp_token_waiter *w = list; w != NULL; w = w->next)
    w->slot = NULL;
  slot->first = slot->last = NULL;
  return list;
}

void psp_waiters_tell(psp_token_waiter *list, const psprobe_error *error) {
  while (list != NULL) {
    psp_token_waiter *next = list->next; /* the waiter may be gone when it has heard */
    list->ready(list->arg, error);
    list = next;
  }
}
