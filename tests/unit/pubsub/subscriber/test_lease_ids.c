/* SPDX-License-Identifier: MIT */
/** @file Leases' ack ids: how many go into a call, and what is kept for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pubsub/parts.h"
#include "pubsub/subscriber/lease.h"

#define S INT64_C(1000000000)

typedef struct fixture {
  psp_leases l;
  psp_lease_list out, gone;
} fixture;

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_leases_init(&f->l, 10, 0, 3600 * S, S / 100);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  assert_int_equal(psp_leases_count(&f->l) + f->gone.count, 0);
  free(f);
  return 0;
}

/* Their ids have so many digits. */
static void add(fixture *f, size_t count, int digits) {
  psp_buf body = {0};
  psprobe_batch *batch = NULL;
  psp_buf_text(&body, "{\"receivedMessages\":[");
  for (size_t i = 0; i < count; i++)
    psp_buf_printf(&body, "%s{\"ackId\":\"%0*zu\",\"message\":{}}", i > 0 ? "," : "", digits, i);
  psp_buf_text(&body, "]}");
  assert_int_equal(psp_pull_decode(body.data, body.len, &batch, NULL), PSPROBE_OK);
  psp_leases_add(&f->l, psp_delivery_new(batch), 0);
  psp_buf_free(&body);
}

static psp_lease *next(fixture *f) {
  psp_lease *lease = psp_leases_next(&f->l, 0, &f->gone);
  assert_non_null(lease);
  return lease;
}

static void tell(fixture *f, const char *first_id) {
  if (f->out.count == 0) assert_true(psp_leases_take(&f->l, false, true, 0, &f->out));
  assert_string_equal(f->out.first->message.ack_id, first_id);
  psp_leases_told(&f->l, &f->out, false);
  psp_leases_free(&f->l, &f->out);
}

/* ---- what messages said ---- */

/* It goes with the last verdict, and the ids are told all the same. */
static void test_text_goes_when_settled(void **state) {
  fixture *f = *state;
  add(f, 2, 3);
  psp_lease *first = next(f), *second = next(f);
  const psp_delivery *delivery = first->delivery;
  psp_leases_verdict(&f->l, first, false, 0);
  assert_non_null(delivery->batch);
  psp_leases_verdict(&f->l, second, false, 0);
  assert_null(delivery->batch);
  assert_string_equal(second->message.ack_id, "001");
  tell(f, "000");
}

/* Not while a call reads the ids that are beside it. */
static void test_text_of_a_call(void **state) {
  fixture *f = *state;
  add(f, 2, 3);
  psp_lease *first = next(f), *second = next(f);
  const psp_delivery *delivery = first->delivery;
  psp_leases_verdict(&f->l, first, false, 0);
  assert_true(psp_leases_take(&f->l, false, true, 0, &f->out));
  psp_leases_verdict(&f->l, second, false, 0);
  assert_non_null(delivery->batch);
  tell(f, "000");
  tell(f, "001");
}

/* Nor where somebody hears of it with all that it said. */
static void test_text_that_is_heard_of(void **state) {
  fixture *f = *state;
  f->l.whole = true;
  add(f, 1, 3);
  psp_lease *lease = next(f);
  psp_leases_verdict(&f->l, lease, false, 0);
  assert_non_null(lease->delivery->batch);
  tell(f, "000");
}

/* ---- exactly-once delivery ---- */

/* In base64, as it stands in the trailer of an answer that has PERMANENT_FAILURE_INVALID_ACK_ID to
 * say of each; and nghttp2 takes 64 KiB. */
static size_t answer_bytes(const char *const *ids, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += strlen(ids[i]) + strlen("PERMANENT_FAILURE_INVALID_ACK_ID") + 8;
  return (bytes + 200) * 4 / 3;
}

static void receive_once(fixture *f, size_t count, int width) {
  const char *ids[PSP_ACK_IDS];
  psp_leases_set_properties(&f->l, false, true);
  add(f, count, width);
  while (f->l.receipts.count > 0) {
    uint64_t id = 0;
    size_t in_call = psp_leases_extend(&f->l, ids, PSP_ACK_IDS, 0, &id);
    assert_true(in_call > 0 && answer_bytes(ids, in_call) < 60000);
    psp_leases_extended(&f->l, id, true, NULL, 0, 0, &f->gone);
  }
  for (size_t i = 0; i < count; i++)
    psp_leases_verdict(&f->l, next(f), false, 0);
}

/* With exactly-once delivery no call has more ids than an answer can speak of. */
static void test_once_answers_fit(void **state) {
  fixture *f = *state;
  const char *ids[PSP_ACK_IDS];
  receive_once(f, 2000, 200);
  size_t calls = 0;
  for (; psp_leases_take(&f->l, false, true, 0, &f->out); calls++) {
    size_t count = 0;
    for (const psp_lease *lease = f->out.first; lease != NULL; lease = lease->next)
      ids[count++] = lease->message.ack_id;
    assert_true(answer_bytes(ids, count) < 60000);
    psp_leases_told(&f->l, &f->out, false);
    psp_leases_free(&f->l, &f->out);
  }
  assert_true(calls >= 14 && calls <= 17);
  assert_int_equal(f->l.acked, 2000);
}

/* And where the answer was too long all the same, the next calls have fewer, but never one each. */
static void test_once_answer_too_long(void **state) {
  fixture *f = *state;
  size_t most = 0;
  int64_t now = 0;
  receive_once(f, 500, 1);
  for (int calls = 0; psp_leases_take(&f->l, false, true, now, &f->out); now += S) {
    assert_true(++calls < 100);
    if (f->out.count > 16) {
      psp_leases_not_told(&f->l, &f->out, false, PSPROBE_RESOURCE_EXHAUSTED, S, now, &f->gone);
      continue;
    }
    if (f->out.count > most) most = f->out.count;
    psp_leases_told(&f->l, &f->out, false);
    psp_leases_free(&f->l, &f->out);
  }
  assert_int_equal(most, 16);
  assert_int_equal(f->l.acked, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_text_goes_when_settled), TEST(test_text_of_a_call),
      TEST(test_text_that_is_heard_of),  TEST(test_once_answers_fit),
      TEST(test_once_answer_too_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
