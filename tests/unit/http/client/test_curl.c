/* SPDX-License-Identifier: MIT */
/** @file The HTTP client against our own server. */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/client/transport.h"
#include "http/server/server.h"
#include "outcome.h"

#define S INT64_C(1000000000)

static psp_server *server;
static psp_http *http;

/* "METHOD path content-length content-type expect|body" */
static void echo(void *arg, psp_exchange *x) {
  (void)arg;
  static const char *const names[] = {"content-length", "content-type", "expect", "x-empty",
                                      "user-agent"};
  psp_buf out = {0};
  size_t len;
  const char *body = psp_exchange_body(x, &len);
  psp_buf_printf(&out, "%s %s", psp_exchange_method(x), psp_exchange_path(x));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = psp_exchange_header(x, names[i]);
    if (value != NULL) psp_buf_printf(&out, " %s=%s", names[i], value);
  }
  psp_buf_printf(&out, "|");
  psp_buf_add(&out, body, len);
  psp_exchange_set_header(x, "X-Answer", "  spaced ");
  psp_exchange_reply(x, 200, "text/plain", out.data, out.len);
  psp_buf_free(&out);
}

static void redirect(void *arg, psp_exchange *x) {
  char target[256];
  (*(_Atomic int *)arg)++;
  snprintf(target, sizeof target, "%s/echo", psp_server_url(server));
  psp_exchange_set_header(x, "Location", target);
  psp_exchange_reply(x, 302, "text/plain", "there", 5);
}

#define MAX_HELD 200
static psp_exchange *held[MAX_HELD];
static int held_count;
static sem_t held_one;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;

static void hold(void *arg, psp_exchange *x) {
  (void)arg;
  pthread_mutex_lock(&held_lock);
  held[held_count++] = x;
  pthread_mutex_unlock(&held_lock);
  sem_post(&held_one);
}

static _Atomic int redirects;
static const psp_route routes[] = {{"*", "/echo", echo, NULL},
                                   {"GET", "/hold", hold, NULL},
                                   {"GET", "/redirect", redirect, &redirects}};

static int set_up(void **state) {
  (void)state;
  psp_server_options options = {
      .listen = "127.0.0.1:0", .routes = routes, .route_count = 3, .max_body = 8 << 20};
  sem_init(&held_one, 0, 0);
  held_count = 0;
  return psp_server_new(&options, &server, NULL) != PSPROBE_OK ||
         psp_http_new(NULL, &http, NULL) != PSPROBE_OK;
}

static int tear_down(void **state) {
  (void)state;
  psp_http_free(http);
  psp_server_free(server);
  sem_destroy(&held_one);
  return 0;
}

/* The calling thread's, until its fourth next call. */
static const char *url(const char *path) {
  static _Thread_local char out[4][256];
  static _Thread_local int turn;
  char *made = out[turn++ % 4];
  snprintf(made, sizeof out[0], "%s%s", psp_server_url(server), path);
  return made;
}

static void expect(psp_http_request request, const char *want) {
  psp_http_result result = {0};
  psprobe_error error = {0};
  request.url = url("/echo?secret=1");
  if (psp_http_call(http, &request, &result, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  assert_int_equal(result.status, 200);
  assert_string_equal(result.body.data, want);
  psp_http_result_free(&result);
}

static void test_methods(void **state) {
  (void)state;
#define AGENT " user-agent=psprobe/" PSPROBE_VERSION
  const psp_header type[] = {{"Content-Type", "a/b"}, {"X-Empty", ""}};
  expect((psp_http_request){.method = "GET"}, "GET /echo" AGENT "|");
  expect((psp_http_request){.method = "DELETE"}, "DELETE /echo" AGENT "|");
  expect((psp_http_request){.method = "POST", .body = "abc", .body_len = 3},
         "POST /echo content-length=3" AGENT "|abc");
  expect((psp_http_request){.method = "POST"}, "POST /echo content-length=0" AGENT "|");
  expect((psp_http_request){.method = "PUT"}, "PUT /echo content-length=0" AGENT "|");
  expect(
      (psp_http_request){
          .method = "PATCH", .body = "x", .body_len = 1, .headers = type, .header_count = 2},
      "PATCH /echo content-length=1 content-type=a/b x-empty=" AGENT "|x");
  expect((psp_http_request){.method = "DELETE", .body = "x", .body_len = 1},
         "DELETE /echo content-length=1" AGENT "|x");
  expect((psp_http_request){.method = "GET", .body = "", .body_len = 0}, "GET /echo" AGENT "|");

  psp_http_request head = {.method = "HEAD", .url = url("/echo")};
  psp_http_result result = {0};
  assert_int_equal(psp_http_call(http, &head, &result, NULL), PSPROBE_OK);
  assert_int_equal(result.status, 200);
  assert_int_equal(result.body.len, 0);
  assert_true(result.date_s > 1700000000);
  psp_http_result_free(&result);
  expect((psp_http_request){.method = "GET"}, "GET /echo" AGENT "|");
}

static void test_large_body(void **state) {
  (void)state;
  size_t len = 5 << 20;
  char *body = malloc(len);
  for (size_t i = 0; i < len; i++)
    body[i] = (char)('a' + i % 26);
  psp_http_request request = {.method = "POST", .url = url("/echo"), .body = body, .body_len = len};
  psp_http_result result = {0};
  assert_int_equal(psp_http_call(http, &request, &result, NULL), PSPROBE_OK);
  static const char want[] = "POST /echo content-length=5242880" AGENT "|";
  assert_int_equal(result.body.len, len + sizeof want - 1);
  assert_memory_equal(result.body.data, want, sizeof want - 1); /* and no Expect among them */
  assert_memory_equal(result.body.data + sizeof want - 1, body, len);
  psp_http_result_free(&result);
  free(body);
}

/* The server refuses before it has read the body; its answer is found all the same. */
static void test_refused_body(void **state) {
  (void)state;
  size_t len = 9 << 20;
  char *body = calloc(1, len);
  psp_http_request request = {.method = "POST", .url = url("/echo"), .body = body, .body_len = len};
  for (int i = 0; i < 5; i++) {
    psp_http_result result = {0};
    psprobe_error error = {0};
    if (psp_http_call(http, &request, &result, &error) != PSPROBE_OK) fail_msg("%s", error.message);
    assert_int_equal(result.status, 413);
    psp_http_result_free(&result);
  }
  free(body);
}

static _Atomic bool headers_right;

static void look_at_headers(void *arg, const psp_http_response *response,
                            const psprobe_error *error) {
  headers_right =
      response != NULL && strcmp(psp_http_header(response, "x-answer"), "spaced") == 0 &&
      strcmp(psp_http_header(response, "content-type"), "text/plain") == 0 &&
      psp_http_header(response, "x-nothing") == NULL && response->body[response->body_len] == 0;
  outcome_note(arg, response, error);
}

static void test_send(void **state) {
  (void)state;
  outcome o;
  outcome_init(&o);
  /* Everything is copied: nothing of the request need outlive the call. */
  char address[256], body[] = "abc";
  snprintf(address, sizeof address, "%s", url("/echo"));
  psp_http_request request = {.method = "POST", .url = address, .body = body, .body_len = 3};
  assert_int_equal(psp_http_send(http, &request, look_at_headers, &o, NULL, NULL), PSPROBE_OK);
  memset(address, 'x', sizeof address);
  memset(body, 'x', sizeof body);
  assert_int_equal(outcome_wait(&o), 200);
  assert_true(headers_right);
  assert_non_null(strstr(o.body.data, "|abc"));
  assert_string_equal(o.thread, "psprobe-io");
  outcome_free(&o);
}

static void test_redirect(void **state) {
  (void)state;
  psp_http_request request = {.method = "GET", .url = url("/redirect")};
  psp_http_result result = {0};
  assert_int_equal(psp_http_call(http, &request, &result, NULL), PSPROBE_OK);
  assert_int_equal(result.status, 302);
  assert_string_equal(result.body.data, "there");
  assert_int_equal(redirects, 1);
  psp_http_result_free(&result);
}

static void *call_often(void *arg) {
  for (int i = 0; i < 125; i++) {
    char body[32];
    int len = snprintf(body, sizeof body, "%p-%d", arg, i);
    psp_http_request request = {
        .method = "POST", .url = url("/echo"), .body = body, .body_len = (size_t)len};
    psp_http_result result = {0};
    if (psp_http_call(http, &request, &result, NULL) != PSPROBE_OK ||
        strcmp(strchr(result.body.data, '|') + 1, body) != 0)
      (*(_Atomic int *)arg)++;
    psp_http_result_free(&result);
  }
  return NULL;
}

static void test_many_threads(void **state) {
  (void)state;
  pthread_t threads[8];
  _Atomic int wrong[8] = {0};
  for (int i = 0; i < 8; i++)
    pthread_create(&threads[i], NULL, call_often, (void *)&wrong[i]);
  for (int i = 0; i < 8; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(wrong[i], 0);
  }
}

static void test_long_polls(void **state) {
  (void)state;
  enum { POLLS = 120 };
  static outcome polls[POLLS];
  psp_http_request request = {.method = "GET", .url = url("/hold")};
  for (int i = 0; i < POLLS; i++) {
    outcome_init(&polls[i]);
    assert_int_equal(psp_http_send(http, &request, outcome_note, &polls[i], NULL, NULL),
                     PSPROBE_OK);
  }
  for (int i = 0; i < POLLS; i++)
    sem_wait(&held_one);
  /* They are all there, and others come through meanwhile. */
  for (int i = 0; i < 20; i++)
    expect((psp_http_request){.method = "GET", .timeout_ns = 5 * S}, "GET /echo" AGENT "|");
  for (int i = 0; i < POLLS; i++)
    assert_int_equal(polls[i].calls, 0);
  for (int i = 0; i < POLLS; i++)
    psp_exchange_reply(held[i], 200, NULL, "polled", 6);
  for (int i = 0; i < POLLS; i++) {
    assert_int_equal(outcome_wait(&polls[i]), 200);
    assert_string_equal(polls[i].body.data, "polled");
    assert_int_equal(polls[i].calls, 1);
    outcome_free(&polls[i]);
  }
}

static void test_cancel(void **state) {
  (void)state;
  outcome a, b;
  outcome_init(&a);
  outcome_init(&b);
  uint64_t first, second;
  psp_http_request request = {.method = "GET", .url = url("/hold")};
  assert_int_equal(psp_http_send(http, &request, outcome_note, &a, &first, NULL), PSPROBE_OK);
  assert_int_equal(psp_http_send(http, &request, outcome_note, &b, &second, NULL), PSPROBE_OK);
  assert_int_not_equal(first, second);
  sem_wait(&held_one);
  sem_wait(&held_one);
  psp_http_cancel(http, first);
  psp_http_cancel(http, first);
  psp_http_cancel(http, 0);
  psp_http_cancel(http, UINT64_MAX);
  assert_int_equal(outcome_wait(&a), 0);
  assert_int_equal(a.error.code, PSPROBE_CANCELLED);
  assert_false(a.error.retryable);
  psp_http_cancel(http, first); /* long over */
  for (int i = 0; i < 2; i++)
    psp_exchange_reply(held[i], 200, NULL, NULL, 0);
  assert_int_equal(outcome_wait(&b), 200);
  /* The ids of those that are over are nobody else's. */
  expect((psp_http_request){.method = "GET"}, "GET /echo" AGENT "|");
  psp_http_cancel(http, second);
  assert_int_equal(a.calls + b.calls, 2);
  outcome_free(&a);
  outcome_free(&b);
}

/* Each callback sends the next request. */
typedef struct chain {
  outcome last;
  int left;
  psprobe_code code;
} chain;

static void send_next(void *arg, const psp_http_response *response, const psprobe_error *error) {
  chain *c = arg;
  psp_http_request request = {.method = "GET", .url = url("/echo")};
  if (response != NULL && --c->left > 0) {
    c->code = psp_http_send(http, &request, send_next, c, NULL, NULL);
    if (c->code == PSPROBE_OK) return;
  }
  outcome_note(&c->last, response, error);
}

static void test_chain(void **state) {
  (void)state;
  chain c = {.left = 50}; /* on a busy machine each is several waits for a processor */
  outcome_init(&c.last);
  psp_http_request request = {.method = "GET", .url = url("/echo")};
  assert_int_equal(psp_http_send(http, &request, send_next, &c, NULL, NULL), PSPROBE_OK);
  assert_int_equal(outcome_wait(&c.last), 200);
  assert_int_equal(c.left, 0);
  outcome_free(&c.last);
}

/* A request that is sent while the client ends is refused, not lost. */
static void send_at_end(void *arg, const psp_http_response *response, const psprobe_error *error) {
  chain *c = arg;
  psp_http_request request = {.method = "GET", .url = url("/echo")};
  c->code = psp_http_send(http, &request, outcome_note, &c->last, NULL, NULL);
  outcome_note(&c->last, response, error);
}

static void test_end(void **state) {
  (void)state;
  chain chains[10] = {0};
  psp_http_request request = {.method = "GET", .url = url("/hold")};
  for (int i = 0; i < 10; i++) {
    outcome_init(&chains[i].last);
    assert_int_equal(psp_http_send(http, &request, send_at_end, &chains[i], NULL, NULL),
                     PSPROBE_OK);
  }
  for (int i = 0; i < 5; i++)
    sem_wait(&held_one);
  psp_http_free(http);
  http = NULL;
  psp_http_free(NULL);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(chains[i].last.calls, 1);
    assert_int_equal(chains[i].last.error.code, PSPROBE_CANCELLED);
    assert_int_equal(chains[i].code, PSPROBE_CANCELLED);
    outcome_free(&chains[i].last);
  }
}

static int open_files(void) {
  int count = 0;
  DIR *files = opendir("/proc/self/fd");
  while (readdir(files) != NULL)
    count++;
  closedir(files);
  return count;
}

static void test_leaves_nothing(void **state) {
  (void)state;
  expect((psp_http_request){.method = "GET"}, "GET /echo" AGENT "|");
  psp_http_free(http);
  int before = 0;
  for (int i = 0; i < 5; i++) {
    if (i == 1) before = open_files();
    psp_http *own;
    assert_int_equal(psp_http_new(NULL, &own, NULL), PSPROBE_OK);
    psp_http_request request = {.method = "GET", .url = url("/nothing")};
    psp_http_result result = {0};
    assert_int_equal(psp_http_call(own, &request, &result, NULL), PSPROBE_OK);
    assert_int_equal(result.status, 404);
    psp_http_result_free(&result);
    psp_http_free(own);
  }
  /* The server may still hold its ends of the connections: it is in this process too. */
  for (int i = 0; i < 1000 && open_files() > before; i++)
    usleep(1000);
  assert_true(open_files() <= before);
  assert_int_equal(psp_http_new(NULL, &http, NULL), PSPROBE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_methods),  TEST(test_large_body),   TEST(test_refused_body),   TEST(test_send),
      TEST(test_redirect), TEST(test_many_threads), TEST(test_long_polls),     TEST(test_cancel),
      TEST(test_chain),    TEST(test_end),          TEST(test_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
