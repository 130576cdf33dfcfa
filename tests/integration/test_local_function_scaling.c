/* SPDX-License-Identifier: MIT */
/** @file The function host: how many instances there are, what waits for them, how they end. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/timing.h>

#include "base/text.h"
#include "function_stage.h"

#define CALLS 12

typedef psprobe_local_function_options options;

/* How many different instances have answered; each call was answered 200. */
static int count_pids(const stage_call *calls, int count) {
  int pids[CALLS], different = 0;
  for (int i = 0; i < count; i++) {
    bool known = false;
    assert_int_equal(calls[i].status, 200);
    for (int k = 0; k < different; k++)
      known |= pids[k] == calls[i].pid;
    if (!known) pids[different++] = calls[i].pid;
  }
  return different;
}

static void test_more_instances_under_load(void **state) {
  (void)state;
  stage_call calls[CALLS];
  stage_call_all(calls, 9, stage_add("plain", (options){.max_instances = 3}), "slow");
  assert_int_equal(count_pids(calls, 9), 3); /* one event each, so as many as there may be */
  assert_int_equal(stage_stats().started, 3);
}

static void test_several_requests_an_instance(void **state) {
  (void)state;
  const char *url = stage_add("plain", (options){.concurrency = 6});
  stage_call calls[CALLS];
  assert_int_equal(stage_event(url, "a", NULL), 200);
  int64_t began = psprobe_clock_monotonic();
  stage_call_all(calls, 6, url, "slow");
  assert_true(psprobe_clock_monotonic() - began < 1000 * STAGE_MS); /* at once: 6 x 200 ms else */
  assert_int_equal(count_pids(calls, 6), 1);
  assert_int_equal(stage_stats().started, 1);
  stage_call_all(calls, 12, url, "slow");
  assert_true(count_pids(calls, 12) <= 2);
  assert_int_equal(stage_stats().started, 2);
}

static void test_full(void **state) {
  (void)state;
  const char *url = stage_add(
      "plain", (options){.max_instances = 1, .min_instances = 1, .wait_ns = 50 * STAGE_MS});
  int pid;
  stage_wait(ready, 1); /* its start may take longer than an event waits */
  assert_int_equal(stage_event(url, "a", &pid), 200);
  stage_call busy, late;
  stage_call_begin(&busy, url, "freeze");
  stage_wait_logged("at work");
  stage_call_all(&late, 1, url, "a");
  kill(pid, SIGCONT);
  stage_call_end(&busy);
  assert_int_equal(late.status, 429);
  assert_non_null(strstr(late.text, "RESOURCE_EXHAUSTED"));
  assert_int_equal(busy.status, 200);
  assert_int_equal(stage_stats().refused, 1);
  assert_int_equal(stage_event(url, "a", NULL), 200);
}

/* Kept though none is needed, and again when one dies. */
static void test_kept_instances(void **state) {
  (void)state;
  const char *url =
      stage_add("plain", (options){.min_instances = 2, .idle_ns = 20 * STAGE_MS, .concurrency = 1});
  stage_wait_running(2);
  stage_wait(ready, 2);
  stage_call calls[4];
  stage_call_all(calls, 4, url, "slow");
  assert_true(count_pids(calls, 4) >= 2);
  stage_wait_running(2); /* those beyond were idle */
  uint64_t before = stage_stats().started;
  int pid;
  assert_int_equal(stage_event(url, "a", &pid), 200);
  kill(pid, SIGKILL);
  stage_wait(started, before + 1);
  assert_int_equal(stage_stats().started, before + 1);
  stage_wait_running(2);
}

#define BETWEEN (1000 * STAGE_MS) /* such starts */

/* A program that never starts is tried again for instances to keep, but not without a pause. */
static void test_kept_instances_that_do_not_start(void **state) {
  (void)state;
  int64_t began = psprobe_clock_monotonic();
  stage_add("broken", (options){.min_instances = 1});
  stage_wait(failed, 2);
  assert_true(psprobe_clock_monotonic() - began >= BETWEEN);
}

static void test_stopped_before_it_listens(void **state) {
  (void)state;
  const char *url =
      stage_add("stopped",
                (options){.start_ns = 1000 * STAGE_MS, .grace_ns = 100 * STAGE_MS, .name = "halt"});
  stage_call call;
  int64_t began = psprobe_clock_monotonic();
  stage_call_all(&call, 1, url, "a");
  int64_t took = psprobe_clock_monotonic() - began;
  assert_int_equal(call.status, 503);
  assert_true(took >= 1000 * STAGE_MS && took < 5000 * STAGE_MS);
  assert_non_null(strstr(call.text, "did not listen on its PORT"));
  stage_wait_running(0); /* SIGTERM does not reach it, SIGKILL does */
  psp_buf log = stage_log();
  assert_non_null(strstr(log.data,
                         "event=instance_stopped instance=halt-1 why=\"it did not become "
                         "ready\" status=137"));
  psp_buf_free(&log);
}

static void test_stopped_at_an_event(void **state) {
  (void)state;
  const char *url =
      stage_add("plain", (options){.timeout_ns = 200 * STAGE_MS, .grace_ns = 50 * STAGE_MS});
  int first, second;
  assert_int_equal(stage_event(url, "a", &first), 200);
  assert_int_equal(stage_event(url, "freeze", NULL), 504);
  assert_int_equal(stage_event(url, "a", &second), 200);
  assert_true(first != second);
  stage_wait_running(1);
}

static void test_does_not_heed_sigterm(void **state) {
  (void)state;
  const char *url = stage_add(
      "stubborn", (options){.idle_ns = 20 * STAGE_MS, .grace_ns = 100 * STAGE_MS, .name = "deaf"});
  assert_int_equal(stage_event(url, "a", NULL), 200);
  stage_wait_running(0);
  psp_buf log = stage_log();
  assert_non_null(strstr(log.data,
                         "event=instance_stopped instance=deaf-1 why=\"it was idle\" "
                         "status=137 events=1"));
  psp_buf_free(&log);
}

/* Sends an event that takes its time, and waits until the instance is at it. */
static int begin(stage_call *call, const char *url, const char *event) {
  int pid;
  assert_int_equal(stage_event(url, "a", &pid), 200);
  stage_call_begin(call, url, event);
  stage_wait_logged("at work");
  return pid;
}

/* Whoever sends SIGTERM: what is under way is finished. */
static void test_sigterm_in_the_middle(void **state) {
  (void)state;
  stage_call slow;
  int pid = begin(&slow, stage_add("plain", (options){0}), "freeze");
  kill(pid, SIGTERM);
  kill(pid, SIGCONT);
  stage_call_end(&slow);
  assert_int_equal(slow.status, 200);
  assert_int_equal(slow.pid, pid);
  stage_wait_running(0);
}

static void test_free_in_the_middle(void **state) {
  stage_call slow;
  char *url = psp_strdup(stage_add("plain", (options){0}));
  int pid = begin(&slow, url, "slow");
  psprobe_local_free(stage_local);
  stage_call_end(&slow);
  free(url);
  assert_int_equal(slow.status, 200);
  assert_int_equal(slow.pid, pid);
  assert_int_equal(kill(pid, 0), -1);
  stage_setup(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(int argc, char **argv) {
  int status = stage_main(argc, argv);
  if (status >= 0) return status;
  const struct CMUnitTest tests[] = {
      TEST(test_more_instances_under_load),
      TEST(test_several_requests_an_instance),
      TEST(test_full),
      TEST(test_kept_instances),
      TEST(test_kept_instances_that_do_not_start),
      TEST(test_stopped_before_it_listens),
      TEST(test_stopped_at_an_event),
      TEST(test_does_not_heed_sigterm),
      TEST(test_sigterm_in_the_middle),
      TEST(test_free_in_the_middle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
