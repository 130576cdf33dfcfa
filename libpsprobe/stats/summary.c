/* SPDX-License-Identifier: MIT */
#include "stats/summary.h"

#include "stats/difference.h"
#include "stats/drift.h"
#include "stats/quantile_ci.h"

static const double quantiles[PSPROBE_QUANTILE_COUNT] = {0.5, 0.9, 0.99, 0.999};

static void count(const psprobe_probes *probes, const psprobe_series *series,
                  psprobe_source_summary *summary) {
  for (size_t i = 0; i < probes->count; i++) {
    if (psp_probe_unsent(probes, i)) continue;
    summary->sent++;
    if (series->duplicates != NULL) summary->duplicates += series->duplicates[i];
    switch (psp_series_status(series, i)) {
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
  const psp_serial serial = psp_serial_look(scores, sample->n);
  result.ci = psp_quantile_interval(sample->sorted, sample->n, quantile, 0.95, serial.inflation);
  return result;
}

double psp_rank_lag1(const psp_sample *sample, float *scores) {
  const size_t n = sample->n;
  if (n < 3 || sample->sorted[0] == sample->sorted[n - 1]) return 0;
  for (size_t k = 0; k < n; k++)
    scores[sample->order[k]] = (float)k;
  psp_centre(scores, n);
  return psp_autocovariance(scores, n, 1) / psp_autocovariance(scores, n, 0);
}

void psp_summarise(const psp_view *view, size_t source, psp_work *work,
                   psprobe_source_summary *summary, psp_estimate *median) {
  count(view->probes, &view->probes->sources[source], summary);
  psp_view_take_source(view, source, work);
  const psp_sample *sample = &work->sample;
  *median = psp_sample_median(sample, work->scores);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++) {
    summary->quantiles[q] = quantile_of(sample, quantiles[q], work->scores);
  }
  if (sample->n > 0) {
    summary->min_ns = sample->sorted[0];
    summary->max_ns = sample->sorted[sample->n - 1];
  }
  summary->serial =
      (psprobe_serial){.lag1 = psp_rank_lag1(sample, work->scores),
                       .effective_n = (double)sample->n / median->serial.design_effect,
                       .matters = median->serial.matters};
  psp_estimate warm = *median, cold = {0};
  if (psp_sample_marked(work)) {
    psp_sample_split(work);
    warm = psp_sample_median(&work->part[0], work->scores);
    cold = psp_sample_median(&work->part[1], work->scores);
  }
  summary->cold = psp_change(&warm, &cold);
  summary->drift = psp_drift(work);
}
