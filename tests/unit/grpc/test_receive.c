/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "grpc/parts.h"
#include "rpc_pair.h"

#define S      INT64_C(1000000000)
#define LENGTH 16384

typedef struct line {
  rpc_pair pair;
  rpc_record echo;
  psp_rpc *rpc;
} line;

static int setup(void **state) {
  line *l = calloc(1, sizeof *l);
  l->pair.now_ns = 1000 * S;
  rpc_pair_make(&l->pair, 0);
  l->rpc = rpc_pair_call(&l->pair, "/echo", NULL, &l->echo);
  assert_true(rpc_pair_run(&l->pair));
  *state = l;
  return 0;
}

static int teardown(void **state) {
  line *l = *state;
  rpc_pair_free(&l->pair);
  rpc_record_free(&l->echo);
  free(l);
  return 0;
}

/* So many messages come, so long after each other. */
static void come(line *l, int count, int64_t every_ns) {
  static char text[LENGTH];
  memset(text, 'x', sizeof text);
  for (int i = 0; i < count; i++) {
    l->pair.now_ns += every_ns;
    psp_rpc_send(l->rpc, text, sizeof text);
    assert_true(rpc_pair_run(&l->pair));
  }
}

/* It doubles each time that it is filled within two seconds, up to a MiB, and the peer knows. */
static void test_a_fast_line(void **state) {
  line *l = *state;
  assert_int_equal(l->rpc->window, 65536);
  come(l, 4, S / 2);
  assert_int_equal(l->rpc->window, 2 * 65536);
  come(l, 8, S / 10);
  assert_int_equal(l->rpc->window, 4 * 65536);
  come(l, 200, 0);
  assert_int_equal(l->rpc->window, 1 << 20);
  psp_rpc_pause(l->rpc, true);
  come(l, 128, 0);
  /* Between a half of it and all, as nghttp2 gives it back. */
  const size_t gone = 128 * (LENGTH + 5) - psp_rpc_unsent(l->pair.accepted);
  assert_true(gone >= 1 << 19 && gone <= 1 << 20);
}

/* 16 kB each second: what fills it is older than two seconds, whatever it was after. */
static void test_a_slow_line(void **state) {
  line *l = *state;
  come(l, 100, S);
  assert_int_equal(l->rpc->window, 65536);
  l->pair.now_ns += 3600 * S;
  come(l, 40, S);
  assert_int_equal(l->rpc->window, 65536);
}

/* One that was closed for a while says nothing of the line. */
static void test_a_pause(void **state) {
  line *l = *state;
  psp_rpc_pause(l->rpc, true);
  come(l, 4, 0);
  l->pair.now_ns += 10 * S;
  psp_rpc_pause(l->rpc, false);
  assert_true(rpc_pair_run(&l->pair));
  assert_int_equal(l->rpc->window, 65536);
  come(l, 1, 0);
  assert_int_equal(l->rpc->window, 65536);
}

/* ---- what is no answer, or no request ---- */

static void assert_ended(const line *l, psprobe_code code, const char *why) {
  assert_int_equal(l->echo.ends, 1);
  assert_int_equal(l->echo.code, code);
  if (strstr(l->echo.message, why) == NULL) fail_msg("%s: %s", why, l->echo.message);
}

/* A whole one, empty, and then these. */
static void send_raw(psp_rpc *rpc, const char *bytes, size_t len) {
  psp_rpc_send(rpc, "", 0);
  psp_buf_add(&rpc->out, bytes, len);
}

static void test_an_answer_cut_short(void **state) {
  line *l = *state;
  send_raw(l->pair.accepted, "\0\0\0\0\5hal", 8);
  psp_rpc_finish(l->pair.accepted, PSPROBE_OK, "");
  assert_true(rpc_pair_run(&l->pair));
  assert_int_equal(l->echo.count, 1);
  assert_ended(l, PSPROBE_INTERNAL, "ends within a message");
}

/* What came before its end is a status all the same. */
static void test_a_failure_cut_short(void **state) {
  line *l = *state;
  send_raw(l->pair.accepted, "\0\0\0", 3);
  psp_rpc_finish(l->pair.accepted, PSPROBE_NOT_FOUND, "gone");
  assert_true(rpc_pair_run(&l->pair));
  assert_ended(l, PSPROBE_NOT_FOUND, "gone");
}

static void test_a_request_cut_short(void **state) {
  line *l = *state;
  send_raw(l->rpc, "\0\0\0\0\5hal", 8);
  psp_rpc_half_close(l->rpc);
  assert_true(rpc_pair_run(&l->pair));
  assert_ended(l, PSPROBE_INTERNAL, "the request ends within a message");
}

/* Nobody has agreed on any compression. */
static void test_compressed(void **state) {
  line *l = *state;
  send_raw(l->pair.accepted, "\1\0\0\0\1x", 6);
  assert_true(rpc_pair_run(&l->pair));
  assert_ended(l, PSPROBE_INTERNAL, "compressed");
}

static void test_a_compressed_request(void **state) {
  line *l = *state;
  send_raw(l->rpc, "\1\0\0\0\1x", 6);
  assert_true(rpc_pair_run(&l->pair));
  assert_ended(l, PSPROBE_UNIMPLEMENTED, "compressed");
}

/* Trailers that are too large end their call with an error that says so, and no other. */
static void test_large_trailers(void **state) {
  line *l = *state;
  rpc_record other = {0};
  static const uint8_t name[] = "grpc-status-details-bin";
  static uint8_t value[40001];
  memset(value, 'A', 40000);
  psp_rpc_take_field(l->rpc, true, name, sizeof name - 1, value, 40000);
  assert_int_equal(l->echo.ends, 0);
  psp_rpc_take_field(l->rpc, true, name, sizeof name - 1, value, 40000);
  assert_ended(l, PSPROBE_RESOURCE_EXHAUSTED, "too large");
  rpc_pair_call(&l->pair, "/echo", "other", &other);
  assert_true(rpc_pair_run(&l->pair));
  assert_int_equal(other.code, PSPROBE_OK);
  rpc_record_free(&other);
}

/* One of more than 64 KiB ends the connection, and what it says tells why. */
static void test_a_field_beyond_all_bounds(void **state) {
  line *l = *state;
  /* HEADERS of stream 1, to be continued: a literal whose name has 100,000 bytes. */
  static const char head[] = "\0\0\5\1\0\0\0\0\1\0\x7f\xa1\x8c\6";
  psp_session_take(l->pair.client, head, sizeof head - 1, l->pair.now_ns);
  assert_false(rpc_pair_run(&l->pair));
  if (strstr(psp_session_why(l->pair.client), "64 KiB") == NULL)
    fail_msg("%s", psp_session_why(l->pair.client));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_a_fast_line),
                                     TEST(test_a_slow_line),
                                     TEST(test_a_pause),
                                     TEST(test_an_answer_cut_short),
                                     TEST(test_a_failure_cut_short),
                                     TEST(test_a_request_cut_short),
                                     TEST(test_compressed),
                                     TEST(test_a_compressed_request),
                                     TEST(test_large_trailers),
                                     TEST(test_a_field_beyond_all_bounds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
