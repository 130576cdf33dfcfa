/* SPDX-License-Identifier: MIT */
#include "golden_comparison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `off`: how far it may be, ns. */
static void check_bound(golden *g, bool has, int64_t bound, int64_t off) {
  const char *word = golden_word(g);
  if (word == NULL) fail_msg("%s:%d: %s: a bound is missing", g->path, g->number, g->key);
  if ((strcmp(word, "none") == 0) == has) {
    fail_msg("%s:%d: %s: a bound of %lld, not %s", g->path, g->number, g->key, (long long)bound,
             word);
  }
  const int64_t want = has ? strtoll(word, NULL, 10) : 0;
  if (bound < want - off || bound > want + off) golden_equal(g, bound, want);
}

static void check_interval(golden *g, psprobe_interval interval) {
  check_bound(g, interval.has_low, interval.low_ns, 0);
  check_bound(g, interval.has_high, interval.high_ns, 0);
}

static void check_change(golden *g, psprobe_change change) {
  golden_equal(g, (int64_t)change.first_n, golden_int(g));
  golden_equal(g, (int64_t)change.second_n, golden_int(g));
  golden_equal(g, change.change_ns, golden_int(g));
  /* Interpolated, so that the last digit hangs on how a sum was rounded. */
  check_bound(g, change.ci.has_low, change.ci.low_ns, 1);
  check_bound(g, change.ci.has_high, change.ci.high_ns, 1);
  assert_int_equal(change.beyond_chance, (change.ci.has_low && change.ci.low_ns > 0) ||
                                             (change.ci.has_high && change.ci.high_ns < 0));
}

static void check_share(golden *g, psprobe_share share) {
  golden_equal(g, (int64_t)share.count, golden_int(g));
  golden_equal(g, (int64_t)share.of, golden_int(g));
  golden_near(g, share.low, golden_double(g), 1e-5, 1e-9);
  golden_near(g, share.high, golden_double(g), 1e-5, 0);
}

static bool check_source(golden *g, const char *key, const psprobe_source_summary *s) {
  static const char *const names[PSPROBE_QUANTILE_COUNT] = {"q0.5", "q0.9", "q0.99", "q0.999"};
  const struct {
    const char *name;
    int64_t value;
  } counts[] = {{"answered", (int64_t)s->answered},
                {"late", (int64_t)s->late},
                {"lost", (int64_t)s->lost},
                {"cold_count", (int64_t)s->cold_count},
                {"min", s->min_ns},
                {"max", s->max_ns},
                {"matters", s->serial.matters}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (strcmp(key, counts[i].name) != 0) continue;
    golden_equal(g, counts[i].value, golden_int(g));
    return true;
  }
  for (size_t q = 0; q < PSPROBE_QUANTILE_COUNT; q++) {
    const size_t len = strlen(names[q]);
    if (strncmp(key, names[q], len) != 0) continue;
    if (key[len] == '\0') {
      golden_equal(g, s->quantiles[q].value_ns, golden_int(g));
      return true;
    }
    if (strcmp(key + len, "_ci") != 0) continue;
    check_interval(g, s->quantiles[q].ci);
    return true;
  }
  if (strcmp(key, "lag1") == 0) {
    golden_near(g, s->serial.lag1, golden_double(g), 1e-5, 1e-6);
  } else if (strcmp(key, "effective_n") == 0) {
    golden_near(g, s->serial.effective_n, golden_double(g), 1e-4, 0);
  } else if (strcmp(key, "cold") == 0) {
    check_change(g, s->cold);
  } else if (strcmp(key, "drift") == 0) {
    check_change(g, s->drift);
  } else {
    return false;
  }
  return true;
}

static bool check_differences(golden *g, const psprobe_pair *p) {
  if (strcmp(g->key, "n") == 0) {
    golden_equal(g, (int64_t)p->all.n, golden_int(g));
  } else if (strcmp(g->key, "median") == 0) {
    golden_equal(g, p->all.median_ns, golden_int(g));
  } else if (strcmp(g->key, "median_ci") == 0) {
    check_interval(g, p->all.median_ci);
  } else if (strcmp(g->key, "warm") == 0) {
    golden_equal(g, (int64_t)p->warm.n, golden_int(g));
    golden_equal(g, p->warm.median_ns, golden_int(g));
  } else if (strcmp(g->key, "warm_ci") == 0) {
    check_interval(g, p->warm.median_ci);
  } else if (strcmp(g->key, "cold") == 0) {
    golden_equal(g, (int64_t)p->cold.n, golden_int(g));
    golden_equal(g, p->cold.median_ns, golden_int(g));
  } else if (strcmp(g->key, "cold_ci") == 0) {
    check_interval(g, p->cold.median_ci);
  } else if (strcmp(g->key, "shift") == 0) {
    golden_equal(g, p->hodges_lehmann_ns, golden_int(g));
  } else if (strcmp(g->key, "shift_ci") == 0) {
    check_interval(g, p->hodges_lehmann_ci);
  } else if (strcmp(g->key, "unpaired") == 0) {
    check_change(g, p->unpaired);
  } else if (strcmp(g->key, "pair_drift") == 0) {
    check_change(g, p->drift);
  } else if (strcmp(g->key, "bca_94_96") == 0) {
    /* scipy's at 94 % lies within ours, and ours within scipy's at 96 %. */
    const int64_t low94 = golden_int(g), high94 = golden_int(g), low96 = golden_int(g),
                  high96 = golden_int(g);
    if (p->bootstrap_ci.low_ns > low94 || p->bootstrap_ci.low_ns < low96 ||
        p->bootstrap_ci.high_ns < high94 || p->bootstrap_ci.high_ns > high96) {
      fail_msg("%s:%d: BCa %lld to %lld", g->path, g->number, (long long)p->bootstrap_ci.low_ns,
               (long long)p->bootstrap_ci.high_ns);
    }
  } else {
    return false;
  }
  return true;
}

static void check_outcome(golden *g, const psprobe_pair *p) {
  static const char *const names[] = {"undecided", "a", "b"};
  const char *want = golden_word(g);
  if (want == NULL || strcmp(names[p->outcome], want) != 0) {
    fail_msg("%s:%d: outcome %s", g->path, g->number, names[p->outcome]);
  }
}

static bool check_tests(golden *g, const psprobe_pair *p) {
  if (strcmp(g->key, "wilcoxon_p") == 0) {
    golden_near(g, p->wilcoxon_p, golden_double(g), 1e-3, 1e-15);
  } else if (strcmp(g->key, "a_first") == 0) {
    check_share(g, p->a_first);
  } else if (strcmp(g->key, "b_first") == 0) {
    check_share(g, p->b_first);
  } else if (strcmp(g->key, "losses") == 0) {
    golden_equal(g, (int64_t)p->both_lost, golden_int(g));
    golden_equal(g, (int64_t)p->only_a_lost, golden_int(g));
    golden_equal(g, (int64_t)p->only_b_lost, golden_int(g));
  } else if (strcmp(g->key, "loss_p") == 0) {
    golden_near(g, p->loss_p, golden_double(g), 1e-9, 0);
  } else if (strcmp(g->key, "a_slow") == 0 || strcmp(g->key, "b_slow") == 0) {
    const psprobe_slowness *slow = g->key[0] == 'a' ? &p->a_slow : &p->b_slow;
    golden_equal(g, (int64_t)slow->common.count, golden_int(g));
    golden_equal(g, (int64_t)slow->common.of, golden_int(g));
  } else if (strcmp(g->key, "pair_serial") == 0) {
    golden_near(g, p->serial.lag1, golden_double(g), 1e-5, 1e-6);
    golden_near(g, p->serial.effective_n, golden_double(g), 1e-4, 0);
    golden_equal(g, p->serial.matters, golden_int(g));
  } else if (strcmp(g->key, "sign_p") == 0) {
    golden_near(g, p->sign_p, golden_double(g), 1e-4, 1e-300); /* as the inflation is */
  } else if (strcmp(g->key, "outcome") == 0) {
    check_outcome(g, p);
  } else {
    return false;
  }
  return true;
}

bool golden_check_comparison(golden *g, const psprobe_comparison *comparison) {
  const psprobe_pair *pair = psprobe_comparison_pair(comparison, 0);
  if (check_differences(g, pair) || check_tests(g, pair)) return true;
  if (strncmp(g->key, "a_", 2) == 0) {
    return check_source(g, g->key + 2, psprobe_comparison_source(comparison, 0));
  }
  if (strncmp(g->key, "b_", 2) == 0) {
    return check_source(g, g->key + 2, psprobe_comparison_source(comparison, 1));
  }
  return false;
}
