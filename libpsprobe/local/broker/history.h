/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_HISTORY_H
#define PSP_LOCAL_BROKER_HISTORY_H
/** @file What a topic remembers of its messages, in the order of publishing, so that a seek can
 * bring them back. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "local/broker/message.h"

/** Holds references; valid when zeroed. */
typedef struct psp_history {
  psp_letter **items;
  size_t first, count, cap; /**< items[first] is the oldest of `count` */
} psp_history;

void psp_history_free(psp_history *history);
/** Makes room for `more`, so that psp_history_add cannot fail. */
bool psp_history_reserve(psp_history *history, size_t more);
/** A letter that is younger than all. */
void psp_history_add(psp_history *history, psp_letter *letter);
/** Puts in those that it has not, all sorted by id. False: no memory; as before then. */
bool psp_history_merge(psp_history *history, psp_letter *const *letters, size_t count);
psp_letter *psp_history_at(const psp_history *history, size_t place); /**< from the oldest, 0 */
void psp_history_drop(psp_history *history);                          /**< the oldest */

#endif
