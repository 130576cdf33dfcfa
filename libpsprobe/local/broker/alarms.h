/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_ALARMS_H
#define PSP_LOCAL_BROKER_ALARMS_H
/**
 * @file
 * What is to happen when: a binary heap of alarms that live inside other
 * structs. Pure.
 *
 * Whoever has an alarm joins first, which is the only step that can fail: from
 * then on there is room for it, so setting one needs no error path.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zeroed: not set. */
typedef struct psp_alarm {
  size_t at; /**< place in the heap, from 1; 0: not set */
  int kind;  /**< the owner's, to tell what the alarm is part of */
} psp_alarm;

/** Valid when zeroed. */
typedef struct psp_alarms {
  struct psp_alarm_place *heap;
  size_t count, cap, joined;
  uint64_t turn;
} psp_alarms;

/** Frees the heap; the alarms are their owners'. */
void psp_alarms_free(psp_alarms *alarms);
/** Makes room for `more` alarms that may be set from now on. False: no memory. */
bool psp_alarms_join(psp_alarms *alarms, size_t more);
/** Gives up room for `fewer` alarms, none of them set. */
void psp_alarms_leave(psp_alarms *alarms, size_t fewer);
/** Sets or moves a alarm. */
void psp_alarms_set(psp_alarms *alarms, psp_alarm *alarm, int64_t when);
/** Unsets it; fine when it is not set. */
void psp_alarms_clear(psp_alarms *alarms, psp_alarm *alarm);
/** The time of the earliest; INT64_MAX: none is set. */
int64_t psp_alarms_next(const psp_alarms *alarms);
/** Takes out the earliest if it is due by `now` (of one instant: the one set first); NULL: none. */
psp_alarm *psp_alarms_take(psp_alarms *alarms, int64_t now);

#endif
