/* SPDX-License-Identifier: MIT */
/** @file Against scipy and plain enumeration: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "golden.h"
#include "stats/sort.h"
#include "stats/wilcoxon.h"

#define ROOM 1024

static void check_wilcoxon(golden *g) {
  if (strcmp(g->key, "signed_rank_critical") == 0) {
    const size_t n = (size_t)golden_int(g);
    golden_equal(g, (int64_t)psp_signed_rank_critical(n, 0.025), golden_int(g));
  } else if (strcmp(g->key, "wilcoxon") == 0) {
    int64_t values[ROOM], sorted[ROOM];
    uint32_t order[ROOM];
    uint64_t scratch[2 * ROOM];
    const double p = golden_double(g);
    const size_t n = golden_ints(g, values, ROOM);
    psp_sort_indexed(values, n, sorted, order, scratch);
    golden_near(g, psp_wilcoxon_test(sorted, n, NULL, NULL).p, p, 1e-9, 1e-15);
  }
}

static void test_golden(void **state) {
  (void)state;
  assert_int_equal(golden_each("tests/data/statistics/wilcoxon.txt", check_wilcoxon), 50);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
