/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_TIMING_H
#define PSPROBE_TIMING_H
/**
 * @file
 * Clocks, the open-loop pacer and the histogram. All times and durations are
 * int64 nanoseconds.
 *
 * Ownership: nothing is kept but in a histogram, which is its maker's to free.
 * Threading: one thread at a time for an object; different objects at the same time.
 * Blocks: never.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * CLOCK_MONOTONIC, the only clock that durations come from.
 *
 * @return ns since an arbitrary start
 */
PSPROBE_API int64_t psprobe_clock_monotonic(void);

/**
 * CLOCK_REALTIME, for dates, never for durations.
 *
 * @return ns since 1970-01-01T00:00:00Z
 */
PSPROBE_API int64_t psprobe_clock_wall(void);

/**
 * An open-loop pacer: a fixed grid of intended times, `start + k * interval`.
 * It never skips a slot and never moves the grid: a late sender sees slots
 * that are already due (coordinated omission cannot hide a stall). A plain
 * value; pure; time is an argument.
 */
typedef struct psprobe_pacer {
  int64_t start_ns;    /**< monotonic time of slot 0 */
  int64_t interval_ns; /**< > 0 */
  uint64_t next;       /**< index of the next slot */
} psprobe_pacer;

/**
 * Lays the grid.
 *
 * @param start_ns    monotonic time of slot 0
 * @param interval_ns > 0
 */
PSPROBE_API void psprobe_pacer_init(psprobe_pacer *pacer, int64_t start_ns, int64_t interval_ns);

/**
 * Takes the next slot.
 *
 * @return its intended time
 */
PSPROBE_API int64_t psprobe_pacer_take(psprobe_pacer *pacer);

/**
 * Looks at the next slot, without taking it.
 *
 * @return its intended time
 */
PSPROBE_API int64_t psprobe_pacer_peek(const psprobe_pacer *pacer);

/**
 * Sleeps until `when_ns` (CLOCK_MONOTONIC, absolute: clock_nanosleep with
 * TIMER_ABSTIME). Signals do not shorten it.
 *
 * @param when_ns CLOCK_MONOTONIC, absolute
 * Blocks: until then.
 */
PSPROBE_API void psprobe_sleep_until(int64_t when_ns);

/**
 * A log-linear histogram of durations: relative error of any quantile at most
 * 0.1 % from 1 us to 1 h; exact below 2,048 ns; values outside count at the
 * ends, and min and max are exact. Memory is taken once, at new.
 */
typedef struct psprobe_histogram psprobe_histogram;

/**
 * Makes an empty histogram, with all memory that it will ever use.
 * @param histogram receives it
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED: no memory
 * Ownership: free it with psprobe_histogram_free.
 */
PSPROBE_API psprobe_code psprobe_histogram_new(psprobe_histogram **histogram, psprobe_error *error);
/** Frees it; NULL is fine. */
PSPROBE_API void psprobe_histogram_free(psprobe_histogram *histogram);

/**
 * Counts a value once. Never allocates.
 *
 * @param value_ns negative ones count as 0 in the buckets; min is exact
 */
PSPROBE_API void psprobe_histogram_record(psprobe_histogram *histogram, int64_t value_ns);

/**
 * Adds all that another one counted.
 *
 * @param from stays as it is
 */
PSPROBE_API void psprobe_histogram_merge(psprobe_histogram *into, const psprobe_histogram *from);
/** Forgets all that it counted. */
PSPROBE_API void psprobe_histogram_reset(psprobe_histogram *histogram);

/**
 * Tells how many values were recorded.
 *
 * @return their number
 */
PSPROBE_API uint64_t psprobe_histogram_count(const psprobe_histogram *histogram);
/**
 * Tells the smallest value recorded, exact.
 *
 * @return it; 0 when psprobe_histogram_count is 0
 */
PSPROBE_API int64_t psprobe_histogram_min(const psprobe_histogram *histogram);
/**
 * Tells the largest value recorded, exact.
 *
 * @return it; 0 when psprobe_histogram_count is 0
 */
PSPROBE_API int64_t psprobe_histogram_max(const psprobe_histogram *histogram);
/**
 * Sums all values up, for a mean.
 *
 * @return the sum; it saturates
 */
PSPROBE_API int64_t psprobe_histogram_sum(const psprobe_histogram *histogram);
/**
 * Tells a quantile, by nearest rank ceil(q * n).
 *
 * @param quantile 0 to 1
 * @return the value there; 0 when psprobe_histogram_count is 0
 */
PSPROBE_API int64_t psprobe_histogram_quantile(const psprobe_histogram *histogram, double quantile);
/**
 * Counts the values up to a bound, to the histogram's resolution.
 *
 * @param bound_ns included
 * @return how many there were
 */
PSPROBE_API uint64_t psprobe_histogram_count_at_most(const psprobe_histogram *histogram,
                                                     int64_t bound_ns);

/**
 * The exact quantile of `n` sorted values by the nearest-rank definition
 * (Hyndman & Fan 1996, type 1): values[ceil(q * n) - 1].
 *
 * @param values   ascending
 * @param n        how many
 * @param quantile 0 to 1; beyond, the nearer end
 * @return the value there; 0 when n is 0
 */
PSPROBE_API int64_t psprobe_quantile_sorted(const int64_t *values, size_t n, double quantile);

#ifdef __cplusplus
}
#endif
#endif
