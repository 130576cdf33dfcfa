/* SPDX-License-Identifier: MIT */
#include "report/bend.h"

#include <math.h>

/* Spread over more than so many times the middle half, a linear scale hides that half. */
#define LINEAR_MOST 40
/* Ticks stand apart by this part of the axis. */
#define TICKS_APART 14

double psp_bend_at(const psp_bend *bend, int64_t ns) {
  if (bend->unit_ns <= 0) return (double)ns;
  return asinh((double)(ns - bend->center_ns) / bend->unit_ns);
}

static void add_tick(psp_bend *bend, int64_t ns, int64_t low, int64_t high) {
  double apart = (psp_bend_at(bend, high) - psp_bend_at(bend, low)) / TICKS_APART;
  if (ns < low || ns > high || bend->tick_count == PSP_TICKS) return;
  for (size_t i = 0; i < bend->tick_count; i++)
    if (fabs(psp_bend_at(bend, ns) - psp_bend_at(bend, bend->ticks_ns[i])) < apart) return;
  bend->ticks_ns[bend->tick_count++] = ns;
}

/* Zero, the median where that is not the same to the eye, and away from it in powers of ten. */
static void set_ticks(psp_bend *bend, int64_t low, int64_t high) {
  double step = pow(10, round(log10(bend->unit_ns)));
  int64_t from = fabs((double)bend->center_ns) < 3 * bend->unit_ns ? 0 : bend->center_ns;
  add_tick(bend, 0, low, high);
  for (; step < 2 * ((double)high - (double)low) && step < 1e18; step *= 10) {
    add_tick(bend, from + (int64_t)step, low, high);
    add_tick(bend, from - (int64_t)step, low, high);
    add_tick(bend, from, low, high);
  }
}

psp_bend psp_bend_of(const int64_t *sorted, size_t n) {
  psp_bend bend = {0};
  if (n == 0) return bend;
  int64_t low = sorted[0] < 0 ? sorted[0] : 0, high = sorted[n - 1] > 0 ? sorted[n - 1] : 0;
  double all = (double)high - (double)low;
  double half = (double)sorted[(n - 1) - n / 4] - (double)sorted[n / 4];
  bend.center_ns = sorted[n / 2];
  /* More than half alike: whatever else there is stands for the bulk. */
  if (half <= 0) half = (double)sorted[(n - 1) - n / 50] - (double)sorted[n / 50];
  if (half <= 0) half = all / 1000;
  if (all <= LINEAR_MOST * half || half < 1) return bend;
  bend.unit_ns = half;
  set_ticks(&bend, low, high);
  return bend;
}
