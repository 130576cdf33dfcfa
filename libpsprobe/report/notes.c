/* SPDX-License-Identifier: MIT */
/** @file What else a careful reader should know of a comparison, in words. */
#include <math.h>

#include "report/words.h"
#include "stats/comparison.h"

static void say_p(psp_buf *out, double p) {
  if (p < 0.001) {
    psp_buf_text(out, "p < 0.001");
  } else {
    psp_buf_printf(out, "p = %.*f", p < 0.1 ? 3 : 2, p);
  }
}

static void note_losses(psp_buf *out, const psprobe_comparison *c, const psprobe_pair *pair) {
  const psprobe_source_summary *a = &c->sources[pair->a], *b = &c->sources[pair->b];
  if (pair->only_a_lost + pair->only_b_lost == 0) return;
  psp_buf_printf(out, "%s lost ", a->name);
  psp_words_count(out, a->lost);
  psp_buf_text(out, " of ");
  psp_words_probes(out, a->sent);
  psp_buf_printf(out, ", %s ", b->name);
  psp_words_count(out, b->lost);
  psp_buf_text(out, pair->loss_p < 0.05 ? ": more than chance (McNemar, "
                                        : ", which chance can explain (McNemar, ");
  say_p(out, pair->loss_p);
  psp_buf_text(out, ").\n");
}

static void note_late(psp_buf *out, const psprobe_source_summary *source) {
  if (source->late == 0) return;
  psp_buf_printf(out, "%s answered ", source->name);
  psp_words_probes(out, source->late);
  psp_buf_text(out, " after the timeout; they are in its figures.\n");
}

/* The share of probes at which a source is slow, late or silent anyhow: 1 % are above its p99. */
static double usually_slow(const psprobe_source_summary *source) {
  return source->sent == 0 ? 1
                           : 0.01 + (double)(source->lost + source->late) / (double)source->sent;
}

static void note_slowness(psp_buf *out, const psprobe_comparison *c, size_t own, size_t other,
                          const psprobe_slowness *slow) {
  const psprobe_share *common = &slow->common;
  if (common->of == 0) return;
  /* What is lost all the time was lost then too, and tells nothing of what both have in common. */
  if (common->count > 0 && common->low <= usually_slow(&c->sources[other])) return;
  psp_buf_text(out, common->of == 1 ? "The " : "Of the ");
  psp_words_probes(out, common->of);
  psp_buf_printf(out, " that %s answered after more than ", c->sources[own].name);
  psp_words_duration(out, psp_scale_of(slow->above_ns), slow->above_ns);
  psp_buf_text(out, common->of == 1 ? " (its p99) was" : " (its p99), ");
  if (common->of > 1) {
    psp_words_count(out, common->count);
    psp_buf_text(out, common->count == 1 ? " was" : " were");
  } else if (common->count == 0) {
    psp_buf_text(out, " not");
  }
  psp_buf_printf(out, " slow for %s too", c->sources[other].name);
  psp_buf_text(out, common->count > 0
                        ? ": there the topic or the prober stalled, not the responder.\n"
                        : ": the delay was its own.\n");
}

static void note_serial(psp_buf *out, const psprobe_pair *pair) {
  if (!pair->serial.matters || pair->serial.effective_n >= 0.95 * (double)pair->all.n) return;
  psp_buf_text(out, "Neighbouring probes are alike");
  if (pair->serial.known) psp_buf_printf(out, " (lag-1 autocorrelation %.2f)", pair->serial.lag1);
  psp_buf_text(out, ": ");
  psp_words_probes(out, pair->all.n);
  psp_buf_text(out, " tell as much as ");
  const uint64_t worth = (uint64_t)fmax(1, rint(pair->serial.effective_n));
  psp_words_count(out, worth);
  psp_buf_printf(out, " independent one%s, and the intervals are widened for it.\n",
                 worth == 1 ? "" : "s");
}

static void say_change(psp_buf *out, const psprobe_change *change) {
  const psp_scale scale = psp_scale_of_interval(change->change_ns, &change->ci);
  psp_words_duration(out, scale, change->change_ns);
  psp_buf_text(out, " (");
  if (!psp_words_interval(out, scale, &change->ci)) psp_buf_text(out, "too few for an interval");
  psp_buf_char(out, ')');
}

/* The same the other way round. */
static psprobe_change turned(const psprobe_change *change) {
  psprobe_change other = *change;
  other.change_ns = -change->change_ns;
  other.ci = (psprobe_interval){.low_ns = -change->ci.high_ns,
                                .high_ns = -change->ci.low_ns,
                                .has_low = change->ci.has_high,
                                .has_high = change->ci.has_low};
  return other;
}

static void note_cold(psp_buf *out, const psprobe_source_summary *source) {
  const psprobe_change *cold = &source->cold;
  if (cold->first_n == 0 || cold->second_n == 0) return;
  bool ahead = cold->change_ns < 0;
  const psprobe_change by = ahead ? turned(cold) : *cold;
  psp_buf_printf(out, "Cold answers of %s were %s its warm ones by ", source->name,
                 ahead ? "ahead of" : "behind");
  say_change(out, &by);
  psp_buf_text(out, " at the median.\n");
}

static void note_drift(psp_buf *out, const char *what, const char *name,
                       const psprobe_change *drift) {
  if (!drift->beyond_chance) return;
  psp_buf_printf(out, "From the first half of the run to the second, %s%s changed by ", what, name);
  say_change(out, drift);
  psp_buf_text(out, ".\n");
}

static double width(const psprobe_interval *interval) {
  if (!interval->has_low || !interval->has_high) return 0;
  return (double)interval->high_ns - (double)interval->low_ns;
}

static void note_pairing(psp_buf *out, const psprobe_pair *pair) {
  const double paired = width(&pair->all.median_ci), unpaired = width(&pair->unpaired.ci);
  if (!(paired > 0) || !(unpaired > 0)) return;
  psp_buf_text(out,
               "Had the probes not been the same for both, the difference of the medians would "
               "be ");
  say_change(out, &pair->unpaired);
  if (unpaired >= 1.1 * paired) {
    psp_buf_printf(out, ": pairing makes the interval %.1f times narrower", unpaired / paired);
  }
  psp_buf_text(out, ".\n");
}

static void note_pair(psp_buf *out, const psprobe_comparison *c, const psprobe_pair *pair) {
  note_losses(out, c, pair);
  note_slowness(out, c, pair->a, pair->b, &pair->a_slow);
  note_slowness(out, c, pair->b, pair->a, &pair->b_slow);
  note_serial(out, pair);
  note_drift(out, "the difference", "", &pair->drift);
  note_pairing(out, pair);
}

/* What its prober did not live to see is nobody's loss. */
static void note_interrupted(psp_buf *out, const psprobe_source_summary *source) {
  if (source->interrupted > 0) {
    psp_words_probes(out, source->interrupted);
    psp_buf_printf(out,
                   " that %s had not answered when the prober was interrupted: neither sent nor "
                   "lost in these figures.\n",
                   source->name);
  }
  if (source->uncertain > 0) {
    psp_words_probes(out, source->uncertain);
    psp_buf_printf(out,
                   " that %s had not answered, and that may or may not have been sent before the "
                   "prober was interrupted: left out too.\n",
                   source->name);
  }
}

/* What hedging would have bought: said where publish calls were timed. */
static void note_hedging(psp_buf *out, const psprobe_hedging *hedging) {
  if (hedging->timed == 0) return;
  if (hedging->slow == 0) {
    psp_buf_text(out,
                 "No publish call took longer than 1 s: sending slow ones a second time "
                 "(hedging) would have gained nothing.\n");
    return;
  }
  psp_words_count(out, hedging->slow);
  psp_buf_text(out, hedging->slow == 1 ? " publish call of " : " publish calls of ");
  psp_words_count(out, hedging->timed);
  psp_buf_text(out, " (");
  psp_words_share(out, hedging->slow, hedging->timed);
  psp_buf_text(out,
               ") took longer than 1 s: these, and no others, sending a second time after "
               "that (hedging) could have made faster.\n");
}

char *psprobe_comparison_notes(const psprobe_comparison *c) {
  psp_buf out = {0};
  if (c->unsent > 0) {
    psp_words_probes(&out, c->unsent);
    psp_buf_text(&out, " could not be published and count as lost by nobody.\n");
  }
  for (size_t s = 0; s < c->source_count; s++) {
    note_interrupted(&out, &c->sources[s]);
    note_late(&out, &c->sources[s]);
    note_cold(&out, &c->sources[s]);
    note_drift(&out, "the median of ", c->sources[s].name, &c->sources[s].drift);
  }
  note_hedging(&out, &c->hedging);
  for (size_t k = 0; k < c->pair_count; k++) {
    const psprobe_pair *pair = &c->pairs[k];
    psp_buf notes = {0};
    note_pair(&notes, c, pair);
    if (notes.len > 0 && c->pair_count > 1)
      psp_buf_printf(&out, "%s against %s:\n", c->sources[pair->a].name, c->sources[pair->b].name);
    psp_buf_add(&out, notes.data, notes.len);
    out.failed |= notes.failed;
    psp_buf_free(&notes);
  }
  return psp_buf_take(&out, NULL);
}
