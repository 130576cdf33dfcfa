/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DRIFT_H
#define PSP_STATS_DRIFT_H
/** @file Whether the second half of a run is like the first. */
#include "stats/sample.h"

/**
 * The medians of the first and the second half of work->sample, in the order of
 * sending, and their difference (difference.h). The correlation is that of the
 * signs about each half's own median: about a common one, a drift would pass
 * for correlation, and hide. Changes marks, parts and scores.
 */
psprobe_change psp_drift(psp_work *work);

#endif
