/* SPDX-License-Identifier: MIT */
#ifndef PSPROBE_TIMING_H
#define PSPROBE_TIMING_H
/**
 * @file
 * Clocks, the open-loop pacer and the histogram. All times and durations are
 * int64 nanoseconds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <psprobe/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What became of the answer of one source to one probe. */
typedef enum psprobe_status {
  PSPROBE_LOST = 0,     /**< no answer within the timeout, and none since */
  PSPROBE_ANSWERED = 1, /**< within the timeout */
  PSPROBE_LATE = 2      /**< after the timeout */
} psprobe_status;

/** CLOCK_MONOTONIC, ns since an arbitrary start. The only clock that durations come from. */
PSPROBE_API int64_t psprobe_clock_monotonic(void);

/** CLOCK_REALTIME, ns since 1970-01-01T00:00:00Z. For dates, never for durations. */
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

PSPROBE_API void psprobe_pacer_init(psprobe_pacer *pacer, int64_t start_ns, int64_t interval_ns);

/** The intended time of the next slot, which is thereby taken. */
PSPROBE_API int64_t psprobe_pacer_take(psprobe_pacer *pacer);

/** The intended time of the next slot, without taking it. */
PSPROBE_API int64_t psprobe_pacer_peek(const psprobe_pacer *pacer);

/**
 * Sleeps until `when_ns` (CLOCK_MONOTONIC, absolute: clock_nanosleep with
 * TIMER_ABSTIME). Signals do not shorten it.
 */
PSPROBE_API void psprobe_sleep_until(int64_t when_ns);

/**
 * A log-linear histogram of durations: relative error of any quantile at most
 * 0.1 % from 1 us to 1 h; exact below 2,048 ns; values outside count at the
 * ends, and min and max are exact. Memory is taken once, at new.
 */
typedef struct psprobe_histogram psprobe_histogram;

/** @return the histogram, or NULL without memory. Free with psprobe_histogram_free. */
PSPROBE_API psprobe_histogram *psprobe_histogram_new(void);
PSPROBE_API void psprobe_histogram_free(psprobe_histogram *histogram);

/** Counts `value_ns` once (negative ones count as 0 in the buckets; min is exact).
 * Never allocates. Threading: one writer at a time. */
PSPROBE_API void psprobe_histogram_record(psprobe_histogram *histogram, int64_t value_ns);

/** Adds all that `from` counted to `into`. */
PSPROBE_API void psprobe_histogram_merge(psprobe_histogram *into, const psprobe_histogram *from);
PSPROBE_API void psprobe_histogram_reset(psprobe_histogram *histogram);

PSPROBE_API uint64_t psprobe_histogram_count(const psprobe_histogram *histogram);
/** Smallest and largest value recorded, exact; 0 when nothing was. */
PSPROBE_API int64_t psprobe_histogram_min(const psprobe_histogram *histogram);
PSPROBE_API int64_t psprobe_histogram_max(const psprobe_histogram *histogram);
/** The sum of all values, for a mean; saturates. */
PSPROBE_API int64_t psprobe_histogram_sum(const psprobe_histogram *histogram);
/** The value at `quantile` (0 to 1), nearest rank ceil(q * n); 0 when nothing was recorded. */
PSPROBE_API int64_t psprobe_histogram_quantile(const psprobe_histogram *histogram, double quantile);
/** How many values were at most `bound_ns` (to the histogram's resolution). */
PSPROBE_API uint64_t psprobe_histogram_count_at_most(const psprobe_histogram *histogram,
                                                     int64_t bound_ns);

/**
 * The exact quantile of `n` sorted values by the nearest-rank definition
 * (Hyndman & Fan 1996, type 1): values[ceil(q * n) - 1]. 0 when n is 0.
 */
PSPROBE_API int64_t psprobe_quantile_sorted(const int64_t *values, size_t n, double quantile);

#ifdef __cplusplus
}
#endif
#endif
