/* SPDX-License-Identifier: MIT */
/** @file The figures as JSON, in the schema of docs/report-json.md. */
#include <psprobe/version.h>

#include <stdlib.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "report/legs.h"
#include "report/rates.h"
#include "report/report.h"
#include "results/upload/document.h"

#define REPORT_SCHEMA 1

/* A number that is not measured where `there` is false: null, not 0. */
static void put_measured(psp_json_writer *w, const char *key, bool there, double value) {
  psp_json_put_key(w, key);
  if (there)
    psp_json_put_double(w, value);
  else
    psp_json_put_null(w);
}

static void put_text(psp_json_writer *w, const char *key, const char *value) {
  psp_json_put_key(w, key);
  psp_json_put_string(w, value);
}

static void put_time(psp_json_writer *w, const char *key, int64_t wall_ns) {
  char text[PSP_TIMESTAMP_SIZE];
  put_text(w, key, wall_ns == 0 ? NULL : psp_timestamp_format_ns(text, wall_ns));
}

/* A duration, null when nothing answered: 0 would be a very good one. */
static void put_figure(psp_json_writer *w, const char *key, bool there, int64_t ns) {
  psp_json_put_key(w, key);
  psp_json_put_known(w, there, ns);
}

/* [low, high]; null for a bound that the data cannot give. */
static void put_interval(psp_json_writer *w, const char *key, const psprobe_interval *ci) {
  psp_json_begin_array_member(w, key);
  psp_json_put_known(w, ci->has_low, ci->low_ns);
  psp_json_put_known(w, ci->has_high, ci->high_ns);
  psp_json_end_array(w);
}

/* What a run without an end has left open; null of others. */
static void put_open(psp_json_writer *w, const psp_run_copy *copy) {
  static const char *const probers[] = {NULL, "running", "gone"};
  const psp_open_probes *open = &copy->open;
  if (open->prober == PSP_WRITER_UNKNOWN && open->sent + open->perhaps == 0) {
    psp_json_put_key(w, "open");
    psp_json_put_null(w);
    return;
  }
  psp_json_begin_object_member(w, "open");
  put_text(w, "prober", probers[open->prober]);
  psp_json_put_int64_member(w, "sent", (int64_t)open->sent);
  psp_json_put_int64_member(w, "perhaps_sent", (int64_t)open->perhaps);
  psp_json_end_object(w);
}

static void put_run(psp_json_writer *w, const psp_run_copy *copy) {
  const psprobe_run *run = &copy->run;
  psp_json_begin_object(w);
  put_text(w, "id", run->id);
  put_time(w, "started", run->started_wall_ns);
  put_time(w, "ended", run->ended_wall_ns);
  put_text(w, "ending", psp_ending_name(run->ending));
  put_open(w, copy);
  if (run->resumed > 0) psp_json_put_int64_member(w, "resumed", run->resumed);
  put_text(w, "project", run->project);
  put_text(w, "topic", run->topic);
  put_text(w, "host", run->host);
  put_text(w, "region", run->region);
  put_text(w, "clock", run->clock);
  put_text(w, "version", run->version);
  psp_json_put_int64_member(w, "interval_ns", run->interval_ns);
  psp_json_put_int64_member(w, "timeout_ns", run->timeout_ns);
  psp_cadences cadences = psp_cadences_of(run);
  put_figure(w, "cold_every_ns", cadences.cold_ns > 0, cadences.cold_ns);
  put_figure(w, "filler_ns", cadences.filler_ns > 0, cadences.filler_ns);
  put_text(w, "publish_by", cadences.publish_by[0] != '\0' ? cadences.publish_by : NULL);
  psp_json_end_object(w);
}

/* The cold answers of a source, or the warm ones. */
static void put_part(psp_json_writer *w, const char *key, const psprobe_part *part) {
  static const char *const keys[PSPROBE_QUANTILE_COUNT] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns"};
  psp_json_begin_object_member(w, key);
  psp_json_put_int64_member(w, "n", (int64_t)part->n);
  put_figure(w, "min_ns", part->n > 0, part->min_ns);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    put_figure(w, keys[q], part->n > 0, part->quantiles_ns[q]);
  put_figure(w, "max_ns", part->n > 0, part->max_ns);
  put_interval(w, "p50_ci_ns", &part->median_ci);
  psp_json_end_object(w);
}

static void put_bounds(psp_json_writer *w, const char *key, bool there, const psp_leg *leg) {
  const psprobe_interval bounds = {there, there, leg->low_ns, leg->high_ns};
  put_interval(w, key, &bounds);
}

/* NULL: not looked at. */
static void put_legs(psp_json_writer *w, const psp_legs *legs) {
  if (legs == NULL) {
    psp_json_put_key(w, "legs");
    psp_json_put_null(w);
    return;
  }
  bool known = legs->answers > 0;
  psp_json_begin_object_member(w, "legs");
  psp_json_put_int64_member(w, "instances", (int64_t)legs->instances);
  put_figure(w, "ready_ns", legs->ready_n > 0, legs->ready_ns);
  psp_json_put_int64_member(w, "answers", (int64_t)legs->answers);
  put_bounds(w, "to_arrival_ns", known, &legs->to_arrival);
  put_figure(w, "in_hand_ns", known, legs->in_hand_ns);
  put_bounds(w, "to_receipt_ns", known, &legs->to_receipt);
  psp_json_end_object(w);
}

static void put_source(psp_json_writer *w, const char *name, const psprobe_source_summary *s,
                       uint64_t in_doubt, const psp_legs *legs) {
  static const char *const keys[PSPROBE_QUANTILE_COUNT][2] = {{"p50_ns", "p50_ci_ns"},
                                                              {"p90_ns", "p90_ci_ns"},
                                                              {"p99_ns", "p99_ci_ns"},
                                                              {"p999_ns", "p999_ci_ns"}};
  bool any = s->answered + s->late > 0;
  psp_json_begin_object_member(w, name);
  psp_json_put_int64_member(w, "sent", (int64_t)s->sent);
  psp_json_put_int64_member(w, "answered", (int64_t)s->answered);
  psp_json_put_int64_member(w, "late", (int64_t)s->late);
  psp_json_put_int64_member(w, "lost", (int64_t)s->lost);
  psp_json_put_int64_member(w, "lost_in_doubt", (int64_t)(in_doubt < s->lost ? in_doubt : s->lost));
  psp_json_put_int64_member(w, "interrupted", (int64_t)s->interrupted);
  psp_json_put_int64_member(w, "uncertain", (int64_t)s->uncertain);
  psp_json_put_int64_member(w, "duplicates", (int64_t)s->duplicates);
  psp_json_put_int64_member(w, "cold", (int64_t)s->cold_count);
  put_figure(w, "min_ns", any, s->min_ns);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    put_figure(w, keys[q][0], any, s->quantiles[q].value_ns);
  put_figure(w, "max_ns", any, s->max_ns);
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++)
    put_interval(w, keys[q][1], &s->quantiles[q].ci);
  put_part(w, "warm_part", &s->warm_part);
  put_part(w, "cold_part", &s->cold_part);
  put_legs(w, legs);
  psp_json_end_object(w);
}

static void put_share(psp_json_writer *w, const char *share_key, const char *ci_key,
                      const psprobe_share *share) {
  put_measured(w, share_key, share->of > 0, share->share);
  psp_json_begin_array_member(w, ci_key);
  for (int k = 0; k < 2; k++) {
    if (share->of > 0)
      psp_json_put_double(w, k == 0 ? share->low : share->high);
    else
      psp_json_put_null(w);
  }
  psp_json_end_array(w);
}

static void put_pair(psp_json_writer *w, const psprobe_report *report, const psprobe_pair *pair) {
  static const char *const outcomes[] = {"undecided", "a_faster", "b_faster"};
  const bool any = pair->all.n > 0, each = any && report->sums == NULL;
  const bool sent = psprobe_comparison_source(report->comparison, pair->a)->sent > 0;
  psp_json_begin_object(w);
  put_text(w, "a", report->columns.sources[pair->a].name);
  put_text(w, "b", report->columns.sources[pair->b].name);
  psp_json_put_int64_member(w, "n", (int64_t)pair->all.n);
  put_figure(w, "median_ns", any, pair->all.median_ns);
  put_interval(w, "median_ci_ns", &pair->all.median_ci);
  put_interval(w, "unpaired_ci_ns", &pair->unpaired.ci);
  put_interval(w, "bootstrap_ci_ns", &pair->bootstrap_ci);
  put_figure(w, "hodges_lehmann_ns", each, pair->hodges_lehmann_ns);
  put_interval(w, "hodges_lehmann_ci_ns", &pair->hodges_lehmann_ci);
  put_measured(w, "wilcoxon_p", each, pair->wilcoxon_p);
  put_measured(w, "sign_p", any, pair->sign_p);
  put_measured(w, "holm_p", any, pair->holm_p);
  put_share(w, "a_first_share", "a_first_ci", &pair->a_first);
  psp_json_put_int64_member(w, "ties", (int64_t)pair->ties);
  psp_json_put_int64_member(w, "only_a_lost", (int64_t)pair->only_a_lost);
  psp_json_put_int64_member(w, "only_b_lost", (int64_t)pair->only_b_lost);
  psp_json_put_int64_member(w, "both_lost", (int64_t)pair->both_lost);
  put_measured(w, "loss_p", sent, pair->loss_p);
  put_measured(w, "a_slow_common_share", pair->a_slow.common.of > 0, pair->a_slow.common.share);
  put_measured(w, "b_slow_common_share", pair->b_slow.common.of > 0, pair->b_slow.common.share);
  put_measured(w, "lag1", pair->serial.known, pair->serial.lag1);
  put_measured(w, "effective_n", any, pair->serial.effective_n);
  put_figure(w, "warm_median_ns", pair->warm.n > 0, pair->warm.median_ns);
  put_figure(w, "cold_median_ns", pair->cold.n > 0, pair->cold.median_ns);
  psp_json_put_int64_member(w, "cold_n", (int64_t)pair->cold.n);
  put_text(w, "outcome", outcomes[pair->outcome]);
  psp_json_put_key(w, "more_probes");
  psp_json_put_known(w, pair->more_known, (int64_t)pair->more_probes);
  psp_json_end_object(w);
}

/* Runs of different rates, each source at each; null where probes are summed up. */
static void put_rates(psp_json_writer *w, const psprobe_report *report) {
  const psp_columns *c = &report->columns;
  psp_rate *rates = NULL;
  size_t count = 0;
  if (report->sums != NULL) {
    psp_json_put_key(w, "rates");
    psp_json_put_null(w);
    return;
  }
  w->buf->failed |= !psp_rates_list(c, &rates, &count);
  psp_json_begin_array_member(w, "rates");
  for (size_t i = 0; i < count; i++) {
    const psprobe_source_summary *s = &rates[i].figures;
    uint64_t answers = s->answered + s->late;
    psp_json_begin_object(w);
    put_measured(w, "messages_per_s", rates[i].per_s > 0, rates[i].per_s);
    put_text(w, "source", c->sources[rates[i].source].name);
    psp_json_put_int64_member(w, "answers", (int64_t)answers);
    put_figure(w, "p50_ns", answers > 0, s->quantiles[0].value_ns);
    put_interval(w, "p50_ci_ns", &s->quantiles[0].ci);
    put_measured(w, "cold_share", answers > 0,
                 (double)s->cold_count / (double)(answers + (answers == 0)));
    psp_json_end_object(w);
  }
  psp_json_end_array(w);
  free(rates);
}

/* The rare probes: the sources that have answered any, without figures where they are too few. */
static void put_cold_cadence(psp_json_writer *w, const psp_columns *c) {
  psprobe_series series[PSPROBE_MAX_SOURCES];
  psprobe_comparison *comparison = NULL;
  psp_json_begin_object_member(w, "cold_cadence");
  if (c->apart != NULL) {
    psprobe_probes probes = psp_columns_probes(c->apart, series);
    w->buf->failed |= psprobe_comparison_new(&probes, NULL, &comparison, NULL) != PSPROBE_OK;
  }
  for (size_t k = 0; comparison != NULL && k < c->source_count; k++) {
    const psprobe_source_summary *s = psprobe_comparison_source(comparison, k);
    uint64_t answers = s->answered + s->late;
    bool enough = answers >= PSP_COLD_LEAST;
    if (answers == 0) continue;
    psp_json_begin_object_member(w, c->sources[k].name);
    psp_json_put_int64_member(w, "answers", (int64_t)answers);
    psp_json_put_int64_member(w, "needed", (int64_t)(enough ? 0 : PSP_COLD_LEAST - answers));
    psp_json_put_int64_member(w, "cold", (int64_t)s->cold_count);
    put_figure(w, "min_ns", enough, s->min_ns);
    put_figure(w, "p50_ns", enough, s->quantiles[0].value_ns);
    put_interval(w, "p50_ci_ns", enough ? &s->quantiles[0].ci : &(psprobe_interval){0});
    put_figure(w, "max_ns", enough, s->max_ns);
    psp_json_end_object(w);
  }
  psp_json_end_object(w);
  psprobe_comparison_free(comparison);
}

/* What sending slow messages a second time would have bought. */
static void put_hedging(psp_json_writer *w, const psprobe_hedging *hedging) {
  const bool timed = hedging->timed > 0;
  psp_json_put_int64_member(w, "publish_timed", (int64_t)hedging->timed);
  put_figure(w, "publish_slow", timed, (int64_t)hedging->slow);
  put_measured(w, "publish_slow_share", timed,
               timed ? (double)hedging->slow / (double)hedging->timed : 0);
}

char *psprobe_report_json(const psprobe_report *report) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_json_begin_object(&w);
  psp_json_put_int64_member(&w, "schema", REPORT_SCHEMA);
  put_text(&w, "sentence", report->sentence);
  psp_json_put_bool_member(&w, "summed_up", report->sums != NULL);
  psp_json_begin_array_member(&w, "runs");
  for (size_t i = 0; i < report->columns.run_count; i++)
    put_run(&w, &report->columns.runs[i]);
  psp_json_end_array(&w);
  psp_json_put_int64_member(&w, "untaken", (int64_t)report->untaken.connections.untaken);
  psp_json_put_int64_member(&w, "unsent", (int64_t)psprobe_comparison_unsent(report->comparison));
  const psprobe_hedging hedging = psprobe_comparison_hedging(report->comparison);
  put_hedging(&w, &hedging);
  psp_json_begin_object_member(&w, "sources");
  for (size_t k = 0; k < psprobe_comparison_source_count(report->comparison); k++) {
    psp_legs legs;
    bool whole = report->sums == NULL;
    if (whole) out.failed |= !psp_legs_of(&report->columns, k, &legs);
    put_source(&w, report->columns.sources[k].name,
               psprobe_comparison_source(report->comparison, k), report->untaken.in_doubt[k],
               whole ? &legs : NULL);
  }
  psp_json_end_object(&w);
  put_cold_cadence(&w, &report->columns);
  put_rates(&w, report);
  psp_json_begin_array_member(&w, "pairs");
  for (size_t i = 0; i < psprobe_comparison_pair_count(report->comparison); i++)
    put_pair(&w, report, psprobe_comparison_pair(report->comparison, i));
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  return psp_buf_take(&out, NULL);
}
