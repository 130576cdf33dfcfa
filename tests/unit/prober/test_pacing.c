/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab.h"
#include "os/thread.h"

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

/* ---- turns on the processor ---- */

static psprobe_code note_slice(void *self, const psp_http_request *request, psp_http_done *done,
                               void *arg, uint64_t *id, psprobe_error *error) {
  psp_http_response response = {.status = 200, .body = "{\"messageIds\":[\"1\"]}", .body_len = 20};
  (void)request, (void)error;
  *id = 1;
  *(int64_t *)self = psp_thread_slice(PSP_SHORT_SLICE_NS);
  done(arg, &response, NULL);
  return PSPROBE_OK;
}

/* How many threads there are, and how many of these have short turns. */
static void count_threads(int *all, int *with_short) {
  struct dirent *entry;
  DIR *tasks = opendir("/proc/self/task");
  assert_non_null(tasks);
  *all = *with_short = 0;
  while ((entry = readdir(tasks)) != NULL) {
    uint64_t scheduling[6] = {0}; /* struct sched_attr: the fourth is sched_runtime */
    if (entry->d_name[0] == '.') continue;
    syscall(SYS_sched_getattr, atoi(entry->d_name), scheduling, sizeof scheduling, 0);
    *with_short += scheduling[3] == PSP_SHORT_SLICE_NS;
    ++*all;
  }
  closedir(tasks);
}

/* What takes the time of a send and of an answer; whoever runs the prober has the turns that it
 * had, after it. Where the kernel has no such thing all are 0 (os/thread.h). */
static void test_who_takes_the_time_has_short_turns(void **state) {
  static const psp_transport transport = {
      .send = note_slice, .cancel = stall_cancel, .free = stall_free};
  int64_t sending = -1;
  int before, all, short_before, with_short;
  psp_http *http = NULL;
  psprobe_client *client = NULL;
  psprobe_prober *prober = NULL;
  psprobe_client_options client_options = {.project = FAKE_PROJECT,
                                           .pubsub_emulator = "127.0.0.1:8085"};
  psprobe_prober_options options = {.topic = "probes",
                                    .publish_by = PSPROBE_PUBLISH_BY_REST,
                                    .listen = "127.0.0.1:0",
                                    .count = 1,
                                    .timeout_ns = 10 * MS,
                                    .sink = keep,
                                    .sink_arg = *state};
  const int64_t usual = 3000000, had = psp_thread_slice(usual);
  assert_int_equal(psp_http_new_transport(&transport, &sending, &http, NULL), PSPROBE_OK);
  assert_int_equal(psp_client_new_http(&client_options, http, &client, NULL), PSPROBE_OK);
  count_threads(&before, &short_before);
  assert_int_equal(psprobe_prober_new(client, &options, &prober, NULL), PSPROBE_OK);
  count_threads(&all, &with_short);
  assert_int_equal(psprobe_prober_run(prober, NULL), PSPROBE_OK);
  assert_int_equal(psp_thread_slice(had), had > 0 ? usual : 0);
  assert_int_equal(sending, had > 0 ? PSP_SHORT_SLICE_NS : 0);
  assert_true(all >= before + 2); /* who accepts, and who answers */
  assert_int_equal(with_short - short_before, had > 0 ? all - before : 0);
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
      TEST(test_who_takes_the_time_has_short_turns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
