/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_CLOCK_OFFSET_H
#define PSP_STATS_CLOCK_OFFSET_H
/**
 * @file
 * How far two clocks are apart, from exchanges between them, and within what bound that is so.
 * Pure.
 *
 * An exchange has four stamps (RFC 5905, section 8): t1 sent and t4 received by the one clock, t2
 * received and t3 answered by the other. However its delay fell on the two ways, the other clock
 * was ahead by no more than t2 - t1 and no less than t3 - t4: the middle is the estimate, half the
 * round trip its bound. Of the eight exchanges nearest in time (the eight stages of RFC 5905's
 * clock filter, section 10) the one with the least bound counts. A bound grows with the time that
 * lies between, by 15 ppm for each of the two clocks (PHI, RFC 5905, section 7.1). Where those
 * eight contradict each other, a clock was set or runs worse than that, and nothing is said.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How far two clocks can drift apart, in parts per million. */
#define PSP_DRIFT_PPM 30

typedef struct psp_clock_exchange {
  int64_t t1, t2, t3, t4;
} psp_clock_exchange;

/** By how much the other clock is ahead: between these, for certain. */
typedef struct psp_clock_offset {
  bool known;
  int64_t low_ns, high_ns;
} psp_clock_offset;

/** Puts exchanges in the order of t1, and drops what no exchange can be. @return how many are left
 */
size_t psp_clock_exchanges_sort(psp_clock_exchange *stamps, size_t count);
/** The offset at `at_ns` by the clock of t1 and t4, from exchanges that are sorted. */
psp_clock_offset psp_clock_offset_at(const psp_clock_exchange *stamps, size_t count, int64_t at_ns);

#endif
