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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(test_a_fast_line), TEST(test_a_slow_line),
                                     TEST(test_a_pause)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
