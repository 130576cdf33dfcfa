/* SPDX-License-Identifier: MIT */
#include "stats/digest/digest_compare.h"

#include <stdlib.h>

#include "base/error.h"
#include "stats/comparison.h"
#include "stats/decide.h"
#include "stats/difference.h"
#include "stats/digest/scoring.h"
#include "stats/proportions.h"
#include "stats/ranking.h"

/* What is scored of a source or a pair, one after another. */
enum {
  MEDIAN,             /* signs about it */
  WARM,               /* about those of the parts */
  COLD,               /* … */
  FIRST,              /* of the halves, each about its own */
  SECOND,             /* … */
  ZERO,               /* of a pair: about 0 */
  QUANTILES = ZERO,   /* of a source: at most it */
  OF_PAIR = ZERO + 1, /* how many there are */
  OF_SOURCE = QUANTILES + PSPROBE_QUANTILE_COUNT
};

static const double quantiles[PSPROBE_QUANTILE_COUNT] = {0.5, 0.9, 0.99, 0.999};

typedef struct work {
  const psp_totals *totals;
  psp_scorings scorings;
  psprobe_comparison *comparison;
} work;

static const psp_spread *spread_of(const work *w, size_t value, psp_value_kind kind) {
  return &w->totals->values[value].kinds[kind];
}

static void add_signs(work *w, size_t value, psp_value_kind kind, int64_t about) {
  psp_scoring *scoring = psp_scoring_add(&w->scorings, w->totals, value, kind);
  if (scoring != NULL) psp_scoring_signs(scoring, about);
}

static void add_medians(work *w, size_t value) {
  static const psp_value_kind kinds[] = {PSP_KIND_ALL, PSP_KIND_WARM, PSP_KIND_COLD, PSP_KIND_FIRST,
                                         PSP_KIND_SECOND};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const psp_spread *spread = spread_of(w, value, kinds[i]);
    add_signs(w, value, kinds[i], psp_spread_at(spread, ((double)spread->n + 1) / 2));
  }
}

static void add_scorings(work *w) {
  const size_t sources = w->comparison->source_count;
  for (size_t k = 0; k < sources; k++) {
    add_medians(w, k);
    for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
      add_signs(w, k, PSP_KIND_ALL,
                psp_spread_quantile(spread_of(w, k, PSP_KIND_ALL), quantiles[q]));
  }
  for (size_t p = 0; p < w->comparison->pair_count; p++) {
    add_medians(w, sources + p);
    add_signs(w, sources + p, PSP_KIND_ALL, 0);
  }
}

/* The first scoring of a source or pair. */
static psp_scoring *scored(const work *w, size_t value) {
  const size_t sources = w->comparison->source_count;
  const size_t at =
      value < sources ? value * OF_SOURCE : sources * OF_SOURCE + (value - sources) * OF_PAIR;
  return &w->scorings.items[at];
}

static psp_serial serial_of(const work *w, size_t value, size_t which) {
  return psp_scoring_serial(scored(w, value) + which, w->totals->blocks);
}

static psp_estimate median_of(const work *w, size_t value, size_t which, psp_value_kind kind) {
  const psp_serial serial = serial_of(w, value, which);
  return psp_spread_median(spread_of(w, value, kind), &serial);
}

static psprobe_serial told(const psp_estimate *median) {
  return (psprobe_serial){.effective_n = (double)median->n / median->serial.design_effect,
                          .matters = median->serial.matters};
}

static psprobe_change drift_of(const work *w, size_t value) {
  psp_scoring *first = scored(w, value) + FIRST;
  psp_scoring_join(first, first + 1, w->totals->blocks);
  const psp_serial serial = psp_scoring_serial(first, w->totals->blocks);
  const psp_estimate before = psp_spread_median(spread_of(w, value, PSP_KIND_FIRST), &serial);
  const psp_estimate after = psp_spread_median(spread_of(w, value, PSP_KIND_SECOND), &serial);
  return psp_change(&before, &after);
}

/* ---- a source ---- */

static psprobe_part part_of(const psp_spread *spread, const psp_estimate *median) {
  psprobe_part part = {
      .n = spread->n, .min_ns = spread->min_ns, .max_ns = spread->max_ns, .median_ci = median->ci};
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    part.quantiles_ns[q] = psp_spread_quantile(spread, quantiles[q]);
  return part;
}

static void count(const psp_digest_source *source, psprobe_source_summary *summary) {
  summary->answered = source->statuses[PSPROBE_ANSWERED];
  summary->late = source->statuses[PSPROBE_LATE];
  summary->lost = source->statuses[PSPROBE_LOST];
  summary->sent = summary->answered + summary->late + summary->lost;
  summary->interrupted = source->statuses[PSPROBE_INTERRUPTED];
  summary->uncertain = source->statuses[PSPROBE_UNCERTAIN];
  summary->duplicates = source->duplicates;
}

static void summarise(work *w, size_t k) {
  psprobe_source_summary *summary = &w->comparison->sources[k];
  psp_estimate *median = &w->comparison->medians[k];
  const psp_spread *all = spread_of(w, k, PSP_KIND_ALL), *cold = spread_of(w, k, PSP_KIND_COLD);
  count(&w->totals->sources[k], summary);
  summary->cold_count = cold->n;
  summary->min_ns = all->min_ns;
  summary->max_ns = all->max_ns;
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++) {
    const psp_serial serial = serial_of(w, k, QUANTILES + q);
    summary->quantiles[q] =
        (psprobe_quantile){quantiles[q], psp_spread_quantile(all, quantiles[q]),
                           psp_spread_interval(all, quantiles[q], serial.inflation)};
  }
  *median = median_of(w, k, MEDIAN, PSP_KIND_ALL);
  summary->serial = told(median);
  const psp_estimate of_warm = cold->n == 0 ? *median : median_of(w, k, WARM, PSP_KIND_WARM);
  const psp_estimate of_cold = median_of(w, k, COLD, PSP_KIND_COLD);
  summary->warm_part = part_of(spread_of(w, k, PSP_KIND_WARM), &of_warm);
  summary->cold_part = part_of(cold, &of_cold);
  summary->cold = psp_change(&of_warm, &of_cold);
  summary->drift = drift_of(w, k);
}

/* ---- a pair ---- */

static psprobe_paired paired_of(const psp_estimate *estimate) {
  return (psprobe_paired){
      .n = estimate->n, .median_ns = estimate->median_ns, .median_ci = estimate->ci};
}

static void test_for_no_difference(work *w, size_t value, psp_pair_state *state,
                                   psprobe_pair *pair) {
  const psp_spread *all = spread_of(w, value, PSP_KIND_ALL);
  const uint64_t below = psp_spread_at_most(all, -1), upto = psp_spread_at_most(all, 0);
  state->signs = (psp_signs){below, upto - below, all->n - upto};
  state->serial = serial_of(w, value, ZERO);
  pair->a_first = psp_share(below, below + state->signs.positive, state->serial.inflation);
  pair->b_first =
      psp_share(state->signs.positive, below + state->signs.positive, state->serial.inflation);
  pair->ties = state->signs.zero;
  pair->sign_p = psp_sign_test(state->signs, state->serial.inflation);
  pair->wilcoxon_p = 1;
}

static void compare_pair(work *w, size_t p) {
  psprobe_comparison *c = w->comparison;
  psprobe_pair *pair = &c->pairs[p];
  const size_t value = c->source_count + p;
  const psp_digest_pair *losses = &w->totals->pairs[p];
  pair->both_lost = losses->both_lost;
  pair->only_a_lost = losses->only_a_lost;
  pair->only_b_lost = losses->only_b_lost;
  pair->loss_p = psp_mcnemar_mid_p(pair->only_a_lost, pair->only_b_lost);
  pair->unpaired = psp_change(&c->medians[pair->b], &c->medians[pair->a]);
  const psp_estimate all = median_of(w, value, MEDIAN, PSP_KIND_ALL);
  pair->all = pair->warm = paired_of(&all);
  if (spread_of(w, value, PSP_KIND_COLD)->n > 0) {
    const psp_estimate warm = median_of(w, value, WARM, PSP_KIND_WARM);
    const psp_estimate cold = median_of(w, value, COLD, PSP_KIND_COLD);
    pair->warm = paired_of(&warm);
    pair->cold = paired_of(&cold);
  }
  pair->serial = told(&all);
  test_for_no_difference(w, value, &c->states[p], pair);
  pair->drift = drift_of(w, value);
}

static void compare_all(work *w) {
  psprobe_comparison *c = w->comparison;
  for (size_t k = 0; k < c->source_count; k++)
    summarise(w, k);
  size_t p = 0;
  for (size_t a = 0; a < c->source_count; a++)
    for (size_t b = a + 1; b < c->source_count; b++, p++) {
      c->pairs[p].a = a;
      c->pairs[p].b = b;
      compare_pair(w, p);
    }
}

/* An empty comparison of these names. */
static psprobe_comparison *alloc(const psp_totals *totals, const char *const *names) {
  psprobe_series series[PSP_DIGEST_SOURCES] = {0};
  for (size_t k = 0; k < totals->digests->source_count; k++)
    series[k].name = names[k];
  const psprobe_probes none = {.source_count = totals->digests->source_count, .sources = series};
  psprobe_comparison *made = psp_comparison_alloc(&none);
  if (made == NULL) return NULL;
  made->unsent = totals->unsent;
  made->hedging = totals->hedging;
  return made;
}

psprobe_code psp_digests_compare(const psp_totals *totals, const char *const *names,
                                 psprobe_comparison **comparison, psprobe_error *error) {
  work w = {.totals = totals, .comparison = alloc(totals, names)};
  double *p = w.comparison == NULL ? NULL : calloc(2 * w.comparison->pair_count + 1, sizeof *p);
  psprobe_code code = p == NULL ? psp_fail_memory(error, "comparison") : PSPROBE_OK;
  if (code == PSPROBE_OK) {
    add_scorings(&w);
    code = psp_scorings_run(&w.scorings, totals, error);
  }
  if (code == PSPROBE_OK) {
    compare_all(&w);
    psp_comparison_decide(w.comparison, p);
    psp_comparison_rank(w.comparison);
    *comparison = w.comparison;
  } else {
    psprobe_comparison_free(w.comparison);
  }
  psp_scorings_free(&w.scorings);
  free(p);
  return code;
}
