/* SPDX-License-Identifier: MIT */
/** @file Memory that runs out at every single allocation: an error each time, and nothing lost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "http/client/transport.h"
#include "http/server/router.h"
#include "http/server/server.h"
#include "raw_http.h"

/* A call that may have failed for want of memory, and for nothing else. */
static bool done(psprobe_code code, const psprobe_error *error) {
  if (code != PSPROBE_OK && code != PSPROBE_RESOURCE_EXHAUSTED) fail_msg("%s", error->message);
  return code == PSPROBE_OK;
}

static bool route(void *arg) {
  (void)arg;
  const psp_route routes[] = {{"GET", "/a/{}/b", NULL, NULL}, {"PUT", "/a/*", NULL, NULL}};
  psp_router *router = psp_router_new(routes, 2);
  psp_buf scratch = {0};
  psp_match match;
  bool good =
      router != NULL && psp_router_find(router, "GET", "/a/x%20y/b", &scratch, &match) == PSP_FOUND;
  if (good) assert_string_equal(match.captures[0], "x y");
  psp_buf_free(&scratch);
  psp_router_free(router);
  return good;
}

static void test_router(void **state) {
  (void)state;
  assert_true(failing_each(route, NULL) > 2);
}

/* Answers every request the same, without an allocation. */
static void *answer_plainly(void *arg) {
  static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  int listener = *(int *)arg, fd;
  while ((fd = accept(listener, NULL, NULL)) >= 0) {
    char request[2048];
    while (recv(fd, request, sizeof request, 0) > 0)
      if (send(fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0) break;
    close(fd);
  }
  return NULL;
}

static bool call(void *arg) {
  psp_http *http = NULL;
  psprobe_error error = {0};
  if (!done(psp_http_new(NULL, &http, &error), &error)) {
    assert_null(http);
    return false;
  }
  const psp_header headers[] = {{"Content-Type", "text/plain"}, {"X-Y", "z"}};
  psp_http_request request = {.method = "POST",
                              .url = arg,
                              .headers = headers,
                              .header_count = 2,
                              .body = "body",
                              .body_len = 4};
  psp_http_result result = {0};
  bool good = done(psp_http_call(http, &request, &result, &error), &error);
  if (good) assert_string_equal(result.body.data, "ok");
  psp_http_result_free(&result);
  psp_http_free(http);
  return good;
}

static void test_client(void **state) {
  (void)state;
  int port, listener = raw_listen(&port);
  pthread_t thread;
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
  pthread_create(&thread, NULL, answer_plainly, &listener);
  assert_true(failing_each(call, url) > 5);
  shutdown(listener, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(listener);
}

static void echo(void *arg, psp_exchange *x) {
  size_t len;
  const char *body = psp_exchange_body(x, &len), *query = psp_exchange_query(x, "q", 0);
  (void)arg;
  psp_exchange_set_header(x, "X-One", "1");
  if (query == NULL || strcmp(query, "a b") != 0 || len != 4)
    psp_exchange_reply_error(x, 503, PSPROBE_UNAVAILABLE, "no memory");
  else
    psp_exchange_reply(x, 200, "text/plain", body, len);
}

static bool serve(void *arg) {
  (void)arg;
  static const char request[] =
      "POST /a/b%20c?q=a+b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: "
      "close\r\n\r\nbody";
  const psp_route routes[] = {{"POST", "/a/{}", echo, NULL}};
  psp_server_options options = {
      .listen = "127.0.0.1:0", .routes = routes, .route_count = 1, .threads = 1};
  psp_server *server = NULL;
  psprobe_error error = {0};
  if (!done(psp_server_new(&options, &server, &error), &error)) {
    assert_null(server);
    return false;
  }
  int fd = raw_connect(psp_server_port(server));
  send(fd, request, sizeof request - 1, MSG_NOSIGNAL);
  char answer[2048] = "";
  size_t len = 0;
  for (ssize_t n; (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0;)
    len += (size_t)n;
  close(fd);
  psp_server_free(server);
  bool good = strncmp(answer, "HTTP/1.1 200", 12) == 0;
  if (good) assert_non_null(strstr(answer, "X-One: 1\r\n"));
  return good;
}

static void test_server(void **state) {
  (void)state;
  assert_true(failing_each(serve, NULL) > 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_router), cmocka_unit_test(test_client),
                                     cmocka_unit_test(test_server)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
