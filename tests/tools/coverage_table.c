/* SPDX-License-Identifier: MIT */
/**
 * @file
 * How often the verdict is wrong where two sources are alike, and how often the median's interval
 * holds the truth, by the number of probes and the correlation of neighbours: the tables of
 * docs/statistics.md. Differences are normal and AR(1); seeded, so that the same figures come out
 * everywhere.
 *
 *   coverage_table [DRAWS [MOST_PROBES]]     4,000 draws a cell, up to 10,000 probes by default
 *   coverage_table false DRAWS [LEAST]       false verdicts alone, from that many probes on
 *
 * False verdicts are looked for in ten times as many draws, by the sign test alone, without which
 * there is no verdict: the share that is printed is the most that it can be.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <psprobe/compare.h>

#include "stats/rng.h"
#include "stats/sign_interval.h"
#include "stats/verdict.h"

#define MOST_PROBES   10000
#define DEFAULT_DRAWS 4000
#define SPREAD_NS     3e6
#define COMMON_NS     80000000
#define SEED          2026

static const size_t counts[] = {6,  7,   8,   9,   10,   11,   12,   13,         15,
                                17, 20,  25,  30,  35,   40,   45,   50,         60,
                                80, 100, 200, 500, 1000, 2000, 5000, MOST_PROBES};
static const double correlations[] = {0, 0.2, 0.4, 0.6};
#define COUNTS       (sizeof counts / sizeof *counts)
#define CORRELATIONS (sizeof correlations / sizeof *correlations)

/* Each cell has a chance of its own, so that no two are wrong together. */
static uint64_t seed_of(size_t n, double rho, double shift) {
  return SEED + n + (uint64_t)(rho * 1e7) + (uint64_t)(shift * 1e9);
}

static double false_verdicts(size_t n, double rho, int draws) {
  static float scores[MOST_PROBES];
  const double own = sqrt(1 - rho * rho);
  int told = 0;
  psp_rng rng;
  psp_rng_seed(&rng, seed_of(n, rho, 9));
  for (int i = 0; i < draws; i++) {
    psp_signs signs = {0};
    double x = psp_rng_normal(&rng);
    for (size_t k = 0; k < n; k++) {
      scores[k] = x > 0 ? 1 : -1;
      *(x > 0 ? &signs.positive : &signs.negative) += 1;
      x = rho * x + own * psp_rng_normal(&rng);
    }
    told += psp_sign_test(signs, psp_signs_serial(scores, n).inflation) < 0.05;
  }
  return (double)told / draws;
}

/* Shares of the draws of one cell. */
typedef struct cell {
  double told;  /* there was a verdict */
  double held;  /* the median's interval held the truth, or had no bound there */
  double noted; /* neighbours were said to be alike */
} cell;

/* Differences about `shift` standard deviations, AR(1), put on top of a common time. */
static void draw(int64_t *a, int64_t *b, size_t n, double rho, double shift, psp_rng *rng) {
  const double own = sqrt(1 - rho * rho);
  double x = psp_rng_normal(rng);
  for (size_t i = 0; i < n; i++) {
    b[i] = COMMON_NS + (int64_t)(psp_rng_uniform(rng) * SPREAD_NS);
    a[i] = b[i] + llround((x + shift) * SPREAD_NS);
    x = rho * x + own * psp_rng_normal(rng);
  }
}

static psprobe_comparison *compare(const int64_t *a, const int64_t *b, size_t n, uint64_t seed) {
  const psprobe_series series[2] = {{.name = "a", .elapsed_ns = a}, {.name = "b", .elapsed_ns = b}};
  const psprobe_probes probes = {.count = n, .source_count = 2, .sources = series};
  const psprobe_comparison_options options = {.seed = seed, .resamples = 200};
  psprobe_comparison *c = NULL;
  if (psprobe_comparison_new(&probes, &options, &c, NULL) == PSPROBE_OK) return c;
  fputs("coverage_table: out of memory\n", stderr);
  exit(1);
}

static cell simulate(size_t n, double rho, double shift, int draws) {
  static int64_t a[MOST_PROBES], b[MOST_PROBES];
  const double truth = shift * SPREAD_NS;
  cell sums = {0};
  psp_rng rng;
  psp_rng_seed(&rng, seed_of(n, rho, shift));
  for (int i = 0; i < draws; i++) {
    draw(a, b, n, rho, shift, &rng);
    psprobe_comparison *c = compare(a, b, n, psp_rng_next(&rng));
    const psprobe_pair *pair = psprobe_comparison_pair(c, 0);
    const psprobe_interval *ci = &pair->all.median_ci;
    sums.told += pair->outcome != PSPROBE_UNDECIDED;
    sums.held += (!ci->has_low || (double)ci->low_ns <= truth) &&
                 (!ci->has_high || (double)ci->high_ns >= truth);
    sums.noted += pair->serial.matters;
    psprobe_comparison_free(c);
  }
  return (cell){sums.told / draws, sums.held / draws, sums.noted / draws};
}

static void print_row(size_t n, int draws) {
  cell cells[CORRELATIONS];
  for (size_t r = 0; r < CORRELATIONS; r++)
    cells[r] = simulate(n, correlations[r], 0, draws);
  printf("| %zu |", n);
  for (size_t r = 0; r < CORRELATIONS; r++)
    printf(" %.1f |", 100 * false_verdicts(n, correlations[r], 10 * draws));
  for (size_t r = 0; r < CORRELATIONS; r++)
    printf(" %.1f |", 100 * cells[r].held);
  const cell half = simulate(n, 0, 0.5, draws), whole = simulate(n, 0, 1, draws);
  printf(" %.0f, %.0f | %.1f |\n", 100 * half.told, 100 * whole.told, 100 * cells[0].noted);
  fflush(stdout);
}

static int print_false(int draws, size_t least) {
  for (size_t k = 0; k < COUNTS; k++) {
    if (counts[k] < least) continue;
    printf("| %zu |", counts[k]);
    for (size_t r = 0; r < CORRELATIONS; r++)
      printf(" %.2f |", 100 * false_verdicts(counts[k], correlations[r], draws));
    printf("\n");
    fflush(stdout);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "false") == 0)
    return print_false(atoi(argv[2]), argc > 3 ? (size_t)atol(argv[3]) : 0);
  const int draws = argc > 1 ? atoi(argv[1]) : DEFAULT_DRAWS;
  const size_t most = argc > 2 ? (size_t)atol(argv[2]) : MOST_PROBES;
  if (draws <= 0) return 2;
  printf("| probes |");
  for (size_t r = 0; r < CORRELATIONS; r++)
    printf(" false at %.1f |", correlations[r]);
  for (size_t r = 0; r < CORRELATIONS; r++)
    printf(" held at %.1f |", correlations[r]);
  printf(" told apart | said to be alike |\n|");
  for (size_t r = 0; r < 3 + 2 * CORRELATIONS; r++)
    printf(" ---: |");
  printf("\n");
  for (size_t k = 0; k < COUNTS && counts[k] <= most; k++)
    print_row(counts[k], draws);
  return 0;
}
