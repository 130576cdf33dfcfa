/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#include "results/held.h"

/* Against a plain count: what is held are the last numbers, in order. */
static void test_against_counting(void **state) {
  (void)state;
  psp_held held = {0};
  int64_t added = 0, taken = 0;
  srand(7);
  for (int step = 0; step < 4000; step++) {
    psprobe_finished batch[40] = {0};
    size_t count = (size_t)rand() % 40;
    for (size_t i = 0; i < count; i++)
      batch[i].result.sent_wall_ns = added++;
    psp_held_add(&held, batch, count);
    assert_int_equal(held.count, added - taken);
    if (rand() % 3 == 0 && held.count > 0) {
      const psprobe_finished *oldest;
      size_t some = psp_held_oldest(&held, &oldest);
      assert_in_range(some, 1, PSP_HELD_PORTION);
      for (size_t i = 0; i < some; i++)
        assert_int_equal(oldest[i].result.sent_wall_ns, taken++);
      psp_held_drop(&held, some);
    }
  }
  assert_int_equal(held.lost, 0);
  psp_held_free(&held);
}

static void test_the_oldest_are_lost(void **state) {
  (void)state;
  psp_held held = {0};
  const psprobe_finished *oldest;
  for (int64_t i = 0; i < PSP_HELD_MAX + 1234; i++) {
    psprobe_finished one = {.result = {.sent_wall_ns = i}};
    psp_held_add(&held, &one, 1);
  }
  assert_int_equal(held.count, PSP_HELD_MAX);
  assert_int_equal(held.lost, 1234);
  assert_int_equal(psp_held_oldest(&held, &oldest), PSP_HELD_PORTION);
  assert_int_equal(oldest[0].result.sent_wall_ns, 1234);
  psp_held_free(&held);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_counting),
      cmocka_unit_test(test_the_oldest_are_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
