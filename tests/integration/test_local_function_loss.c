/* SPDX-License-Identifier: MIT */
/**
 * @file 1,000 events in bursts, through the broker's push, to instances that are killed at random:
 * each is answered, none is lost, and each cold start that a program has seen is in the log.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "files.h"
#include "function_stage.h"
#include "rest_call.h"
#include "scratch.h"

#define BURSTS    10
#define BURST     100
#define KILLS     3 /* in each burst */
#define INSTANCES 400
#define SUB       "projects/p/subscriptions/sub"

/* What the log tells of an instance. */
typedef struct seen {
  char name[64];
  int pid;
  long events; /* -1: it has not ended */
  int cold;    /* times that it said that an event was its first */
} seen;

static seen instances[INSTANCES];
static int count;

static seen *find(const char *name) {
  for (int i = 0; i < count; i++)
    if (strcmp(instances[i].name, name) == 0) return &instances[i];
  return NULL;
}

static void read_log_line(const char *line) {
  char name[64];
  const char *at = strstr(line, " instance="), *number;
  if (at == NULL || sscanf(at, " instance=%63s", name) != 1) return;
  if (strstr(line, "event=instance_started ") != NULL && (number = strstr(line, " pid=")) != NULL) {
    assert_true(count < INSTANCES);
    assert_null(find(name));
    instances[count] = (seen){.pid = atoi(number + 5), .events = -1};
    memcpy(instances[count++].name, name, sizeof name);
  }
  seen *one = find(name);
  if (one != NULL && (number = strstr(line, " events=")) != NULL) one->events = atol(number + 8);
}

/* Fills `instances` from the log as it is now. */
static void read_log(void) {
  psp_buf log = stage_log();
  char *rest = NULL;
  count = 0;
  for (char *line = strtok_r(log.data, "\n", &rest); line != NULL;
       line = strtok_r(NULL, "\n", &rest))
    read_log_line(line);
  psp_buf_free(&log);
}

/* Whether a process is a child of ours that runs: nobody else is to be killed. */
static bool is_ours(int pid) {
  char path[40], text[256];
  int parent = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "re");
  bool read = file != NULL && fgets(text, sizeof text, file) != NULL;
  if (file != NULL) fclose(file);
  const char *end = read ? strrchr(text, ')') : NULL;
  return end != NULL && sscanf(end, ") %*c %d", &parent) == 1 && parent == getpid();
}

static int kill_one(unsigned *seed) {
  int alive[INSTANCES], n = 0;
  read_log();
  for (int i = 0; i < count; i++)
    if (instances[i].events < 0 && is_ours(instances[i].pid)) alive[n++] = instances[i].pid;
  if (n == 0) return 0;
  return kill(alive[rand_r(seed) % n], SIGKILL) == 0;
}

static void subscribe(const char *host, const char *url) {
  psp_buf body = {0};
  psp_buf_printf(&body,
                 "{\"topic\":\"projects/p/topics/topic\",\"pushConfig\":{\"pushEndpoint\":\"%s\","
                 "\"noWrapper\":{}}}",
                 url);
  assert_int_equal(test_rest_status(host, "PUT", "/v1/projects/p/topics/topic", NULL), 200);
  assert_int_equal(test_rest_status(host, "PUT", "/v1/" SUB, body.data), 200);
  psp_buf_free(&body);
}

/* Message n's data is its number in six digits, in base64. */
static void publish(const char *host, int first, int n) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_begin_object(&w);
  psp_json_put_key(&w, "messages");
  psp_json_begin_array(&w);
  for (int i = first; i < first + n; i++) {
    char data[16];
    snprintf(data, sizeof data, "%06d", i);
    psp_json_begin_object(&w);
    psp_json_put_key(&w, "data");
    psp_json_put_base64(&w, data, 6);
    psp_json_end_object(&w);
  }
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  assert_int_equal(test_rest_status(host, "POST", "/v1/projects/p/topics/topic:publish", body.data),
                   200);
  psp_buf_free(&body);
}

static size_t held(void) {
  size_t all = 0, leased;
  assert_true(psprobe_local_held(stage_local, SUB, &all, &leased));
  return all;
}

/* Reads what the functions have written. @return how many different events there are */
static int read_ledger(const char *path) {
  static bool had[BURSTS * BURST];
  psp_buf ledger = test_file(path);
  char *rest = NULL, name[64];
  int different = 0, nth, event;
  for (char *line = strtok_r(ledger.data, "\n", &rest); line != NULL;
       line = strtok_r(NULL, "\n", &rest)) {
    assert_int_equal(sscanf(line, "%63s %d %d", name, &nth, &event), 3);
    assert_true(event >= 0 && event < BURSTS * BURST);
    different += !had[event];
    had[event] = true;
    seen *one = find(name);
    if (one == NULL) fail_msg("%s is in no line of the log", name);
    one->cold += nth == 1;
  }
  psp_buf_free(&ledger);
  return different;
}

static void test_none_is_lost(void **state) {
  const char *path = scratch_file(state, "ledger");
  setenv("STAGE_LEDGER", path, 1);
  unsigned seed = 20191101;
  int killed = 0;
  const char *host = psprobe_local_pubsub_host(stage_local);
  subscribe(host, stage_add("plain",
                            (psprobe_local_function_options){
                                .idle_ns = 50 * STAGE_MS, .max_instances = 4, .concurrency = 3}));
  for (int burst = 0; burst < BURSTS; burst++) {
    publish(host, burst * BURST, BURST);
    int aim = killed + KILLS;
    for (int i = 0; i < 4000 && held() > 0; i++, usleep(5000))
      if (killed < aim) killed += kill_one(&seed);
    assert_int_equal(held(), 0);
    stage_wait_running(0); /* from none, each time */
  }
  unsetenv("STAGE_LEDGER");
  psprobe_local_function_stats stats = stage_stats();
  read_log();
  assert_int_equal(read_ledger(path), BURSTS * BURST);
  assert_int_equal(count, stats.ready);
  assert_true(stats.answered >= BURSTS * BURST);
  int cold = 0, unused = 0;
  for (int i = 0; i < count; i++) {
    assert_true(instances[i].events >= 0); /* its end is in the log too */
    assert_true(instances[i].cold <= 1);
    if (instances[i].events > 0) assert_int_equal(instances[i].cold, 1);
    cold += instances[i].cold;
    unused += instances[i].cold == 0;
  }
  print_message(
      "%d events: %llu answers, %d instances killed, %llu pushes cut off; %d cold starts "
      "seen, %d in the log, %d of those without an event\n",
      BURSTS * BURST, (unsigned long long)stats.answered, killed, (unsigned long long)stats.lost,
      cold, count, unused);
  assert_int_equal(cold + unused, count);
  assert_true(cold >= BURSTS);
  assert_true(killed >= BURSTS);
}

static int setup(void **state) {
  return scratch_setup(state) + stage_setup(state);
}
static int teardown(void **state) {
  return stage_teardown(state) + scratch_teardown(state);
}

int main(int argc, char **argv) {
  int status = stage_main(argc, argv);
  if (status >= 0) return status;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_none_is_lost, setup, teardown)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
