/* SPDX-License-Identifier: MIT */
#include "stats/summary.h"

#include <psprobe/timing.h>

#include "stats/difference.h"
#include "stats/drift.h"
#include "stats/quantile_ci.h"

static const double quantiles[PSPROBE_QUANTILE_COUNT] = {0.5, 0.9, 0.99, 0.999};

static void count(const psprobe_probes *probes, const psprobe_series *series,
                  psprobe_source_summary *summary) {
  for (size_t i = 0; i < probes->count; i++) {
    if (psp_probe_unsent(probes, i)) continue;
    const psprobe_status status = psp_series_status(series, i);
    summary->interrupted += status == PSPROBE_INTERRUPTED;
    summary->uncertain += status == PSPROBE_UNCERTAIN;
    if (status > PSPROBE_LATE) continue;
    summary->sent++;
    if (series->duplicates != NULL) summary->duplicates += series->duplicates[i];
    switch (status) {
      case PSPROBE_LOST:
        summary->lost++;
        continue;
      case PSPROBE_LATE:
        summary->late++;
        break;
      default:
        summary->answered++;
    }
    summary->cold_count += psp_series_cold(series, i);
  }
}

static psprobe_quantile quantile_of(const psp_sample *sample, double quantile, float *scores) {
  psprobe_quantile result = {
      .quantile = quantile,
      .value_ns = psprobe_quantile_sorted(sample->sorted, sample->n, quantile)};
  for (size_t i = 0; i < sample->n; i++)
    scores[i] = sample->values[i] <= result.value_ns ? 1 : 0;
  const psp_serial serial = psp_serial_look(scores, sample->n, PSP_SIGNS);
  result.ci = psp_quantile_interval(sample->sorted, sample->n, quantile, 0.95, serial.inflation);
  return result;
}

static bool reaches_further(const psprobe_interval *ci, const psprobe_interval *than) {
  return (than->has_low && (!ci->has_low || ci->low_ns < than->low_ns)) ||
         (than->has_high && (!ci->has_high || ci->high_ns > than->high_ns));
}

/* Autocorrelation of the ranks of `sample` at lag 1 (Wald & Wolfowitz, Annals of Mathematical
 * Statistics 14, 1943), equal values sharing their mean rank: 0 for constants. The same for the
 * negated values. */
static double rank_lag1(const psp_sample *sample, float *scores) {
  const size_t n = sample->n;
  if (n < 3 || sample->sorted[0] == sample->sorted[n - 1]) return 0;
  for (size_t k = 0, end; k < n; k = end) {
    for (end = k + 1; end < n && sample->sorted[end] == sample->sorted[k];)
      end++;
    /* Twice the mean of the ranks from k to end - 1, less twice the mean of all: whole, and turned
     * round exactly where the values are. */
    const float rank = (float)((double)(k + end) - (double)n);
    for (size_t i = k; i < end; i++)
      scores[sample->order[i]] = rank;
  }
  return psp_autocovariance(scores, n, 1) / psp_autocovariance(scores, n, 0);
}

psprobe_serial psp_serial_of(const psp_sample *sample, const psp_estimate *estimate,
                             float *scores) {
  const size_t n = sample->n;
  const psp_serial *serial = &estimate->serial;
  const psprobe_interval narrow =
      psp_quantile_interval(sample->sorted, n, 0.5, 0.95, serial->caution);
  return (psprobe_serial){.known = n >= 3 && sample->sorted[0] != sample->sorted[n - 1],
                          .lag1 = rank_lag1(sample, scores),
                          .effective_n = (double)n / serial->design_effect,
                          .matters = serial->matters && reaches_further(&estimate->ci, &narrow)};
}

static psprobe_part part_of(const psp_sample *sample, const psp_estimate *median) {
  psprobe_part part = {.n = sample->n, .median_ci = median->ci};
  if (sample->n == 0) return part;
  part.min_ns = sample->sorted[0];
  part.max_ns = sample->sorted[sample->n - 1];
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    part.quantiles_ns[q] = psprobe_quantile_sorted(sample->sorted, sample->n, quantiles[q]);
  return part;
}

void psp_summarise(const psp_ordered *ordered, size_t source, psp_work *work,
                   psprobe_source_summary *summary, psp_estimate *median) {
  count(ordered->probes, &ordered->probes->sources[source], summary);
  psp_ordered_take_source(ordered, source, work);
  const psp_sample *sample = &work->sample;
  *median = psp_sample_median(sample, work->scores);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++) {
    summary->quantiles[q] = quantile_of(sample, quantiles[q], work->scores);
  }
  if (sample->n > 0) {
    summary->min_ns = sample->sorted[0];
    summary->max_ns = sample->sorted[sample->n - 1];
  }
  summary->serial = psp_serial_of(sample, median, work->scores);
  psp_estimate warm = *median, cold = {0};
  summary->warm_part = part_of(sample, median);
  if (psp_sample_marked(work)) {
    psp_sample_split(work);
    warm = psp_sample_median(&work->part[0], work->scores);
    cold = psp_sample_median(&work->part[1], work->scores);
    summary->warm_part = part_of(&work->part[0], &warm);
    summary->cold_part = part_of(&work->part[1], &cold);
  }
  summary->cold = psp_change(&warm, &cold);
  summary->drift = psp_drift(work);
}
