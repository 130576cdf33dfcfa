/* SPDX-License-Identifier: MIT */
/** @file What bodies a function takes: packed ones, and how long they may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/function.h>
#include <psprobe/pubsub.h>

#include "gzipped.h"
#include "raw_http.h"

#define EVENT \
  "{\"message\":{\"data\":\"aGk=\",\"messageId\":\"m1\"},\"subscription\":\"projects/p/s\"}"

typedef struct seen {
  atomic_uint calls;
  char text[16];
} seen;

static psprobe_code work(void *arg, psprobe_call *call, psprobe_error *error) {
  (void)error;
  seen *s = arg;
  const psprobe_message *message = psprobe_call_message(call);
  atomic_fetch_add(&s->calls, 1);
  if (message != NULL) memcpy(s->text, message->data, message->data_len);
  return PSPROBE_OK;
}

static psprobe_function *serve(seen *s, psprobe_target_kind kind) {
  const psprobe_target target = {.name = "test", .kind = kind, .function = work, .arg = s};
  const psprobe_function_options options = {.listen = "127.0.0.1:0"};
  psprobe_function *function = NULL;
  psprobe_error error = {0};
  if (psprobe_function_new(&target, &options, &function, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  return function;
}

static int send_to(const psprobe_function *function, const char *more, const psp_buf *body) {
  raw_answer answer = {0};
  psp_buf request = {0};
  psp_buf_printf(&request, "POST / HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n", more,
                 body->len);
  psp_buf_add(&request, body->data, body->len);
  int fd = raw_connect(psprobe_function_port(function));
  raw_send_bytes(fd, request.data, request.len);
  assert_true(raw_read(fd, &answer));
  int status = answer.status;
  close(fd);
  raw_free(&answer);
  psp_buf_free(&request);
  return status;
}

static void test_packed_event(void **state) {
  (void)state;
  seen s = {0};
  psp_buf packed = {0}, plain = {0};
  psprobe_function *function = serve(&s, PSPROBE_TARGET_MESSAGE);
  gzip_add(&packed, EVENT, strlen(EVENT));
  assert_int_equal(send_to(function, "Content-Encoding: gzip\r\n", &packed), 204);
  assert_string_equal(s.text, "hi");
  psp_buf_text(&plain, EVENT);
  assert_int_equal(send_to(function, "Content-Encoding: gzip\r\n", &plain), 400);
  assert_int_equal(send_to(function, "Content-Encoding: br\r\n", &plain), 415);
  assert_int_equal(send_to(function, "", &packed), 400); /* no event */
  assert_int_equal(s.calls, 1);
  psp_buf_free(&packed);
  psp_buf_free(&plain);
  psprobe_function_free(function);
}

/* A request as long as Cloud Run has it, an event as long as Pub/Sub: more is refused before any of
 * it is sent. */
static void test_largest_body(void **state) {
  (void)state;
  static const struct {
    psprobe_target_kind kind;
    size_t most;
  } cases[] = {{PSPROBE_TARGET_HTTP, (size_t)32 << 20},
               {PSPROBE_TARGET_MESSAGE, PSPROBE_PUSH_BODY_MOST}};
  for (size_t i = 0; i < 4; i++) {
    seen s = {0};
    raw_answer answer = {0};
    psp_buf head = {0};
    psprobe_function *function = serve(&s, cases[i / 2].kind);
    int fd = raw_connect(psprobe_function_port(function));
    psp_buf_printf(&head,
                   "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                   "Content-Length: %zu\r\n\r\n",
                   cases[i / 2].most + i % 2);
    raw_send(fd, head.data);
    assert_true(raw_read_head(fd, &answer));
    assert_int_equal(answer.status, i % 2 == 0 ? 100 : 413);
    assert_int_equal(s.calls, 0);
    raw_free(&answer);
    psp_buf_free(&head);
    close(fd);
    psprobe_function_free(function);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_packed_event),
      cmocka_unit_test(test_largest_body),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
