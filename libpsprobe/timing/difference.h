/* SPDX-License-Identifier: MIT */
#ifndef PSP_TIMING_DIFFERENCE_H
#define PSP_TIMING_DIFFERENCE_H
/** @file The difference of two medians that were found apart. Pure. */
#include "timing/sample.h"

/**
 * From `first` to `second`, with the interval put together from both (interpolated) intervals
 * by the method of variance estimates recovery (Zou & Donner, Statistics in
 * Medicine 27, 2008; Newcombe 2011): each bound is as far from the difference
 * as the root of the sum of squares of the distances that move it that way. A bound is missing
 * where one that it needs is.
 */
psprobe_change psp_change(const psp_estimate *first, const psp_estimate *second);

#endif
