/* SPDX-License-Identifier: MIT */
/** @file Every allocation of a comparison refused in turn: an error, no leak, no crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <psprobe/compare.h>
#include <psprobe/timing.h>

#include "failing_malloc.h"

#define N 40

static bool compare_all(void *arg) {
  (void)arg;
  int64_t a[N], b[N], sent[N];
  for (int i = 0; i < N; i++) {
    a[i] = 100 + i * 7 % 11, b[i] = 100 + i * 5 % 13, sent[i] = N - i;
  }
  const psprobe_series series[3] = {{.name = "a", .elapsed_ns = a},
                                    {.name = "b", .elapsed_ns = b},
                                    {.name = "c", .elapsed_ns = a}};
  const psprobe_probes probes = {.count = N, .sent_ns = sent, .source_count = 3, .sources = series};
  psprobe_comparison *c = NULL;
  psprobe_error error = {0};
  if (psprobe_comparison_new(&probes, NULL, &c, &error) != PSPROBE_OK) {
    assert_int_equal(error.code, PSPROBE_RESOURCE_EXHAUSTED);
    assert_string_equal(error.message, "out of memory: comparison");
    assert_null(c);
    return false;
  }
  char *sentence = psprobe_comparison_sentence(c), *notes = psprobe_comparison_notes(c);
  const bool both = sentence != NULL && notes != NULL;
  free(sentence);
  free(notes);
  psprobe_comparison_free(c);
  return both;
}

static bool new_histogram(void *arg) {
  (void)arg;
  psprobe_histogram *h = NULL;
  psprobe_histogram_new(&h, NULL);
  psprobe_histogram_free(h);
  return h != NULL;
}

static void test_comparison(void **state) {
  (void)state;
  assert_true(failing_each(compare_all, NULL) > 20);
}

static void test_histogram(void **state) {
  (void)state;
  assert_int_equal(failing_each(new_histogram, NULL), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_comparison),
      cmocka_unit_test(test_histogram),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
