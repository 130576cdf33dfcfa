/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_LIVE_METRICS_H
#define PSP_REPORT_LIVE_METRICS_H
/**
 * @file Counters as Prometheus reads them. Pure. The text format and the naming rules:
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and …/practices/naming/
 */
#include <psprobe/results.h>

#include "base/buf.h"

#define PSP_METRIC_BOUNDS 16

/** One source's answers, late ones included, by how long they took. */
typedef struct psp_metric_histogram {
  uint64_t at_most[PSP_METRIC_BOUNDS]; /**< not cumulative: each answer counts in one */
  uint64_t count;
  double sum_s;
} psp_metric_histogram;

void psp_metric_record(psp_metric_histogram *histogram, int64_t elapsed_ns);

typedef struct psp_metrics {
  const psprobe_prober_stats *prober;
  const psprobe_uploader_stats *uploader; /**< NULL: no upload */
  size_t source_count;
  const char *const *sources;
  psp_metric_histogram (*histograms)[2]; /**< two a source: its warm answers, its cold ones */
  int64_t started_wall_ns;
  int64_t interval_ns; /**< from probe to probe */
} psp_metrics;

void psp_metrics_write(psp_buf *out, const psp_metrics *metrics);

#endif
