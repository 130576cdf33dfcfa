/* SPDX-License-Identifier: MIT */
#include "server_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "raw_http.h"

psp_server *server;
atomic_int calls;
_Atomic int64_t received_ns;

/* Says back what it was asked, a line each. */
static void echo(void *arg, psp_exchange *x) {
  (void)arg;
  psp_buf out = {0};
  size_t len;
  const char *body = psp_exchange_body(x, &len), *header = psp_exchange_header(x, "x-test");
  calls++;
  received_ns = psp_exchange_received_ns(x);
  psp_buf_printf(&out, "%s %s\n", psp_exchange_method(x), psp_exchange_path(x));
  for (unsigned i = 0; psp_exchange_segment(x, i) != NULL; i++)
    psp_buf_printf(&out, "segment %s\n", psp_exchange_segment(x, i));
  for (unsigned i = 0; psp_exchange_query(x, "q", i) != NULL; i++)
    psp_buf_printf(&out, "q=%s\n", psp_exchange_query(x, "q", i));
  if (header != NULL) psp_buf_printf(&out, "x-test=%s\n", header);
  psp_buf_printf(&out, "%zu:", len);
  psp_buf_add(&out, body, len);
  psp_exchange_set_header(x, "X-One", "1");
  psp_exchange_set_header(x, "X-Two", "2");
  psp_exchange_reply(x, 200, "text/plain", out.data, out.len);
  psp_buf_free(&out);
}

static void empty(void *arg, psp_exchange *x) {
  (void)arg;
  calls++;
  psp_exchange_reply(x, *psp_exchange_method(x) == 'P' ? 200 : 204, NULL, NULL, 0);
}

static void refuse(void *arg, psp_exchange *x) {
  (void)arg;
  psp_exchange_reply_error(x, 409, PSPROBE_ALREADY_EXISTS, "the \"topic\" is\nthere");
}

/* Exchanges that wait until the test answers them. */
#define MAX_HELD 4096
static psp_exchange *held[MAX_HELD];
static int held_count;
static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t held_one;

void hold(void *arg, psp_exchange *x) {
  (void)arg;
  pthread_mutex_lock(&held_lock);
  held[held_count++] = x;
  pthread_mutex_unlock(&held_lock);
  sem_post(&held_one);
}

psp_exchange *take_held(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 30;
  if (sem_timedwait(&held_one, &until) != 0) fail_msg("no request came");
  pthread_mutex_lock(&held_lock);
  psp_exchange *x = held[--held_count];
  pthread_mutex_unlock(&held_lock);
  return x;
}

static const psp_route routes[] = {
    {"*", "/echo/*", echo, NULL},     {"GET", "/get", echo, NULL},
    {"POST", "/a/{}/{}", echo, NULL}, {"*", "/empty", empty, NULL},
    {"GET", "/refuse", refuse, NULL}, {"*", "/hold", hold, NULL},
};

psp_server *fixture_start(psp_server_options options) {
  psp_server *made;
  psprobe_error error = {0};
  if (options.listen == NULL) options.listen = "127.0.0.1:0";
  options.routes = routes;
  options.route_count = sizeof routes / sizeof *routes;
  if (psp_server_new(&options, &made, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return made;
}

int fixture_set_up(void **state) {
  (void)state;
  sem_init(&held_one, 0, 0);
  held_count = 0;
  calls = 0;
  server = fixture_start((psp_server_options){.max_body = 1000});
  return 0;
}

int fixture_tear_down(void **state) {
  (void)state;
  psp_server_free(server);
  sem_destroy(&held_one);
  return 0;
}

void expect(int fd, const char *request, int status, const char *body) {
  raw_answer answer = {0};
  int got = raw_ask(fd, request, &answer);
  if (got != status) fail_msg("%s\ngives %d, not %d", request, got, status);
  if (body != NULL) assert_string_equal(answer.body.data, body);
  raw_free(&answer);
}

void *answer_held(void *arg) {
  for (int i = 0; i < *(int *)arg; i++)
    psp_exchange_reply(take_held(), 200, NULL, "x", 1);
  return NULL;
}
