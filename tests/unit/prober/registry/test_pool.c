/* SPDX-License-Identifier: MIT */
/** @file Facts on their way through the registry: kept until they are handed out, once, and
 * bounded; from many threads at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/registry.h>

#include "prober/registry/pool.h"
#include "prober/registry/shard.h"

#define OFFSET  1000000
#define THREADS 4
#define ROUNDS  20000

static psprobe_registry *make(uint32_t facts) {
  psprobe_registry_options options = {.source_count = 2,
                                      .capacity = 16,
                                      .timeout_ns = 1000,
                                      .facts = facts,
                                      .wall_offset_ns = OFFSET};
  psprobe_registry *registry;
  assert_int_equal(psprobe_registry_new(&options, &registry, NULL), PSPROBE_OK);
  return registry;
}

static void begin(psprobe_registry *registry, char id[PSPROBE_ID_SIZE], int64_t at) {
  assert_int_equal(psprobe_id_make(id, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_registry_begin(registry, id, at, at, 1, PSPROBE_CADENCE_STEADY),
                   PSPROBE_OK);
}

static psprobe_facts facts_of(uint32_t invocation) {
  psprobe_facts facts = {0};
  snprintf(facts.instance, sizeof facts.instance, "i-%u", (unsigned)invocation);
  facts.invocation = invocation;
  facts.sent_wall_ns = invocation;
  return facts;
}

static void test_handed_out_once(void **state) {
  (void)state;
  psprobe_registry *r = make(8);
  char id[PSPROBE_ID_SIZE];
  psprobe_finished f;
  psprobe_facts first = facts_of(1), second = facts_of(2), late = facts_of(3);
  begin(r, id, 100);
  psprobe_registry_answer(r, id, 0, 150, true, 5, &first);
  psprobe_registry_answer(r, id, 0, 160, true, 5, &second); /* a duplicate's are let go */
  assert_int_equal(psprobe_registry_collect(r, 2000, &f, 1), 1);
  assert_string_equal(f.result.answers[0].facts.instance, "i-1");
  assert_int_equal(f.result.answers[0].facts.sent_wall_ns, 1);
  assert_int_equal(f.result.answers[0].received_wall_ns, OFFSET + 150);
  assert_string_equal(f.result.answers[1].facts.instance, "");
  assert_int_equal(f.result.answers[1].facts.age_ns, 0);
  assert_int_equal(f.result.answers[1].received_wall_ns, 0);
  /* A late answer brings its own; those of the other were handed out before. */
  assert_int_equal(psprobe_registry_answer(r, id, 1, 1500, false, -1, &late), PSPROBE_ANSWER_LATE);
  assert_int_equal(psprobe_registry_collect(r, 2000, &f, 1), 1);
  assert_int_equal(f.fresh, 2);
  assert_int_equal(f.result.answers[0].facts.invocation, 0);
  assert_int_equal(f.result.answers[1].facts.invocation, 3);
  psprobe_registry_free(r);
}

/* An answer that could not be kept comes again: it is the one that it was, whether it counts or is
 * a duplicate. */
static void test_told_again(void **state) {
  static const struct {
    uint32_t invocation;
    psprobe_answer_outcome outcome;
    uint32_t delivery;
    int64_t elapsed_ns;
  } steps[] = {
      {1, PSPROBE_ANSWER_FIRST, 1, 10},     {1, PSPROBE_ANSWER_AGAIN, 1, 10},
      {2, PSPROBE_ANSWER_DUPLICATE, 2, 30}, {2, PSPROBE_ANSWER_AGAIN, 2, 30},
      {1, PSPROBE_ANSWER_AGAIN, 1, 10},     {3, PSPROBE_ANSWER_DUPLICATE, 3, 60},
      {3, PSPROBE_ANSWER_AGAIN, 3, 60},     {0, PSPROBE_ANSWER_DUPLICATE, 4, 80}, /* not told */
      {0, PSPROBE_ANSWER_DUPLICATE, 5, 90},
  };
  (void)state;
  psprobe_registry *r = make(8);
  char id[PSPROBE_ID_SIZE];
  psprobe_finished f;
  for (int probe = 0; probe < 2; probe++) { /* the next has the slot of the first */
    begin(r, id, 100);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
      psprobe_facts facts = facts_of(steps[i].invocation);
      psp_noted noted = {0};
      int64_t at = 110 + 10 * (int64_t)i;
      assert_int_equal(psp_registry_note(r, id, 0, at, false, -1, &facts, &noted),
                       steps[i].outcome);
      assert_int_equal(noted.delivery, steps[i].delivery);
      assert_int_equal(noted.elapsed_ns, steps[i].elapsed_ns);
      assert_int_equal(noted.received_wall_ns, OFFSET + 100 + steps[i].elapsed_ns);
      assert_int_equal(noted.first.elapsed_ns, steps[i].delivery > 1 ? 10 : 0);
    }
    assert_int_equal(psprobe_registry_collect(r, 3000, &f, 1), 1);
    assert_int_equal(f.result.answers[0].duplicates, 4);
  }
  psprobe_registry_free(r);
}

static void test_bounded(void **state) {
  (void)state;
  psprobe_registry *r = make(1);
  char one[PSPROBE_ID_SIZE], two[PSPROBE_ID_SIZE];
  psprobe_finished f[2];
  psprobe_facts facts = facts_of(9);
  begin(r, one, 100);
  begin(r, two, 100);
  for (int round = 0; round < 3; round++) /* an unknown id's place is free again */
    assert_int_equal(
        psprobe_registry_answer(r, "0123456789abcdef0123456789abcdef", 0, 1, false, -1, &facts),
        PSPROBE_ANSWER_UNKNOWN);
  assert_int_equal(psprobe_registry_answer(r, one, 0, 150, false, -1, &facts),
                   PSPROBE_ANSWER_FIRST);
  assert_int_equal(psprobe_registry_answer(r, two, 0, 150, true, 7, &facts), PSPROBE_ANSWER_FIRST);
  assert_int_equal(psprobe_registry_facts_dropped(r), 1);
  assert_int_equal(psprobe_registry_collect(r, 5000, f, 2), 2);
  assert_int_equal(f[0].result.answers[0].facts.invocation, 9);
  assert_int_equal(f[1].result.answers[0].facts.invocation, 0);
  assert_int_equal(f[1].result.answers[0].handled_ns, 7); /* the answer stands */
  assert_true(f[1].result.answers[0].cold);
  psprobe_registry_free(r);
}

static void test_none_are_kept_where_none_are_wanted(void **state) {
  (void)state;
  psprobe_registry *r = make(0);
  char id[PSPROBE_ID_SIZE];
  psprobe_finished f;
  psprobe_facts facts = facts_of(1);
  begin(r, id, 100);
  psprobe_registry_answer(r, id, 0, 150, false, -1, &facts);
  assert_int_equal(psprobe_registry_facts_dropped(r), 0);
  assert_int_equal(psprobe_registry_collect(r, 5000, &f, 1), 1);
  assert_int_equal(f.result.answers[0].facts.invocation, 0);
  psprobe_registry_free(r);
}

/* What is taken is one thread's alone until it is given back. */
static void *churn(void *arg) {
  psp_facts_pool *pool = arg;
  size_t wrong = 0;
  for (uint32_t i = 1; i <= ROUNDS; i++) {
    psprobe_facts mine = facts_of(i), back;
    mine.age_ns = (int64_t)(uintptr_t)&wrong;
    uint32_t place = psp_facts_take(pool, &mine);
    psp_facts_give(pool, place, &back);
    if (place != PSP_NO_FACTS && memcmp(&mine, &back, sizeof mine) != 0) wrong++;
  }
  return (void *)(uintptr_t)wrong;
}

static void test_many_threads(void **state) {
  (void)state;
  psp_facts_pool pool = {0};
  pthread_t threads[THREADS];
  assert_true(psp_facts_pool_init(&pool, 3)); /* fewer than threads: some find none */
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, churn, &pool), 0);
  for (int i = 0; i < THREADS; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    assert_null(wrong);
  }
  psprobe_facts facts = facts_of(1);
  for (int i = 0; i < 3; i++) /* none has gone */
    assert_int_not_equal(psp_facts_take(&pool, &facts), PSP_NO_FACTS);
  assert_int_equal(psp_facts_take(&pool, &facts), PSP_NO_FACTS);
  psp_facts_pool_clear(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_handed_out_once),
      cmocka_unit_test(test_told_again),
      cmocka_unit_test(test_bounded),
      cmocka_unit_test(test_none_are_kept_where_none_are_wanted),
      cmocka_unit_test(test_many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
