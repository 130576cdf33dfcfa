/* SPDX-License-Identifier: MIT */
#ifndef PSP_STATS_DIFFERENCE_H
#define PSP_STATS_DIFFERENCE_H
/** @file The difference of two medians that were found apart. Pure. */
#include "stats/sample.h"

/**
 * From `first` to `second`, with an interval put together from both, by the
 * method of variance estimates recovery (Zou & Donner, Statistics in Medicine
 * 27, 2008; Newcombe 2011): of normal estimates each bound is as far from the
 * difference as the root of the sum of the squares of the distances that move
 * it that way, D1 and D2. That is the same as the sum of both distances at the
 * levels z D1 / sqrt(D1^2 + D2^2) and z D2 / sqrt(D1^2 + D2^2), and those are
 * what is summed up here, since intervals of medians do not grow in
 * proportion with z where the density has a peak: the distance at a level is
 * interpolated between 0, the interpolated interval at z / sqrt(2) and that at
 * z. A bound is missing where one that it needs is.
 */
psprobe_change psp_change(const psp_estimate *first, const psp_estimate *second);

#endif
