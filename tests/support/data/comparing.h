/* SPDX-License-Identifier: MIT */
#ifndef TEST_COMPARING_H
#define TEST_COMPARING_H
/** @file Comparisons made in one line, for tests. */
#include <psprobe/compare.h>

/** Compares; fails the test when that fails. */
psprobe_comparison *comparing(const psprobe_series *series, size_t sources, size_t probes);
/** Of two sources "a" and "b" that answered all. */
psprobe_comparison *comparing_two(const int64_t *a, const int64_t *b, size_t probes);
/** Fails the test where two summaries of a source count, or reach, something else. */
void assert_same_counts(const psprobe_source_summary *got, const psprobe_source_summary *want);

#endif
