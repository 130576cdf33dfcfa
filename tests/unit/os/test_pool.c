/* SPDX-License-Identifier: MIT */
/* threads meet here */
/** @file Tasks on threads: several at once up to the bound, and all of them done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/latch.h"
#include "os/pool.h"

#define TASKS 200

typedef struct task {
  psp_task task;
  psp_latch *begun, *go;
  atomic_int *done;
} task;

static void count(psp_task *t) {
  atomic_fetch_add(((task *)t)->done, 1);
}

static void meet(psp_task *t) {
  task *own = (task *)t;
  psp_latch_post(own->begun);
  psp_latch_wait(own->go);
  count(t);
}

static void test_all_are_done(void **state) {
  (void)state;
  static task tasks[TASKS];
  atomic_int done = 0;
  psp_pool *pool = psp_pool_new("test", 3);
  for (size_t i = 0; i < TASKS; i++) {
    tasks[i] = (task){.task.run = count, .done = &done};
    assert_true(psp_pool_add(pool, &tasks[i].task));
  }
  psp_pool_free(pool);
  assert_int_equal(done, TASKS);
}

/* Each of as many as the bound begins while the others go on; what comes then waits for one. */
static void test_at_once(void **state) {
  (void)state;
  enum { MOST = 4 };
  task tasks[MOST + 1];
  psp_latch begun[MOST + 1], go[MOST + 1];
  atomic_int done = 0;
  psp_pool *pool = psp_pool_new("test", MOST);
  for (size_t i = 0; i <= MOST; i++) {
    psp_latch_init(&begun[i]);
    psp_latch_init(&go[i]);
    tasks[i] = (task){.task.run = meet, .begun = &begun[i], .go = &go[i], .done = &done};
    assert_true(psp_pool_add(pool, &tasks[i].task));
    if (i < MOST) psp_latch_wait(&begun[i]);
  }
  assert_int_equal(done, 0);
  psp_latch_post(&go[2]);
  psp_latch_wait(&begun[MOST]);
  assert_int_equal(done, 1);
  for (size_t i = 0; i <= MOST; i++)
    if (i != 2) psp_latch_post(&go[i]);
  psp_pool_free(pool);
  assert_int_equal(done, MOST + 1);
  for (size_t i = 0; i <= MOST; i++) {
    psp_latch_destroy(&begun[i]);
    psp_latch_destroy(&go[i]);
  }
}

static void test_unused(void **state) {
  (void)state;
  psp_pool_free(psp_pool_new("test", 1));
  psp_pool_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_are_done),
                                     cmocka_unit_test(test_at_once), cmocka_unit_test(test_unused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
