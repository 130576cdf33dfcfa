/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "prober/ahead.h"

#define MS INT64_C(1000000)

static psprobe_planned planned[PSP_AHEAD_BLOCK];
static psprobe_sent sent[PSP_AHEAD_BLOCK];

static psp_ahead begin(int64_t interval_ns) {
  psp_ahead ahead;
  assert_true(psp_ahead_init(&ahead, PSPROBE_CADENCE_STEADY, 0, interval_ns));
  return ahead;
}

static size_t keep(psp_ahead *ahead, int64_t now_ns) {
  size_t count = psp_ahead_make(ahead, now_ns, 7, planned);
  psp_ahead_kept(ahead, count);
  return count;
}

static size_t note(psp_ahead *ahead) {
  size_t count = psp_ahead_sent(ahead, sent, PSP_AHEAD_BLOCK);
  psp_ahead_note(ahead, count);
  return count;
}

/* Sends the next at its time. */
static void use(psp_ahead *ahead, int64_t when_ns) {
  assert_non_null(psp_ahead_next(ahead));
  psp_ahead_use(ahead, when_ns, when_ns + 3, when_ns + 10);
}

/* Two seconds ahead, a block at a time, each id once and at its slot's time. */
static void test_a_long_run(void **state) {
  (void)state;
  psp_ahead ahead = begin(10 * MS);
  char before[PSPROBE_ID_SIZE] = "";
  assert_null(psp_ahead_next(&ahead));
  assert_int_equal(keep(&ahead, 0), 200);
  assert_int_equal(planned[199].intended_wall_ns, 1990 * MS + 7);
  uint64_t all = 200;
  for (int64_t slot = 0; slot < 1000; slot++) {
    const char *id = psp_ahead_next(&ahead);
    assert_non_null(id);
    assert_string_not_equal(id, before);
    strcpy(before, id);
    use(&ahead, slot * 10 * MS);
    assert_int_equal(note(&ahead), 1);
    assert_string_equal(sent[0].id, before);
    assert_int_equal(sent[0].lateness_ns, 3);
    assert_int_equal(sent[0].sent_wall_ns, slot * 10 * MS + 10);
    size_t more = keep(&ahead, slot * 10 * MS);
    if (more > 0) assert_int_equal(planned[0].intended_wall_ns, (int64_t)all * 10 * MS + 7);
    all += more;
    assert_true(all > (uint64_t)slot + 100 && all <= (uint64_t)slot + 401);
  }
  psp_ahead_clear(&ahead);
}

/* What was not kept is offered again, the same; none of it is sent. */
static void test_not_kept(void **state) {
  (void)state;
  psp_ahead ahead = begin(10 * MS);
  char first[PSPROBE_ID_SIZE];
  assert_int_equal(psp_ahead_make(&ahead, 0, 0, planned), 200);
  strcpy(first, planned[0].id);
  assert_null(psp_ahead_next(&ahead));
  assert_int_equal(psp_ahead_make(&ahead, 50 * MS, 0, planned), 200);
  assert_string_equal(planned[0].id, first);
  psp_ahead_kept(&ahead, 200);
  assert_string_equal(psp_ahead_next(&ahead), first);
  psp_ahead_clear(&ahead);
}

/* Half a second's probes may be without a note, and no more. */
static void test_window(void **state) {
  (void)state;
  psp_ahead ahead = begin(10 * MS);
  keep(&ahead, 0);
  for (int i = 0; i < 50; i++)
    use(&ahead, i * 10 * MS);
  assert_null(psp_ahead_next(&ahead));
  assert_int_equal(psp_ahead_sent(&ahead, sent, 20), 20);
  psp_ahead_note(&ahead, 20);
  for (int i = 50; i < 70; i++)
    use(&ahead, i * 10 * MS);
  assert_null(psp_ahead_next(&ahead));
  assert_int_equal(psp_ahead_window(INT64_C(5000000000)), PSP_AHEAD_LEAST);
  psp_ahead_clear(&ahead);
}

/* Rare ones are planned shortly before their time; missed slots move the rest. */
static void test_rare_and_missed(void **state) {
  (void)state;
  const int64_t minute = 60000 * MS;
  psp_ahead ahead = begin(minute);
  assert_int_equal(keep(&ahead, 0), 1);
  assert_int_equal(psp_ahead_due(&ahead, 0), PSP_AHEAD_NOTE_NS);
  use(&ahead, 0);
  assert_int_equal(note(&ahead), 1);
  assert_int_equal(keep(&ahead, minute - PSP_AHEAD_NS - 1), 0);
  assert_int_equal(psp_ahead_due(&ahead, MS), minute - PSP_AHEAD_NS);
  assert_int_equal(keep(&ahead, minute - PSP_AHEAD_NS), 1);
  use(&ahead, 3 * minute); /* two slots had no room in the registry */
  note(&ahead);
  assert_int_equal(keep(&ahead, 4 * minute - PSP_AHEAD_NS), 1);
  assert_int_equal(planned[0].intended_wall_ns, 4 * minute + 7);
  psp_ahead_clear(&ahead);
}

/* However it goes, there is always something to wait for: never a time that has passed for long. */
static void test_due_is_ahead(void **state) {
  (void)state;
  psp_ahead ahead = begin(10 * MS);
  while (keep(&ahead, 3000 * MS) > 0) {
  }
  assert_true(psp_ahead_due(&ahead, 60000 * MS) > 60000 * MS); /* full, and nothing is sent */
  psp_ahead_clear(&ahead);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_long_run),   cmocka_unit_test(test_not_kept),
      cmocka_unit_test(test_window),       cmocka_unit_test(test_rare_and_missed),
      cmocka_unit_test(test_due_is_ahead),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
