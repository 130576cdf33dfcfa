/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_WALSH_H
#define PSP_STATS_WALSH_H
/** @file Selecting among Walsh averages without making them. Pure. */
#include <stddef.h>
#include <stdint.h>

/** How many sums sorted[i] + sorted[j], i <= j, there are: n (n + 1) / 2. */
uint64_t psp_walsh_count(size_t n);

/** Memory for selections from one sorted array, and what the first of them found out. */
typedef struct psp_walsh psp_walsh;

/** @param sorted borrowed, ascending, |values| < 2^61. @return NULL without memory */
psp_walsh *psp_walsh_new(const int64_t *sorted, size_t n);
void psp_walsh_free(psp_walsh *walsh);

/**
 * The k-th smallest (from 1) of the sums sorted[i] + sorted[j], i <= j: twice a
 * Walsh average. O(n log n) expected: the sums form a matrix with sorted rows
 * and columns, in which what lies below a pivot is counted in O(n) (Johnson &
 * Mizoguchi, SIAM J. Comput. 7, 1978; Monahan, ACM TOMS 10, 1984, for the
 * Hodges-Lehmann estimator); the pivots come from a random sample of what is
 * left, two at a time about the rank sought (Floyd & Rivest, CACM 18, 1975).
 * The result does not depend on the random numbers.
 *
 * @param rank within 1 and psp_walsh_count(n)
 */
int64_t psp_walsh_select(psp_walsh *walsh, uint64_t rank);

#endif
