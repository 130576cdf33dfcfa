/* SPDX-License-Identifier: MIT */
#ifndef PSP_TIMING_WALSH_H
#define PSP_TIMING_WALSH_H
/** @file Selecting among Walsh averages without making them. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How many sums sorted[i] + sorted[j], i <= j, there are: n (n + 1) / 2. */
uint64_t psp_walsh_count(size_t n);

/**
 * The k-th smallest (from 1) of the sums sorted[i] + sorted[j], i <= j: twice a
 * Walsh average. O(n log n) expected: the sums form a matrix with sorted rows
 * and columns, in which what lies below a pivot is counted in O(n) (Johnson &
 * Mizoguchi, SIAM J. Comput. 7, 1978; Monahan, ACM TOMS 10, 1984, for the
 * Hodges-Lehmann estimator); the pivots come from a random sample of what is
 * left, two at a time about the rank sought (Floyd & Rivest, CACM 18, 1975).
 * The result does not depend on the random numbers.
 *
 * @param sorted ascending, |values| < 2^61
 * @param ranks, sums  `count` ranks, ascending, each within 1 and psp_walsh_count(n), and
 *        their sums, which are received
 * @return false without memory
 */
bool psp_walsh_select(const int64_t *sorted, size_t n, const uint64_t *ranks, int64_t *sums,
                      size_t count);

#endif
