/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/plots.h"

#define N      100
#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)

typedef struct fixture {
  int64_t sent[N], a[N], b[N];
  psprobe_series series[2];
  psprobe_probes probes;
  psp_plots plots;
} fixture;

/* Newest first, a second apart, but for a pause of 12 hours in the middle. */
static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  if (f == NULL) return -1;
  for (size_t i = 0; i < N; i++) {
    size_t nth = N - 1 - i;
    f->sent[i] = (int64_t)nth * SECOND + (nth >= N / 2 ? 12 * HOUR : 0);
    f->a[i] = (int64_t)(nth + 1) * HOUR; /* beyond what the histogram of the statistics holds */
    f->b[i] = 10 * SECOND;
  }
  f->series[0] = (psprobe_series){.name = "a", .elapsed_ns = f->a};
  f->series[1] = (psprobe_series){.name = "b", .elapsed_ns = f->b};
  f->probes =
      (psprobe_probes){.count = N, .source_count = 2, .sources = f->series, .sent_ns = f->sent};
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  psp_plots_free(&f->plots);
  free(f);
  return 0;
}

static void drawn_in_the_order_sent_with_pauses(void **state) {
  fixture *f = *state;
  assert_true(psp_plots_make(&f->plots, &f->probes, NULL));
  assert_int_equal(f->plots.series.count, N);
  for (size_t n = 0; n < N; n++) {
    uint32_t i = f->plots.series.index[n];
    assert_int_equal(i, N - 1 - n);
    assert_int_equal(psp_plots_after_gap(&f->plots, i), n == N / 2);
  }
  assert_int_equal(f->plots.first_ns, 0);
  assert_int_equal(f->plots.gap_count, 1);
}

static void figures_are_exact_at_any_length(void **state) {
  fixture *f = *state;
  assert_true(psp_plots_make(&f->plots, &f->probes, NULL));
  assert_int_equal(psp_plots_quantile(&f->plots, 0, 0), HOUR);
  assert_int_equal(psp_plots_quantile(&f->plots, 0, 0.5), 50 * HOUR);
  assert_int_equal(psp_plots_quantile(&f->plots, 0, 1), 100 * HOUR);
  assert_int_equal(psp_plots_quantile(&f->plots, 1, 0.99), 10 * SECOND);
  for (size_t k = 0; k < 2; k++) {
    size_t all = 0;
    for (int i = 0; i < 60; i++) {
      assert_true(psp_plots_edge(&f->plots, i, 60) <= psp_plots_edge(&f->plots, i + 1, 60));
      all += psp_plots_in_bin(&f->plots, k, i, 60);
    }
    assert_int_equal(all, N);
  }
  assert_true(psp_plots_in_bin(&f->plots, 0, 59, 60) > 0); /* the slowest has its bin */
  assert_int_equal(psp_plots_in_bin(&f->plots, 1, 0, 60), N);
}

static void a_scale_shows_the_bulk_and_the_outlier(void **state) {
  (void)state;
  int64_t sorted[N];
  for (size_t i = 0; i < N; i++)
    sorted[i] = ((int64_t)i - N / 2) * SECOND / 1000;
  psp_bend linear = psp_bend_of(sorted, N);
  assert_true(linear.unit_ns == 0);
  assert_true(psp_bend_at(&linear, 7) == 7);
  sorted[N - 1] = HOUR;
  psp_bend bend = psp_bend_of(sorted, N);
  double low = psp_bend_at(&bend, sorted[0]), high = psp_bend_at(&bend, HOUR);
  double bulk = psp_bend_at(&bend, sorted[N - 2]) - low;
  if (bulk < (high - low) / 8) fail_msg("the bulk takes %g of %g", bulk, high - low);
  assert_in_range(bend.tick_count, 4, PSP_TICKS);
  assert_int_equal(bend.ticks_ns[0], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(drawn_in_the_order_sent_with_pauses, set_up, tear_down),
      cmocka_unit_test_setup_teardown(figures_are_exact_at_any_length, set_up, tear_down),
      cmocka_unit_test(a_scale_shows_the_bulk_and_the_outlier),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
