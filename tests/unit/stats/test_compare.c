/* SPDX-License-Identifier: MIT */
/** @file Whole comparisons against figures found another way: tests/golden/make_statistics.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <psprobe/compare.h>

#include "golden.h"
#include "golden_comparison.h"
#include "stats/rng.h"

#define ROOM 2000

/* One case as the file gives it, and its comparison once a figure is asked for. */
typedef struct example {
  size_t n;
  int64_t a[ROOM], b[ROOM], words[ROOM];
  uint8_t status[2][ROOM];
  bool cold[2][ROOM];
  psprobe_comparison *comparison;
  int figures;
} example;

static void begin_case(golden *g, example *e) {
  psprobe_comparison_free(e->comparison);
  *e = (example){0};
  (void)golden_word(g); /* its name */
  e->n = (size_t)golden_int(g);
  assert_true(e->n <= ROOM);
  for (size_t i = 0; i < e->n; i++)
    e->status[0][i] = e->status[1][i] = PSPROBE_ANSWERED;
}

/* A line of data; false: a figure. */
static bool read_data(golden *g, example *e) {
  static const char *const keys[] = {"a", "b", "status_a", "status_b", "cold_a", "cold_b"};
  size_t which = 0;
  while (which < 6 && strcmp(g->key, keys[which]) != 0)
    which++;
  /* "cold_a" names a column here; the figure of that kind is "a_cold". */
  if (which == 6) return false;
  const size_t n = golden_ints(g, which == 0 ? e->a : which == 1 ? e->b : e->words, ROOM);
  assert_int_equal(n, e->n);
  for (size_t i = 0; i < n && which > 1; i++) {
    if (which < 4) e->status[which - 2][i] = (uint8_t)e->words[i];
    if (which >= 4) e->cold[which - 4][i] = e->words[i] != 0;
  }
  return true;
}

static void compare(example *e) {
  const psprobe_series series[2] = {
      {.name = "a", .elapsed_ns = e->a, .status = e->status[0], .cold = e->cold[0]},
      {.name = "b", .elapsed_ns = e->b, .status = e->status[1], .cold = e->cold[1]}};
  const psprobe_probes probes = {.count = e->n, .source_count = 2, .sources = series};
  const psprobe_comparison_options options = {.seed = 1, .resamples = 20000};
  psprobe_error error = {0};
  if (psprobe_comparison_new(&probes, &options, &e->comparison, &error) != PSPROBE_OK) {
    fail_msg("%s", error.message);
  }
}

static void test_cases(void **state) {
  (void)state;
  golden g = golden_open("tests/data/statistics/cases.txt");
  example *e = calloc(1, sizeof *e);
  int cases = 0, figures = 0;
  while (golden_next(&g)) {
    if (strcmp(g.key, "case") == 0) {
      begin_case(&g, e);
      cases++;
      continue;
    }
    if (read_data(&g, e)) continue;
    if (e->comparison == NULL) compare(e);
    if (!golden_check_comparison(&g, e->comparison)) {
      fail_msg("%s:%d: %s is no figure", g.path, g.number, g.key);
    }
    if (golden_word(&g) != NULL) fail_msg("%s:%d: %s left unread", g.path, g.number, g.key);
    figures++;
  }
  psprobe_comparison_free(e->comparison);
  free(e);
  golden_close(&g);
  assert_true(cases >= 25 && figures >= 40 * cases);
}

/* The same numbers as million() of make_statistics.py: integer arithmetic on one splitmix64. */
static void make_million(int64_t *a, int64_t *b, size_t n) {
  uint64_t seed = 1;
  for (size_t i = 0; i < n; i++) {
    const uint64_t common = (psp_splitmix64(&seed) >> 32) % 9000000;
    const uint64_t tail = (UINT64_C(1) << 34) / (1 + (psp_splitmix64(&seed) >> 40));
    const uint64_t u = psp_splitmix64(&seed), v = psp_splitmix64(&seed);
    a[i] = (int64_t)(35000000 + common + (u >> 32) % 6000000 + (u & 0xfffff) + tail);
    b[i] = (int64_t)(35000000 + common + (v >> 32) % 6000000 + (v & 0x1fffff) + 30000 + tail / 2);
    if (i % 4 == 0) {
      a[i] = a[i] / 1000 * 1000;
      b[i] = b[i] / 1000 * 1000;
    }
  }
}

static void test_a_million(void **state) {
  (void)state;
  const size_t n = 1000000;
  int64_t *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b), sums[2] = {0, 0};
  make_million(a, b, n);
  for (size_t i = 0; i < n; i++) {
    sums[0] += a[i];
    sums[1] += b[i];
  }
  const psprobe_series series[2] = {{.name = "a", .elapsed_ns = a}, {.name = "b", .elapsed_ns = b}};
  const psprobe_probes probes = {.count = n, .source_count = 2, .sources = series};
  psprobe_comparison *c;
  assert_int_equal(psprobe_comparison_new(&probes, NULL, &c, NULL), PSPROBE_OK);
  golden g = golden_open("tests/data/statistics/million.txt");
  int figures = 0;
  for (; golden_next(&g); figures++) {
    if (strcmp(g.key, "case") == 0) continue;
    if (strcmp(g.key, "checksum") == 0) {
      golden_equal(&g, sums[0], golden_int(&g));
      golden_equal(&g, sums[1], golden_int(&g));
    } else if (!golden_check_comparison(&g, c)) {
      fail_msg("%s is no figure", g.key);
    }
  }
  assert_true(figures > 40);
  golden_close(&g);
  psprobe_comparison_free(c);
  free(a);
  free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cases),
      cmocka_unit_test(test_a_million),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
