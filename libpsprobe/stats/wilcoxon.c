/* SPDX-License-Identifier: MIT */
#include "stats/wilcoxon.h"

#include <math.h>

#include "stats/distributions.h"

/* Doubled ranks are whole even where they are shared: twice 1 + 2 + … + the most, zeros included.
 * Beyond this many zeros the ranks grow too large to count out. */
#define MOST_RANKS 100
#define MOST_SUM   (2 * PSP_WILCOXON_EXACT * MOST_RANKS)

/* Doubled ranks of up to PSP_WILCOXON_EXACT values, for the exact distribution. */
typedef struct rank_list {
  size_t count;
  unsigned doubled[PSP_WILCOXON_EXACT];
} rank_list;

static uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* A walk over negatives (from 0 downwards) and positives (upwards) in order of magnitude. */
typedef struct walk {
  const int64_t *sorted;
  size_t n;
  size_t negative, positive; /* how many negatives are left; where the positives left begin */
  const uint32_t *order;     /* NULL: no scores are wanted */
  float *scores;
  double ranked; /* how many have been, zeros among them */
  double ties;   /* the sum of t^3 - t over groups of t equals */
} walk;

/* Past the zeros, which take the first ranks. */
static void start(walk *w) {
  while (w->negative < w->n && w->sorted[w->negative] < 0)
    w->negative++;
  w->positive = w->negative;
  for (; w->positive < w->n && w->sorted[w->positive] == 0; w->positive++) {
    if (w->order != NULL) w->scores[w->order[w->positive]] = 0;
  }
  w->ranked = (double)(w->positive - w->negative);
}

static uint64_t least_magnitude(const walk *w) {
  const uint64_t minus = w->negative > 0 ? magnitude(w->sorted[w->negative - 1]) : UINT64_MAX;
  const uint64_t plus = w->positive < w->n ? magnitude(w->sorted[w->positive]) : UINT64_MAX;
  return minus < plus ? minus : plus;
}

/* The values from..to - 1 share a rank; those below 0 are given it with a minus. */
static void give_rank(const walk *w, size_t from, size_t to, double rank) {
  for (size_t i = from; w->order != NULL && i < to; i++)
    w->scores[w->order[i]] = (float)rank;
}

/* Ranks the next group of equal magnitudes. */
static void rank_group(walk *w, psp_wilcoxon *result, rank_list *list) {
  const uint64_t least = least_magnitude(w);
  const size_t negative = w->negative, positive = w->positive;
  while (w->negative > 0 && magnitude(w->sorted[w->negative - 1]) == least)
    w->negative--;
  while (w->positive < w->n && magnitude(w->sorted[w->positive]) == least)
    w->positive++;
  const size_t minus = negative - w->negative, plus = w->positive - positive;
  const double equal = (double)(minus + plus), rank = w->ranked + (equal + 1) / 2;
  give_rank(w, w->negative, negative, -rank);
  give_rank(w, positive, w->positive, rank);
  result->plus += rank * (double)plus;
  result->minus += rank * (double)minus;
  for (size_t i = 0; i < minus + plus && list->count < PSP_WILCOXON_EXACT; i++)
    list->doubled[list->count++] = (unsigned)(2 * rank);
  w->ties += equal * (equal * equal - 1);
  w->ranked += equal;
}

/* @return the sum of t^3 - t over groups of t equals */
static double rank_all(walk *w, psp_wilcoxon *result, rank_list *list) {
  start(w);
  result->zeros = w->positive - w->negative;
  result->n = w->n - result->zeros;
  while (w->negative > 0 || w->positive < w->n)
    rank_group(w, result, list);
  return w->ties;
}

/* shares[s]: the share of all signings whose positive ranks sum to s / 2. Each rank in turn is
 * either in the sum or not, so that shares[s] becomes the mean of shares[s] and shares[s - rank].
 * @return the largest sum */
static unsigned count_signings(const rank_list *list, double shares[MOST_SUM + 1]) {
  unsigned most = 0;
  shares[0] = 1;
  for (size_t i = 0; i < list->count; i++) {
    const unsigned rank = list->doubled[i];
    for (unsigned s = most + 1; s <= most + rank; s++)
      shares[s] = 0;
    most += rank;
    for (unsigned s = most; s >= rank; s--)
      shares[s] = (shares[s] + shares[s - rank]) / 2;
    for (unsigned s = 0; s < rank; s++)
      shares[s] /= 2;
  }
  return most;
}

static double exact_p(const rank_list *list, double smaller) {
  double shares[MOST_SUM + 1], sum = 0;
  const unsigned most = count_signings(list, shares);
  for (unsigned s = 0; s <= (unsigned)(2 * smaller) && s <= most; s++)
    sum += shares[s];
  return fmin(1, 2 * sum);
}

psp_wilcoxon psp_wilcoxon_test(const int64_t *sorted, size_t n, const uint32_t *order,
                               float *scores) {
  psp_wilcoxon result = {.p = 1};
  rank_list list = {.count = 0};
  walk all_of = {.sorted = sorted, .n = n, .order = order, .scores = scores};
  const double ties = rank_all(&all_of, &result, &list);
  if (result.n == 0) return result;
  const double all = (double)n, zeros = (double)result.zeros;
  const double mean = (all * (all + 1) - zeros * (zeros + 1)) / 4;
  const double variance =
      (all * (all + 1) * (2 * all + 1) - zeros * (zeros + 1) * (2 * zeros + 1) - ties / 2) / 24;
  const double off = result.plus - mean;
  const double nearer = off > 0.5 ? off - 0.5 : off < -0.5 ? off + 0.5 : 0;
  result.z = nearer / sqrt(variance);
  result.exact = result.n <= PSP_WILCOXON_EXACT && n <= MOST_RANKS;
  if (result.exact) {
    result.p = exact_p(&list, fmin(result.plus, result.minus));
  } else {
    result.p = fmin(1, 2 * psp_normal_cdf(-fabs(result.z)));
  }
  return result;
}

void psp_wilcoxon_widen(psp_wilcoxon *test, double inflation) {
  if (test->n == 0 || inflation <= 1) return;
  test->z /= inflation;
  test->exact = false;
  test->p = fmin(1, 2 * psp_normal_cdf(-fabs(test->z)));
}

uint64_t psp_signed_rank_critical(size_t n, double tail) {
  rank_list list = {.count = n > PSP_WILCOXON_EXACT ? PSP_WILCOXON_EXACT : n};
  for (size_t i = 0; i < list.count; i++)
    list.doubled[i] = (unsigned)(2 * (i + 1));
  double shares[MOST_SUM + 1], sum = 0;
  const unsigned most = count_signings(&list, shares);
  /* Without ties the doubled sums are the even ones: k counts how many of them fit the tail. */
  for (unsigned s = 0; s <= most; s += 2) {
    sum += shares[s];
    if (sum > tail) return s / 2;
  }
  return most / 2;
}
