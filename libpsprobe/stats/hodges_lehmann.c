/* SPDX-License-Identifier: MIT */
#include "stats/hodges_lehmann.h"

#include <math.h>

#include "stats/distributions.h"
#include "stats/sort.h"
#include "stats/walsh.h"
#include "stats/wilcoxon.h"

/* G of psp_hodges_lehmann in the order of sending; ties with twice the shift count half. The
 * shift comes as the sum of two Walsh sums, four times itself, which is whole.
 * @return the variance of G */
static double influence(const psp_sample *sample, int64_t four_shifts, float *scores) {
  const size_t n = sample->n;
  const int64_t *sorted = sample->sorted;
  double sum = 0, squares = 0;
  size_t above = n, at_least = n; /* first index > resp. >= the threshold, which falls as i rises */
  for (size_t i = 0; i < n; i++) {
    while (above > 0 && 2 * (sorted[i] + sorted[above - 1]) > four_shifts)
      above--;
    while (at_least > 0 && 2 * (sorted[i] + sorted[at_least - 1]) >= four_shifts)
      at_least--;
    const double share = ((double)(n - above) + (double)(n - at_least)) / (2 * (double)n);
    scores[sample->order[i]] = (float)share;
    sum += share;
    squares += share * share;
  }
  const double mean = sum / (double)n;
  return fmax(0, squares / (double)n - mean * mean);
}

/* How many Walsh averages lie outside the interval on either side, and one more; 0: too few. */
static uint64_t bound_rank(size_t n, double variance, const psp_serial *serial) {
  if (n <= PSP_WILCOXON_EXACT && serial->inflation <= 1) return psp_signed_rank_critical(n, 0.025);
  const double count = (double)n;
  const double asymmetry = 12 * variance * count / (count - 1);
  const double error = sqrt(count * (count + 1) * (2 * count + 1) / 24 * asymmetry);
  const double all = count * (count + 1) / 2;
  const double rank = floor(all / 2 + 0.5 - psp_normal_quantile(0.975) * error * serial->inflation);
  return rank < 1 ? 0 : (uint64_t)rank;
}

static void find_shift(psp_work *work, psp_walsh *walsh, psp_shift *shift) {
  const psp_sample *sample = &work->sample;
  const uint64_t all = psp_walsh_count(sample->n);
  /* A quarter of the sum of both middle ones, rounded once: half away from zero. */
  const int64_t four_shifts =
      psp_walsh_select(walsh, (all + 1) / 2) + psp_walsh_select(walsh, all / 2 + 1);
  const int64_t sign = four_shifts < 0 ? -1 : 1;
  shift->shift_ns = sign * ((sign * four_shifts + 2) / 4);

  const double variance = influence(sample, four_shifts, work->scores);
  const psp_serial serial = psp_serial_look(work->scores, sample->n, PSP_RANKS);
  const uint64_t rank = bound_rank(sample->n, variance, &serial);
  if (rank == 0) return;
  shift->ci =
      (psprobe_interval){.has_low = true,
                         .has_high = true,
                         .low_ns = psp_midpoint(psp_walsh_select(walsh, rank), 0),
                         .high_ns = psp_midpoint(psp_walsh_select(walsh, all + 1 - rank), 0)};
}

bool psp_hodges_lehmann(psp_work *work, psp_shift *shift) {
  *shift = (psp_shift){0};
  if (work->sample.n == 0) return true;
  psp_walsh *walsh = psp_walsh_new(work->sample.sorted, work->sample.n);
  if (walsh == NULL) return false;
  find_shift(work, walsh, shift);
  psp_walsh_free(walsh);
  return true;
}
