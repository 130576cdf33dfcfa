/* SPDX-License-Identifier: MIT */
/** @file The order of the sources: only where the pairs bear one, and nobody before who beats him.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/compare.h>

#include "comparing.h"
#include "stats/comparison.h"
#include "stats/rng.h"

#define N 300

static int64_t times[4][N];

static psprobe_comparison *compare(size_t sources) {
  static const char *const names[] = {"rock", "paper", "scissors", "well"};
  psprobe_series series[4];
  for (size_t k = 0; k < sources; k++)
    series[k] = (psprobe_series){.name = names[k], .elapsed_ns = times[k]};
  return comparing(series, sources, N);
}

/* Each of the first three is faster than the next in two of three probes. */
static void fill_circle(void) {
  psp_rng rng;
  psp_rng_seed(&rng, 1);
  for (size_t i = 0; i < N; i++) {
    const size_t first = (size_t)psp_rng_below(&rng, 3);
    for (size_t k = 0; k < 3; k++)
      times[(first + k) % 3][i] = (int64_t)(k + 4) * 10000000 + (int64_t)psp_rng_below(&rng, 1000);
    times[3][i] = 1000 + (int64_t)psp_rng_below(&rng, 1000);
  }
}

static void test_a_circle_has_no_order(void **state) {
  (void)state;
  fill_circle();
  for (size_t sources = 3; sources <= 4; sources++) {
    psprobe_comparison *c = compare(sources);
    assert_false(psprobe_comparison_ranked(c));
    assert_int_equal(c->circle_count, 3);
    for (size_t k = 0; k < 3; k++)
      assert_true(psp_comparison_beats(c, c->circle[k], c->circle[(k + 1) % 3]));
    char *sentence = psprobe_comparison_sentence(c);
    assert_null(strstr(sentence, "Fastest first"));
    assert_non_null(strstr(sentence, "No order of all holds: "));
    free(sentence);
    psprobe_comparison_free(c);
  }
}

/* Whatever was decided: of those ranked, none beats one that stands before, nor one that shares. */
static void test_nobody_stands_before_who_beats_him(void **state) {
  (void)state;
  psp_rng rng;
  psp_rng_seed(&rng, 2);
  int ranked = 0;
  for (int round = 0; round < 200; round++) {
    for (size_t k = 0; k < 4; k++) {
      const double shift = 0.15 * (double)psp_rng_below(&rng, 4);
      for (size_t i = 0; i < N; i++)
        times[k][i] = (int64_t)(1e6 * (50 + shift + psp_rng_normal(&rng)));
    }
    psprobe_comparison *c = compare(4);
    ranked += psprobe_comparison_ranked(c);
    for (size_t e = 0; e < 4 && psprobe_comparison_ranked(c); e++) {
      for (size_t l = e + 1; l < 4; l++) {
        const psprobe_rank early = psprobe_comparison_rank(c, e),
                           late = psprobe_comparison_rank(c, l);
        assert_false(psp_comparison_beats(c, late.source, early.source));
        if (early.rank == late.rank)
          assert_false(psp_comparison_beats(c, early.source, late.source));
      }
    }
    psprobe_comparison_free(c);
  }
  assert_in_range(ranked, 150, 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_circle_has_no_order),
      cmocka_unit_test(test_nobody_stands_before_who_beats_him),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
