/* SPDX-License-Identifier: MIT */
/** @file Probes in the file before they are finished; what is closed when their run ends or dies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "results/store/store.h"
#include "results/upload/outbox.h"
#include "scratch.h"

#define RUN 1

static psprobe_sent sent_of(uint64_t number) {
  psprobe_sent sent = {.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number, .lateness_ns = 7};
  scratch_id(sent.id, number);
  return sent;
}

static psprobe_arrival arrival_of(uint64_t number, size_t source, uint32_t delivery) {
  psprobe_arrival arrival = {
      .sent = sent_of(number),
      .source = source,
      .delivery = delivery,
      .answer = {.status = PSPROBE_ANSWERED,
                 .elapsed_ns = 1000 * (int64_t)delivery + (int64_t)source,
                 .handled_ns = -1,
                 .received_wall_ns = 99,
                 .facts = {.instance = "i-1", .invocation = delivery, .delivery_attempt = 1}}};
  return arrival;
}

static void keep(psprobe_store *store, const psprobe_news *news) {
  psprobe_run run = scratch_run(RUN);
  psprobe_error error = {0};
  if (psp_store_keep(store, run.id, news, &error) != PSPROBE_OK) fail_msg("%s", error.message);
}

static void plan(psprobe_store *store, uint64_t from, uint64_t to, int64_t when_ns) {
  for (uint64_t n = from; n < to; n++) {
    psprobe_planned planned = {.intended_wall_ns = when_ns};
    scratch_id(planned.id, n);
    keep(store, &(psprobe_news){.planned = &planned, .planned_count = 1});
  }
}

static void send(psprobe_store *store, uint64_t number) {
  psprobe_sent sent = sent_of(number);
  keep(store, &(psprobe_news){.sent = &sent, .sent_count = 1});
}

static void arrive(psprobe_store *store, uint64_t number, size_t source, uint32_t delivery) {
  psprobe_arrival arrival = arrival_of(number, source, delivery);
  keep(store, &(psprobe_news){.arrivals = &arrival, .arrival_count = 1});
}

static int64_t ask(psprobe_store *store, const char *sql) {
  int64_t value = -1;
  assert_int_equal(psp_store_enter(store, NULL), PSPROBE_OK);
  assert_int_equal(psp_sql_int64(store->db, sql, &value), SQLITE_OK);
  psp_store_leave(store);
  return value;
}

static psprobe_store *open_again(void **state, psprobe_store *store) {
  psprobe_store_free(store); /* as a death would: the run has no end */
  return scratch_store(scratch_file(state, "r.db"), false);
}

/* Nobody reads or uploads what is open; its answers are there all the same. */
static void test_open(void **state) {
  psprobe_store *store = scratch_begin(state, RUN);
  uint64_t backlog = 9;
  plan(store, 1, 4, SCRATCH_SENT_NS);
  send(store, 1);
  send(store, 2);
  arrive(store, 2, 1, 1);
  assert_int_equal(scratch_rows(store->path), 0);
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 0);
  assert_int_equal(ask(store, "SELECT count(*) FROM probes WHERE state = 0"), 1);
  assert_int_equal(ask(store, "SELECT count(*) FROM probes WHERE state = 1 AND lateness_ns = 7"),
                   2);
  assert_int_equal(ask(store, "SELECT count(*) FROM answers WHERE elapsed_ns = 1001"), 1);
  psprobe_finished finished = scratch_finished(2);
  scratch_add(store, RUN, &finished);
  assert_int_equal(scratch_rows(store->path), 1);
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 1);
  send(store, 2); /* told again: nothing is opened again */
  assert_int_equal(scratch_rows(store->path), 1);
  psprobe_store_free(store);
}

/* A source's further deliveries stand beside the first, which counts them. */
static void test_deliveries(void **state) {
  static scratch_seen seen;
  psprobe_store *store = scratch_begin(state, RUN);
  for (uint32_t delivery = 1; delivery <= 3; delivery++)
    arrive(store, 1, 0, delivery);
  arrive(store, 1, 0, 3); /* told again */
  assert_int_equal(ask(store, "SELECT duplicates FROM answers WHERE delivery = 1"), 2);
  assert_int_equal(ask(store, "SELECT sum(elapsed_ns) FROM answers"), 6000);
  assert_int_equal(ask(store, "SELECT sum(invocation) FROM answers"), 6);
  store = open_again(state, store);
  seen = (scratch_seen){0};
  scratch_read(store, NULL, &seen);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.rows[0].result.answers[0].duplicates, 2);
  assert_int_equal(seen.rows[0].result.answers[0].elapsed_ns, 1000);
  assert_int_equal(seen.rows[0].result.answers[1].status, PSPROBE_INTERRUPTED);
  psprobe_store_free(store);
}

/* The first could not be kept, and the second comes, or comes again, before it does. */
static void test_second_delivery_first(void **state) {
  psprobe_store *store = scratch_begin(state, RUN);
  psprobe_arrival arrival = arrival_of(1, 0, 2);
  arrival.first = arrival_of(1, 0, 1).answer;
  keep(store, &(psprobe_news){.arrivals = &arrival, .arrival_count = 1});
  assert_int_equal(ask(store, "SELECT duplicates FROM answers WHERE delivery = 1"), 1);
  assert_int_equal(ask(store, "SELECT elapsed_ns FROM answers WHERE delivery = 1"), 1000);
  arrive(store, 1, 0, 1);
  assert_int_equal(ask(store, "SELECT duplicates FROM answers WHERE delivery = 1"), 1);
  arrive(store, 1, 0, 3);
  assert_int_equal(ask(store, "SELECT duplicates FROM answers WHERE delivery = 1"), 2);
  psprobe_store_free(store);
}

/* A late answer that came before its probe's loss is told, or after: it stands, and goes up. */
static void test_loss_and_answer(void **state) {
  static scratch_seen seen;
  psprobe_store *store = scratch_begin(state, RUN);
  psprobe_finished lost = scratch_finished(1);
  lost.result.answers[0] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  arrive(store, 1, 0, 1);
  scratch_add(store, RUN, &lost);
  seen = (scratch_seen){0};
  scratch_read(store, NULL, &seen);
  assert_int_equal(seen.rows[0].result.answers[0].status, PSPROBE_ANSWERED);
  lost = scratch_finished(2);
  lost.result.answers[0] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  scratch_add(store, RUN, &lost);
  arrive(store, 2, 0, 1);
  seen = (scratch_seen){0};
  scratch_read(store, NULL, &seen);
  assert_int_equal(seen.rows[1].result.answers[0].status, PSPROBE_ANSWERED);
  assert_int_equal(ask(store, "SELECT group_concat(revision, '') FROM probes"), 12);
  psprobe_store_free(store);
}

static const psprobe_result *result_of(const scratch_seen *seen, uint64_t number) {
  char id[PSPROBE_ID_SIZE];
  scratch_id(id, number);
  for (size_t i = 0; i < seen->count; i++)
    if (strcmp(seen->rows[i].result.id, id) == 0) return &seen->rows[i].result;
  fail_msg("probe %d is not there", (int)number);
  return NULL;
}

/* A death: what was planned may have been sent, also where its time is to come by a clock that may
 * have been put back since. */
static void test_after_a_death(void **state) {
  static scratch_seen seen;
  uint64_t backlog = 0;
  psprobe_store *store = scratch_begin(state, RUN);
  plan(store, 1, 5, SCRATCH_SENT_NS);
  plan(store, 5, 6, psprobe_clock_wall() + INT64_C(30000000000));
  send(store, 1);
  send(store, 2);
  arrive(store, 2, 0, 1);
  arrive(store, 2, 1, 1);
  arrive(store, 3, 1, 1); /* its sending was not noted: the answer tells it */
  store = open_again(state, store);
  seen = (scratch_seen){0};
  scratch_read(store, NULL, &seen);
  assert_int_equal(seen.count, 5);
  assert_int_equal(result_of(&seen, 1)->answers[0].status, PSPROBE_INTERRUPTED);
  assert_int_equal(result_of(&seen, 1)->answers[1].status, PSPROBE_INTERRUPTED);
  assert_int_equal(result_of(&seen, 2)->answers[0].status, PSPROBE_ANSWERED);
  assert_int_equal(result_of(&seen, 2)->answers[1].status, PSPROBE_ANSWERED);
  assert_int_equal(result_of(&seen, 3)->answers[0].status, PSPROBE_INTERRUPTED);
  assert_int_equal(result_of(&seen, 3)->answers[1].elapsed_ns, 1001);
  assert_int_equal(result_of(&seen, 4)->answers[0].status, PSPROBE_UNCERTAIN);
  assert_int_equal(result_of(&seen, 4)->answers[1].status, PSPROBE_UNCERTAIN);
  assert_int_equal(result_of(&seen, 5)->answers[1].status, PSPROBE_UNCERTAIN);
  assert_int_equal(psprobe_store_backlog(store, &backlog, NULL), PSPROBE_OK);
  assert_int_equal(backlog, 5);
  assert_int_equal(ask(store, "SELECT ending FROM runs"), PSPROBE_ENDING_INTERRUPTED);
  assert_int_equal(ask(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
  store = open_again(state, store); /* and only once */
  assert_int_equal(ask(store, "SELECT sum(revision) FROM probes"), 5);
  psprobe_store_free(store);
}

/* An end in peace: what was not sent is known not to have been. */
static void test_after_an_end(void **state) {
  static scratch_seen seen;
  psprobe_store *store = scratch_begin(state, RUN);
  psprobe_run run = scratch_run(RUN);
  plan(store, 1, 4, SCRATCH_SENT_NS);
  send(store, 1);
  assert_int_equal(psprobe_store_end_run(store, run.id, 5, PSPROBE_ENDING_STOPPED, NULL),
                   PSPROBE_OK);
  seen = (scratch_seen){0};
  scratch_read(store, NULL, &seen);
  assert_int_equal(seen.count, 1);
  assert_int_equal(result_of(&seen, 1)->answers[1].status, PSPROBE_INTERRUPTED);
  psprobe_store_free(store);
}

/* All of it, or nothing. */
static void test_what_makes_no_sense(void **state) {
  psprobe_store *store = scratch_begin(state, RUN);
  psprobe_run run = scratch_run(RUN);
  psprobe_sent sent = sent_of(1);
  psprobe_arrival arrival = arrival_of(1, 2, 1);
  psprobe_news news = {.sent = &sent, .sent_count = 1, .arrivals = &arrival, .arrival_count = 1};
  assert_int_equal(psp_store_keep(store, run.id, &news, NULL), PSPROBE_INVALID_ARGUMENT);
  strcpy(sent.id, "x");
  news.arrival_count = 0;
  assert_int_equal(psp_store_keep(store, run.id, &news, NULL), PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(ask(store, "SELECT count(*) FROM probes"), 0);
  psprobe_store_free(store);
}

/* No more than so many can have been sent without a note: the rest was not. */
static void test_uncertain_ones_are_few(void **state) {
  psprobe_store *store = scratch_begin(state, RUN);
  psprobe_run run = scratch_run(RUN);
  int64_t window = run.interval_ns < 250000000 ? 500000000 / run.interval_ns : 2;
  plan(store, 1, 1 + (uint64_t)window + 40, SCRATCH_SENT_NS);
  send(store, 1);
  arrive(store, 3, 0, 1); /* out of order: of the window all the same */
  store = open_again(state, store);
  assert_int_equal(ask(store, "SELECT count(*) FROM probes"), window + 1);
  assert_int_equal(ask(store, "SELECT count(DISTINCT probe) FROM answers WHERE status = 4"),
                   window - 1);
  psprobe_store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_open),
      TEST(test_deliveries),
      TEST(test_second_delivery_first),
      TEST(test_loss_and_answer),
      TEST(test_after_a_death),
      TEST(test_after_an_end),
      TEST(test_what_makes_no_sense),
      TEST(test_uncertain_ones_are_few),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
