/* SPDX-License-Identifier: MIT */
#include "stats/walsh.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stats/rng.h"
#include "stats/sort.h"

#define MAX_SAMPLE 65536
#define MIN_SAMPLE 256

/*
 * The sums form a triangle: row i holds sorted[i] + sorted[j] for j >= i. What
 * is still in question is a piece of each row, low[i] <= j < high[i]; all that
 * lies left of it is smaller, all that lies right of it is larger.
 */
struct psp_walsh {
  const int64_t *sorted;
  size_t n;
  uint32_t *memory;                          /* of the six below, of which four change places */
  uint32_t *low, *high, *cut_low, *cut_high; /* the cuts are those of two pivots on trial */
  uint32_t *first_low, *first_high;          /* what the first pivots of all left */
  uint64_t first_below, first_left;
  int64_t *values; /* a sample, or all that is left; `room` of them */
  size_t room;
  uint64_t below; /* how many sums lie left of the pieces */
  uint64_t left;  /* how many lie in them */
  psp_rng rng;
};

uint64_t psp_walsh_count(size_t n) {
  return (uint64_t)n * ((uint64_t)n + 1) / 2;
}

psp_walsh *psp_walsh_new(const int64_t *sorted, size_t n) {
  psp_walsh *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->sorted = sorted;
  t->n = n;
  /* Room for a sample, and for as many sums as are quicker collected than divided further. */
  const size_t some = 8 * n + MIN_SAMPLE;
  t->room = n > MAX_SAMPLE ? n : some < MAX_SAMPLE ? some : MAX_SAMPLE;
  t->memory = malloc(6 * (n + 1) * sizeof *t->memory);
  t->values = malloc(t->room * sizeof *t->values);
  if (t->memory == NULL || t->values == NULL) {
    psp_walsh_free(t);
    return NULL;
  }
  uint32_t **const parts[] = {&t->low,      &t->high,      &t->cut_low,
                              &t->cut_high, &t->first_low, &t->first_high};
  for (size_t k = 0; k < 6; k++)
    *parts[k] = t->memory + k * n;
  psp_rng_seed(&t->rng, n);
  return t;
}

void psp_walsh_free(psp_walsh *t) {
  if (t == NULL) return;
  free(t->memory);
  free(t->values);
  free(t);
}

static void open_all(psp_walsh *t) {
  for (size_t i = 0; i < t->n; i++) {
    t->low[i] = (uint32_t)i;
    t->high[i] = (uint32_t)t->n;
  }
  t->below = 0;
  t->left = psp_walsh_count(t->n);
}

/* Ranks sought of one array are mostly near each other, so that the first cut serves them all. */
static void keep_first(psp_walsh *t) {
  memcpy(t->first_low, t->low, t->n * sizeof *t->low);
  memcpy(t->first_high, t->high, t->n * sizeof *t->high);
  t->first_below = t->below;
  t->first_left = t->left;
}

static void open_first(psp_walsh *t) {
  memcpy(t->low, t->first_low, t->n * sizeof *t->low);
  memcpy(t->high, t->first_high, t->n * sizeof *t->high);
  t->below = t->first_below;
  t->left = t->first_left;
}

/* A walk down the border of the sums that are at most `most`, from the first row's right end:
 * one step left or down a time, n + 1 in all. */
typedef struct border {
  int64_t most;
  uint32_t *cuts;
  size_t row, end; /* the row's border is at `end` or left of it */
  uint64_t count;
} border;

static inline void border_step(border *b, const int64_t *sorted) {
  const bool over = sorted[b->row] + sorted[b->end - 1] > b->most;
  b->cuts[b->row] = (uint32_t)b->end;
  b->count += over ? 0 : b->end - b->row;
  b->end -= over;
  b->row += !over;
}

static void border_finish(border *b, const int64_t *sorted, size_t n) {
  while (b->row < b->end)
    border_step(b, sorted);
  for (size_t i = b->row; i < n; i++)
    b->cuts[i] = (uint32_t)i;
}

/* Where the rows stand against two pivots: cut_low left of all sums >= low, cut_high right of all
 * sums <= high. The two walks wait for memory and compares at the same time, side by side. */
static void cut(psp_walsh *t, int64_t low, int64_t high, uint64_t *less, uint64_t *at_most) {
  border first = {.most = low - 1, .cuts = t->cut_low, .end = t->n};
  border second = {.most = high, .cuts = t->cut_high, .end = t->n};
  while (first.row < first.end && second.row < second.end) {
    border_step(&first, t->sorted);
    border_step(&second, t->sorted);
  }
  border_finish(&first, t->sorted, t->n);
  border_finish(&second, t->sorted, t->n);
  *less = first.count;
  *at_most = second.count;
}

static void swap_cuts(uint32_t **a, uint32_t **b) {
  uint32_t *keep = *a;
  *a = *b;
  *b = keep;
}

/* Quickselect (Hoare 1961) with the middle as pivot; k from 0. Reorders. */
static int64_t select_kth(int64_t *values, size_t n, size_t k) {
  size_t from = 0, to = n - 1;
  while (from < to) {
    const int64_t pivot = values[from + (to - from) / 2];
    size_t left = from, right = to;
    for (;;) {
      while (values[left] < pivot)
        left++;
      while (values[right] > pivot)
        right--;
      if (left >= right) break;
      const int64_t keep = values[left];
      values[left++] = values[right];
      values[right--] = keep;
    }
    if (k <= right) {
      to = right;
    } else {
      from = right + 1;
    }
  }
  return values[k];
}

/* Of what is left, `size` sums, one at random from each of as many equal parts, row by row. */
static void sample(psp_walsh *t, size_t size) {
  const double part = (double)t->left / (double)size;
  uint64_t passed = 0;
  size_t row = 0;
  for (size_t k = 0; k < size; k++) {
    uint64_t at = (uint64_t)(((double)k + psp_rng_uniform(&t->rng)) * part);
    if (at >= t->left) at = t->left - 1;
    if (at < passed) at = passed;
    while (at - passed >= t->high[row] - t->low[row]) {
      passed += t->high[row] - t->low[row];
      row++;
    }
    /* Any column of this row will do as well as the one that `at` names, and is random. */
    const size_t column = t->low[row] + psp_rng_below(&t->rng, t->high[row] - t->low[row]);
    t->values[k] = t->sorted[row] + t->sorted[column];
  }
}

static int64_t collect_and_select(psp_walsh *t, uint64_t rank) {
  size_t count = 0;
  for (size_t i = 0; i < t->n; i++) {
    for (size_t j = t->low[i]; j < t->high[i]; j++) {
      t->values[count++] = t->sorted[i] + t->sorted[j];
    }
  }
  return select_kth(t->values, count, (size_t)(rank - t->below - 1));
}

/* Two pivots about the rank sought, or twice the same one. */
static void choose_pivots(psp_walsh *t, uint64_t rank, bool one, int64_t *low, int64_t *high) {
  size_t size = t->n / 8;
  size = size < MIN_SAMPLE ? MIN_SAMPLE : size > MAX_SAMPLE ? MAX_SAMPLE : size;
  sample(t, size);
  const double at = ((double)(rank - t->below) - 0.5) / (double)t->left * (double)size;
  const double margin = one ? 0 : 2 * sqrt(at * (1 - at / (double)size)) + 1;
  const double from = floor(at - margin), to = floor(at + margin);
  const size_t first = from > 0 ? (size_t)from : 0;
  const size_t second = to < (double)size ? (size_t)to : size - 1;
  *low = select_kth(t->values, size, first);
  /* What stands behind `first` is not smaller, so the second search needs only that. */
  *high = second > first ? select_kth(t->values + first, size - first, second - first) : *low;
}

static int64_t select_sum(psp_walsh *t, uint64_t rank) {
  bool one_pivot = false;
  while (t->left > t->room) {
    int64_t low, high;
    choose_pivots(t, rank, one_pivot, &low, &high);
    uint64_t less, at_most;
    cut(t, low, high, &less, &at_most);
    const uint64_t before = t->left;
    uint64_t end = t->below + t->left;
    if (rank > less && rank <= at_most && low == high) return low;
    if (rank > at_most) {
      swap_cuts(&t->low, &t->cut_high);
      t->below = at_most;
    } else if (rank > less) {
      swap_cuts(&t->low, &t->cut_low);
      swap_cuts(&t->high, &t->cut_high);
      t->below = less;
      end = at_most;
    } else {
      swap_cuts(&t->high, &t->cut_low);
      end = less;
    }
    t->left = end - t->below;
    if (t->first_left == 0) keep_first(t);
    /* Many equal sums can hide both pivots in one lump; a single pivot always divides. */
    one_pivot = !one_pivot && t->left > before / 2;
  }
  return collect_and_select(t, rank);
}

static bool within(uint64_t rank, uint64_t below, uint64_t left) {
  return rank > below && rank <= below + left;
}

int64_t psp_walsh_select(psp_walsh *t, uint64_t rank) {
  /* The next rank is often the neighbour: what was narrowed down for the last one holds. */
  if (!within(rank, t->below, t->left)) {
    if (within(rank, t->first_below, t->first_left)) {
      open_first(t);
    } else {
      open_all(t);
    }
  }
  return select_sum(t, rank);
}
