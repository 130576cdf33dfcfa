/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpc_pair.h"

#define SECOND INT64_C(1000000000)

/* Frames, heads and messages cut at every byte come to the same. */
static void test_pieces(void **state) {
  (void)state;
  for (size_t piece = 1; piece < 80; piece++) {
    rpc_pair pair = {.piece = piece};
    rpc_record echo = {0}, refused = {0};
    rpc_pair_make(&pair, 0);
    rpc_pair_call(&pair, "/echo", "hello", &echo);
    rpc_pair_call(&pair, "/refuse", "x", &refused);
    assert_true(rpc_pair_run(&pair));
    assert_string_equal(echo.messages.data, "hello\n");
    assert_int_equal(echo.heads, 1);
    assert_int_equal(echo.ends, 1);
    assert_int_equal(echo.code, PSPROBE_OK);
    assert_true(echo.from_peer);
    assert_int_equal(refused.ends, 1);
    assert_int_equal(refused.heads, 0);
    assert_int_equal(refused.code, PSPROBE_NOT_FOUND);
    assert_string_equal(refused.message, "no such thing: 5 % \xc3\xa9");
    assert_int_equal(psp_session_calls(pair.client), 0);
    assert_int_equal(psp_session_calls(pair.server), 0);
    rpc_pair_free(&pair);
    rpc_record_free(&echo);
  }
}

static void test_stream(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record echo = {0};
  rpc_pair_make(&pair, 0);
  psp_rpc *rpc = rpc_pair_call(&pair, "/echo", NULL, &echo);
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(pair.accepts, 1);
  psp_rpc_send(rpc, "one", 3);
  psp_rpc_send(rpc, "", 0);
  assert_true(rpc_pair_run(&pair));
  assert_string_equal(echo.messages.data, "one\n\n");
  psp_rpc_send(rpc, "two", 3);
  psp_rpc_half_close(rpc);
  psp_rpc_send(rpc, "too late", 8);
  assert_true(rpc_pair_run(&pair));
  assert_string_equal(echo.messages.data, "one\n\ntwo\n");
  assert_int_equal(echo.ends, 1);
  assert_int_equal(echo.code, PSPROBE_OK);
  rpc_pair_free(&pair);
  rpc_record_free(&echo);
}

/* Longer than a DATA frame and than the windows, both ways. */
static void test_long_messages(void **state) {
  (void)state;
  const size_t len = 300000;
  char *text = malloc(len + 1);
  assert_non_null(text);
  memset(text, 'x', len);
  text[len] = 0;
  for (uint32_t window = 1024; window <= 1 << 20; window *= 32) {
    rpc_pair pair = {0};
    rpc_record echo = {0}, other = {0};
    rpc_pair_make(&pair, window);
    rpc_pair_call(&pair, "/echo", text, &echo);
    rpc_pair_call(&pair, "/echo", "short", &other);
    assert_true(rpc_pair_run(&pair));
    assert_int_equal(echo.count, 1);
    assert_int_equal(echo.longest, len);
    assert_memory_equal(echo.messages.data, text, len);
    assert_int_equal(echo.code, PSPROBE_OK);
    assert_int_equal(other.code, PSPROBE_OK);
    rpc_pair_free(&pair);
    rpc_record_free(&echo);
    rpc_record_free(&other);
  }
  free(text);
}

/* A paused call takes no more than its window; the others go on; nothing is lost. */
static void test_pause(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record flood = {0}, other = {0};
  rpc_pair_make(&pair, 1024);
  psp_rpc *rpc = rpc_pair_call(&pair, "/flood", "20000", &flood);
  psp_rpc_pause(rpc, true);
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(flood.count, 0);
  assert_int_equal(flood.heads, 1);
  assert_true(psp_rpc_unsent(pair.accepted) > 20000 * 10 - 1024 - 16);
  rpc_pair_call(&pair, "/echo", "other", &other);
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(other.ends, 1);
  psp_rpc_pause(rpc, false);
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(flood.count, 20000);
  assert_int_equal(flood.code, PSPROBE_OK);
  rpc_pair_free(&pair);
  rpc_record_free(&flood);
  rpc_record_free(&other);
}

/* The end that came while it was paused is told after its messages. */
static void test_pause_over_the_end(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record echo = {0};
  rpc_pair_make(&pair, 0);
  psp_rpc *rpc = rpc_pair_call(&pair, "/echo", "kept", &echo);
  psp_rpc_pause(rpc, true);
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(echo.count + echo.ends, 0);
  psp_rpc_pause(rpc, false);
  assert_string_equal(echo.messages.data, "kept\n");
  assert_int_equal(echo.ends, 1);
  assert_int_equal(echo.code, PSPROBE_OK);
  rpc_pair_free(&pair);
  rpc_record_free(&echo);
}

static void test_deadline(void **state) {
  (void)state;
  rpc_pair pair = {.now_ns = 100 * SECOND};
  rpc_record held = {0};
  rpc_pair_make(&pair, 0);
  psp_rpc *rpc = psp_rpc_new(&(psp_rpc_request){.path = "/hold",
                                                .deadline_ns = 102 * SECOND,
                                                .message = "x",
                                                .len = 1,
                                                .only = true,
                                                .events = &rpc_recording,
                                                .arg = &held});
  assert_true(psp_session_begin(pair.client, rpc, pair.now_ns));
  assert_true(rpc_pair_run(&pair));
  /* The server was told, and may give up by itself. */
  assert_int_equal(psp_rpc_deadline(pair.accepted), 102 * SECOND);
  assert_int_equal(psp_session_tick(pair.client, 101 * SECOND), 102 * SECOND);
  assert_int_equal(held.ends, 0);
  assert_int_equal(psp_session_tick(pair.client, 102 * SECOND), INT64_MAX);
  assert_int_equal(held.code, PSPROBE_DEADLINE_EXCEEDED);
  assert_false(held.from_peer);
  assert_false(held.untouched);
  assert_true(rpc_pair_run(&pair));
  assert_null(pair.accepted);
  rpc_pair_free(&pair);
}

static void test_deadline_at_the_server(void **state) {
  (void)state;
  rpc_pair pair = {.now_ns = 100 * SECOND};
  rpc_record held = {0};
  rpc_pair_make(&pair, 0);
  psp_rpc *rpc = psp_rpc_new(&(psp_rpc_request){
      .path = "/hold", .deadline_ns = 101 * SECOND, .events = &rpc_recording, .arg = &held});
  assert_true(psp_session_begin(pair.client, rpc, pair.now_ns));
  assert_true(rpc_pair_run(&pair));
  pair.now_ns = 103 * SECOND;
  assert_int_equal(psp_session_tick(pair.server, pair.now_ns), INT64_MAX);
  assert_null(pair.accepted);
  assert_true(rpc_pair_run(&pair));
  /* The server's cancelling of what is late is the deadline's doing. */
  assert_int_equal(held.code, PSPROBE_DEADLINE_EXCEEDED);
  rpc_pair_free(&pair);
}

static void test_cancel(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record before = {0}, after = {0};
  rpc_pair_make(&pair, 0);
  psp_rpc *rpc = rpc_pair_call(&pair, "/hold", "x", &before);
  psp_rpc_abort(rpc, PSPROBE_CANCELLED, "called off");
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(pair.accepts, 0);
  assert_int_equal(before.code, PSPROBE_CANCELLED);
  assert_int_equal(before.ends, 1);
  rpc = rpc_pair_call(&pair, "/hold", NULL, &after);
  assert_true(rpc_pair_run(&pair));
  assert_non_null(pair.accepted);
  psp_rpc_abort(rpc, PSPROBE_CANCELLED, "called off");
  assert_true(rpc_pair_run(&pair));
  assert_null(pair.accepted);
  assert_int_equal(after.ends, 1);
  rpc_pair_free(&pair);
}

/* A server that resets it. */
static void test_reset(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record held = {0};
  rpc_pair_make(&pair, 0);
  rpc_pair_call(&pair, "/hold", "x", &held);
  assert_true(rpc_pair_run(&pair));
  psp_rpc_abort(pair.accepted, PSPROBE_INTERNAL, "");
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(held.code, PSPROBE_CANCELLED);
  assert_false(held.untouched);
  assert_non_null(strstr(held.message, "CANCEL"));
  rpc_pair_free(&pair);
}

/* What the server has taken goes on; no more is taken. */
static void test_goaway(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record held = {0}, refused = {0};
  rpc_pair_make(&pair, 0);
  psp_rpc *rpc = rpc_pair_call(&pair, "/echo", NULL, &held);
  assert_true(rpc_pair_run(&pair));
  assert_true(psp_session_has_room(pair.client));
  psp_session_go_away(pair.server);
  psp_buf word = {0};
  assert_true(psp_session_give(pair.server, &word, 1 << 16));
  /* This one goes out before the client knows. */
  pair.mute = true;
  rpc_pair_call(&pair, "/echo", "x", &refused);
  assert_true(rpc_pair_run(&pair));
  pair.mute = false;
  assert_int_equal(refused.ends, 0);
  assert_true(psp_session_take(pair.client, word.data, word.len, 0));
  psp_buf_free(&word);
  assert_true(psp_session_is_leaving(pair.client));
  assert_false(psp_session_has_room(pair.client));
  assert_int_equal(refused.code, PSPROBE_UNAVAILABLE);
  assert_true(refused.untouched);
  assert_int_equal(pair.accepts, 1);
  psp_rpc_send(rpc, "on", 2);
  psp_rpc_half_close(rpc);
  /* With the last call the connection is over. */
  assert_false(rpc_pair_run(&pair));
  assert_string_equal(held.messages.data, "on\n");
  assert_int_equal(held.code, PSPROBE_OK);
  rpc_pair_free(&pair);
  rpc_record_free(&held);
}

static void test_ping(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_pair_make(&pair, 0);
  assert_true(rpc_pair_run(&pair));
  psp_session_ping(pair.client);
  pair.mute = true;
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(pair.pongs, 0);
  pair.mute = false;
  psp_session_ping(pair.client);
  assert_true(rpc_pair_run(&pair));
  assert_int_equal(pair.pongs, 1);
  rpc_pair_free(&pair);
}

/* The connection breaks: what was sent may have been done, what was not was not. */
static void test_end(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_record sent = {0}, queued = {0};
  rpc_pair_make(&pair, 0);
  rpc_pair_call(&pair, "/hold", "x", &sent);
  assert_true(rpc_pair_run(&pair));
  rpc_pair_call(&pair, "/hold", "x", &queued);
  psp_session_end(pair.client, PSPROBE_UNAVAILABLE, "cut off");
  assert_int_equal(sent.code, PSPROBE_UNAVAILABLE);
  assert_false(sent.untouched);
  assert_true(queued.untouched);
  assert_string_equal(queued.message, "cut off");
  rpc_pair_free(&pair);
  assert_int_equal(sent.ends + queued.ends, 2);
}

/* Requests that do not come whole hold no more than is theirs together: who brings more is told to
 * come again, which helps the others. */
static void test_held(void **state) {
  (void)state;
  rpc_pair pair = {.max_held = 100000};
  rpc_record records[2] = {0};
  char *bytes = calloc(1, 90000);
  assert_non_null(bytes);
  rpc_pair_make(&pair, 0);
  for (int i = 0; i < 2; i++)
    psp_rpc_send(rpc_pair_call(&pair, "/echo", NULL, &records[i]), bytes, 90000);
  assert_true(rpc_pair_run(&pair));
  const int refused = records[1].ends == 1;
  assert_int_equal(records[refused].code, PSPROBE_UNAVAILABLE);
  assert_true(records[refused].from_peer);
  assert_int_equal(records[refused].count, 0);
  assert_int_equal(records[!refused].count, 1);
  assert_int_equal(atomic_load(&pair.meter.held), 0);
  assert_true(psp_session_is_busy(pair.server));
  rpc_pair_free(&pair);
  free(bytes);
  for (int i = 0; i < 2; i++)
    rpc_record_free(&records[i]);
}

static void test_rubbish(void **state) {
  (void)state;
  rpc_pair pair = {0};
  rpc_pair_make(&pair, 0);
  assert_false(psp_session_take(pair.server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 0));
  assert_non_null(strstr(psp_session_why(pair.server), "HTTP/2"));
  /* An answer of HTTP/1. */
  psp_session_take(pair.client, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0);
  psp_buf bytes = {0};
  assert_false(psp_session_give(pair.client, &bytes, 1 << 16));
  assert_non_null(strstr(psp_session_why(pair.client), "HTTP/2"));
  psp_buf_free(&bytes);
  rpc_pair_free(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces),
                                     cmocka_unit_test(test_stream),
                                     cmocka_unit_test(test_long_messages),
                                     cmocka_unit_test(test_pause),
                                     cmocka_unit_test(test_pause_over_the_end),
                                     cmocka_unit_test(test_deadline),
                                     cmocka_unit_test(test_deadline_at_the_server),
                                     cmocka_unit_test(test_cancel),
                                     cmocka_unit_test(test_reset),
                                     cmocka_unit_test(test_goaway),
                                     cmocka_unit_test(test_ping),
                                     cmocka_unit_test(test_end),
                                     cmocka_unit_test(test_held),
                                     cmocka_unit_test(test_rubbish)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
