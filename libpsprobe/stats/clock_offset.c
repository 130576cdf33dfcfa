/* SPDX-License-Identifier: MIT */
#include "stats/clock_offset.h"

#include <stdlib.h>

#define STAGES 8
/* Stamps are ns since 1970 until 2115, so that no difference of two differences overflows. */
#define MOST_NS INT64_C(4000000000000000000)

static int by_t1(const void *a, const void *b) {
  const psp_clock_exchange *x = a, *y = b;
  return (x->t1 > y->t1) - (x->t1 < y->t1);
}

static bool in_range(int64_t ns) {
  return ns >= 0 && ns < MOST_NS;
}

/* Each clock goes forward, and no answer comes before its question. */
static bool is_possible(const psp_clock_exchange *s) {
  return in_range(s->t1) && in_range(s->t2) && in_range(s->t3) && in_range(s->t4) &&
         s->t4 >= s->t1 && s->t3 >= s->t2 && s->t4 - s->t1 >= s->t3 - s->t2;
}

size_t psp_clock_exchanges_sort(psp_clock_exchange *stamps, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (is_possible(&stamps[i])) stamps[kept++] = stamps[i];
  if (kept > 1) qsort(stamps, kept, sizeof *stamps, by_t1);
  return kept;
}

/* How far the clocks can have drifted apart in that time, rounded up. */
static int64_t drift(int64_t from_ns, int64_t to_ns) {
  int64_t age = from_ns > to_ns ? from_ns - to_ns : to_ns - from_ns;
  return age / (1000000 / PSP_DRIFT_PPM) + 1;
}

/* The first exchange of the eight nearest: those around the place where `at_ns` belongs. */
static size_t first_of(const psp_clock_exchange *stamps, size_t count, int64_t at_ns) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (stamps[middle].t1 < at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  size_t first = low > STAGES ? low - STAGES : 0;
  while (first + STAGES < count && first < low &&
         stamps[first + STAGES].t1 - at_ns < at_ns - stamps[first].t1)
    first++;
  return first;
}

psp_clock_offset psp_clock_offset_at(const psp_clock_exchange *stamps, size_t count,
                                     int64_t at_ns) {
  psp_clock_offset best = {0};
  if (count == 0 || !in_range(at_ns)) return best;
  int64_t highest_low = INT64_MIN, lowest_high = INT64_MAX;
  size_t first = first_of(stamps, count, at_ns);
  for (size_t i = first; i < count && i < first + STAGES; i++) {
    const psp_clock_exchange *s = &stamps[i];
    int64_t high = s->t2 - s->t1 + drift(s->t1, at_ns), low = s->t3 - s->t4 - drift(s->t4, at_ns);
    if (low > highest_low) highest_low = low;
    if (high < lowest_high) lowest_high = high;
    if (best.known && high - low >= best.high_ns - best.low_ns) continue;
    best = (psp_clock_offset){.known = true, .low_ns = low, .high_ns = high};
  }
  best.known = highest_low <= lowest_high;
  return best;
}
