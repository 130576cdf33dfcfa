/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SORT_H
#define PSP_STATS_SORT_H
/** @file Sorting that remembers where the values stood. Pure. */
#include <stddef.h>
#include <stdint.h>

/**
 * Sorts `n` values, ascending and stable, into `sorted`; order[k] receives the
 * index of the k-th smallest. n < 2^32. `sorted` may be `values`; `scratch`
 * holds 2 n words. O(n) for durations of a day and less (radix), else O(n log n).
 */
void psp_sort_indexed(const int64_t *values, size_t n, int64_t *sorted, uint32_t *order,
                      uint64_t *scratch);

/** The median of sorted values: of an even number, the mean of the middle two, rounded half away
 * from zero, so that the median of the negated values is its negative. 0 when n is 0. */
int64_t psp_median_sorted(const int64_t *sorted, size_t n);

/** (a + b) / 2, rounded half away from zero; |a|, |b| < 2^62. */
int64_t psp_midpoint(int64_t a, int64_t b);

#endif
