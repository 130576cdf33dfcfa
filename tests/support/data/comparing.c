/* SPDX-License-Identifier: MIT */
#include "comparing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

psprobe_comparison *comparing(const psprobe_series *series, size_t sources, size_t probes) {
  const psprobe_probes all = {.count = probes, .source_count = sources, .sources = series};
  psprobe_comparison *comparison = NULL;
  psprobe_error error = {0};
  if (psprobe_comparison_new(&all, NULL, &comparison, &error) != PSPROBE_OK) {
    fail_msg("%s", error.message);
  }
  return comparison;
}

psprobe_comparison *comparing_two(const int64_t *a, const int64_t *b, size_t probes) {
  const psprobe_series series[2] = {{.name = "a", .elapsed_ns = a}, {.name = "b", .elapsed_ns = b}};
  return comparing(series, 2, probes);
}

void assert_same_counts(const psprobe_source_summary *got, const psprobe_source_summary *want) {
  assert_string_equal(got->name, want->name);
  assert_int_equal(got->sent, want->sent);
  assert_int_equal(got->answered, want->answered);
  assert_int_equal(got->late, want->late);
  assert_int_equal(got->lost, want->lost);
  assert_int_equal(got->interrupted, want->interrupted);
  assert_int_equal(got->uncertain, want->uncertain);
  assert_int_equal(got->duplicates, want->duplicates);
  assert_int_equal(got->cold_count, want->cold_count);
  assert_int_equal(got->min_ns, want->min_ns);
  assert_int_equal(got->max_ns, want->max_ns);
}
