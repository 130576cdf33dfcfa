/* SPDX-License-Identifier: MIT */
#ifndef PSP_REPORT_WORDS_H
#define PSP_REPORT_WORDS_H
/** @file Numbers as people write them, into a buffer. Pure. */
#include <psprobe/compare.h>

#include "base/buf.h"

/** "1,440" */
void psp_words_count(psp_buf *out, uint64_t count);
/** "1 probe", "1,440 probes" */
void psp_words_probes(psp_buf *out, uint64_t count);
/** To two significant digits: 1234 is 1,200. */
uint64_t psp_words_rounded(uint64_t count);
/** "83 %"; never "100 %" of what is not all, nor "0 %" of what is not none. */
void psp_words_share(psp_buf *out, uint64_t count, uint64_t of);

/** A unit and decimals that a few durations are told in together. */
typedef struct psp_scale {
  const char *unit;
  double unit_ns;
  int decimals;
} psp_scale;

/** For an estimate with its interval: the unit of the largest of the three, and decimals down to a
 * third of the interval's nearer half, so that 6.234 in 5.81 to 6.67 is 6.2; but at
 * least as many as keep a bound that is not 0 from looking like 0. Without an interval, as
 * psp_scale_of. */
psp_scale psp_scale_of_interval(int64_t estimate, const psprobe_interval *interval);
/** For one duration: two significant digits at least, and no fewer than its whole units. */
psp_scale psp_scale_of(int64_t ns);
/** "6.2 ms" */
void psp_words_duration(psp_buf *out, psp_scale scale, int64_t ns);
/** "5.8 to 6.7 ms"; both bounds are there. */
void psp_words_range(psp_buf *out, psp_scale scale, const psprobe_interval *interval);
/** "95 % interval 5.8 to 6.7 ms"; nothing when a bound is missing: false. */
bool psp_words_interval(psp_buf *out, psp_scale scale, const psprobe_interval *interval);

#endif
