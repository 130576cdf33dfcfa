/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_WILCOXON_H
#define PSP_STATS_WILCOXON_H
/** @file Wilcoxon's signed-rank test. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Up to so many differences that are not zero the distribution is counted out. */
#define PSP_WILCOXON_EXACT 50

typedef struct psp_wilcoxon {
  size_t n;     /**< differences that are not zero */
  size_t zeros; /**< and those that are */
  double plus;  /**< sum of the ranks of the positive ones */
  double minus; /**< and of the negative ones */
  double z;     /**< of the normal approximation; 0 when n is 0 */
  bool exact;   /**< p was counted out */
  double p;     /**< two-sided; 1 when n is 0 */
} psp_wilcoxon;

/**
 * The test that sorted differences lie symmetrically about 0 (Wilcoxon,
 * Biometrics Bulletin 1, 1945). Equal magnitudes share their mean rank. Zeros
 * are ranked with the rest and then dropped (Pratt, JASA 54, 1959), not
 * dropped before the ranking as Wilcoxon did.
 *
 * Up to PSP_WILCOXON_EXACT, p is the share of all 2^n ways to sign the ranks,
 * shared ranks and gaps of zeros included, that are at least as uneven. Above
 * it is normal, with mean and variance corrected for zeros and ties and the
 * statistic for continuity (Pratt; Cureton, JASA 62, 1967; Hollander, Wolfe &
 * Chicken, "Nonparametric Statistical Methods", 3rd ed. 2014, 3.1).
 *
 * @param order, scores  where each value stood (sort.h), and room for n: the signed ranks in the
 *        order of sending are left there, zeros with 0, for psp_serial_look; both may be NULL
 */
psp_wilcoxon psp_wilcoxon_test(const int64_t *sorted, size_t n, const uint32_t *order,
                               float *scores);

/** Makes the standard error `inflation` times that of independent differences (serial.h); from
 * above 1, p is normal for every n. */
void psp_wilcoxon_widen(psp_wilcoxon *test, double inflation);

/**
 * For independent, symmetric differences without ties: the rank k of a Walsh
 * average so that the k-th smallest and the k-th largest bound the centre with
 * probability 1 - 2 * tail at least; 0 when n is too small for that. Exact: P(W < k) <= tail
 * (Hollander, Wolfe & Chicken 2014, 3.3). n <= PSP_WILCOXON_EXACT.
 */
uint64_t psp_signed_rank_critical(size_t n, double tail);

#endif
