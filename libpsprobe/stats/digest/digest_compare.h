/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DIGEST_DIGEST_COMPARE_H
#define PSP_STATS_DIGEST_DIGEST_COMPARE_H
/**
 * @file
 * The comparison of sources from digests, as psprobe_comparison_new makes it from probes: counts,
 * shares, extremes and losses exact, durations to 0.1 %. The correlation that intervals are widened
 * for is that of whole digests (scoring.h); that of an interval's bounds is taken for the median's
 * own. What needs each probe is not there: a lag 1 (not known), common slowness (of 0), the
 * bootstrap's and Hodges and Lehmann's estimates (no interval) and Wilcoxon's test. Pure.
 */
#include "stats/digest/totals.h"

/** @param names of the sources, as many as the digests' `source_count`
 * @param comparison receives it, to be freed; untouched on failure
 * @return PSPROBE_OK; RESOURCE_EXHAUSTED; what the digests' walk returns */
psprobe_code psp_digests_compare(const psp_totals *totals, const char *const *names,
                                 psprobe_comparison **comparison, psprobe_error *error);

#endif
