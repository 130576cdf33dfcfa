/* SPDX-License-Identifier: MIT */
/** @file Rows that wait in a file, and come out in the order sent. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "results/columns/sorted.h"
#include "scratch.h"

#define ROWS 2000

static psprobe_run runs_of[2];
static psp_run_list runs;

static int setup(void **state) {
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    runs_of[i] = scratch_run(i + 1);
    assert_non_null(psp_run_list_add(&runs, &runs_of[i]));
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  psp_run_list_free(&runs);
  return 0;
}

/* Sent at `number`; two share a time, by turns of two runs. */
static bool put(psp_sorted *sorted, uint64_t number) {
  psprobe_finished finished = scratch_finished(number);
  psp_further_list further = {0};
  finished.result.sent_wall_ns = (int64_t)(number / 2 + 1);
  finished.result.answers[1] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  const psp_row row = {.run = &runs_of[number % 2],
                       .id = finished.result.id,
                       .result = &finished.result,
                       .saved_wall_ns = (int64_t)number,
                       .further = &further};
  assert_true(psp_further_add(&further, &(psp_further){0, 2, finished.result.answers[0]}));
  bool taken = psp_sorted_take(sorted, &row);
  psp_further_free(&further);
  return taken;
}

typedef struct seen {
  uint64_t count, stop_after;
} seen;

/* The next number, with all that was told of it. */
static bool see(void *arg, const psp_row *row) {
  seen *s = arg;
  const uint64_t number = s->count++;
  const psprobe_finished finished = scratch_finished(number);
  assert_string_equal(row->id, finished.result.id);
  assert_string_equal(row->run->id, runs_of[number % 2].id);
  assert_int_equal(row->result->sent_wall_ns, number / 2 + 1);
  assert_int_equal(row->saved_wall_ns, number);
  assert_int_equal(row->result->answers[0].elapsed_ns, finished.result.answers[0].elapsed_ns);
  assert_int_equal(row->result->answers[1].status, PSPROBE_LOST);
  assert_int_equal(row->further->count, 1);
  assert_int_equal(row->further->items[0].delivery, 2);
  return s->count != s->stop_after;
}

static void in_the_order_sent(void **state) {
  (void)state;
  psp_sorted sorted;
  seen all = {0}, some = {.stop_after = 7};
  assert_int_equal(psp_sorted_open(&sorted, NULL), PSPROBE_OK);
  for (uint64_t i = 0; i < ROWS; i += 2) { /* of one time, the one that came first */
    assert_true(put(&sorted, ROWS - 2 - i));
    assert_true(put(&sorted, ROWS - 1 - i));
  }
  assert_int_equal(psp_sorted_each(&sorted, &runs, see, &all, NULL), PSPROBE_OK);
  assert_int_equal(all.count, ROWS);
  assert_int_equal(psp_sorted_each(&sorted, &runs, see, &some, NULL), PSPROBE_OK);
  assert_int_equal(some.count, 7);
  psp_sorted_close(&sorted);
}

static void no_room(void **state) {
  (void)state;
  struct rlimit before, little = {.rlim_cur = 1 << 20};
  psp_sorted sorted;
  psprobe_error error = {0};
  uint64_t number = 0;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  little.rlim_max = before.rlim_max;
  setrlimit(RLIMIT_FSIZE, &little);
  assert_int_equal(psp_sorted_open(&sorted, &error), PSPROBE_OK);
  while (number < 100000 && put(&sorted, number))
    number++;
  setrlimit(RLIMIT_FSIZE, &before);
  assert_in_range(number, 1, 99999);
  assert_int_equal(sorted.code, PSPROBE_RESOURCE_EXHAUSTED);
  assert_non_null(strstr(error.message, "sort rows in a temporary file (of TMPDIR): "));
  psp_sorted_close(&sorted);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(in_the_order_sent, setup, teardown),
      cmocka_unit_test_setup_teardown(no_room, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
