/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/thin.h"

#define N 100000

/* Two sources with a spike each, some lost and some cold ones. */
typedef struct fixture {
  int64_t a[N], b[N];
  uint8_t status_a[N], status_b[N];
  bool cold_a[N], keep[N];
  psprobe_series series[2];
  psprobe_probes probes;
  uint32_t order[N];
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
  for (size_t i = 0; i < N; i++)
    f->order[i] = (uint32_t)i;
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
  assert_int_equal(psp_thin(&f->probes, f->order, f->keep), 100);
  for (size_t i = 0; i < 100; i++)
    assert_true(f->keep[i]);
  f->probes.count = 0;
  assert_int_equal(psp_thin(&f->probes, f->order, f->keep), 0);
}

static void extremes_of_every_stretch_are_kept(void **state) {
  fixture *f = *state;
  size_t buckets = PSP_THIN_STRETCHES, kept = psp_thin(&f->probes, f->order, f->keep);
  assert_in_range(kept, buckets, 4 * buckets + PSP_THIN_NOTABLE + 2);
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
  psp_thin(&f->probes, f->order, f->keep);
  for (size_t i = 0; i < N; i++)
    if (psp_notable(&f->series[0], i)) assert_true(f->keep[i]);
  for (size_t i = 0; i < N; i++)
    f->status_a[i] = PSPROBE_LOST;
  size_t kept = psp_thin(&f->probes, f->order, f->keep), lost = 0;
  for (size_t i = 0; i < N; i++)
    lost += f->keep[i];
  assert_int_equal(lost, kept);
  assert_in_range(kept, PSP_THIN_NOTABLE / 2, PSP_THIN_NOTABLE / 2 + 2 * PSP_THIN_STRETCHES + 2);
}

/* The order sent, not the order they stand in, is what stretches are of. */
static void the_order_is_the_time_s(void **state) {
  fixture *f = *state;
  size_t forward = psp_thin(&f->probes, f->order, f->keep);
  for (size_t i = 0; i < N; i++)
    f->order[i] = (uint32_t)(N - 1 - i);
  assert_in_range(psp_thin(&f->probes, f->order, f->keep), forward - 400, forward + 400);
  assert_true(f->keep[N - 1 - 77777]);
}

/* Of independent answers the differences lie thickest in the middle: so must what is drawn. */
static void a_cloud_has_no_hole(void **state) {
  fixture *f = *state;
  size_t kept = 0, inner = 0, outer = 0;
  size_t of = psp_thin_differences(&f->probes, f->order, f->keep), lost = 0;
  for (size_t i = 0; i < N; i++)
    lost += f->status_a[i] == PSPROBE_LOST;
  assert_int_equal(of, N - lost);
  for (size_t i = 0; i < N; i++) {
    if (!f->keep[i]) continue;
    assert_int_equal(f->status_a[i], PSPROBE_ANSWERED);
    int64_t d = f->a[i] - f->b[i] - 2000000; /* triangular over +- 1.05 ms */
    kept++;
    inner += d > -100000 && d < 100000;
    outer += d < -900000 || d > 900000;
  }
  assert_in_range(kept, 2000, PSP_THIN_POINTS + 2);
  assert_true(f->keep[77777]); /* the spike */
  assert_true(f->keep[12345]);
  if (inner < 300) fail_msg("%zu within 0.1 ms of the middle, %zu at the edges", inner, outer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_order_is_the_time_s, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_cloud_has_no_hole, set_up, tear_down),
      cmocka_unit_test_setup_teardown(few_probes_are_all_kept, set_up, tear_down),
      cmocka_unit_test_setup_teardown(extremes_of_every_stretch_are_kept, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_is_notable_is_kept_up_to_the_bound, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
