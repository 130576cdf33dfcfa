/* SPDX-License-Identifier: MIT */
/** @file A channel against gRPC's own C core as the server (Debian's python3-grpcio). */
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

#include "grpc/channel.h"
#include "os/clock.h"
#include "python_peer.h"
#include "rpc_calls.h"

#define SCRIPT "tests/integration/grpc_peer.py"

static python_peer start_peer(const char *option, const char *value, const char *more) {
  return python_peer_start(SCRIPT, (const char *const[]){option, value, more, NULL});
}

static psp_channel *open_channel(const python_peer *p, psp_channel_options options) {
  char target[32];
  psp_channel *channel = NULL;
  snprintf(target, sizeof target, "127.0.0.1:%d", p->port);
  options.target = target;
  options.connect_timeout_ns = 60 * PSP_SECOND_NS; /* a loaded machine */
  assert_int_equal(psp_channel_new(&options, &channel, NULL), PSPROBE_OK);
  return channel;
}

static void test_calls(void **state) {
  (void)state;
  char answer[256];
  python_peer p = start_peer(NULL, NULL, NULL);
  psp_channel *channel = open_channel(&p, (psp_channel_options){.window = 65535});
  assert_int_equal(rpc_unary(channel, "/test/Echo", "hello", answer), PSPROBE_OK);
  assert_string_equal(answer, "hello");
  assert_int_equal(rpc_unary(channel, "/test/Refuse", "x", answer), PSPROBE_FAILED_PRECONDITION);
  assert_string_equal(answer, "not 100 % \xc3\xa9\n");
  assert_int_equal(rpc_unary(channel, "/test/None", "x", answer), PSPROBE_UNIMPLEMENTED);

  rpc_wait call;
  int64_t soon_ns = psprobe_clock_monotonic() + 300 * PSP_MS_NS;
  assert_int_equal(rpc_wait_begin(&call, channel, "/test/Hold", "x", soon_ns), PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_DEADLINE_EXCEEDED);
  rpc_wait_free(&call);

  assert_int_equal(rpc_wait_begin(&call, channel, "/test/Count", "3000", INT64_MAX), PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_OK);
  assert_int_equal(call.count, 3000);
  assert_int_equal(call.bytes, 3000000);
  rpc_wait_free(&call);

  /* Longer than a frame and than either window. */
  size_t len = 3000000;
  char *large = malloc(len + 1);
  assert_non_null(large);
  memset(large, 'y', len);
  large[len] = 0;
  assert_int_equal(rpc_wait_begin(&call, channel, "/test/Echo", large, INT64_MAX), PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_OK);
  assert_int_equal(call.last.len, len);
  assert_memory_equal(call.last.data, large, len);
  rpc_wait_free(&call);
  free(large);
  psp_channel_free(channel);
  python_peer_stop(&p);
}

static void on_answer(void *arg, const void *data, size_t len) {
  psp_buf_add(arg, data, len);
}

static psp_latch answered;
static psprobe_code ended;
static void on_end(void *arg, const psp_rpc_status *status) {
  (void)arg;
  ended = status->code;
  psp_latch_post(&answered);
}

static void test_metadata(void **state) {
  (void)state;
  static const psp_rpc_events events = {.message = on_answer, .end = on_end};
  python_peer p = start_peer(NULL, NULL, NULL);
  psp_channel *channel = open_channel(&p, (psp_channel_options){0});
  psp_fields fields = {0};
  psp_buf answer = {0};
  psp_latch_init(&answered);
  assert_true(psp_fields_add(&fields, "x-text", "a=b%2F", 6));
  assert_true(psp_fields_add(&fields, "x-raw-bin", "\1\377\n", 3));
  const psp_rpc_request request = {.path = "/test/Metadata",
                                   .fields = &fields,
                                   .deadline_ns = psprobe_clock_monotonic() + 100 * PSP_SECOND_NS,
                                   .message = "",
                                   .only = true,
                                   .events = &events,
                                   .arg = &answer};
  assert_int_equal(psp_channel_begin(channel, &request, NULL, NULL), PSPROBE_OK);
  psp_latch_wait(&answered);
  assert_int_equal(ended, PSPROBE_OK);
  if (strncmp(answer.data, "a=b%2F|\1\377\n|9", 12) != 0) fail_msg("%s", answer.data);
  psp_fields_clear(&fields);
  psp_buf_free(&answer);
  psp_latch_destroy(&answered);
  psp_channel_free(channel);
  python_peer_stop(&p);
}

/* Every connection is told to go after some 300 ms: no call is lost, none hangs, and streams that
 * are open then go on. */
static void test_goaway(void **state) {
  (void)state;
  char answer[256];
  python_peer p = start_peer("--age", "300", NULL);
  psp_channel *channel = open_channel(&p, (psp_channel_options){0});
  int64_t until_ns = psprobe_clock_monotonic() + 3 * PSP_SECOND_NS;
  rpc_wait stream;
  assert_int_equal(rpc_wait_begin(&stream, channel, "/test/Stream", NULL, INT64_MAX), PSPROBE_OK);
  unsigned calls = 0, again = 0, sent = 0;
  while (psprobe_clock_monotonic() < until_ns) {
    rpc_wait call;
    assert_int_equal(rpc_wait_begin(&call, channel, "/test/Echo", "x", INT64_MAX), PSPROBE_OK);
    psprobe_code code = rpc_wait_end(&call);
    /* One that met the GOAWAY on its way has not been done, and says so. */
    if (code != PSPROBE_OK && !(code == PSPROBE_UNAVAILABLE && call.untouched))
      fail_msg("%d %s", (int)code, call.message);
    again += code != PSPROBE_OK;
    calls++;
    rpc_wait_free(&call);
    if (calls % 20 != 0) continue;
    assert_int_equal(psp_channel_send(channel, stream.id, "m", 1, NULL), PSPROBE_OK);
    rpc_wait_messages(&stream, ++sent);
  }
  psp_channel_tell(channel, stream.id, PSP_WORD_HALF_CLOSE);
  assert_int_equal(rpc_wait_end(&stream), PSPROBE_OK);
  rpc_wait_free(&stream);
  print_message("%u calls, %u to be repeated, %u on the stream\n", calls, again, sent);
  assert_true(calls > 3 && again < calls / 10 + 10);
  assert_int_equal(rpc_unary(channel, "/test/Echo", "last", answer), PSPROBE_OK);
  psp_channel_free(channel);
  python_peer_stop(&p);
}

/* One stream has the only place; another waits for it until the server goes away, and begins on the
 * next connection, while the first goes on where it is. */
static void test_goaway_while_one_waits(void **state) {
  (void)state;
  const char *const arguments[] = {"--age", "500", "--most", "1", NULL};
  python_peer p = python_peer_start(SCRIPT, arguments);
  psp_channel *channel = open_channel(&p, (psp_channel_options){0});
  rpc_wait first, second;
  assert_int_equal(rpc_wait_begin(&first, channel, "/test/Stream", NULL, INT64_MAX), PSPROBE_OK);
  psp_channel_send(channel, first.id, "m", 1, NULL);
  rpc_wait_messages(&first, 1);
  assert_int_equal(rpc_wait_begin(&second, channel, "/test/Stream", "m", INT64_MAX), PSPROBE_OK);
  rpc_wait_messages(&second, 1);
  psp_channel_send(channel, first.id, "m", 1, NULL);
  rpc_wait_messages(&first, 2);
  psp_channel_tell(channel, first.id, PSP_WORD_HALF_CLOSE);
  psp_channel_tell(channel, second.id, PSP_WORD_HALF_CLOSE);
  assert_int_equal(rpc_wait_end(&first), PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&second), PSPROBE_OK);
  rpc_wait_free(&first);
  rpc_wait_free(&second);
  psp_channel_free(channel);
  python_peer_stop(&p);
}

static void test_tls(void **state) {
  (void)state;
  char answer[256];
  const python_peer_tls tls = python_peer_certify();
  python_peer p = start_peer("--tls", tls.key, tls.certificate);
  psp_channel *channel =
      open_channel(&p, (psp_channel_options){.tls = true, .ca_file = tls.certificate});
  for (int i = 0; i < 100; i++)
    assert_int_equal(rpc_unary(channel, "/test/Echo", "secret", answer), PSPROBE_OK);
  assert_string_equal(answer, "secret");
  rpc_wait call;
  assert_int_equal(rpc_wait_begin(&call, channel, "/test/Count", "1000", INT64_MAX), PSPROBE_OK);
  assert_int_equal(rpc_wait_end(&call), PSPROBE_OK);
  assert_int_equal(call.bytes, 1000000);
  rpc_wait_free(&call);
  psp_channel_free(channel);
  /* Whom nobody vouches for. */
  channel = open_channel(&p, (psp_channel_options){.tls = true});
  assert_int_equal(rpc_unary(channel, "/test/Echo", "secret", answer), PSPROBE_UNAUTHENTICATED);
  psp_channel_free(channel);
  python_peer_stop(&p);
}

int main(void) {
  if (!python_has("grpc")) {
    printf("skipped: there is no Python with grpc (Debian: python3-grpcio)\n");
    return 77;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_calls), cmocka_unit_test(test_metadata), cmocka_unit_test(test_goaway),
      cmocka_unit_test(test_goaway_while_one_waits), cmocka_unit_test(test_tls)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
