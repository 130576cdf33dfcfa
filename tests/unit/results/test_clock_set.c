/* SPDX-License-Identifier: MIT */
/** @file The machine's clock is set during a run: an hour forward, an hour back, each time that it
 * is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"
#include "results/store/store.h"
#include "scratch.h"

#define MS     INT64_C(1000000)
#define HOUR   INT64_C(3600000000000)
#define PROBES 12

/* How often it was set, from the first time on; -1: it is let be. */
static _Atomic int sets = -1;

int64_t __real_psprobe_clock_wall(void);
int64_t __wrap_psprobe_clock_wall(void);
int64_t __wrap_psprobe_clock_wall(void) {
  int set = atomic_load(&sets) < 0 ? -1 : atomic_fetch_add(&sets, 1);
  return __real_psprobe_clock_wall() + (set < 0 ? 0 : set % 2 == 0 ? HOUR : -HOUR);
}

static void set_the_clock(bool on) {
  atomic_store(&sets, on ? 0 : -1);
}

/* Times are when it was; and from the send to the answer by them is as long as it was. */
static void test_probes(void **state) {
  void *made = NULL;
  (void)state;
  assert_int_equal(lab_setup(&made), 0);
  lab *l = made;
  int64_t begun = psprobe_clock_wall();
  lab_run(l, (psprobe_prober_options){.count = PROBES, .interval_ns = 20 * MS});
  lab_published(l, 0);
  set_the_clock(true);
  for (size_t i = 0; i < PROBES; i++)
    lab_answer_both(l, lab_published(l, i));
  lab_join(l);
  set_the_clock(false);
  int64_t ended = psprobe_clock_wall();
  assert_int_equal(l->finished_count, PROBES);
  for (size_t i = 0; i < PROBES; i++) {
    const psprobe_result *result = &l->finished[i].result;
    assert_in_range(result->sent_wall_ns, begun - MS, ended + MS);
    for (size_t k = 0; k < 2; k++) {
      const psprobe_answer *answer = &result->answers[k];
      assert_in_range(answer->elapsed_ns, 1, ended - begun);
      assert_int_equal(answer->received_wall_ns, result->sent_wall_ns + answer->elapsed_ns);
    }
  }
  lab_teardown(&made);
}

static bool see_run(void *arg, const psprobe_run *run) {
  psprobe_run *seen = arg;
  seen->started_wall_ns = run->started_wall_ns;
  seen->ended_wall_ns = run->ended_wall_ns;
  return true;
}

/* A run does not end before it began, nor an hour after it did. */
static void test_run(void **state) {
  void *made = NULL;
  psprobe_recorder *recorder = NULL;
  psprobe_prober *prober = NULL;
  psprobe_run seen = {0};
  assert_int_equal(fake_client_setup(&made), 0);
  psprobe_client *client = ((fake_client *)made)->client;
  psprobe_store *store = scratch_store(scratch_file(state, "r.db"), false);
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  int64_t begun = psprobe_clock_wall();
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_new(store, NULL, &recorder, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_recorder_begin(recorder, client, prober, &options, NULL), PSPROBE_OK);
  for (int i = 0; i < 2; i++) { /* forward, and back */
    set_the_clock(true);
    atomic_store(&sets, i);
    assert_int_equal(psprobe_recorder_end(recorder, NULL), PSPROBE_OK);
    set_the_clock(false);
    assert_int_equal(psprobe_store_each_run(store, NULL, see_run, &seen, NULL), PSPROBE_OK);
    assert_in_range(seen.started_wall_ns, begun - MS, psprobe_clock_wall() + MS);
    assert_in_range(seen.ended_wall_ns, seen.started_wall_ns, psprobe_clock_wall() + MS);
  }
  psprobe_recorder_free(recorder);
  psprobe_prober_free(prober);
  psprobe_store_free(store);
  fake_client_teardown(&made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_probes),
      TEST(test_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
