/* SPDX-License-Identifier: MIT */
#ifndef TEST_GOLDEN_COMPARISON_H
#define TEST_GOLDEN_COMPARISON_H
/** @file Holds a comparison of two sources against the lines that make_statistics.py wrote of it.
 */
#include <psprobe/compare.h>

#include "golden.h"

/** Checks the line under way. False: it is none of a comparison's figures. */
bool golden_check_comparison(golden *g, const psprobe_comparison *comparison);

#endif
