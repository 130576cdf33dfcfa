/* SPDX-License-Identifier: MIT */
/** @file The registry's results, ids, bound, portions and options. What a probe can go through is
 * in test_registry.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/probe.h>

static void make_id(char id[PSPROBE_ID_SIZE], int probe) {
  snprintf(id, PSPROBE_ID_SIZE, "%032x", (unsigned)probe + 0xf00);
}

static psprobe_registry *make(size_t sources, size_t capacity) {
  psprobe_registry_options options = {.source_count = sources, .capacity = capacity};
  psprobe_registry *registry;
  assert_int_equal(psprobe_registry_new(&options, &registry, NULL), PSPROBE_OK);
  return registry;
}

static void test_everything_of_a_result(void **state) {
  (void)state;
  psprobe_registry *registry = make(PSPROBE_MAX_SOURCES, 0);
  char id[PSPROBE_ID_SIZE];
  psprobe_finished f;
  assert_int_equal(psprobe_id_make(id, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_registry_begin(registry, id, 5000, 4000, 77, PSPROBE_CADENCE_STEADY),
                   PSPROBE_OK);
  psprobe_registry_published(registry, id, 5600, true);
  for (size_t i = 0; i < PSPROBE_MAX_SOURCES; i++)
    assert_int_equal(psprobe_registry_answer(registry, id, i, 6000 + (int64_t)i, i % 2 == 1,
                                             i == 3 ? -1 : (int64_t)i * 10, NULL),
                     PSPROBE_ANSWER_FIRST);
  assert_int_equal(psprobe_registry_collect(registry, 7000, &f, 1), 1);
  assert_string_equal(f.result.id, id);
  assert_false(f.update);
  assert_int_equal(f.fresh, 0xffff);
  assert_int_equal(f.result.sent_wall_ns, 77);
  assert_int_equal(f.result.lateness_ns, 1000);
  assert_int_equal(f.result.publish_ns, 600);
  assert_int_equal(f.result.source_count, PSPROBE_MAX_SOURCES);
  for (size_t i = 0; i < PSPROBE_MAX_SOURCES; i++) {
    const psprobe_answer *a = &f.result.answers[i];
    assert_int_equal(a->status, PSPROBE_ANSWERED);
    assert_int_equal(a->elapsed_ns, 1000 + (int64_t)i);
    assert_int_equal(a->handled_ns, i == 3 ? -1 : (int64_t)i * 10);
    assert_int_equal(a->cold, i % 2 == 1);
    assert_int_equal(a->duplicates, 0);
  }
  /* Sent before its time: not a negative lateness. And a lost answer's fields. */
  assert_int_equal(psprobe_id_make(id, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_registry_begin(registry, id, 100, 200, 0, PSPROBE_CADENCE_STEADY),
                   PSPROBE_OK);
  assert_int_equal(psprobe_registry_collect(registry, INT64_MAX, &f, 1), 1);
  assert_int_equal(f.result.lateness_ns, 0);
  assert_int_equal(f.result.answers[15].status, PSPROBE_LOST);
  assert_int_equal(f.result.answers[15].elapsed_ns, 0);
  assert_int_equal(f.result.answers[15].handled_ns, -1);
  psprobe_registry_free(registry);
}

static void test_ids_as_they_come(void **state) {
  (void)state;
  static const char *const bad[] = {
      NULL,
      "",
      "0",
      "..",
      "0123456789abcdef0123456789abcde",
      "0123456789abcdef0123456789abcdef0",
      "0123456789ABCDEF0123456789ABCDEF",
      "0123456789abcdef0123456789abcdeg",
      " 123456789abcdef0123456789abcdef",
      "0123456789abcdef0123456789abcde\n",
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
  psprobe_registry *registry = make(2, 8);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(psprobe_registry_begin(registry, bad[i], 1, 1, 1, PSPROBE_CADENCE_STEADY),
                     PSPROBE_INVALID_ARGUMENT);
    assert_int_equal(psprobe_registry_answer(registry, bad[i], 0, 1, false, -1, NULL),
                     PSPROBE_ANSWER_UNKNOWN);
    psprobe_registry_published(registry, bad[i], 1, true);
  }
  assert_int_equal(psprobe_registry_in_flight(registry), 0);
  psprobe_registry_free(registry);
}

static void test_exact_bound_however_ids_fall(void **state) {
  (void)state;
  static const size_t capacities[] = {1, 2, 255, 256, 1000, 8192, 20000};
  for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
    psprobe_registry *registry = make(1, capacities[c]);
    char id[PSPROBE_ID_SIZE];
    for (size_t i = 0; i < capacities[c]; i++) {
      assert_int_equal(psprobe_id_make(id, NULL), PSPROBE_OK);
      if (psprobe_registry_begin(registry, id, 1, 1, 1, PSPROBE_CADENCE_STEADY) != PSPROBE_OK)
        fail_msg("probe %zu of %zu refused", i + 1, capacities[c]);
    }
    assert_int_equal(psprobe_registry_in_flight(registry), capacities[c]);
    for (int i = 0; i < 100; i++) {
      assert_int_equal(psprobe_id_make(id, NULL), PSPROBE_OK);
      assert_int_equal(psprobe_registry_begin(registry, id, 1, 1, 1, PSPROBE_CADENCE_STEADY),
                       PSPROBE_RESOURCE_EXHAUSTED);
    }
    psprobe_registry_free(registry);
  }
}

static void test_collect_in_portions(void **state) {
  (void)state;
  enum { PROBES = 1000 };
  static char ids[PROBES][PSPROBE_ID_SIZE];
  static unsigned seen[PROBES];
  psprobe_registry *registry = make(1, PROBES);
  for (int i = 0; i < PROBES; i++) {
    make_id(ids[i], i);
    assert_int_equal(psprobe_registry_begin(registry, ids[i], i, i, 0, PSPROBE_CADENCE_STEADY),
                     PSPROBE_OK);
    if (i % 2 == 0)
      assert_int_equal(psprobe_registry_answer(registry, ids[i], 0, i + 1, false, -1, NULL),
                       PSPROBE_ANSWER_FIRST);
  }
  psprobe_finished finished[7];
  assert_int_equal(psprobe_registry_collect(registry, INT64_MAX, finished, 0), 0);
  size_t total = 0, got;
  while ((got = psprobe_registry_collect(registry, INT64_MAX, finished, 7)) > 0) {
    for (size_t i = 0; i < got; i++) {
      assert_false(finished[i].update);
      seen[strtol(finished[i].result.id, NULL, 16) - 0xf00]++;
    }
    total += got;
  }
  assert_int_equal(total, PROBES);
  for (int i = 0; i < PROBES; i++)
    assert_int_equal(seen[i], 1);
  psprobe_registry_free(registry);
}

static void test_options(void **state) {
  (void)state;
  static const psprobe_registry_options bad[] = {
      {.source_count = 0},
      {.source_count = PSPROBE_MAX_SOURCES + 1},
      {.source_count = 1, .capacity = SIZE_MAX},
      {.source_count = 1, .timeout_ns = -1},
      {.source_count = 1, .timeout_ns = INT64_MAX},
      {.source_count = 1, .late_window_ns = -1},
      {.source_count = 1, .late_window_ns = INT64_MAX},
  };
  psprobe_registry *registry = NULL;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    psprobe_error error;
    assert_int_equal(psprobe_registry_new(&bad[i], &registry, &error), PSPROBE_INVALID_ARGUMENT);
    assert_int_equal(error.code, PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "registry"));
    assert_null(registry);
  }
  assert_int_equal(psprobe_registry_new(NULL, &registry, NULL), PSPROBE_INVALID_ARGUMENT);
  psprobe_registry_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_of_a_result),
      cmocka_unit_test(test_ids_as_they_come),
      cmocka_unit_test(test_exact_bound_however_ids_fall),
      cmocka_unit_test(test_collect_in_portions),
      cmocka_unit_test(test_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
