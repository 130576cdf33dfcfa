/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_VERDICT_H
#define PSP_STATS_VERDICT_H
/** @file Who is faster, whether it can be told, and what it would take to tell. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/serial.h"

/** With fewer differences than these no verdict is possible, though all had one sign: it takes so
 * many to rule out likeness of neighbours (psp_serial_caution). */
#define PSP_FEWEST_DIFFERENCES 12

/** Signs of the differences a - b. */
typedef struct psp_signs {
  uint64_t negative, zero, positive;
} psp_signs;

psp_signs psp_signs_count(const int64_t *sorted, size_t n);

/**
 * The sign test of a median of 0, two-sided (Arbuthnott 1710; Dixon & Mood,
 * JASA 41, 1946): 2 F(k) with F binomial (n, 1/2) and k the smaller of the
 * counts that do not speak for one side, zeros on either side with those. It
 * is the dual of the median's interval (sign_interval.h): below 0.05 exactly
 * where that excludes 0, the inflation included. Being a count of who was
 * first, it asks nothing of the distribution.
 */
double psp_sign_test(psp_signs signs, double inflation);

/**
 * Corrects `count` p-values for their number (Holm, Scandinavian Journal of
 * Statistics 6, 1979): with the corrected ones held against 0.05, the chance of
 * any false verdict among them all stays below 5 %.
 */
void psp_holm(const double *p, double *corrected, size_t count);

/**
 * How many more probes it would take until psp_sign_test is below 0.05 / `pairs` in 4 of 5
 * continuations of the run, by simulation from the data: in each of 1,000, the
 * shares of the three signs are drawn as they may be, given those seen
 * (Rubin's Bayesian bootstrap, Annals of Statistics 9, 1981, over the signs,
 * with Jeffreys' half a count for either side), and then the signs to come,
 * with the design effect of those seen. So the uncertainty of what was seen is
 * in the number, and chance effects are not taken at their word.
 *
 * @return false where no number would do, or the data say nothing: fewer than
 * PSP_FEWEST_DIFFERENCES, or half of them zero
 */
bool psp_more_probes(psp_signs signs, const psp_serial *serial, size_t pairs, uint64_t seed,
                     uint64_t *more);

#endif
