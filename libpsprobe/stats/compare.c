/* SPDX-License-Identifier: MIT */
/** @file The comparison of sources, from probes to figures. */
#include <math.h>
#include <psprobe/compare.h>
#include <stdlib.h>

#include "base/error.h"
#include "stats/bootstrap.h"
#include "stats/comparison.h"
#include "stats/decide.h"
#include "stats/difference.h"
#include "stats/drift.h"
#include "stats/hodges_lehmann.h"
#include "stats/proportions.h"
#include "stats/ranking.h"
#include "stats/sign_interval.h"
#include "stats/slowness.h"
#include "stats/summary.h"
#include "stats/verdict.h"
#include "stats/wilcoxon.h"

#define DEFAULT_RESAMPLES 4000
#define MIN_RESAMPLES     200

static psprobe_code check(const psprobe_probes *probes, psprobe_error *error) {
  if (probes->count > UINT32_MAX) {
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "comparison: more than 2^32 - 1 probes");
  }
  for (size_t s = 0; s < probes->source_count; s++) {
    const psprobe_series *series = &probes->sources[s];
    if (series->name == NULL) {
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "comparison: source %zu has no name", s);
    }
    if (series->elapsed_ns == NULL && probes->count > 0) {
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "comparison: source %s has no times",
                      series->name);
    }
  }
  return PSPROBE_OK;
}

static psprobe_paired paired_of(const psp_estimate *estimate) {
  return (psprobe_paired){
      .n = estimate->n, .median_ns = estimate->median_ns, .median_ci = estimate->ci};
}

/* Firsts and the tests of no difference, each with the correlation of what it sums up: who was
 * first, and the signed ranks. */
static void test_for_no_difference(const psp_work *work, psp_pair_state *state,
                                   psprobe_pair *pair) {
  const psp_sample *sample = &work->sample;
  state->signs = psp_signs_count(sample->sorted, sample->n);
  state->serial = psp_signs_about(sample, 0, work->scores);
  const double inflation = state->serial.inflation;
  const uint64_t untied = state->signs.negative + state->signs.positive;
  pair->a_first = psp_share(state->signs.negative, untied, inflation);
  pair->b_first = psp_share(state->signs.positive, untied, inflation);
  pair->ties = state->signs.zero;
  pair->sign_p = psp_sign_test(state->signs, inflation);

  psp_wilcoxon ranks = psp_wilcoxon_test(sample->sorted, sample->n, sample->order, work->scores);
  psp_wilcoxon_widen(&ranks, psp_serial_look(work->scores, sample->n, PSP_RANKS).inflation);
  pair->wilcoxon_p = ranks.p;
}

static void count_losses(const psprobe_probes *probes, psprobe_pair *pair) {
  const psprobe_series *a = &probes->sources[pair->a], *b = &probes->sources[pair->b];
  for (size_t i = 0; i < probes->count; i++) {
    if (psp_probe_unsent(probes, i)) continue;
    /* Who was interrupted has lost nothing, nor kept what the other lost. */
    if (psp_series_status(a, i) > PSPROBE_LATE || psp_series_status(b, i) > PSPROBE_LATE) continue;
    const bool lost_a = psp_series_status(a, i) == PSPROBE_LOST;
    const bool lost_b = psp_series_status(b, i) == PSPROBE_LOST;
    pair->both_lost += lost_a && lost_b;
    pair->only_a_lost += lost_a && !lost_b;
    pair->only_b_lost += lost_b && !lost_a;
  }
  pair->loss_p = psp_mcnemar_mid_p(pair->only_a_lost, pair->only_b_lost);
}

/* The bootstrap's interval of the median; in blocks where correlation moves it by 2.5 % or more. */
static void resample(psp_work *work, const psp_estimate *estimate, uint64_t seed,
                     psprobe_pair *pair) {
  const psp_sample *sample = &work->sample;
  const size_t n = sample->n;
  pair->block_length = 1;
  if (estimate->serial.design_effect < 1.05) {
    pair->bootstrap_ci = psp_bootstrap_median(sample->sorted, n, estimate->serial.caution, seed,
                                              work->estimates, work->resamples);
    return;
  }
  psp_sample_signs(sample, work->scores);
  pair->block_length = psp_block_length(work->scores, n);
  uint32_t *ranks = (uint32_t *)work->scratch, *counts = ranks + n;
  for (size_t k = 0; k < n; k++)
    ranks[sample->order[k]] = (uint32_t)k;
  pair->bootstrap_ci =
      psp_bootstrap_median_blocks(sample->sorted, ranks, n, (size_t)pair->block_length,
                                  estimate->serial.caution / sqrt(estimate->serial.design_effect),
                                  seed, counts, work->estimates, work->resamples);
}

/* Two sources, but for the verdict. */
static bool compare_pair(const psp_ordered *ordered, psp_work *work, psprobe_comparison *c,
                         psp_pair_state *state, psprobe_pair *pair) {
  count_losses(ordered->probes, pair);
  pair->a_slow = psp_slowness(ordered->probes, pair->a, c->sources[pair->a].quantiles[2].value_ns,
                              pair->b, c->sources[pair->b].quantiles[2].value_ns);
  pair->b_slow = psp_slowness(ordered->probes, pair->b, c->sources[pair->b].quantiles[2].value_ns,
                              pair->a, c->sources[pair->a].quantiles[2].value_ns);
  pair->unpaired = psp_change(&c->medians[pair->b], &c->medians[pair->a]);

  psp_ordered_take_pair(ordered, pair->a, pair->b, work);
  const psp_estimate all = psp_median_inverted(&work->sample, work->scores);
  pair->all = paired_of(&all);
  pair->warm = pair->all;
  if (psp_sample_marked(work)) {
    psp_sample_split(work);
    const psp_estimate warm = psp_median_inverted(&work->part[0], work->scores);
    const psp_estimate cold = psp_median_inverted(&work->part[1], work->scores);
    pair->warm = paired_of(&warm);
    pair->cold = paired_of(&cold);
  }

  psp_shift shift;
  if (!psp_hodges_lehmann(work, &shift)) return false;
  pair->hodges_lehmann_ns = shift.shift_ns;
  pair->hodges_lehmann_ci = shift.ci;
  resample(work, &all, c->seed, pair);

  test_for_no_difference(work, state, pair);
  pair->serial = psp_serial_of(&work->sample, &all, work->scores);
  pair->drift = psp_drift(work);
  return true;
}

static bool run(const psprobe_probes *probes, size_t resamples, psprobe_comparison *c) {
  psp_ordered ordered = {0};
  psp_work work = {0};
  double *p = calloc(2 * c->pair_count + 1, sizeof *p);
  bool enough = p != NULL && psp_ordered_init(&ordered, probes);
  enough = enough && psp_work_init(&work, probes->count, resamples);
  for (size_t s = 0; enough && s < c->source_count; s++) {
    psp_summarise(&ordered, s, &work, &c->sources[s], &c->medians[s]);
  }
  size_t k = 0;
  for (size_t a = 0; a < c->source_count; a++) {
    for (size_t b = a + 1; enough && b < c->source_count; b++, k++) {
      c->pairs[k].a = a;
      c->pairs[k].b = b;
      enough = compare_pair(&ordered, &work, c, &c->states[k], &c->pairs[k]);
    }
  }
  if (enough) {
    psp_comparison_decide(c, p);
    psp_comparison_rank(c);
  }
  psp_work_clear(&work);
  psp_ordered_clear(&ordered);
  free(p);
  return enough;
}

psprobe_code psprobe_comparison_new(const psprobe_probes *probes,
                                    const psprobe_comparison_options *options,
                                    psprobe_comparison **comparison, psprobe_error *error) {
  const psprobe_code code = check(probes, error);
  if (code != PSPROBE_OK) return code;
  size_t resamples = options == NULL ? 0 : options->resamples;
  if (resamples == 0) resamples = DEFAULT_RESAMPLES;
  if (resamples < MIN_RESAMPLES) resamples = MIN_RESAMPLES;
  psprobe_comparison *c = psp_comparison_alloc(probes);
  if (c == NULL) return psp_fail_memory(error, "comparison");
  c->seed = options == NULL ? 0 : options->seed;
  if (!run(probes, resamples, c)) {
    psprobe_comparison_free(c);
    return psp_fail_memory(error, "comparison");
  }
  *comparison = c;
  return PSPROBE_OK;
}
