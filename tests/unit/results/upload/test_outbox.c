/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "results/upload/outbox.h"
#include "scratch.h"

/* Reads and marks as the uploader does. */
static void test_outbox(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psp_outbox outbox;
  uint64_t rows = 0, refused = 0;
  for (uint64_t i = 1; i <= 5; i++) {
    psprobe_finished finished = scratch_finished(6 - i); /* kept in another order than sent */
    scratch_add(store, 1, &finished);
  }
  assert_int_equal(psp_outbox_take(store, 0, 3, true, &outbox, NULL), PSPROBE_OK);
  assert_int_equal(outbox.count, 3);
  for (size_t i = 0; i < 3; i++) {
    char id[PSPROBE_ID_SIZE];
    scratch_id(id, 5 - i);
    assert_string_equal(outbox.rows[i].result.id, id); /* oldest kept first */
    assert_int_equal(outbox.rows[i].revision, 1);
    assert_int_equal(outbox.rows[i].uploaded, 0);
    assert_int_equal(outbox.rows[i].result.source_count, 2);
    assert_int_equal(outbox.rows[i].result.answers[1].elapsed_ns, 50000005 - (int64_t)i);
  }
  psprobe_finished changed = scratch_finished(5); /* while it is under way */
  changed.update = true;
  scratch_add(store, 1, &changed);
  psp_mark marks[] = {PSP_MARK_NEWEST, PSP_MARK_UNWELCOME, PSP_MARK_NONE};
  outbox.due_count = 0; /* the run's own document goes with no row of this test */
  assert_int_equal(psp_outbox_mark(store, &outbox, marks, NULL), PSPROBE_OK);
  psp_outbox_free(&outbox);
  assert_int_equal(psp_outbox_count(store, &rows, &refused, NULL), PSPROBE_OK);
  assert_int_equal(rows, 5);
  assert_int_equal(refused, 1);
  assert_int_equal(psp_outbox_take(store, 0, 10, true, &outbox, NULL), PSPROBE_OK);
  assert_int_equal(outbox.count, 4);
  assert_int_equal(outbox.rows[0].revision, 2);
  assert_int_equal(outbox.rows[0].uploaded, 1);
  psp_mark more[] = {PSP_MARK_FIRST, PSP_MARK_NEWEST, PSP_MARK_NEWEST, PSP_MARK_NEWEST};
  outbox.due_count = 0;
  assert_int_equal(psp_outbox_mark(store, &outbox, more, NULL), PSPROBE_OK);
  psp_outbox_free(&outbox);
  assert_int_equal(psp_outbox_take(store, 0, 10, true, &outbox, NULL), PSPROBE_OK);
  assert_int_equal(outbox.count, 1);
  assert_int_equal(outbox.rows[0].uploaded, 1); /* to be patched */
  assert_int_equal(outbox.rows[0].revision, 2);
  psp_outbox_free(&outbox);
  assert_int_equal(psp_outbox_forgive(store, NULL), PSPROBE_OK);
  assert_int_equal(psp_outbox_count(store, &rows, &refused, NULL), PSPROBE_OK);
  assert_int_equal(rows, 2);
  assert_int_equal(refused, 0);
  scratch_seen all;
  scratch_read(store, NULL, &all);
  assert_true(all.rows[0].uploaded && all.rows[1].uploaded && all.rows[2].uploaded);
  assert_false(all.rows[3].uploaded || all.rows[4].uploaded);
  psprobe_store_free(store);
}

static void test_marks(void **state) {
  (void)state;
  static const struct {
    int64_t revision, uploaded;
    psprobe_code code;
    psp_mark mark;
  } cases[] = {
      {1, 0, PSPROBE_OK, PSP_MARK_NEWEST},
      {3, 1, PSPROBE_OK, PSP_MARK_NEWEST},
      {1, 0, PSPROBE_ALREADY_EXISTS, PSP_MARK_NEWEST},
      {2, 0, PSPROBE_ALREADY_EXISTS, PSP_MARK_FIRST},
      {2, 1, PSPROBE_ALREADY_EXISTS, PSP_MARK_NONE},
      {2, 1, PSPROBE_NOT_FOUND, PSP_MARK_NONE},
      {2, 1, PSPROBE_FAILED_PRECONDITION, PSP_MARK_NONE},
      {1, 0, PSPROBE_NOT_FOUND, PSP_MARK_NONE},
      {1, 0, PSPROBE_INVALID_ARGUMENT, PSP_MARK_UNWELCOME},
      {2, 1, PSPROBE_INVALID_ARGUMENT, PSP_MARK_UNWELCOME},
      {1, 0, PSPROBE_UNAVAILABLE, PSP_MARK_NONE},
      {1, 0, PSPROBE_ABORTED, PSP_MARK_NONE},
      {1, 0, PSPROBE_PERMISSION_DENIED, PSP_MARK_NONE},
      {1, 0, PSPROBE_RESOURCE_EXHAUSTED, PSP_MARK_NONE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error outcome = {.code = cases[i].code, .from_service = true};
    if (psp_mark_of(cases[i].revision, cases[i].uploaded, &outcome) != cases[i].mark)
      fail_msg("case %zu", i);
  }
}

/* Only Firestore's own word about what a row holds gives it up. */
static void test_whose_word(void **state) {
  (void)state;
  psprobe_error outcome = {.code = PSPROBE_INVALID_ARGUMENT, .http_status = 400};
  assert_int_equal(psp_mark_of(1, 0, &outcome), PSP_MARK_NONE); /* a proxy's page */
  outcome.from_service = true;
  assert_int_equal(psp_mark_of(1, 0, &outcome), PSP_MARK_UNWELCOME);
  strcpy(outcome.reason, "API_KEY_INVALID"); /* whatever the row */
  assert_int_equal(psp_mark_of(1, 0, &outcome), PSP_MARK_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_outbox),
      cmocka_unit_test(test_marks),
      cmocka_unit_test(test_whose_word),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
