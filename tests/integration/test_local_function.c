/* SPDX-License-Identifier: MIT */
/** @file The function host: instances that come when events do, and go when none do. */
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

#include "base/text.h"
#include "function_stage.h"
#include "raw_server.h"
#include "rest_call.h"

typedef psprobe_local_function_options options;

static void test_starts_at_the_first_event(void **state) {
  (void)state;
  const char *url = stage_add("plain", (options){0}), *path;
  assert_int_equal(stage_stats().running, 0);
  char room[64];
  const char *host = stage_split(url, room, &path);
  psp_buf deeper = {0};
  psp_buf_printf(&deeper, "%s/deep%%20er?a=%%2F&b", path);
  raw_answer got = test_rest(host, "POST", deeper.data, "{\"x\":1}", NULL);
  assert_int_equal(got.status, 200);
  assert_non_null(strstr(got.body.data, " /deep%20er?a=%2F&b application/json {\"x\":1}"));
  raw_free(&got);
  psp_buf_free(&deeper);
  assert_int_equal(stage_stats().running, 1);
  int first, second;
  assert_int_equal(stage_event(url, "a", &first), 200);
  assert_int_equal(stage_event(url, "refuse", &second), 418); /* passed on as it is */
  assert_int_equal(first, second);                            /* kept warm */
  psprobe_local_function_stats stats = stage_stats();
  assert_int_equal(stats.started, 1);
  assert_int_equal(stats.ready, 1);
  assert_int_equal(stats.answered, 3);
}

/* It need not print where it listens: it was told to, as anywhere on Cloud Run. */
static void test_listens_on_its_port(void **state) {
  (void)state;
  static const char *const env[] = {"GREETING=hello", "K_SERVICE=not-this", NULL};
  const char *url = stage_add("port", (options){.name = "my-function", .env = env});
  static const struct {
    const char *body, *answer;
  } cases[] = {{"env K_SERVICE", "my-function"},
               {"env K_REVISION", "my-function-00001"},
               {"env K_CONFIGURATION", "my-function"},
               {"env HOSTNAME", "my-function-1"},
               {"env GREETING", "hello"},
               {"env FUNCTION_TARGET", "mine"}};
  setenv("FUNCTION_TARGET", "mine", 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    stage_call call;
    stage_call_all(&call, 1, url, cases[i].body);
    assert_int_equal(call.status, 200);
    assert_string_equal(call.text, cases[i].answer);
  }
  unsetenv("FUNCTION_TARGET");
  psprobe_local_function_stats none;
  assert_true(psprobe_local_function_get_stats(stage_local, url, &none));
  assert_int_equal(none.answered, 6);
  assert_false(psprobe_local_function_get_stats(stage_local, "http://127.0.0.1:1/f9", &none));
}

static void refuse_all(void *arg, int fd, int nth) {
  (void)nth;
  psp_buf head = {0}, body = {0};
  if (raw_read_request(fd, &head, &body)) ++*(int *)arg;
  raw_send(fd, "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
  psp_buf_free(&head);
  psp_buf_free(&body);
}

/* It names others' addresses too, one of them where somebody listens: its own is followed. */
static void test_follows_its_own_program(void **state) {
  (void)state;
  int misled = 0;
  raw_server *other = raw_server_start(refuse_all, &misled);
  char port[16];
  snprintf(port, sizeof port, "%d", raw_server_port(other));
  setenv("STAGE_DECOY", port, 1);
  assert_int_equal(stage_event(stage_add("odd", (options){0}), "{}", NULL), 200);
  raw_server_stop(other);
  assert_int_equal(misled, 0);
}

/* All but those of the connection go on, both ways (RFC 9110, 7.6.1); any method does. */
static void test_headers_and_methods(void **state) {
  (void)state;
  const char *url = stage_add("plain", (options){0}), *path;
  char room[64];
  const char *host = stage_split(url, room, &path);
  static const struct {
    const char *name, *lines, *value; /* NULL: it does not arrive */
  } cases[] = {{"ce-subject", "ce-subject: me\r\n", "me"},
               {"Authorization", "Authorization: Bearer x.y.z\r\n", "Bearer x.y.z"},
               {"Date", "Date: Mon, 30 Nov 2026 00:00:00 GMT\r\n", "Mon, 30 Nov 2026 00:00:00 GMT"},
               {"User-Agent", "User-Agent: CloudPubSub-Google\r\n", "CloudPubSub-Google"},
               {"Content-Encoding", "Content-Encoding: br\r\n", "br"}, /* the body as it comes */
               {"Content-Encoding", "Content-Encoding: gzip\r\n", "gzip"}, /* though it is none */
               {"Host", "", NULL},
               {"X-Hop", "Connection: x-hop\r\nX-Hop: 1\r\n", NULL},
               {"Keep-Alive", "Keep-Alive: 5\r\n", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char body[64];
    snprintf(body, sizeof body, "header %s", cases[i].name);
    raw_answer got = test_rest(host, "POST", path, body, cases[i].lines);
    const char *value = strcmp(cases[i].name, "Host") == 0 ? host : cases[i].value;
    assert_int_equal(got.status, 200);
    if (value != NULL) assert_string_equal(got.body.data, value);
    if (value == NULL) assert_non_null(strstr(got.body.data, body)); /* it told of the event */
    assert_true(raw_has_header(&got, "X-Mine: 1"));
    raw_free(&got);
  }
  raw_answer got = test_rest(host, "GET", path, NULL, NULL);
  assert_int_equal(got.status, 200);
  raw_free(&got);
}

/* 32 MiB, as Cloud Run has it; more is refused before any of it is sent. */
static void test_largest_body(void **state) {
  (void)state;
  char room[64], head[300];
  const char *path, *host = stage_split(stage_add("plain", (options){0}), room, &path);
  for (int more = 0; more < 2; more++) {
    raw_answer answer = {0};
    int fd = raw_connect(atoi(strchr(host, ':') + 1));
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n",
             path, (32 << 20) + more);
    raw_send(fd, head);
    assert_true(raw_read_head(fd, &answer));
    assert_int_equal(answer.status, more == 0 ? 100 : 413);
    raw_free(&answer);
    close(fd);
  }
}

static void test_stops_when_idle(void **state) {
  (void)state;
  const char *url = stage_add("plain", (options){.idle_ns = 100 * STAGE_MS});
  int first, second;
  assert_int_equal(stage_event(url, "a", &first), 200);
  stage_wait_running(0);
  assert_int_equal(kill(first, 0), -1);
  assert_int_equal(stage_event(url, "a", &second), 200);
  assert_true(first != second);
  assert_int_equal(stage_stats().started, 2);
}

static void test_instance_that_dies_is_replaced(void **state) {
  (void)state;
  const char *url = stage_add("plain", (options){.max_instances = 1});
  int first, second;
  assert_int_equal(stage_event(url, "a", &first), 200);
  assert_int_equal(stage_event(url, "die", NULL), 503);
  assert_int_equal(stage_event(url, "a", &second), 200);
  assert_true(first != second);
  kill(second, SIGKILL); /* while it is idle */
  stage_wait_running(0);
  assert_int_equal(stage_event(url, "a", &first), 200);
  psprobe_local_function_stats stats = stage_stats();
  assert_int_equal(stats.started, 3);
  assert_int_equal(stats.lost, 1);
  assert_int_equal(stats.answered, 3);
}

/* What a program that fails has said is told, in the log and to who waits. */
static void test_program_that_does_not_start(void **state) {
  (void)state;
  const char *argv[] = {"/nowhere/at/all", NULL}, *url;
  options nowhere = {.argv = argv};
  assert_int_equal(psprobe_local_function_add(stage_local, &nowhere, &url, NULL), PSPROBE_OK);
  assert_int_equal(stage_event(url, "a", NULL), 503);
  stage_call call;
  stage_call_all(&call, 1, stage_add("broken", (options){0}), "a");
  assert_int_equal(call.status, 503);
  assert_non_null(strstr(call.text,
                         "ended with status 7 before it listened; it said last: Error: "
                         "no such module"));
  assert_int_equal(stage_event(stage_add("mute", (options){.start_ns = 50 * STAGE_MS}), "a", NULL),
                   503);
  stage_call calls[4];
  stage_call_all(calls, 4, url, "a");
  for (int i = 0; i < 4; i++)
    assert_int_equal(calls[i].status, 503);
  stage_wait_running(0);
  psp_buf log = stage_log();
  assert_non_null(strstr(log.data,
                         "event=instance_output instance=function-1 line=\"Error: no such "
                         "module\""));
  assert_non_null(strstr(log.data, "event=instance_not_started"));
  psp_buf_free(&log);
  assert_int_equal(stage_stats().ready, 0);
  assert_int_equal(stage_stats().failed, 7);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, stage_setup, stage_teardown)

int main(int argc, char **argv) {
  int status = stage_main(argc, argv);
  if (status >= 0) return status;
  const struct CMUnitTest tests[] = {
      TEST(test_starts_at_the_first_event),
      TEST(test_listens_on_its_port),
      TEST(test_follows_its_own_program),
      TEST(test_headers_and_methods),
      TEST(test_largest_body),
      TEST(test_stops_when_idle),
      TEST(test_instance_that_dies_is_replaced),
      TEST(test_program_that_does_not_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
