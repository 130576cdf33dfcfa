/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pubsub/parts.h"
#include "pubsub/subscriber/lease.h"

#define MS   INT64_C(1000000)
#define S    (1000 * MS)
#define HOUR (3600 * S)

typedef struct fixture {
  psp_leases l;
  psp_lease_list out, gone;
} fixture;

/* Leases of 10 s, acks gather for 10 ms. */
static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_leases_init(&f->l, 10, 0, HOUR, 10 * MS);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psp_leases_abandon(&f->l, &f->gone);
  psp_leases_free(&f->l, &f->gone);
  psp_leases_free(&f->l, &f->out);
  assert_int_equal(psp_leases_count(&f->l), 0);
  free(f);
  return 0;
}

static void add(fixture *f, size_t count, int64_t now) {
  psp_buf body = {0};
  static unsigned id;
  psp_buf_text(&body, "{\"receivedMessages\":[");
  for (size_t i = 0; i < count; i++, id++)
    psp_buf_printf(&body, "%s{\"ackId\":\"a%u\",\"message\":{\"messageId\":\"m%u\"}}", i ? "," : "",
                   id, id);
  psp_buf_text(&body, "]}");
  psprobe_batch *batch = NULL;
  assert_int_equal(psp_pull_decode(body.data, body.len, &batch, NULL), PSPROBE_OK);
  psp_leases_add(&f->l, psp_delivery_new(batch), now);
  psp_buf_free(&body);
}

static psp_lease *next(fixture *f, int64_t now) {
  psp_lease *lease = psp_leases_next(&f->l, now, &f->gone);
  assert_non_null(lease);
  return lease;
}

static void test_acks_gather(void **state) {
  fixture *f = *state;
  assert_int_equal(psp_leases_due(&f->l), PSP_NEVER);
  add(f, 3, 0);
  assert_int_equal(psp_leases_due(&f->l), 6 * S); /* to be extended */
  psp_lease *a = next(f, 1 * MS), *b = next(f, 2 * MS);
  psp_leases_verdict(&f->l, a, false, 3 * MS);
  assert_int_equal(psp_leases_due(&f->l), 13 * MS);
  psp_leases_verdict(&f->l, b, false, 12 * MS);
  assert_int_equal(psp_leases_due(&f->l), 13 * MS); /* from the first one */
  assert_false(psp_leases_take(&f->l, false, false, 12 * MS, &f->out));
  assert_true(psp_leases_take(&f->l, false, false, 13 * MS, &f->out));
  assert_int_equal(f->out.count, 2);
  assert_ptr_equal(f->out.first, a);
  assert_int_equal(psp_leases_count(&f->l), 3);
  assert_false(psp_leases_take(&f->l, false, true, 14 * MS, &f->out));
  psp_leases_told(&f->l, &f->out, false);
  psp_leases_free(&f->l, &f->out);
  assert_int_equal(f->l.acked, 2);
  assert_int_equal(psp_leases_count(&f->l), 1);
}

static void test_nacks_go_at_once(void **state) {
  fixture *f = *state;
  add(f, 2, 0);
  psp_lease *a = next(f, 0), *b = next(f, 0);
  psp_leases_verdict(&f->l, a, false, 1 * MS);
  psp_leases_verdict(&f->l, b, true, 2 * MS);
  assert_int_equal(psp_leases_due(&f->l), 2 * MS);
  assert_true(psp_leases_take(&f->l, true, false, 2 * MS, &f->out));
  assert_ptr_equal(f->out.first, b);
  psp_leases_told(&f->l, &f->out, true);
  assert_int_equal(f->l.nacked, 1);
  psp_leases_free(&f->l, &f->out);
  assert_true(psp_leases_take(&f->l, false, false, 2 * MS, &f->out)); /* goes along */
  psp_leases_told(&f->l, &f->out, false);
}

static void test_full_batch(void **state) {
  fixture *f = *state;
  add(f, PSP_ACK_IDS + 1, 0);
  for (int i = 0; i < PSP_ACK_IDS; i++) {
    assert_true(psp_leases_due(&f->l) > 1 * MS);
    psp_leases_verdict(&f->l, next(f, 0), false, 1 * MS);
  }
  assert_int_equal(psp_leases_due(&f->l), 1 * MS);
  psp_leases_verdict(&f->l, next(f, 0), false, 1 * MS);
  assert_true(psp_leases_take(&f->l, false, false, 1 * MS, &f->out));
  assert_int_equal(f->out.count, PSP_ACK_IDS);
  assert_int_equal(psp_leases_due(&f->l), 1 * MS);
  psp_leases_told(&f->l, &f->out, false);
  psp_leases_free(&f->l, &f->out);
  assert_true(psp_leases_take(&f->l, false, false, 1 * MS, &f->out));
  assert_int_equal(f->out.count, 1);
  psp_leases_told(&f->l, &f->out, false);
}

static void test_refuse_waiting(void **state) {
  fixture *f = *state;
  add(f, 3, 0);
  psp_lease *a = next(f, 0);
  psp_leases_refuse_waiting(&f->l, 1 * MS);
  assert_null(psp_leases_next(&f->l, 1 * MS, &f->gone));
  assert_true(psp_leases_take(&f->l, true, false, 1 * MS, &f->out));
  assert_int_equal(f->out.count, 2);
  psp_leases_told(&f->l, &f->out, true);
  psp_leases_verdict(&f->l, a, false, 1 * MS);
}

/* Given back while workers have them, who keep their messages and whose verdicts say nothing. */
static void test_refuse_running(void **state) {
  fixture *f = *state;
  add(f, 3, 0);
  psp_lease *a = next(f, 0), *b = next(f, 0), *c = next(f, 0);
  psp_leases_refuse_running(&f->l, 1 * MS);
  assert_int_equal(psp_leases_in_hand(&f->l), 0);
  assert_int_equal(f->l.bytes, 0);
  psp_leases_verdict(&f->l, a, false, 1 * MS); /* before it is told */
  assert_false(psp_leases_take(&f->l, false, true, 1 * MS, &f->out));
  assert_true(psp_leases_take(&f->l, true, false, 1 * MS, &f->out));
  assert_int_equal(f->out.count, 3);
  psp_leases_told(&f->l, &f->out, true);
  psp_leases_free(&f->l, &f->out);
  assert_int_equal(f->l.nacked, 3);
  assert_int_equal(psp_leases_count(&f->l), 0);
  assert_int_equal(f->l.kept.count, 2);
  assert_memory_equal(c->message.ack_id, "a", 1);
  psp_leases_verdict(&f->l, b, false, 2 * MS); /* after it */
  psp_leases_drop(&f->l);                      /* never */
  assert_int_equal(f->l.kept.count, 0);
}

static void test_tell_again(void **state) {
  fixture *f = *state;
  add(f, 2, 0);
  psp_leases_verdict(&f->l, next(f, 0), false, 0);
  psp_leases_verdict(&f->l, next(f, 0), false, 0);
  assert_true(psp_leases_take(&f->l, false, true, 1 * S, &f->out));
  psp_leases_not_told(&f->l, &f->out, false, PSPROBE_UNAVAILABLE, 200 * MS, 1 * S, &f->gone);
  assert_int_equal(f->gone.count, 0);
  assert_int_equal(psp_leases_due(&f->l), 1200 * MS);
  assert_false(psp_leases_take(&f->l, false, true, 1100 * MS, &f->out));
  assert_true(psp_leases_take(&f->l, false, false, 1200 * MS, &f->out));
  assert_int_equal(f->out.count, 2);
  /* As long as the lease lives, and no longer. */
  psp_leases_not_told(&f->l, &f->out, false, PSPROBE_UNAVAILABLE, 200 * MS, 10 * S, &f->gone);
  assert_int_equal(f->gone.count, 2);
  assert_int_equal(f->l.lost, 2);
  psp_leases_free(&f->l, &f->gone);
  assert_int_equal(psp_leases_count(&f->l), 0);
}

static void test_gone_subscription(void **state) {
  fixture *f = *state;
  add(f, 2, 0);
  psp_leases_refuse_waiting(&f->l, 0);
  assert_true(psp_leases_take(&f->l, true, false, 0, &f->out));
  psp_leases_not_told(&f->l, &f->out, true, PSPROBE_NOT_FOUND, 0, 0, &f->gone);
  assert_int_equal(f->gone.count, 2);
}

/* One bad id must not take the others with it: halves, until it is alone. */
static void test_bad_id(void **state) {
  fixture *f = *state;
  add(f, 8, 0);
  psp_leases_refuse_waiting(&f->l, 0);
  psp_lease *bad = f->l.nacks.first->next->next;
  int calls = 0;
  while (psp_leases_take(&f->l, true, false, 0, &f->out)) {
    bool has_bad = false;
    for (psp_lease *lease = f->out.first; lease != NULL; lease = lease->next)
      has_bad = has_bad || lease == bad;
    if (has_bad) {
      psp_leases_not_told(&f->l, &f->out, true, PSPROBE_INVALID_ARGUMENT, S, 0, &f->gone);
    } else {
      psp_leases_told(&f->l, &f->out, true);
      psp_leases_free(&f->l, &f->out);
    }
    assert_true(++calls < 20);
  }
  assert_int_equal(f->l.nacked, 7);
  assert_int_equal(f->gone.count, 1);
  assert_int_equal(psp_leases_count(&f->l), 0);
}

static void test_extension(void **state) {
  fixture *f = *state;
  const char *ids[10];
  uint64_t first = 0, second = 0;
  add(f, 2, 0);
  add(f, 1, 500 * MS); /* due within a tenth of the period after the others: goes along */
  add(f, 1, 3 * S);
  psp_lease *a = next(f, 0);
  assert_int_equal(psp_leases_extend(&f->l, ids, 10, 5 * S, &first), 0);
  assert_int_equal(psp_leases_extend(&f->l, ids, 10, 6 * S, &first), 3);
  assert_string_equal(ids[0], a->message.ack_id); /* running ones first */
  assert_int_equal(psp_leases_due(&f->l), 9 * S);
  assert_int_equal(psp_leases_extend(&f->l, ids, 10, 9 * S, &second), 1);
  assert_int_equal(psp_leases_due(&f->l), PSP_NEVER);
  psp_leases_extended(&f->l, first, true, NULL, 6 * S, 9 * S, &f->gone);
  assert_int_equal(f->l.extended, 3);
  assert_int_equal(a->ends_ns, 16 * S);
  assert_int_equal(psp_leases_due(&f->l), 12 * S);
  psp_leases_extended(&f->l, second, true, NULL, 9 * S, 10 * S, &f->gone);
  assert_int_equal(psp_leases_due(&f->l), 12 * S);
  /* What is done with meanwhile does not matter. */
  assert_int_equal(psp_leases_extend(&f->l, ids, 10, 12 * S, &first), 3);
  psp_leases_verdict(&f->l, a, false, 13 * S);
  psp_leases_extended(&f->l, first, true, NULL, 12 * S, 13 * S, &f->gone);
  assert_int_equal(f->l.extended, 6);
}

static void test_extension_fails(void **state) {
  fixture *f = *state;
  const char *ids[10];
  uint64_t id = 0;
  add(f, 1, 0);
  assert_int_equal(psp_leases_extend(&f->l, ids, 10, 6 * S, &id), 1);
  psp_leases_extended(&f->l, id, false, NULL, 6 * S, 6 * S, &f->gone);
  assert_int_equal(psp_leases_due(&f->l), 7 * S);
  assert_int_equal(psp_leases_extend(&f->l, ids, 10, 7 * S, &id), 1);
  psp_leases_extended(&f->l, id, false, NULL, 7 * S, 9900 * MS, &f->gone);
  assert_int_equal(psp_leases_due(&f->l), 10 * S);
  /* It runs out while it waits: the service delivers it again, so nobody should work on it. */
  assert_null(psp_leases_next(&f->l, 10 * S, &f->gone));
  assert_int_equal(f->gone.count, 1);
  assert_int_equal(f->l.lost, 1);
}

static void test_longest_extension(void **state) {
  fixture *f = *state;
  const char *ids[1];
  uint64_t id = 0;
  f->l.max_extension_ns = 15 * S;
  add(f, 1, 0);
  next(f, 0);
  int64_t now = 0;
  int calls = 0;
  while ((now = psp_leases_due(&f->l)) != PSP_NEVER) {
    if (psp_leases_extend(&f->l, ids, 1, now, &id) == 0) continue;
    psp_leases_extended(&f->l, id, true, NULL, now, now, &f->gone);
    calls++;
  }
  assert_int_equal(calls, 2); /* at 6 and 12 s */
  psp_leases_verdict(&f->l, f->l.running.first, false, 100 * S);
  assert_true(psp_leases_take(&f->l, false, true, 100 * S, &f->out)); /* one try, even so */
  psp_leases_told(&f->l, &f->out, false);
}

static void test_own_deadline(void **state) {
  fixture *f = *state;
  add(f, 1, 0);
  psp_leases_set_own(&f->l, 2, 0, 500 * MS); /* it became known a little later */
  assert_int_equal(f->l.waiting.first->ends_ns, 2 * S);
  assert_int_equal(psp_leases_due(&f->l), 1200 * MS);
  psp_leases_set_own(&f->l, 600, 0, 500 * MS);
  assert_int_equal(f->l.waiting.first->ends_ns, 600 * S);
}

/* Asked for at once, but for what is acked in time. */
static void test_shorter_lease(void **state) {
  fixture *f = *state;
  const char *ids[1];
  uint64_t id = 0;
  psp_leases_init(&f->l, 600, 20, HOUR, 10 * MS);
  add(f, 1, 1 * S);
  assert_int_equal(psp_leases_due(&f->l), 1010 * MS);
  assert_int_equal(psp_leases_extend(&f->l, ids, 1, 1010 * MS, &id), 1);
  psp_leases_extended(&f->l, id, true, NULL, 1010 * MS, 1020 * MS, &f->gone);
  assert_int_equal(f->l.waiting.first->ends_ns, 21010 * MS);
  assert_int_equal(psp_leases_due(&f->l), 13010 * MS);
}

static void test_redelivered(void **state) {
  fixture *f = *state;
  static const char body[] =
      "{\"receivedMessages\":[{\"ackId\":\"a\",\"message\":{\"messageId\":\"x\"}},"
      "{\"ackId\":\"b\",\"message\":{\"messageId\":\"x\"}},"
      "{\"ackId\":\"c\",\"message\":{\"messageId\":\"y\"},\"deliveryAttempt\":2},"
      "{\"ackId\":\"d\",\"message\":{\"messageId\":\"z\"},\"deliveryAttempt\":1}]}";
  psprobe_batch *batch = NULL;
  assert_int_equal(psp_pull_decode(body, strlen(body), &batch, NULL), PSPROBE_OK);
  psp_leases_add(&f->l, psp_delivery_new(batch), 0);
  assert_int_equal(f->l.received, 4);
  assert_int_equal(f->l.redelivered, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_acks_gather),       TEST(test_nacks_go_at_once),
      TEST(test_full_batch),        TEST(test_refuse_waiting),
      TEST(test_refuse_running),    TEST(test_tell_again),
      TEST(test_gone_subscription), TEST(test_bad_id),
      TEST(test_extension),         TEST(test_extension_fails),
      TEST(test_longest_extension), TEST(test_own_deadline),
      TEST(test_shorter_lease),     TEST(test_redelivered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
