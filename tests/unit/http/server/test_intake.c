/* SPDX-License-Identifier: MIT */
/** @file Requests that a proxy before us may read otherwise, and bodies that are not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gzipped.h"
#include "http/server/gunzip.h"
#include "raw_http.h"
#include "server_fixture.h"

#define BEGIN "POST /echo/ HTTP/1.1\r\nHost: h\r\n"
#define NEXT  "GET /get HTTP/1.1\r\nHost: h\r\n\r\n"

typedef struct refused {
  const char *text;
  size_t len;
} refused;
#define REFUSED(text) \
  { text, sizeof text - 1 }

static void test_ambiguous(void **state) {
  (void)state;
  static const refused requests[] = {
      REFUSED(BEGIN "Content-Length: 0\r\nContent-Length: 31\r\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length: 31\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT),
      REFUSED(BEGIN "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" NEXT),
      REFUSED(BEGIN "Transfer-Encoding : chunked\r\nContent-Length: 31\r\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length : 5\r\n\r\n" NEXT),
      REFUSED(BEGIN "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" NEXT),
      REFUSED(BEGIN "Transfer-Encoding: xchunked\r\n\r\n" NEXT),
      REFUSED(BEGIN "X-A: b\0c\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length: 0\r\nX-A: b\0c\r\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length: 0\r\nX-A: b\0\0c\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length: 0\r\nX-A: b\0\0c\r\n\r\n" NEXT),
      REFUSED(BEGIN "X-A: b\0\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED(BEGIN "X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED("POST /echo/\0 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED("POST /echo/\0x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED("POST\0 /echo/ HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED(BEGIN "Content-Length: 0\r\nX-A\0: b\r\n\r\n" NEXT),
      REFUSED(BEGIN "Host: other\r\nContent-Length: 0\r\n\r\n" NEXT),
      REFUSED("POST /echo/ HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n"
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT),
  };
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    raw_answer answer = {0};
    int fd = raw_connect(psp_server_port(server));
    raw_send_bytes(fd, requests[i].text, requests[i].len);
    if (!raw_read(fd, &answer) || answer.status != 400)
      fail_msg("%zu: %s\ngives %d, not 400", i, requests[i].text, answer.status);
    assert_true(raw_is_closed(fd)); /* what follows is nobody's request */
    raw_free(&answer);
    close(fd);
  }
  assert_int_equal(calls, 0);
  int fd = raw_connect(psp_server_port(server));
  expect(fd, BEGIN "Content-Length: 2\r\n\r\nab", 200, NULL);
  expect(fd, BEGIN "X-A: b  \r\nX-B:\r\nX-C: \t \r\nContent-Length: 0\r\n\r\n", 200, NULL);
  expect(fd, "POST /echo/?a=b?c HTTP/1.1\nHost: h\nX-A: b \nContent-Length: 2\n\nab", 200, NULL);
  expect(fd, "GET /get HTTP/1.1\r\nhost:h\r\n\r\n", 200, NULL);
  close(fd);
}

#define CHUNKED "Transfer-Encoding: Chunked\r\n\r\n"

/* What follows chunks is never a request of its own, however their ends are read. */
static void test_chunks_end_the_connection(void **state) {
  (void)state;
  static const char *const requests[] = {
      BEGIN CHUNKED "1\r\na\r\n0\r\n\r\n" NEXT,
      BEGIN CHUNKED "0;a\n\r\n" NEXT,
      BEGIN CHUNKED "1\na\n0\n\n" NEXT,
      BEGIN CHUNKED "0;a=\"\r\n\r\n" NEXT,
      "POST /hold HTTP/1.1\r\nHost: h\r\n" CHUNKED "0\r\n\r\n" NEXT,
  };
  size_t count = sizeof requests / sizeof *requests;
  psp_reply *shared = psp_reply_new(200, NULL, "x", 1);
  for (size_t i = 0; i < count; i++) {
    raw_answer answer = {0};
    int fd = raw_connect(psp_server_port(server));
    raw_send(fd, requests[i]);
    if (i == count - 1) psp_exchange_reply_shared(take_held(), shared);
    assert_true(raw_read(fd, &answer));
    /* A body that libmicrohttpd does not take ends in 400, also closing. */
    if (answer.status != 200 && answer.status != 400) fail_msg("%zu: %d", i, answer.status);
    assert_true(raw_has_header(&answer, "Connection: close"));
    assert_false(raw_read(fd, &answer)); /* no second one */
    raw_free(&answer);
    close(fd);
  }
  psp_reply_free(shared);
  assert_true(calls < (int)count);
}

static void test_all_bodies_together(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){.max_body = 1000, .max_held = 1500});
  int first = raw_connect(psp_server_port(own)), second = raw_connect(psp_server_port(own));
  char kilobyte[1001];
  memset(kilobyte, 'a', 1000);
  kilobyte[1000] = 0;
  raw_send(first, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  raw_send(first, kilobyte);
  psp_exchange *x = take_held();
  raw_answer answer = {0};
  raw_send(second, BEGIN "Content-Length: 1000\r\n\r\n");
  raw_send(second, kilobyte);
  assert_true(raw_read(second, &answer));
  assert_int_equal(answer.status, 503);
  close(second);
  psp_exchange_reply(x, 200, NULL, "x", 1);
  assert_true(raw_read(first, &answer));
  /* What is answered is not held any more. */
  raw_send(first, BEGIN "Content-Length: 1000\r\n\r\n");
  raw_send(first, kilobyte);
  assert_true(raw_read(first, &answer));
  assert_int_equal(answer.status, 200);
  raw_free(&answer);
  close(first);
  psp_server_free(own);
}

/* ---- packed bodies ---- */

static int ask_packed(psp_server *own, const char *header, const psp_buf *body,
                      raw_answer *answer) {
  psp_buf request = {0};
  int fd = raw_connect(psp_server_port(own));
  psp_buf_printf(&request, BEGIN "%sContent-Length: %zu\r\n\r\n", header, body->len);
  psp_buf_add(&request, body->data, body->len);
  raw_send_bytes(fd, request.data, request.len);
  assert_true(raw_read(fd, answer));
  psp_buf_free(&request);
  close(fd);
  return answer->status;
}

#define GZIP "Content-Encoding: gzip\r\n"

static void test_packed(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){.max_body = 1000});
  static const char zeros[1001];
  psp_buf five = {0}, bomb = {0}, nothing = {0}, most = {0};
  raw_answer answer = {0};
  gzip_add(&five, "hello", 5);
  gzip_add(&bomb, zeros, sizeof zeros);
  gzip_add(&most, zeros, sizeof zeros - 1);
  assert_int_equal(ask_packed(own, GZIP, &five, &answer), 200);
  assert_string_equal(answer.body.data, "POST /echo/\nsegment \n5:hello");
  assert_int_equal(ask_packed(own, "content-encoding: X-GZIP\r\n", &five, &answer), 200);
  assert_int_equal(ask_packed(own, "Content-Encoding: identity\r\n", &five, &answer), 200);
  assert_int_equal(ask_packed(own, GZIP, &most, &answer), 200);
  assert_int_equal(ask_packed(own, GZIP, &bomb, &answer), 413);
  assert_int_equal(ask_packed(own, GZIP, &nothing, &answer), 200); /* no body, nothing packed */
  five.len--;
  assert_int_equal(ask_packed(own, GZIP, &five, &answer), 400); /* it ends too soon */
  five.data[5] ^= 1, five.data[0] ^= 1;
  assert_int_equal(ask_packed(own, GZIP, &five, &answer), 400);
  psp_buf_free(&five);
  psp_buf_free(&bomb);
  psp_buf_free(&most);
  raw_free(&answer);
  psp_server_free(own);
}

static void test_packed_otherwise(void **state) {
  (void)state;
  static const char *const headers[] = {
      "Content-Encoding: br\r\n",         "Content-Encoding: deflate\r\n",
      "Content-Encoding: gzip, gzip\r\n", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
      "Content-Encoding: gzip;q=1\r\n",
  };
  psp_buf body = {.data = (char *)"12345", .len = 5}, none = {0};
  raw_answer answer = {0};
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    assert_int_equal(ask_packed(server, headers[i], &body, &answer), 415);
    assert_true(raw_has_header(&answer, "Accept-Encoding: gzip"));
    assert_int_equal(ask_packed(server, headers[i], &none, &answer), 200);
  }
  raw_free(&answer);
}

/* What it unpacks to counts, and so does what unpacking needs. */
static void test_packed_among_all_bodies(void **state) {
  (void)state;
  psp_server *own = fixture_start((psp_server_options){.max_held = PSP_GUNZIP_MEMORY + 9});
  psp_buf ten = {0}, nine = {0};
  raw_answer answer = {0};
  gzip_add(&ten, "0123456789", 10);
  gzip_add(&nine, "012345678", 9);
  assert_int_equal(ask_packed(own, GZIP, &nine, &answer), 200);
  assert_int_equal(ask_packed(own, GZIP, &ten, &answer), 503);
  assert_int_equal(ask_packed(own, GZIP, &nine, &answer), 200);
  psp_buf_free(&ten);
  psp_buf_free(&nine);
  raw_free(&answer);
  psp_server_free(own);
}

/* ---- a route that is asked before the body is taken ---- */

static psp_exchange *at_door;
static atomic_int at_doors;

static void admit(void *arg, psp_exchange *x) {
  (void)arg;
  const char *token = psp_exchange_header(x, "Authorization");
  if (token == NULL) {
    psp_exchange_reply_error(x, 401, PSPROBE_UNAUTHENTICATED, "no token");
  } else if (strcmp(token, "wait") == 0) {
    at_door = x;
    atomic_fetch_add(&at_doors, 1);
  } else {
    psp_exchange_admit(x);
  }
}

static void say_length(void *arg, psp_exchange *x) {
  (void)arg;
  size_t len = 0;
  psp_exchange_body(x, &len);
  psp_exchange_reply(x, len == 5 ? 200 : 500, NULL, NULL, 0);
}

static void test_asked_at_the_head(void **state) {
  (void)state;
  const psp_route route = {"POST", "/*", say_length, NULL};
  const psp_server_options options = {
      .listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .max_held = 10, .admit = admit};
  psp_server *own = NULL;
  assert_int_equal(psp_server_new(&options, &own, NULL), PSPROBE_OK);
  int fd = raw_connect(psp_server_port(own));
  /* Nothing of the body is held: it is larger than all that may be. The connection goes on. */
  expect(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n01234567890123456789", 401,
         NULL);
  expect(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 401, NULL);
  expect(fd, "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: yes\r\nContent-Length: 5\r\n\r\n12345",
         200, NULL);
  raw_answer answer = {0};
  for (int i = 0; i < 2; i++) {
    raw_send(fd,
             "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: wait\r\nContent-Length: 5\r\n\r\n12345");
    while (atomic_load(&at_doors) <= i)
      assert_true(raw_is_silent(fd, 1));
    if (i == 0) psp_exchange_admit(at_door);
    if (i == 1) psp_exchange_reply_error(at_door, 403, PSPROBE_PERMISSION_DENIED, "not you");
    assert_true(raw_read(fd, &answer));
    assert_int_equal(answer.status, i == 0 ? 200 : 403);
  }
  raw_send(fd, "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: wait\r\nContent-Length: 5\r\n\r\n");
  while (atomic_load(&at_doors) < 3)
    assert_true(raw_is_silent(fd, 1));
  psp_server_free(own);
  psp_exchange_admit(at_door); /* after the end */
  assert_true(raw_read(fd, &answer));
  assert_int_equal(answer.status, 503);
  raw_free(&answer);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      FIXTURE_TEST(test_ambiguous),           FIXTURE_TEST(test_chunks_end_the_connection),
      FIXTURE_TEST(test_all_bodies_together), FIXTURE_TEST(test_packed),
      FIXTURE_TEST(test_packed_otherwise),    FIXTURE_TEST(test_packed_among_all_bodies),
      FIXTURE_TEST(test_asked_at_the_head),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
