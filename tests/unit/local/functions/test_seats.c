/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <utlist.h>

#include "local/functions/seats.h"

#define COUNT 4

/* A function with instances that are as the test sets them; none at first. */
typedef struct scene {
  psp_function function;
  psp_function_instance instances[COUNT];
  psp_function_event events[8];
} scene;

static void begin(scene *s) {
  *s = (scene){.function = {.concurrency = 2, .max_instances = COUNT, .idle_ns = 100}};
}

static psp_function_instance *add(scene *s, int at, psp_instance_state state, int flights,
                                  int64_t idle_since_ns) {
  s->instances[at] =
      (psp_function_instance){.state = state, .flights = flights, .idle_since_ns = idle_since_ns};
  DL_APPEND(s->function.all, &s->instances[at]);
  return &s->instances[at];
}

static void queue(scene *s, int count, int64_t until_ns) {
  for (int i = 0; i < count; i++) {
    s->events[i].until_ns = until_ns + i;
    psp_function_queue(&s->function, &s->events[i]);
  }
}

static void test_seat(void **state) {
  (void)state;
  scene s;
  begin(&s);
  assert_null(psp_function_seat(&s.function));
  add(&s, 0, PSP_INSTANCE_STARTING, 0, 0);
  add(&s, 1, PSP_INSTANCE_ENDING, 0, 9);
  assert_null(psp_function_seat(&s.function));
  psp_function_instance *old = add(&s, 2, PSP_INSTANCE_READY, 0, 5);
  assert_ptr_equal(psp_function_seat(&s.function), old);
  psp_function_instance *late = add(&s, 3, PSP_INSTANCE_READY, 0, 6);
  assert_ptr_equal(psp_function_seat(&s.function), late); /* that was busy last */
  old->flights = 1;
  assert_ptr_equal(psp_function_seat(&s.function), old); /* that is busy now, and has a seat */
  old->flights = 2;
  assert_ptr_equal(psp_function_seat(&s.function), late);
  late->flights = 2;
  assert_null(psp_function_seat(&s.function));
}

static void test_queue(void **state) {
  (void)state;
  scene s;
  begin(&s);
  queue(&s, 3, 10);
  assert_null(psp_function_overdue(&s.function, 9));
  assert_ptr_equal(psp_function_overdue(&s.function, 11), &s.events[0]);
  assert_ptr_equal(psp_function_overdue(&s.function, 11), &s.events[1]);
  assert_null(psp_function_overdue(&s.function, 11));
  assert_int_equal(psp_function_due(&s.function, 11), 12);
  assert_ptr_equal(psp_function_next(&s.function), &s.events[2]);
  assert_null(psp_function_next(&s.function));
  assert_int_equal(s.function.waiting, 0);
  assert_int_equal(psp_function_due(&s.function, 11), INT64_MAX);
}

static void test_wanted(void **state) {
  (void)state;
  scene s;
  begin(&s);
  assert_int_equal(psp_function_wanted(&s.function, 0), 0);
  queue(&s, 5, 10);
  assert_int_equal(psp_function_wanted(&s.function, 0), 3); /* two events each */
  add(&s, 0, PSP_INSTANCE_STARTING, 0, 0);
  assert_int_equal(psp_function_wanted(&s.function, 0), 2); /* that one will take two */
  add(&s, 1, PSP_INSTANCE_READY, 2, 0);
  add(&s, 2, PSP_INSTANCE_READY, 2, 0);
  assert_int_equal(psp_function_wanted(&s.function, 0), 1); /* there may be four */
  add(&s, 3, PSP_INSTANCE_ENDING, 2, 0);
  assert_int_equal(psp_function_wanted(&s.function, 0), 1); /* it does not count */
  s.instances[3].state = PSP_INSTANCE_STARTING;
  assert_int_equal(psp_function_wanted(&s.function, 0), 0);
}

static void test_kept(void **state) {
  (void)state;
  scene s;
  begin(&s);
  s.function.min_instances = 2;
  assert_int_equal(psp_function_wanted(&s.function, 0), 2);
  s.function.retry_ns = 50; /* one has failed to start: */
  assert_int_equal(psp_function_wanted(&s.function, 49), 0);
  assert_int_equal(psp_function_due(&s.function, 49), 50);
  queue(&s, 1, 1000);
  assert_int_equal(psp_function_wanted(&s.function, 49), 1); /* an event is worth a try */
  psp_function_next(&s.function);
  assert_int_equal(psp_function_wanted(&s.function, 50), 2);
  add(&s, 0, PSP_INSTANCE_READY, 0, 0);
  add(&s, 1, PSP_INSTANCE_READY, 0, 0);
  assert_int_equal(psp_function_wanted(&s.function, 50), 0);
  assert_null(psp_function_spare(&s.function, 1000)); /* both are to be kept */
  assert_int_equal(psp_function_due(&s.function, 1000), INT64_MAX);
}

static void test_spare(void **state) {
  (void)state;
  scene s;
  begin(&s);
  psp_function_instance *first = add(&s, 0, PSP_INSTANCE_READY, 0, 10);
  psp_function_instance *second = add(&s, 1, PSP_INSTANCE_READY, 0, 5);
  assert_int_equal(psp_function_due(&s.function, 20), 105);
  assert_null(psp_function_spare(&s.function, 104));
  assert_ptr_equal(psp_function_spare(&s.function, 105), second);
  second->flights = 1; /* it is busy, and looked at again when it could have been idle */
  assert_int_equal(psp_function_due(&s.function, 105), 110);
  assert_null(psp_function_spare(&s.function, 109));
  assert_ptr_equal(psp_function_spare(&s.function, 110), first);
  first->state = PSP_INSTANCE_ENDING;
  assert_null(psp_function_spare(&s.function, 1000));
  assert_int_equal(psp_function_due(&s.function, 1000), 1100);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_seat), cmocka_unit_test(test_queue),
                                     cmocka_unit_test(test_wanted), cmocka_unit_test(test_kept),
                                     cmocka_unit_test(test_spare)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
