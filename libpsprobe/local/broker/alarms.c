/* SPDX-License-Identifier: MIT */
#include "local/broker/alarms.h"

#include <stdlib.h>

/* The time stands in the heap, not in the alarm, so that sifting touches one array alone. `turn`
 * keeps alarms of one instant in the order in which they were set: messages that were delivered
 * together come back in their order. */
struct psp_alarm_place {
  int64_t when;
  uint64_t turn;
  psp_alarm *alarm;
};

void psp_alarms_free(psp_alarms *alarms) {
  free(alarms->heap);
  *alarms = (psp_alarms){0};
}

bool psp_alarms_join(psp_alarms *alarms, size_t more) {
  size_t need = alarms->joined + more;
  if (need > alarms->cap) {
    size_t cap = alarms->cap * 2 > need ? alarms->cap * 2 : need + 16;
    struct psp_alarm_place *heap = realloc(alarms->heap, cap * sizeof *heap);
    if (heap == NULL) return false;
    alarms->heap = heap;
    alarms->cap = cap;
  }
  alarms->joined = need;
  return true;
}

void psp_alarms_leave(psp_alarms *alarms, size_t fewer) {
  alarms->joined -= fewer;
}

static void place(psp_alarms *alarms, size_t at, struct psp_alarm_place item) {
  alarms->heap[at - 1] = item;
  item.alarm->at = at;
}

static bool before(struct psp_alarm_place a, struct psp_alarm_place b) {
  return a.when < b.when || (a.when == b.when && a.turn < b.turn);
}

static void sift_up(psp_alarms *alarms, size_t at, struct psp_alarm_place item) {
  while (at > 1 && before(item, alarms->heap[at / 2 - 1])) {
    place(alarms, at, alarms->heap[at / 2 - 1]);
    at /= 2;
  }
  place(alarms, at, item);
}

static void sift_down(psp_alarms *alarms, size_t at, struct psp_alarm_place item) {
  for (;;) {
    size_t child = at * 2;
    if (child > alarms->count) break;
    if (child < alarms->count && before(alarms->heap[child], alarms->heap[child - 1])) child++;
    if (!before(alarms->heap[child - 1], item)) break;
    place(alarms, at, alarms->heap[child - 1]);
    at = child;
  }
  place(alarms, at, item);
}

void psp_alarms_set(psp_alarms *alarms, psp_alarm *alarm, int64_t when) {
  struct psp_alarm_place item = {when, alarms->turn++, alarm};
  if (alarm->at == 0) {
    sift_up(alarms, ++alarms->count, item);
    return;
  }
  if (before(item, alarms->heap[alarm->at - 1]))
    sift_up(alarms, alarm->at, item);
  else
    sift_down(alarms, alarm->at, item);
}

void psp_alarms_clear(psp_alarms *alarms, psp_alarm *alarm) {
  size_t at = alarm->at;
  if (at == 0) return;
  alarm->at = 0;
  struct psp_alarm_place last = alarms->heap[--alarms->count];
  if (at > alarms->count) return;
  if (at > 1 && before(last, alarms->heap[at / 2 - 1]))
    sift_up(alarms, at, last);
  else
    sift_down(alarms, at, last);
}

int64_t psp_alarms_next(const psp_alarms *alarms) {
  return alarms->count ? alarms->heap[0].when : INT64_MAX;
}

psp_alarm *psp_alarms_take(psp_alarms *alarms, int64_t now) {
  if (alarms->count == 0 || alarms->heap[0].when > now) return NULL;
  psp_alarm *alarm = alarms->heap[0].alarm;
  psp_alarms_clear(alarms, alarm);
  return alarm;
}
