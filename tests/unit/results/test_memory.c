/* SPDX-License-Identifier: MIT */
/** @file Every allocation of the results fails once: what failed says so and leaks nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "results/upload/outbox.h"
#include "scratch.h"

static bool is_ok(psprobe_code code, const psprobe_error *error) {
  if (code == PSPROBE_OK) return true;
  if (code != PSPROBE_RESOURCE_EXHAUSTED) fail_msg("%s", error->message);
  return false;
}

static bool make_document(void *arg) {
  (void)arg;
  psprobe_run run = scratch_run(1);
  psprobe_row row = {.run = &run, .result = scratch_finished(1).result};
  psprobe_value *document = psprobe_result_document(&row);
  bool done = document != NULL;
  psprobe_value_free(document);
  return done;
}

static bool open_store(void *arg) {
  psprobe_store *store = NULL;
  psprobe_error error = {0};
  bool done = is_ok(psprobe_store_new(arg, NULL, &store, &error), &error);
  assert_int_equal(done, store != NULL);
  psprobe_store_free(store);
  return done;
}

static bool read_rows(void *arg) {
  psprobe_error error = {0};
  int rows = 0;
  bool done = is_ok(psprobe_store_each(arg, NULL, scratch_count_row, &rows, &error), &error);
  if (done) assert_int_equal(rows, 3);
  return done;
}

static bool take_outbox(void *arg) {
  psprobe_error error = {0};
  psp_outbox outbox;
  bool done = is_ok(psp_outbox_take(arg, 0, 10, true, &outbox, &error), &error);
  if (done) {
    assert_int_equal(outbox.count, 3);
    psp_outbox_free(&outbox);
  }
  return done;
}

static void runs_out_cleanly(void **state) {
  char path[SCRATCH_SIZE * 8];
  strcpy(path, scratch_file(state, "r.db"));
  assert_in_range(failing_each(open_store, path), 2, 100);
  psprobe_store *store = scratch_store(path, false);
  for (uint64_t r = 0; r < 3; r++) {
    psprobe_run run = scratch_run(r);
    psprobe_finished finished = scratch_finished(r);
    assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
    assert_int_equal(psprobe_store_add(store, run.id, &finished, 1, NULL), PSPROBE_OK);
  }
  assert_in_range(failing_each(read_rows, store), 4, 100);
  assert_in_range(failing_each(take_outbox, store), 4, 100);
  psprobe_store_free(store);
}

/* A map may go without its index, so that not every refusal shows; none may crash or leak. */
static void a_document_runs_out_cleanly(void **state) {
  (void)state;
  long after = 0;
  do {
    failing_failed = false;
    failing_after = after++;
    bool done = make_document(NULL);
    failing_after = -1;
    assert_true(done || failing_failed);
  } while (failing_failed);
  assert_in_range(after, 30, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(runs_out_cleanly, scratch_setup, scratch_teardown),
      cmocka_unit_test(a_document_runs_out_cleanly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
