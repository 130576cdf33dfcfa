/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "results/columns/export.h"
#include "scratch.h"

/* More than two parts of them: some cold, some late, some that tell more than others. */
#define ROWS 10000

static psprobe_store *filled(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  psprobe_run run = scratch_run(1);
  psprobe_finished *rows = calloc(ROWS, sizeof *rows);
  for (uint64_t i = 0; i < ROWS; i++) {
    rows[i] = scratch_finished(i + 10);
    if (i % 7 == 0) rows[i].result.cadence = PSPROBE_CADENCE_COLD;
    if (i % 11 == 0) rows[i].result.publish_ns = -1;
    if (i == ROWS - 1) strcpy(rows[i].result.answers[0].facts.instance, "the-last");
    if (i % 5 == 0) rows[i].result.answers[1] = (psprobe_answer){.handled_ns = -1};
  }
  assert_int_equal(psprobe_store_add(store, run.id, rows, ROWS, NULL), PSPROBE_OK);
  free(rows);
  return store;
}

static bool keep(void *arg, const char *text, size_t len) {
  psp_buf_add(arg, text, len);
  return true;
}

static bool keep_first(void *arg, const char *text, size_t len) {
  psp_buf_add(arg, text, len);
  return false;
}

static psprobe_code export(psprobe_store *store, const psprobe_filter *filter, psp_text_put *put,
                           psp_buf *all) {
  psp_export out = {.form = PSPROBE_REPORT_CSV, .put = put, .arg = all};
  psprobe_code code = psp_export_store(store, filter, &out, NULL);
  assert_int_equal(psp_export_end(&out, NULL), PSPROBE_OK);
  return code;
}

static void expect_same(psprobe_store *store, const psprobe_filter *filter) {
  psp_columns columns = {0};
  psp_buf parts = {0};
  assert_int_equal(psp_columns_load(&columns, store, filter, NULL), PSPROBE_OK);
  char *whole = psp_columns_export(&columns, PSPROBE_REPORT_CSV);
  assert_int_equal(export(store, filter, keep, &parts), PSPROBE_OK);
  assert_string_equal(parts.data, whole);
  free(whole);
  psp_buf_free(&parts);
  psp_columns_free(&columns);
}

static void test_parts_make_the_whole(void **state) {
  psprobe_store *store = filled(state);
  expect_same(store, NULL);
  expect_same(store, &(psprobe_filter){.since_wall_ns = SCRATCH_SENT_NS + 9000 * 5000000000});
  expect_same(store, &(psprobe_filter){.since_wall_ns = SCRATCH_SENT_NS * 2}); /* none */
  psprobe_store_free(store);
}

static void test_an_end_on_the_way(void **state) {
  psprobe_store *store = filled(state);
  psp_buf some = {0};
  assert_int_equal(export(store, NULL, keep_first, &some), PSPROBE_OK);
  assert_in_range(some.len, 1000, 2000000);
  psp_buf_free(&some);
  assert_int_equal(export(store, &(psprobe_filter){.run = "f"}, keep, &some), PSPROBE_NOT_FOUND);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_parts_make_the_whole),
      TEST(test_an_end_on_the_way),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
