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
