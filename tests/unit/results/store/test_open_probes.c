/* SPDX-License-Identifier: MIT */
/** @file What a reader is told of probes that are not closed, while their prober runs and once it
 * is gone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "results/store/open_probes.h"
#include "results/store/store.h"
#include "scratch.h"
#include "stats/rng.h"

#define PROBES 60

static void keep(psprobe_store *store, const psprobe_news *news) {
  psprobe_run run = scratch_run(1);
  psprobe_error error = {0};
  if (psp_store_keep(store, run.id, news, &error) != PSPROBE_OK) fail_msg("%s", error.message);
}

static void plan(psprobe_store *store, uint64_t number, psprobe_cadence cadence) {
  psprobe_planned planned = {.intended_wall_ns = SCRATCH_SENT_NS + (int64_t)number,
                             .cadence = cadence};
  scratch_id(planned.id, number);
  keep(store, &(psprobe_news){.planned = &planned, .planned_count = 1});
}

static void send(psprobe_store *store, uint64_t number) {
  psprobe_sent sent = {.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number};
  scratch_id(sent.id, number);
  keep(store, &(psprobe_news){.sent = &sent, .sent_count = 1});
}

static void arrive(psprobe_store *store, uint64_t number, size_t source) {
  psprobe_arrival arrival = {.sent = {.sent_wall_ns = SCRATCH_SENT_NS + (int64_t)number},
                             .source = source,
                             .delivery = 1,
                             .answer = {.status = PSPROBE_ANSWERED, .handled_ns = -1}};
  scratch_id(arrival.sent.id, number);
  keep(store, &(psprobe_news){.arrivals = &arrival, .arrival_count = 1});
}

/* What was told: of one run at most. */
typedef struct told {
  size_t runs;
  char id[PSPROBE_ID_SIZE];
  psp_open_probes open;
} told;

static void take(void *arg, const char *id, const psp_open_probes *open) {
  told *t = arg;
  t->runs++;
  memcpy(t->id, id, strlen(id) + 1);
  t->open = *open;
}

static told look(psprobe_store *store, const psprobe_filter *filter) {
  told t = {0};
  psprobe_error error = {0};
  if (psp_store_each_open(store, filter, take, &t, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return t;
}

static told look_at(const char *path) {
  psprobe_store *store = scratch_store(path, true);
  told t = look(store, NULL);
  psprobe_store_free(store);
  return t;
}

/* By this process and, as the lock of the file tells, by another. */
static void test_running(void **state) {
  psprobe_store *store = scratch_begin(state, 1);
  for (uint64_t n = 0; n < 5; n++)
    plan(store, n, PSPROBE_CADENCE_STEADY);
  send(store, 0);
  send(store, 1);
  arrive(store, 2, 1);
  told t = look(store, NULL);
  assert_int_equal(t.runs, 1);
  assert_string_equal(t.id, scratch_run(1).id);
  assert_int_equal(t.open.prober, PSP_WRITER_RUNNING);
  assert_int_equal(t.open.sent, 3);
  assert_int_equal(t.open.perhaps, 0);
  assert_int_equal(look(store, &(psprobe_filter){.until_wall_ns = SCRATCH_SENT_NS + 1}).open.sent,
                   1);
  assert_int_equal(look(store, &(psprobe_filter){.since_wall_ns = SCRATCH_SENT_NS + 1}).open.sent,
                   2);
  assert_int_equal(
      psprobe_store_end_run(store, t.id, SCRATCH_SENT_NS + 9, PSPROBE_ENDING_STOPPED, NULL),
      PSPROBE_OK);
  assert_int_equal(look(store, NULL).runs, 0);
  psprobe_store_free(store);
}

/* A child opens the file, begins a run and waits; it is killed. */
static void test_of_another_process(void **state) {
  const char *path = scratch_file(state, "r.db");
  int pipe_ends[2];
  char byte = 0;
  assert_int_equal(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    psprobe_store *store = NULL;
    psprobe_run run = scratch_run(1);
    if (psprobe_store_new(path, NULL, &store, NULL) != PSPROBE_OK) _exit(1);
    if (psprobe_store_begin_run(store, &run, NULL) != PSPROBE_OK) _exit(2);
    send(store, 1);
    if (write(pipe_ends[1], &byte, 1) != 1) _exit(3);
    for (;;)
      pause();
  }
  assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
  told t = look_at(path);
  assert_int_equal(t.open.prober, PSP_WRITER_RUNNING);
  assert_int_equal(t.open.sent, 1);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  t = look_at(path);
  assert_int_equal(t.open.prober, PSP_WRITER_GONE);
  assert_int_equal(t.open.sent, 1);
  psprobe_store_free(scratch_store(path, false)); /* which closes them */
  assert_int_equal(look_at(path).runs, 0);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

static int64_t ask(psprobe_store *store, const char *sql) {
  int64_t value = -1;
  assert_int_equal(psp_store_enter(store, NULL), PSPROBE_OK);
  assert_int_equal(psp_sql_int64(store->db, sql, &value), SQLITE_OK);
  psp_store_leave(store);
  return value;
}

/* Whatever a prober leaves: what is told beforehand is what the next one closes. */
static void test_as_it_is_closed(void **state) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    char name[16];
    snprintf(name, sizeof name, "%d.db", (int)seed);
    const char *path = scratch_file(state, name);
    psprobe_store *store = scratch_store(path, false);
    psprobe_run run = scratch_run(1);
    psp_rng rng;
    psp_rng_seed(&rng, seed);
    assert_int_equal(psprobe_store_begin_run(store, &run, NULL), PSPROBE_OK);
    const uint64_t sent = psp_rng_below(&rng, PROBES);
    for (uint64_t n = 0; n < PROBES; n++)
      plan(store, n, psp_rng_below(&rng, 9) == 0 ? PSPROBE_CADENCE_COLD : PSPROBE_CADENCE_STEADY);
    for (uint64_t n = 0; n < sent; n++)
      send(store, n);
    for (int i = 0; i < 30; i++)
      arrive(store, psp_rng_below(&rng, sent + 3), psp_rng_below(&rng, 2));
    psprobe_store_free(store); /* as a death would: the run has no end */
    const told t = look_at(path);
    assert_int_equal(t.open.prober, PSP_WRITER_GONE);
    assert_true(t.open.sent >= sent);
    store = scratch_store(path, false);
    assert_int_equal(ask(store, "SELECT count(DISTINCT probe) FROM answers WHERE status = 4"),
                     t.open.perhaps);
    assert_int_equal(ask(store, "SELECT count(*) FROM probes WHERE state = 2"),
                     t.open.sent + t.open.perhaps);
    psprobe_store_free(store);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_running),
      TEST(test_of_another_process),
      TEST(test_as_it_is_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
