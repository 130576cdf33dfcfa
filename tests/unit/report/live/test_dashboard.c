/* SPDX-License-Identifier: MIT */
/** @file A running prober's page and figures, asked over sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/dashboard.h>

#include "base/json.h"
#include "lab.h"
#include "raw_http.h"
#include "report/live/parts.h"
#include "scratch.h"

/* A dashboard over a prober that has sent one probe; both sources answered it. */
static psprobe_dashboard *begin(lab *l, size_t max_probes) {
  psprobe_dashboard *d = NULL;
  psprobe_error error = {0};
  psprobe_run run = scratch_run(1);
  psprobe_dashboard_options options = {.listen = "127.0.0.1:0", .max_probes = max_probes};
  bool refused = l->refuse > 0; /* the publishing thread counts it down */
  lab_run(l, (psprobe_prober_options){.count = 1, .timeout_ns = refused ? 20000000 : 0});
  if (!refused) {
    const char *id = lab_published(l, 0);
    assert_int_equal(lab_answer(l, "cloud_function", id, NULL), 200);
    assert_int_equal(lab_answer(l, "regular_service", id, NULL), 200);
  }
  lab_join(l);
  if (psprobe_dashboard_new(l->prober, NULL, &run, &options, &d, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return d;
}

static void feed(psprobe_dashboard *d, uint64_t from, uint64_t to) {
  for (uint64_t i = from; i < to; i++) {
    psprobe_finished finished = scratch_finished(i);
    finished.fresh = 3;
    psprobe_dashboard_sink(d, &finished, 1);
  }
}

static int connect_to(const psprobe_dashboard *d) {
  return raw_connect((int)strtol(strrchr(psprobe_dashboard_url(d), ':') + 1, NULL, 10));
}

/* Asks for a path; the answer is to be raw_freed. */
static int get(const psprobe_dashboard *d, const char *path, raw_answer *answer) {
  char request[256];
  int fd = connect_to(d);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
  int status = raw_ask(fd, request, answer);
  close(fd);
  return status;
}

static psp_json *get_json(const psprobe_dashboard *d, const char *path) {
  raw_answer answer = {0};
  psp_json *json = NULL;
  psprobe_error error = {0};
  assert_int_equal(get(d, path, &answer), 200);
  assert_true(raw_has_header(&answer, "Content-Type: application/json"));
  assert_true(raw_has_header(&answer, "Cache-Control: no-store"));
  if (psp_json_parse(answer.body.data, answer.body.len, path, &json, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  raw_free(&answer);
  return json;
}

static int64_t number(const psp_json *json, const char *key) {
  int64_t value = -1;
  if (!psp_json_int64(psp_json_get(json, key), &value)) fail_msg("%s is no number", key);
  return value;
}

static void expect_probes(const psprobe_dashboard *d, const char *path, size_t rows, bool reset,
                          int64_t next) {
  psp_json *json = get_json(d, path);
  const psp_json *source = psp_json_first(psp_json_get(json, "sources"));
  bool is_reset = !reset;
  assert_true(psp_json_bool(psp_json_get(json, "reset"), &is_reset));
  if (psp_json_count(psp_json_get(json, "id")) != rows || is_reset != reset ||
      number(json, "next") != next)
    fail_msg("%s: %zu rows, reset %d, next %lld", path, psp_json_count(psp_json_get(json, "id")),
             is_reset, (long long)number(json, "next"));
  assert_int_equal(psp_json_count(psp_json_get(json, "sent_ms")), rows);
  assert_int_equal(psp_json_count(psp_json_get(source, "elapsed_ns")), rows);
  assert_int_equal(psp_json_count(psp_json_get(source, "status")), rows);
  assert_int_equal(psp_json_count(psp_json_get(source, "cold")), rows);
  psp_json_free(json);
}

static void test_page(void **state) {
  raw_answer answer = {0};
  psprobe_dashboard *d = begin(*state, 0);
  assert_int_equal(get(d, "/", &answer), 200); /* before there is a probe */
  assert_true(raw_has_header(&answer, "Content-Type: text/html; charset=utf-8"));
  raw_free(&answer);
  feed(d, 0, 20);
  answer = (raw_answer){0};
  d->page.made_ns = d->page.cost_ns = 0; /* a second has passed */
  assert_int_equal(get(d, "/", &answer), 200);
  assert_non_null(strstr(answer.body.data, "id=\"live\""));
  assert_non_null(strstr(answer.body.data, "regular_service answers faster than cloud_function"));
  raw_free(&answer);
  answer = (raw_answer){0};
  assert_int_equal(get(d, "/nothing", &answer), 404);
  raw_free(&answer);
  psprobe_dashboard_free(d);
}

static void test_summary(void **state) {
  psprobe_dashboard *d = begin(*state, 0);
  feed(d, 0, 20);
  psp_json *json = get_json(d, "/api/summary");
  assert_int_equal(number(json, "schema"), 1);
  assert_non_null(strstr(psp_json_string(psp_json_get(json, "sentence")), "regular_service"));
  const psp_json *row = psp_json_first(psp_json_get(json, "table"));
  assert_string_equal(psp_json_string(psp_json_first(row)), "cloud_function");
  assert_null(psp_json_get(json, "probes"));
  assert_true(psp_json_count(psp_json_get(json, "facts")) > 5);
  psp_json_free(json);
  psprobe_dashboard_free(d);
}

static void test_probes(void **state) {
  char run[PSPROBE_ID_SIZE], path[128];
  psprobe_dashboard *d = begin(*state, 0);
  scratch_id(run, 1);
  expect_probes(d, "/api/probes?since=0", 0, false, 0);
  feed(d, 0, 20);
  expect_probes(d, "/api/probes", 20, false, 20);
  expect_probes(d, "/api/probes?since=15", 5, false, 20);
  expect_probes(d, "/api/probes?since=20", 0, false, 20);
  snprintf(path, sizeof path, "/api/probes?run=%s&since=15", run);
  expect_probes(d, path, 5, false, 20);
  /* The prober was started anew since: where that run stood means nothing here. */
  expect_probes(d, "/api/probes?run=0123456789abcdef0123456789abcdef&since=15", 20, true, 20);
  expect_probes(d, "/api/probes?since=21", 20, true, 20);
  psprobe_dashboard_free(d);
}

static void test_forgotten(void **state) {
  psprobe_dashboard *d = begin(*state, 10);
  feed(d, 0, 10);
  expect_probes(d, "/api/probes?since=2", 8, false, 10);
  feed(d, 10, 11); /* makes room: the older half goes */
  expect_probes(d, "/api/probes?since=5", 6, false, 11);
  expect_probes(d, "/api/probes?since=4", 6, true, 11);
  feed(d, 11, 1000);
  expect_probes(d, "/api/probes?since=1000", 0, false, 1000);
  psprobe_dashboard_free(d);
}

static void test_more(void **state) {
  psprobe_dashboard *d = begin(*state, 0);
  bool more = false;
  feed(d, 0, 5001);
  psp_json *json = get_json(d, "/api/probes?since=0");
  assert_true(psp_json_bool(psp_json_get(json, "more"), &more));
  assert_true(more);
  assert_int_equal(number(json, "next"), 5000);
  psp_json_free(json);
  expect_probes(d, "/api/probes?since=5000", 1, false, 5001);
  psprobe_dashboard_free(d);
}

/* A probe whose answer came late is told anew, in the place that it has. */
static void test_late(void **state) {
  int64_t status = 0;
  psprobe_dashboard *d = begin(*state, 0);
  psprobe_finished late = scratch_finished(3);
  psprobe_finished lost = scratch_finished(3);
  lost.result.answers[0] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
  feed(d, 0, 3);
  psprobe_dashboard_sink(d, &lost, 1);
  feed(d, 4, 6);
  late.update = true;
  late.fresh = 1;
  late.result.answers[0].status = PSPROBE_LATE;
  late.result.answers[0].elapsed_ns = INT64_C(31000000000);
  psprobe_dashboard_sink(d, &late, 1);
  expect_probes(d, "/api/probes?since=6", 1, false, 7);
  psp_json *json = get_json(d, "/api/probes?since=6");
  assert_int_equal(number(json, "total"), 6);
  assert_string_equal(psp_json_string(psp_json_first(psp_json_get(json, "id"))), late.result.id);
  const psp_json *source = psp_json_first(psp_json_get(json, "sources"));
  assert_true(psp_json_int64(psp_json_first(psp_json_get(source, "status")), &status));
  assert_int_equal(status, PSPROBE_LATE);
  psp_json_free(json);
  /* Of one that was never told, or is forgotten, there is nothing to replace. */
  late = scratch_finished(99);
  late.update = true;
  psprobe_dashboard_sink(d, &late, 1);
  expect_probes(d, "/api/probes?since=7", 0, false, 7);
  psprobe_dashboard_free(d);
}

static void test_bad_since(void **state) {
  static const char *const bad[] = {"-1", "x", "", "1x", "1.5", "99999999999999999999"};
  psprobe_dashboard *d = begin(*state, 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char path[64];
    raw_answer answer = {0};
    snprintf(path, sizeof path, "/api/probes?since=%s", bad[i]);
    int status = get(d, path, &answer);
    if (status != 400) fail_msg("since=%s: %d", bad[i], status);
    raw_free(&answer);
  }
  psprobe_dashboard_free(d);
}

static void test_metrics(void **state) {
  raw_answer answer = {0};
  psprobe_dashboard *d = begin(*state, 0);
  feed(d, 0, 3);
  assert_int_equal(get(d, "/metrics", &answer), 200);
  assert_true(raw_has_header(&answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  assert_non_null(strstr(answer.body.data, "\npsprobe_sent_total 1\n"));
  assert_non_null(
      strstr(answer.body.data,
             "\npsprobe_answer_seconds_count{source=\"cloud_function\",start=\"warm\"} 3\n"));
  raw_free(&answer);
  psprobe_dashboard_free(d);
}

static void test_health(void **state) {
  raw_answer answer = {0};
  psprobe_dashboard *d = begin(*state, 0);
  assert_int_equal(get(d, "/health/live", &answer), 200);
  raw_free(&answer);
  answer = (raw_answer){0};
  assert_int_equal(get(d, "/health/ready", &answer), 200);
  raw_free(&answer);
  psprobe_dashboard_free(d);
}

/* Every publish call fails: nothing is measured, but a restart would not help. */
static void test_not_ready(void **state) {
  lab *l = *state;
  raw_answer answer = {0};
  l->refuse = 1;
  psprobe_dashboard *d = begin(l, 0);
  assert_int_equal(lab_stats(l).publish_failed, 1);
  assert_int_equal(get(d, "/health/ready", &answer), 503);
  assert_non_null(strstr(answer.body.data, "no publish call has succeeded"));
  raw_free(&answer);
  answer = (raw_answer){0};
  assert_int_equal(get(d, "/health/live", &answer), 200);
  raw_free(&answer);
  psprobe_dashboard_free(d);
}

#define CLIENTS 4

static void expect_news(int fd, raw_answer *answer) {
  psp_buf_reset(&answer->body);
  assert_true(raw_read_chunk(fd, answer));
  assert_string_equal(answer->body.data, "event: news\ndata:\n\n");
}

/* Of four clients one never reads; the others are told, and freeing waits for none of them. */
static void test_events(void **state) {
  int fds[CLIENTS];
  raw_answer answers[CLIENTS] = {{0}};
  psprobe_dashboard *d = begin(*state, 0);
  for (int i = 0; i < CLIENTS; i++) {
    fds[i] = connect_to(d);
    raw_send(fds[i], "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  for (int i = 1; i < CLIENTS; i++) {
    assert_true(raw_read_head(fds[i], &answers[i]));
    assert_true(raw_has_header(&answers[i], "Content-Type: text/event-stream"));
    assert_true(raw_read_chunk(fds[i], &answers[i]));
    assert_string_equal(answers[i].body.data, "retry: 2000\n\n");
  }
  feed(d, 0, 3);
  for (int i = 1; i < CLIENTS; i++)
    expect_news(fds[i], &answers[i]);
  close(fds[1]);
  feed(d, 3, 6);
  feed(d, 6, 9); /* told together: news is told once a second at most */
  for (int i = 2; i < CLIENTS; i++)
    expect_news(fds[i], &answers[i]);
  psprobe_dashboard_free(d);
  for (int i = 2; i < CLIENTS; i++)
    assert_true(raw_is_closed(fds[i]));
  assert_true(raw_is_closed(fds[0]));
  for (int i = 0; i < CLIENTS; i++) {
    if (i != 1) close(fds[i]);
    raw_free(&answers[i]);
  }
}

static void test_taken_address(void **state) {
  lab *l = *state;
  psprobe_dashboard *d = begin(l, 0), *other = NULL;
  psprobe_error error = {0};
  psprobe_run run = scratch_run(2);
  psprobe_dashboard_options options = {.listen = psprobe_dashboard_url(d) + strlen("http://")};
  assert_int_equal(psprobe_dashboard_new(l->prober, NULL, &run, &options, &other, &error),
                   PSPROBE_UNAVAILABLE);
  assert_null(other);
  assert_non_null(strstr(error.message, options.listen));
  assert_non_null(strstr(error.message, "--admin-listen"));
  psprobe_dashboard_free(d);
  psprobe_dashboard_free(NULL);
}

static void test_a_strangers_host(void **state) {
  lab *l = *state;
  psprobe_dashboard *d = begin(l, 0);
  for (int health = 0; health < 2; health++) {
    raw_answer answer = {0};
    char request[128];
    int fd = connect_to(d);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: evil.example\r\n\r\n",
             health ? "/health/live" : "/");
    assert_int_equal(raw_ask(fd, request, &answer), health ? 200 : 421);
    close(fd);
    raw_free(&answer);
  }
  psprobe_dashboard_free(d);
}

/* While figures are made the sink does not wait, and what it brings meanwhile is not lost. */
static void test_sink_waits_for_nobody(void **state) {
  psprobe_dashboard *d = begin(*state, 0);
  pthread_mutex_lock(&d->lock); /* somebody makes the page */
  feed(d, 0, 1000);
  assert_int_equal(d->columns.count, 0);
  psp_dashboard_take_in(d);
  assert_int_equal(d->columns.count, 1000);
  pthread_mutex_unlock(&d->lock);
  psprobe_dashboard_free(d);
}

/* Asked in a loop, the page is made once a second at most. */
static void test_page_is_kept(void **state) {
  psprobe_dashboard *d = begin(*state, 0);
  raw_answer first = {0}, second = {0};
  feed(d, 0, 3);
  assert_int_equal(get(d, "/", &first), 200);
  int64_t made = d->page.made_ns;
  feed(d, 3, 6);
  d->page.cost_ns = INT64_C(1000000000) * 60; /* it took long: a minute's rest and more */
  assert_int_equal(get(d, "/", &second), 200);
  assert_int_equal(d->page.made_ns, made);
  d->page.cost_ns = d->page.made_ns = 0;
  raw_free(&second);
  assert_int_equal(get(d, "/", &second), 200);
  assert_int_not_equal(d->page.made_ns, made);
  raw_free(&first);
  raw_free(&second);
  psprobe_dashboard_free(d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_page),
      TEST(test_summary),
      TEST(test_probes),
      TEST(test_forgotten),
      TEST(test_more),
      TEST(test_late),
      TEST(test_bad_since),
      TEST(test_metrics),
      TEST(test_health),
      TEST(test_not_ready),
      TEST(test_events),
      TEST(test_taken_address),
      TEST(test_a_strangers_host),
      TEST(test_sink_waits_for_nobody),
      TEST(test_page_is_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
