/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "local/broker/history.h"

static psp_letter *letter(uint64_t id) {
  psp_letter *made = psp_letter_new("x", 1, NULL, 0, NULL);
  assert_non_null(made);
  made->id = id;
  return made;
}

static void add(psp_history *history, uint64_t id) {
  psp_letter *one = letter(id);
  assert_true(psp_history_reserve(history, 1));
  psp_history_add(history, one);
  psp_letter_unref(one);
}

/* Thousands through a window of ten: the room stays that of the window. */
static void test_window(void **state) {
  (void)state;
  psp_history history = {0};
  for (uint64_t id = 1; id <= 5000; id++) {
    add(&history, id);
    if (history.count > 10) psp_history_drop(&history);
    assert_int_equal(psp_history_at(&history, 0)->id, id < 10 ? 1 : id - 9);
  }
  assert_int_equal(history.count, 10);
  assert_true(history.cap < 100);
  assert_int_equal(psp_history_at(&history, 9)->id, 5000);
  assert_null(psp_history_at(&history, 10));
  psp_history_free(&history);
  psp_history_drop(&history);
  assert_null(psp_history_at(&history, 0));
}

static void test_merge(void **state) {
  (void)state;
  psp_history history = {0};
  psp_letter *more[] = {letter(1), letter(4), letter(5), letter(9)};
  static const uint64_t all[] = {1, 3, 4, 5, 6, 9};
  add(&history, 3);
  psp_letter *four = more[1];
  assert_true(psp_history_reserve(&history, 1));
  psp_history_add(&history, four); /* is in both */
  add(&history, 6);
  assert_true(psp_history_merge(&history, more, 4));
  assert_int_equal(history.count, 6);
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(psp_history_at(&history, i)->id, all[i]);
  assert_true(psp_history_merge(&history, NULL, 0));
  assert_int_equal(history.count, 6);
  assert_int_equal(four->refs, 2);
  psp_history_free(&history);
  for (size_t i = 0; i < 4; i++)
    psp_letter_unref(more[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_window), cmocka_unit_test(test_merge)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
