/* SPDX-License-Identifier: MIT */
/** @file The function host: instances that come when events do, and go when none do. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/local.h>

#include "base/text.h"
#include "http/server/server.h"
#include "raw_server.h"
#include "rest_call.h"

#define MS INT64_C(1000000)

/* ---- the program that is the function: this one, started with "function" ---- */

static void answer(void *arg, psp_exchange *exchange) {
  (void)arg;
  char text[256];
  size_t len;
  const char *body = psp_exchange_body(exchange, &len);
  if (strstr(body, "die") != NULL) _exit(3);
  if (strstr(body, "slow") != NULL) usleep(200000); /* the work that it does */
  int status = strstr(body, "refuse") != NULL ? 418 : 200;
  const char *type = psp_exchange_header(exchange, "Content-Type");
  int n = snprintf(text, sizeof text, "%d %s?%s %s %.100s", getpid(), psp_exchange_path(exchange),
                   psp_exchange_raw_query(exchange), type != NULL ? type : "-", body);
  const char *subject = psp_exchange_header(exchange, "ce-subject");
  if (subject != NULL) n = snprintf(text, sizeof text, "subject %s", subject);
  psp_exchange_set_header(exchange, "X-Mine", "1");
  psp_exchange_reply(exchange, status, "text/plain", text, (size_t)n);
}

static int be_function(const char *how) {
  for (int fd = 3; fd < 256; fd++)
    if (fcntl(fd, F_GETFD) != -1) return 1; /* nothing of the host's is ours */
  if (strcmp(how, "mute") == 0) pause();
  if (strcmp(how, "broken") == 0) return 1;
  psp_route route = {.method = "POST", .pattern = "/*", .handler = answer};
  psp_server_options options = {.listen = "127.0.0.1:0", .routes = &route, .route_count = 1};
  psp_server *server;
  sigset_t end;
  int number;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, NULL);
  if (psp_server_new(&options, &server, NULL) != PSPROBE_OK) return 1;
  const char *decoy = getenv("PSPROBE_TEST_DECOY");
  if (strcmp(how, "odd") == 0)
    printf(
        "See http://127.0.0.1:%s/docs or http://docs.example:80/\n\x1b[36mListening on %s.\x1b[0m",
        decoy, psp_server_url(server)); /* and no end of the line */
  else
    printf("a line before\nready at %s\n", psp_server_url(server));
  fflush(stdout);
  do
    sigwait(&end, &number);
  while (strcmp(how, "stubborn") == 0);
  psp_server_free(server);
  return 0;
}

/* ---- the test's side ---- */

static char self[512];
static psprobe_local *local;

static const char *add(const char *how, psprobe_local_function options) {
  const char *argv[] = {self, "function", how, NULL}, *url;
  psprobe_error error = {0};
  options.argv = argv;
  if (psprobe_local_add_function(local, &options, &url, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return url;
}

static int running(void) {
  int now;
  uint64_t started;
  psprobe_local_instances(local, &now, &started);
  return now;
}
static uint64_t started(void) {
  int now;
  uint64_t count;
  psprobe_local_instances(local, &now, &count);
  return count;
}

/* "http://host:port/path" taken apart. */
static const char *host_of(const char *url, char host[64], const char **path) {
  const char *begin = url + strlen("http://");
  *path = strchr(begin, '/');
  snprintf(host, 64, "%.*s", (int)(*path - begin), begin);
  return host;
}

/* Sends an event. @return the status; *pid receives who answered */
static int event(const char *url, const char *body, int *pid) {
  char host[64];
  const char *path;
  host_of(url, host, &path);
  raw_answer got = test_rest(host, "POST", path, body, NULL);
  int status = got.status;
  if (pid != NULL) *pid = got.body.data != NULL ? atoi(got.body.data) : 0;
  raw_free(&got);
  return status;
}

static void wait_running(int count) {
  for (int i = 0; i < 1000 && running() != count; i++)
    usleep(10000);
  assert_int_equal(running(), count);
}

static int setup(void **state) {
  (void)state;
  psprobe_error error = {0};
  if (psprobe_local_new(NULL, &local, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  psprobe_local_free(local);
  /* It has waited for every child. */
  return waitpid(-1, NULL, WNOHANG) == -1 ? 0 : 1;
}

static void test_starts_at_the_first_event(void **state) {
  (void)state;
  const char *url = add("plain", (psprobe_local_function){0}), *path;
  assert_int_equal(running(), 0);
  char room[64];
  const char *host = host_of(url, room, &path);
  psp_buf deeper = {0};
  psp_buf_printf(&deeper, "%s/deep%%20er?a=%%2F&b", path);
  raw_answer got = test_rest(host, "POST", deeper.data, "{\"x\":1}", NULL);
  assert_int_equal(got.status, 200);
  assert_non_null(strstr(got.body.data, " /deep%20er?a=%2F&b application/json {\"x\":1}"));
  raw_free(&got);
  psp_buf_free(&deeper);
  assert_int_equal(running(), 1);
  int first, second;
  assert_int_equal(event(url, "a", &first), 200);
  assert_int_equal(event(url, "refuse", &second), 418); /* passed on as it is */
  assert_int_equal(first, second);                      /* kept warm */
  assert_int_equal(started(), 1);
}

static void refuse_all(void *arg, int fd, int nth) {
  (void)nth;
  psp_buf head = {0}, body = {0};
  if (raw_read_request(fd, &head, &body)) ++*(int *)arg;
  raw_send(fd, "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
  psp_buf_free(&head);
  psp_buf_free(&body);
}

/* It names others' addresses too, one of them where somebody listens: its own is followed. Headers
 * go both ways. */
static void test_follows_its_own_program(void **state) {
  (void)state;
  int misled = 0;
  raw_server *other = raw_server_start(refuse_all, &misled);
  char port[16], room[64];
  snprintf(port, sizeof port, "%d", raw_server_port(other));
  setenv("PSPROBE_TEST_DECOY", port, 1);
  const char *url = add("odd", (psprobe_local_function){0}), *path;
  const char *host = host_of(url, room, &path);
  raw_answer got = test_rest(host, "POST", path, "{}", "ce-subject: me\r\n");
  assert_int_equal(got.status, 200);
  assert_string_equal(got.body.data, "subject me");
  assert_non_null(strcasestr(got.head.data, "x-mine: 1\r\n"));
  raw_free(&got);
  raw_server_stop(other);
  assert_int_equal(misled, 0);
}

static void test_stops_when_idle(void **state) {
  (void)state;
  const char *url = add("plain", (psprobe_local_function){.idle_ns = 100 * MS});
  int first, second;
  assert_int_equal(event(url, "a", &first), 200);
  wait_running(0);
  assert_int_equal(kill(first, 0), -1);
  assert_int_equal(event(url, "a", &second), 200);
  assert_true(first != second);
  assert_int_equal(started(), 2);
}

typedef struct caller {
  pthread_t thread;
  const char *url, *body;
  int status, pid;
} caller;

static void *call(void *arg) {
  caller *c = arg;
  c->status = event(c->url, c->body, &c->pid);
  return NULL;
}

static void call_all(caller *callers, int count, const char *url, const char *body) {
  for (int i = 0; i < count; i++) {
    callers[i] = (caller){.url = url, .body = body};
    pthread_create(&callers[i].thread, NULL, call, &callers[i]);
  }
  for (int i = 0; i < count; i++)
    pthread_join(callers[i].thread, NULL);
}

static void test_more_instances_under_load(void **state) {
  (void)state;
  const char *url = add("plain", (psprobe_local_function){.max_instances = 3});
  caller callers[9];
  call_all(callers, 9, url, "slow");
  int pids[9], different = 0;
  for (int i = 0; i < 9; i++) {
    assert_int_equal(callers[i].status, 200);
    int known = 0;
    for (int k = 0; k < different; k++)
      known |= pids[k] == callers[i].pid;
    if (!known) pids[different++] = callers[i].pid;
  }
  assert_int_equal(different, 3); /* one event at a time each, so as many as there may be */
  assert_int_equal(started(), 3);
}

static void test_instance_that_dies_is_replaced(void **state) {
  (void)state;
  const char *url = add("plain", (psprobe_local_function){.max_instances = 1});
  int first, second;
  assert_int_equal(event(url, "a", &first), 200);
  assert_int_equal(event(url, "die", NULL), 503);
  assert_int_equal(event(url, "a", &second), 200);
  assert_true(first != second);
  kill(second, SIGKILL); /* while it is idle */
  wait_running(0);
  assert_int_equal(event(url, "a", &first), 200);
  assert_int_equal(started(), 3);
}

static void test_program_that_does_not_start(void **state) {
  (void)state;
  const char *argv[] = {"/nowhere/at/all", NULL}, *url;
  psprobe_local_function options = {.argv = argv};
  assert_int_equal(psprobe_local_add_function(local, &options, &url, NULL), PSPROBE_OK);
  assert_int_equal(event(url, "a", NULL), 503);
  assert_int_equal(event(add("broken", (psprobe_local_function){0}), "a", NULL), 503);
  assert_int_equal(event(add("mute", (psprobe_local_function){.start_ns = 50 * MS}), "a", NULL),
                   503);
  caller callers[4];
  call_all(callers, 4, url, "a");
  for (int i = 0; i < 4; i++)
    assert_int_equal(callers[i].status, 503);
  wait_running(0);
}

static void test_bad_options(void **state) {
  (void)state;
  const char *argv[] = {NULL}, *good[] = {self, NULL}, *url;
  psprobe_error error;
  psprobe_local_function none = {.argv = argv}, negative = {.argv = good, .max_instances = -1};
  assert_int_equal(psprobe_local_add_function(local, &none, &url, &error),
                   PSPROBE_INVALID_ARGUMENT);
  assert_int_equal(psprobe_local_add_function(local, &negative, &url, &error),
                   PSPROBE_INVALID_ARGUMENT);
}

/* The local is freed while an instance is busy: the event is answered, the program ends. */
static void test_free_while_busy(void **state) {
  (void)state;
  const char *url = add("plain", (psprobe_local_function){0});
  int pid;
  assert_int_equal(event(url, "a", &pid), 200);
  caller busy = {.url = strdup(url), .body = "slow"};
  pthread_create(&busy.thread, NULL, call, &busy);
  usleep(50000);
  psprobe_local_free(local);
  pthread_join(busy.thread, NULL);
  free((char *)(uintptr_t)busy.url);
  assert_true(busy.status == 503 || busy.status == 200);
  assert_int_equal(kill(pid, 0), -1);
  setup(state);
}

/* From end to end: a topic, a push subscription to the function, and nothing is left. */
static void test_pushed_events(void **state) {
  (void)state;
  const char *host = psprobe_local_pubsub_host(local);
  const char *url = add("plain", (psprobe_local_function){.idle_ns = 100 * MS});
  psp_buf body = {0};
  psp_buf_printf(&body,
                 "{\"topic\":\"projects/p/topics/topic\",\"pushConfig\":{\"pushEndpoint\":\"%s\"}}",
                 url);
  assert_int_equal(test_rest_status(host, "PUT", "/v1/projects/p/topics/topic", NULL), 200);
  assert_int_equal(test_rest_status(host, "PUT", "/v1/projects/p/subscriptions/sub", body.data),
                   200);
  psp_buf_free(&body);
  for (int i = 0; i < 50; i++)
    assert_int_equal(test_rest_status(host, "POST", "/v1/projects/p/topics/topic:publish",
                                      "{\"messages\":[{\"data\":\"YQ==\"}]}"),
                     200);
  size_t held = 1, leased;
  for (int i = 0; i < 1000 && held > 0; i++, usleep(10000))
    assert_true(psprobe_local_held(local, "projects/p/subscriptions/sub", &held, &leased));
  assert_int_equal(held, 0);
  assert_true(started() >= 1);
  wait_running(0);
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "function") == 0) return be_function(argv[2]);
  ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  if (len <= 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_starts_at_the_first_event, setup, teardown),
      cmocka_unit_test_setup_teardown(test_follows_its_own_program, setup, teardown),
      cmocka_unit_test_setup_teardown(test_stops_when_idle, setup, teardown),
      cmocka_unit_test_setup_teardown(test_more_instances_under_load, setup, teardown),
      cmocka_unit_test_setup_teardown(test_instance_that_dies_is_replaced, setup, teardown),
      cmocka_unit_test_setup_teardown(test_program_that_does_not_start, setup, teardown),
      cmocka_unit_test_setup_teardown(test_bad_options, setup, teardown),
      cmocka_unit_test_setup_teardown(test_free_while_busy, setup, teardown),
      cmocka_unit_test_setup_teardown(test_pushed_events, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
