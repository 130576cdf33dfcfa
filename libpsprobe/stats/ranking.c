/* SPDX-License-Identifier: MIT */
#include "stats/ranking.h"

static long score(const psprobe_comparison *c, size_t source) {
  long won = 0;
  for (size_t other = 0; other < c->source_count; other++) {
    if (other == source) continue;
    won += psp_comparison_beats(c, source, other);
    won -= psp_comparison_beats(c, other, source);
  }
  return won;
}

/* Whether `first` belongs before `second`, neither beating the other. */
static bool before(const psprobe_comparison *c, size_t first, size_t second) {
  const bool none = c->medians[first].n == 0, other_none = c->medians[second].n == 0;
  if (none != other_none) return other_none;
  const long won = score(c, first), other_won = score(c, second);
  if (won != other_won) return won > other_won;
  return c->medians[first].median_ns < c->medians[second].median_ns;
}

/* One of those not yet placed that beats `source`; source_count: none. */
static size_t beaten_by(const psprobe_comparison *c, const bool *placed, size_t source) {
  for (size_t other = 0; other < c->source_count; other++) {
    if (other != source && !placed[other] && psp_comparison_beats(c, other, source)) return other;
  }
  return c->source_count;
}

/* Who comes next; source_count: each that is left is beaten by another. */
static size_t next(const psprobe_comparison *c, const bool *placed) {
  size_t best = c->source_count;
  for (size_t s = 0; s < c->source_count; s++) {
    if (placed[s] || beaten_by(c, placed, s) < c->source_count) continue;
    if (best == c->source_count || before(c, s, best)) best = s;
  }
  return best;
}

/* Walks from one that is left to who beats him, and on, until somebody comes again: `at[s]` is the
 * step at which s came, from 1. */
static void find_circle(psprobe_comparison *c, const bool *placed, size_t *at) {
  size_t source = 0, step = 1;
  while (placed[source])
    source++;
  for (; at[source] == 0; step++) {
    at[source] = step;
    c->circle[step - 1] = source;
    source = beaten_by(c, placed, source);
  }
  /* What was walked from `source` on, turned round, since each is beaten by the one after. */
  const size_t from = at[source] - 1;
  c->circle_count = step - 1 - from;
  for (size_t i = 0; i < c->circle_count; i++)
    at[i] = c->circle[step - 2 - i];
  for (size_t i = 0; i < c->circle_count; i++)
    c->circle[i] = at[i];
}

static bool beaten_within(const psprobe_comparison *c, size_t from, size_t to) {
  for (size_t k = from; k < to; k++) {
    if (psp_comparison_beats(c, c->ranking[k].source, c->ranking[to].source)) return true;
  }
  return false;
}

void psp_comparison_rank(psprobe_comparison *c) {
  size_t leader = 0; /* of those who share a rank */
  for (size_t k = 0; k < c->source_count; k++) {
    const size_t source = next(c, c->placed);
    if (source == c->source_count) {
      find_circle(c, c->placed, c->steps);
      return;
    }
    c->placed[source] = true;
    c->ranking[k].source = source;
    if (beaten_within(c, leader, k)) leader = k;
    c->ranking[k].rank = leader + 1;
  }
}
