/* SPDX-License-Identifier: MIT */
#include "report/legs.h"

#include <psprobe/timing.h>

#include <stdlib.h>

#include "stats/clock_offset.h"

/* An answer with what its instance told. */
typedef struct told {
  uint32_t instance;
  const psp_told_row *row;
  int64_t elapsed_ns;
} told;

/* Values of which a median is wanted. */
enum { ARRIVAL_LOW, ARRIVAL_HIGH, IN_HAND, RECEIPT_LOW, RECEIPT_HIGH, READY, SERIES };

typedef struct work {
  told *list;
  psp_clock_exchange *stamps;
  int64_t *values[SERIES];
  size_t answers, ready; /* how many values the series have; READY has `ready` */
} work;

static int by_instance(const void *a, const void *b) {
  const told *x = a, *y = b;
  return (x->instance > y->instance) - (x->instance < y->instance);
}

static int by_size(const void *a, const void *b) {
  const int64_t *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static int64_t median(int64_t *values, size_t n) {
  if (n > 1) qsort(values, n, sizeof *values, by_size);
  return psprobe_quantile_sorted(values, n, 0.5);
}

/* What is between is no less than nothing. */
static int64_t not_below_0(int64_t ns) {
  return ns > 0 ? ns : 0;
}

static void take_answer(work *w, const told *t, size_t stamps) {
  const psp_told_row *row = t->row;
  if (row->arrived_ns == 0 || row->sent_ns < row->arrived_ns || row->received_ns == 0) return;
  psp_clock_offset arrived = psp_clock_offset_at(w->stamps, stamps, row->arrived_ns);
  psp_clock_offset sent = psp_clock_offset_at(w->stamps, stamps, row->sent_ns);
  if (!arrived.known || !sent.known) return;
  int64_t begun = row->received_ns - t->elapsed_ns;
  size_t n = w->answers++;
  w->values[ARRIVAL_LOW][n] = not_below_0(row->arrived_ns + arrived.low_ns - begun);
  w->values[ARRIVAL_HIGH][n] = not_below_0(row->arrived_ns + arrived.high_ns - begun);
  w->values[IN_HAND][n] = row->sent_ns - row->arrived_ns;
  w->values[RECEIPT_LOW][n] = not_below_0(row->received_ns - row->sent_ns - sent.high_ns);
  w->values[RECEIPT_HIGH][n] = not_below_0(row->received_ns - row->sent_ns - sent.low_ns);
}

/* The answers of one instance: its exchanges first, which they tell of each other. */
static void take_instance(work *w, const told *first, size_t count) {
  size_t stamps = 0;
  int64_t ready = 0;
  for (size_t i = 0; i < count; i++) {
    const int64_t *t = first[i].row->exchange_ns;
    if (t[0] > 0) w->stamps[stamps++] = (psp_clock_exchange){t[0], t[1], t[2], t[3]};
    if (first[i].row->ready_ns > 0) ready = first[i].row->ready_ns;
  }
  if (ready > 0) w->values[READY][w->ready++] = ready;
  stamps = psp_clock_exchanges_sort(w->stamps, stamps);
  for (size_t i = 0; i < count; i++)
    take_answer(w, &first[i], stamps);
}

static bool make_room(work *w, size_t n) {
  w->list = calloc(n, sizeof *w->list);
  w->stamps = calloc(n, sizeof *w->stamps);
  bool enough = w->list != NULL && w->stamps != NULL;
  for (size_t v = 0; v < SERIES; v++) {
    w->values[v] = calloc(n, sizeof *w->values[v]);
    enough = enough && w->values[v] != NULL;
  }
  return enough;
}

static void free_work(work *w) {
  free(w->list);
  free(w->stamps);
  for (size_t v = 0; v < SERIES; v++)
    free(w->values[v]);
}

/* The answers that name their instance, those of one side by side. */
static size_t list_told(work *w, const psp_columns *c, const psp_source_columns *s) {
  size_t count = 0;
  for (size_t i = 0; i < c->count; i++) {
    if (!psprobe_answer_came(s->status[i]) || s->told[i].instance == 0) continue;
    w->list[count++] = (told){s->told[i].instance, &s->told[i], s->elapsed_ns[i]};
  }
  if (count > 1) qsort(w->list, count, sizeof *w->list, by_instance);
  return count;
}

bool psp_legs_of(const psp_columns *c, size_t k, psp_legs *legs) {
  const psp_source_columns *s = &c->sources[k];
  work w = {0};
  *legs = (psp_legs){0};
  if (s->told == NULL || c->count == 0) return true;
  bool enough = make_room(&w, c->count);
  size_t count = enough ? list_told(&w, c, s) : 0;
  for (size_t i = 0, next; i < count; i = next) {
    for (next = i + 1; next < count && w.list[next].instance == w.list[i].instance;)
      next++;
    legs->instances++;
    take_instance(&w, &w.list[i], next - i);
  }
  legs->answers = w.answers;
  legs->ready_n = w.ready;
  if (enough) {
    legs->ready_ns = median(w.values[READY], w.ready);
    legs->in_hand_ns = median(w.values[IN_HAND], w.answers);
    legs->to_arrival = (psp_leg){median(w.values[ARRIVAL_LOW], w.answers),
                                 median(w.values[ARRIVAL_HIGH], w.answers)};
    legs->to_receipt = (psp_leg){median(w.values[RECEIPT_LOW], w.answers),
                                 median(w.values[RECEIPT_HIGH], w.answers)};
  }
  free_work(&w);
  return enough;
}
