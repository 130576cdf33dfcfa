/* SPDX-License-Identifier: MIT */
#include "stats/sort.h"

#include <stdbool.h>
#include <string.h>

#define DIGIT_BITS 11 /* at most: so many counters still fit the first cache */
#define DIGITS     (1u << DIGIT_BITS)
#define RADIX_FROM 400 /* below, counting digits costs more than comparing */

static unsigned bits_of(uint64_t value) {
  return value == 0 ? 0 : 64u - (unsigned)__builtin_clzll(value);
}

/* One stable pass of a least-significant-digit radix sort. */
static void radix_pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift,
                       unsigned bits) {
  const uint64_t mask = (UINT64_C(1) << bits) - 1;
  uint32_t starts[DIGITS] = {0};
  for (size_t i = 0; i < n; i++)
    starts[(from[i] >> shift) & mask]++;
  uint32_t sum = 0;
  for (uint64_t digit = 0; digit <= mask; digit++) {
    const uint32_t count = starts[digit];
    starts[digit] = sum;
    sum += count;
  }
  for (size_t i = 0; i < n; i++)
    to[starts[(from[i] >> shift) & mask]++] = from[i];
}

/* A value's distance from the smallest and its index share one word, as long as both fit: that
 * is how each pass moves 8 bytes a value, and not 12 or 16. */
static void sort_packed(const int64_t *values, size_t n, int64_t min, unsigned index_bits,
                        unsigned key_bits, int64_t *sorted, uint32_t *order, uint64_t *scratch) {
  uint64_t *from = scratch, *to = scratch + n;
  for (size_t i = 0; i < n; i++) {
    from[i] = ((uint64_t)values[i] - (uint64_t)min) << index_bits | i;
  }
  const unsigned passes = (key_bits + DIGIT_BITS - 1) / DIGIT_BITS;
  const unsigned bits = passes == 0 ? 0 : (key_bits + passes - 1) / passes;
  for (unsigned pass = 0; pass < passes; pass++) {
    radix_pass(from, to, n, index_bits + pass * bits, bits);
    uint64_t *swap = from;
    from = to;
    to = swap;
  }
  const uint64_t mask = (UINT64_C(1) << index_bits) - 1;
  for (size_t k = 0; k < n; k++) {
    order[k] = (uint32_t)(from[k] & mask);
    sorted[k] = (int64_t)((from[k] >> index_bits) + (uint64_t)min);
  }
}

/* Bottom-up merge sort of the indices, for what does not pack and for small n. */
static void sort_merging(const int64_t *values, size_t n, int64_t *sorted, uint32_t *order,
                         uint64_t *scratch) {
  uint32_t *from = order, *to = (uint32_t *)scratch;
  for (size_t i = 0; i < n; i++)
    order[i] = (uint32_t)i;
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t start = 0; start < n; start += 2 * width) {
      const size_t middle = start + width < n ? start + width : n;
      const size_t end = middle + width < n ? middle + width : n;
      size_t left = start, right = middle;
      for (size_t k = start; k < end; k++) {
        const bool take_left =
            left < middle && (right >= end || values[from[left]] <= values[from[right]]);
        to[k] = take_left ? from[left++] : from[right++];
      }
    }
    uint32_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != order) memcpy(order, from, n * sizeof *order);
  /* `sorted` may be `values`: gather beside it first. */
  for (size_t k = 0; k < n; k++)
    scratch[k] = (uint64_t)values[order[k]];
  memcpy(sorted, scratch, n * sizeof *sorted);
}

void psp_sort_indexed(const int64_t *values, size_t n, int64_t *sorted, uint32_t *order,
                      uint64_t *scratch) {
  if (n == 0) return;
  int64_t min = values[0], max = values[0];
  for (size_t i = 1; i < n; i++) {
    if (values[i] < min) min = values[i];
    if (values[i] > max) max = values[i];
  }
  const unsigned index_bits = bits_of(n - 1), key_bits = bits_of((uint64_t)max - (uint64_t)min);
  if (n < RADIX_FROM || index_bits + key_bits > 64) {
    sort_merging(values, n, sorted, order, scratch);
  } else {
    sort_packed(values, n, min, index_bits, key_bits, sorted, order, scratch);
  }
}

int64_t psp_midpoint(int64_t a, int64_t b) {
  const int64_t sum = a + b;
  return sum / 2 + sum % 2;
}

int64_t psp_median_sorted(const int64_t *sorted, size_t n) {
  if (n == 0) return 0;
  if (n % 2 == 1) return sorted[n / 2];
  return psp_midpoint(sorted[n / 2 - 1], sorted[n / 2]);
}
