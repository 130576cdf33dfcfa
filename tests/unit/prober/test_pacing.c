/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"

#define MS   INT64_C(1000000)
#define HOUR INT64_C(3600000000000)

static void test_registry_full(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.capacity = 1, .timeout_ns = HOUR});
  const char *id = lab_published(l, 0);
  while (lab_stats(l).overflowed < 10) { /* a slot each ms, and nobody answers */
  }
  psprobe_prober_stats s = lab_stats(l);
  assert_int_equal(s.sent, 1);
  assert_int_equal(s.in_flight, 1);
  lab_answer_both(l, id); /* then there is room */
  lab_published(l, 1);
  assert_string_equal(lab_finished(l, 0)->result.id, id);
}

static void test_stop_waits_for_answers(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR});
  const char *id = lab_published(l, 0);
  psprobe_prober_stop(l->prober);
  lab_answer_both(l, id);
  lab_join(l);
  assert_int_equal(l->finished_count, 1);
  assert_int_equal(l->finished[0].result.answers[1].status, PSPROBE_ANSWERED);
}

static void test_stop_waits_no_longer_than_the_timeout(void **state) {
  lab *l = *state;
  lab_run(l, (psprobe_prober_options){.interval_ns = HOUR, .timeout_ns = 50 * MS});
  lab_published(l, 0);
  psprobe_prober_stop(l->prober);
  lab_join(l);
  assert_int_equal(l->finished_count, 1);
  assert_int_equal(l->finished[0].result.answers[0].status, PSPROBE_LOST);
}

static void test_second_stop_ends_the_waiting(void **state) {
  lab *l = *state;
  l->hold = true; /* no publish call returns, so that what is complete is held */
  lab_run(l, (psprobe_prober_options){.count = 2, .timeout_ns = HOUR});
  lab_answer_both(l, lab_published(l, 0));
  psprobe_prober_stats s;
  do
    s = lab_stats(l);
  while (s.sent < 2);
  psprobe_prober_stop(l->prober);
  psprobe_prober_stop(l->prober);
  lab_join(l);
  assert_int_equal(l->finished_count, 1);
  assert_int_equal(l->finished[0].result.answers[1].status, PSPROBE_ANSWERED);
  assert_int_equal(lab_stats(l).in_flight, 1);
  psprobe_prober_free(l->prober); /* the publish calls outlive it */
  l->prober = NULL;
  lab_hold(l, &l->hold, false);
}

static void test_stop_before_it_runs(void **state) {
  lab *l = *state;
  psprobe_prober_options options = {.topic = "probes", .listen = "127.0.0.1:0"};
  assert_int_equal(psprobe_prober_new(l->google->client, &options, &l->prober, NULL), PSPROBE_OK);
  psprobe_prober_stop(l->prober);
  assert_int_equal(psprobe_prober_run(l->prober, NULL), PSPROBE_OK);
  assert_int_equal(lab_stats(l).sent, 0);
}

/* A transport whose first request holds up the thread that sends it. */
#define STALL_NS (120 * MS)
#define STEP_NS  (4 * MS)

static psprobe_code stall_send(void *self, const psp_http_request *request, psp_http_done *done,
                               void *arg, uint64_t *id, psprobe_error *error) {
  int *calls = self;
  psp_http_response response = {.status = 200, .body = "{\"messageIds\":[\"1\"]}", .body_len = 20};
  (void)request, (void)error;
  *id = 1;
  if ((*calls)++ == 0) psprobe_sleep_until(psprobe_clock_monotonic() + STALL_NS);
  done(arg, &response, NULL);
  return PSPROBE_OK;
}

static void stall_cancel(void *self, uint64_t id) {
  (void)self, (void)id;
}

static void stall_free(void *self) {
  (void)self;
}

static void keep(void *arg, const psprobe_finished *finished, size_t count) {
  lab *l = arg;
  for (size_t i = 0; i < count; i++)
    l->finished[l->finished_count++] = finished[i];
}

static void test_a_stall_is_recorded_not_skipped(void **state) {
  lab *l = *state;
  static const psp_transport transport = {
      .send = stall_send, .cancel = stall_cancel, .free = stall_free};
  int calls = 0;
  psp_http *http = NULL;
  psprobe_client *client = NULL;
  psprobe_prober *prober = NULL;
  psprobe_client_options client_options = {.project = FAKE_PROJECT,
                                           .pubsub_emulator = "127.0.0.1:8085"};
  psprobe_prober_options options = {.topic = "probes",
                                    .publish_by = PSPROBE_PUBLISH_BY_REST,
                                    .listen = "127.0.0.1:0",
                                    .interval_ns = STEP_NS,
                                    .count = 40,
                                    .timeout_ns = 10 * MS,
                                    .sink = keep,
                                    .sink_arg = l};
  assert_int_equal(psp_http_new_transport(&transport, &calls, &http, NULL), PSPROBE_OK);
  assert_int_equal(psp_client_new_http(&client_options, http, &client, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  assert_int_equal(psprobe_prober_run(prober, NULL), PSPROBE_OK);
  psprobe_prober_stats s;
  psprobe_prober_get_stats(prober, &s);
  assert_int_equal(s.sent, 40);
  assert_int_equal(l->finished_count, 40);
  assert_true(s.max_lateness_ns >= STALL_NS - STEP_NS);
  assert_true(s.sent_late >= 4); /* by more than 100 ms: 116, 112, 108, 104 */
  /* Slot k was due k steps after the first, which was not late: so it is late by the rest. */
  size_t late[40] = {0};
  for (size_t i = 0; i < 40; i++)
    for (size_t k = 1; k < 30; k++)
      late[k] += l->finished[i].result.lateness_ns >= STALL_NS - (int64_t)k * STEP_NS;
  for (size_t k = 1; k < 30; k++)
    if (late[k] < k) fail_msg("%zu probes are late by %zu steps, not %zu", late[k], 30 - k, k);
  psprobe_prober_free(prober);
  psprobe_client_free(client);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_registry_full),
      TEST(test_stop_waits_for_answers),
      TEST(test_stop_waits_no_longer_than_the_timeout),
      TEST(test_second_stop_ends_the_waiting),
      TEST(test_stop_before_it_runs),
      TEST(test_a_stall_is_recorded_not_skipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
