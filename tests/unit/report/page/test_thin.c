/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/page/thin.h"

#define N 100000

/** Two sources with a spike each, some lost and some cold ones. */
typedef struct fixture {
  int64_t a[N], b[N];
  uint8_t status_a[N], status_b[N];
  bool cold_a[N], keep[N];
  psprobe_series series[2];
  psprobe_probes probes;
} fixture;

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  if (f == NULL) return -1;
  uint32_t seed = 7;
  for (size_t i = 0; i < N; i++) {
    seed = seed * 1664525 + 1013904223;
    f->a[i] = 40000000 + (int64_t)(seed >> 12);
    seed = seed * 1664525 + 1013904223;
    f->b[i] = 38000000 + (int64_t)(seed >> 12);
    f->status_a[i] = i % 7001 == 13 ? PSPROBE_LOST : PSPROBE_ANSWERED;
    f->status_b[i] = PSPROBE_ANSWERED;
    f->cold_a[i] = i % 5003 == 1;
  }
  f->a[77777] = 400000000;
  f->b[12345] = 1000;
  f->series[0] =
      (psprobe_series){.name = "a", .elapsed_ns = f->a, .status = f->status_a, .cold = f->cold_a};
  f->series[1] = (psprobe_series){.name = "b", .elapsed_ns = f->b, .status = f->status_b};
  f->probes = (psprobe_probes){.count = N, .source_count = 2, .sources = f->series};
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  free(*state);
  return 0;
}

static void few_probes_are_all_kept(void **state) {
  fixture *f = *state;
  f->probes.count = 100;
  assert_int_equal(psp_thin(&f->probes, 50, 10, f->keep), 100);
  for (size_t i = 0; i < 100; i++)
    assert_true(f->keep[i]);
  f->probes.count = 0;
  assert_int_equal(psp_thin(&f->probes, 50, 10, f->keep), 0);
}

static void extremes_of_every_stretch_are_kept(void **state) {
  fixture *f = *state;
  size_t buckets = 500, kept = psp_thin(&f->probes, buckets, 1000, f->keep);
  assert_in_range(kept, buckets, 4 * buckets + 1002);
  assert_true(f->keep[77777]);
  assert_true(f->keep[12345]);
  assert_true(f->keep[0] && f->keep[N - 1]);
  for (size_t k = 0; k < 2; k++) {
    const psprobe_series *s = &f->series[k];
    for (size_t from = 0; from < N; from += N / buckets) {
      int64_t most = INT64_MIN, most_kept = INT64_MIN, least = INT64_MAX, least_kept = INT64_MAX;
      for (size_t i = from; i < from + N / buckets; i++) {
        if (s->status[i] == PSPROBE_LOST) continue;
        int64_t v = s->elapsed_ns[i];
        most = v > most ? v : most;
        least = v < least ? v : least;
        if (f->keep[i] && v > most_kept) most_kept = v;
        if (f->keep[i] && v < least_kept) least_kept = v;
      }
      assert_int_equal(most_kept, most);
      assert_int_equal(least_kept, least);
    }
  }
}

static void what_is_notable_is_kept_up_to_the_bound(void **state) {
  fixture *f = *state;
  psp_thin(&f->probes, 500, 1000, f->keep);
  for (size_t i = 0; i < N; i++)
    if (psp_notable(&f->series[0], i)) assert_true(f->keep[i]);
  for (size_t i = 0; i < N; i++)
    f->status_a[i] = PSPROBE_LOST;
  size_t kept = psp_thin(&f->probes, 500, 1000, f->keep), lost = 0;
  for (size_t i = 0; i < N; i++)
    lost += f->keep[i];
  assert_int_equal(lost, kept);
  assert_in_range(kept, 1000, 1000 + 500 + 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(few_probes_are_all_kept, set_up, tear_down),
      cmocka_unit_test_setup_teardown(extremes_of_every_stretch_are_kept, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_notable_is_kept_up_to_the_bound, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
