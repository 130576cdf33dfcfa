/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_SLOWNESS_H
#define PSP_STATS_SLOWNESS_H
/** @file Common slowness against a source's own. */
#include <psprobe/compare.h>

/**
 * Of the probes that `source` answered later than its p99, the share in which
 * `other` was slow too: later than its own p99, late, or lost. A count with
 * Wilson's interval; were the two independent, 1 % would be expected (and what
 * `other` loses or is late with). Below 100 answers nothing lies above the p99.
 */
psprobe_slowness psp_slowness(const psprobe_probes *probes, size_t source, int64_t source_p99,
                              size_t other, int64_t other_p99);

#endif
