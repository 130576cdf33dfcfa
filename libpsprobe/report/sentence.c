/* SPDX-License-Identifier: MIT */
/** @file The answer in one sentence. */
#include "report/words.h"
#include "stats/comparison.h"

/* A pair as seen from one of its two sources: `first` stands where a stood. */
typedef struct seen_pair {
  const psprobe_pair *pair;
  const psprobe_source_summary *first, *second;
  int64_t lead_ns; /* by how much the first was ahead at the median */
  psprobe_interval lead_ci;
  uint64_t firsts, first_lost, second_lost;
} seen_pair;

static int64_t minus_if(bool flip, int64_t ns) {
  return flip ? -ns : ns;
}

/* The lead is b minus a when seen from a: the interval of a minus b, turned round. */
static seen_pair see(const psprobe_comparison *c, const psprobe_pair *pair, bool from_b) {
  const psprobe_paired *all = &pair->all;
  const psprobe_interval *ci = &all->median_ci;
  return (seen_pair){.pair = pair,
                     .first = &c->sources[from_b ? pair->b : pair->a],
                     .second = &c->sources[from_b ? pair->a : pair->b],
                     .lead_ns = minus_if(!from_b, all->median_ns),
                     .lead_ci = {.has_low = from_b ? ci->has_low : ci->has_high,
                                 .has_high = from_b ? ci->has_high : ci->has_low,
                                 .low_ns = from_b ? ci->low_ns : -ci->high_ns,
                                 .high_ns = from_b ? ci->high_ns : -ci->low_ns},
                     .firsts = from_b ? pair->b_first.count : pair->a_first.count,
                     .first_lost = from_b ? pair->only_b_lost : pair->only_a_lost,
                     .second_lost = from_b ? pair->only_a_lost : pair->only_b_lost};
}

static void say_lead(psp_buf *out, const seen_pair *seen) {
  const psp_scale scale = psp_scale_of_interval(seen->lead_ns, &seen->lead_ci);
  psp_words_duration(out, scale, seen->lead_ns);
  psp_buf_text(out, " at the median (");
  if (psp_words_interval(out, scale, &seen->lead_ci)) psp_buf_text(out, ", ");
  psp_words_probes(out, seen->pair->all.n);
  psp_buf_char(out, ')');
}

static void say_faster(psp_buf *out, const seen_pair *seen) {
  psp_buf_printf(out, "%s answers faster than %s: by ", seen->first->name, seen->second->name);
  say_lead(out, seen);
  if (seen->firsts == seen->pair->all.n) {
    psp_buf_text(out, ", first in all of them.");
    return;
  }
  psp_buf_text(out, ", first in ");
  psp_words_share(out, seen->firsts, seen->pair->all.n);
  psp_buf_text(out, " of them.");
}

/* Why there is no number of further probes. */
static void say_why(psp_buf *out, const seen_pair *seen) {
  const uint64_t n = seen->pair->all.n;
  if (n == 0) {
    psp_buf_text(out, " There is no probe that both answered.");
  } else if (n < PSP_FEWEST_DIFFERENCES) {
    psp_buf_text(out, " Both answered ");
    psp_words_probes(out, n);
    psp_buf_printf(out, ", too few to tell: it takes %d at least.", PSP_FEWEST_DIFFERENCES);
  } else {
    psp_buf_text(out, " Too many of the ");
    psp_words_probes(out, n);
    psp_buf_text(out, " were answered by both at the same time.");
  }
}

static void say_undecided(psp_buf *out, const seen_pair *seen) {
  psp_buf_printf(out, "This run cannot tell whether %s or %s answers faster", seen->first->name,
                 seen->second->name);
  if (!seen->pair->more_known) {
    psp_buf_char(out, '.');
    say_why(out, seen);
    return;
  }
  psp_buf_text(out, "; about ");
  const uint64_t more = psp_words_rounded(seen->pair->more_probes);
  psp_words_count(out, more);
  psp_buf_printf(out, " more %s would.", more == 1 ? "probe" : "probes");
  if (seen->lead_ns == 0) {
    psp_buf_text(out, " So far neither is ahead: ");
  } else {
    psp_buf_printf(out, " So far %s is ahead: by ", seen->first->name);
  }
  say_lead(out, seen);
  psp_buf_char(out, '.');
}

static uint64_t came(const psprobe_source_summary *source) {
  return source->answered + source->late;
}

/* True when either answered nothing, which is said instead of a comparison. */
static bool say_silent(psp_buf *out, const psprobe_source_summary *a,
                       const psprobe_source_summary *b) {
  if (came(a) > 0 && came(b) > 0) return false;
  if (came(a) == 0 && came(b) == 0) {
    psp_buf_printf(out, "Neither %s nor %s answered any of ", a->name, b->name);
    psp_words_probes(out, a->sent);
    psp_buf_char(out, '.');
    return true;
  }
  const psprobe_source_summary *silent = came(a) == 0 ? a : b, *other = came(a) == 0 ? b : a;
  psp_buf_printf(out, "%s answered none of ", silent->name);
  psp_words_probes(out, silent->sent);
  psp_buf_printf(out, ", and %s ", other->name);
  psp_words_count(out, came(other));
  psp_buf_text(out, ": there is nothing to compare.");
  return true;
}

/* More than chance has it: a faster source that loses more is no better one. */
static void say_losses(psp_buf *out, const seen_pair *seen) {
  if (!(seen->pair->loss_p < 0.05)) return;
  const psprobe_source_summary *more = seen->first, *less = seen->second;
  if (seen->first_lost < seen->second_lost) {
    more = seen->second;
    less = seen->first;
  }
  psp_buf_printf(out, " %s lost ", more->name);
  psp_words_count(out, more->lost);
  psp_buf_text(out, " of ");
  psp_words_probes(out, more->sent);
  psp_buf_printf(out, ", %s ", less->name);
  if (less->lost == 0) {
    psp_buf_text(out, "none.");
  } else {
    psp_words_count(out, less->lost);
    psp_buf_char(out, '.');
  }
}

static void say_pair(psp_buf *out, const psprobe_comparison *c, size_t leader, size_t other) {
  if (say_silent(out, &c->sources[leader], &c->sources[other])) return;
  bool flipped;
  const psprobe_pair *pair = psp_comparison_between(c, leader, other, &flipped);
  if (pair->outcome == PSPROBE_UNDECIDED) {
    /* Who is ahead by the paired median, whatever the ranking had to go by. */
    const seen_pair seen = see(c, pair, pair->all.median_ns > 0);
    say_undecided(out, &seen);
    say_losses(out, &seen);
  } else {
    const seen_pair seen = see(c, pair, pair->outcome == PSPROBE_B_FASTER);
    say_faster(out, &seen);
    say_losses(out, &seen);
  }
}

static void say_cold(psp_buf *out, const psprobe_source_summary *source) {
  const psprobe_change *cold = &source->cold;
  if (cold->second_n == 0) return;
  if (cold->first_n == 0) {
    psp_buf_printf(out, " All answers of %s came from cold starts.", source->name);
    return;
  }
  psp_buf_text(out, " When cold (");
  psp_words_probes(out, cold->second_n);
  psp_buf_printf(out, "), %s took ", source->name);
  if (cold->change_ns == 0) {
    psp_buf_text(out, "as long.");
    return;
  }
  const int64_t size = cold->change_ns < 0 ? -cold->change_ns : cold->change_ns;
  psp_words_duration(out, psp_scale_of(size), size);
  psp_buf_text(out, cold->change_ns < 0 ? " less." : " longer.");
}

/* Who stands before those who share k's rank and yet was not found faster than k, who is named
 * where there are others. */
static void say_exceptions(psp_buf *out, const psprobe_comparison *c, size_t k, bool shares) {
  const char *const name = shares ? c->sources[c->ranking[k].source].name : "";
  const char *between = shares ? "; " : " (";
  for (size_t e = 0; c->ranking[e].rank != c->ranking[k].rank; e++) {
    if (psp_comparison_beats(c, c->ranking[e].source, c->ranking[k].source)) continue;
    psp_buf_printf(out, "%s%s%snot told apart from %s", between, name, shares ? " " : "",
                   c->sources[c->ranking[e].source].name);
    between = "; ";
  }
}

/* "; "-separated, in brackets, what of k's rank is not as the order makes believe. */
static void say_rank_end(psp_buf *out, const psprobe_comparison *c, size_t k, bool shares) {
  const size_t start = out->len;
  if (shares) psp_buf_text(out, " (not told apart");
  for (size_t m = c->ranking[k].rank - 1; m <= k; m++)
    say_exceptions(out, c, m, shares);
  if (out->len > start) psp_buf_char(out, ')');
}

/* "No order holds: x answers faster than y, y faster than z, and z faster than x. " */
static void say_circle(psp_buf *out, const psprobe_comparison *c) {
  psp_buf_text(out, "No order of all holds: ");
  for (size_t k = 0; k < c->circle_count; k++) {
    const bool last = k + 1 == c->circle_count;
    psp_buf_printf(out, "%s%s%s faster than %s",
                   k == 0 ? ""
                   : last ? ", and "
                          : ", ",
                   c->sources[c->circle[k]].name, k == 0 ? " answers" : "",
                   c->sources[c->circle[last ? 0 : k + 1]].name);
  }
  psp_buf_char(out, '.');
}

/* "Fastest first: x; y and z (not told apart); w." */
static void say_ranking(psp_buf *out, const psprobe_comparison *c) {
  psp_buf_text(out, "Fastest first: ");
  for (size_t k = 0; k < c->source_count; k++) {
    const psprobe_rank *rank = &c->ranking[k];
    const bool shares = k > 0 && rank[-1].rank == rank->rank;
    if (k > 0) psp_buf_text(out, shares ? " and " : "; ");
    psp_buf_text(out, c->sources[rank->source].name);
    const bool last = k + 1 == c->source_count || rank[1].rank != rank->rank;
    if (last) say_rank_end(out, c, k, shares);
  }
  psp_buf_text(out, ". ");
}

static void say_alone(psp_buf *out, const psprobe_source_summary *source) {
  psp_buf_printf(out,
                 "%s is the only source, so there is nothing to compare it with: ", source->name);
  if (came(source) == 0) {
    psp_buf_text(out, "it answered none of ");
    psp_words_probes(out, source->sent);
  } else {
    const int64_t p50 = source->quantiles[0].value_ns;
    psp_buf_text(out, "half of its answers came within ");
    psp_words_duration(out, psp_scale_of(p50), p50);
    psp_buf_text(out, " (");
    psp_words_probes(out, came(source));
    psp_buf_char(out, ')');
  }
  psp_buf_char(out, '.');
}

char *psprobe_comparison_sentence(const psprobe_comparison *c) {
  psp_buf out = {0};
  if (c->source_count == 0) {
    psp_buf_text(&out, "No probes, so there is nothing to compare.");
  } else if (c->sources[0].sent == 0) {
    psp_buf_text(&out, "No probes, so there is nothing to compare.");
  } else if (c->source_count == 1) {
    say_alone(&out, &c->sources[0]);
  } else if (c->circle_count > 0) {
    say_circle(&out, c);
  } else {
    if (c->source_count > 2) say_ranking(&out, c);
    say_pair(&out, c, c->ranking[0].source, c->ranking[1].source);
  }
  for (size_t s = 0; s < c->source_count; s++)
    say_cold(&out, &c->sources[s]);
  return psp_buf_take(&out, NULL);
}
