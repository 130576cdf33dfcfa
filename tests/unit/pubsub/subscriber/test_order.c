/* SPDX-License-Identifier: MIT */
/** @file Leases with what a stream can ask of them: ordering by key, exactly-once delivery, leases
 * by the p99; in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto_bytes.h"
#include "pubsub/subscriber/lease.h"

#define MS   INT64_C(1000000)
#define S    (1000 * MS)
#define HOUR (3600 * S)

typedef struct fixture {
  psp_leases l;
  psp_lease_list out, gone;
} fixture;

/* As a stream has them: leases of a minute, and extensions by the p99. */
static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  psp_leases_init(&f->l, 60, 0, HOUR, 10 * MS);
  psp_leases_adapt(&f->l);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  psp_leases_abandon(&f->l, &f->gone);
  for (psp_lease *lease; (lease = f->l.running.first) != NULL;) {
    psp_lease_take_out(&f->l.running, lease);
    psp_lease_append(&f->gone, lease);
  }
  psp_leases_free(&f->l, &f->gone);
  psp_leases_free(&f->l, &f->out);
  free(f);
  return 0;
}

/* "a1 b2 c": messages with these ack ids, the letter being the ordering key but for "-". */
static void add(fixture *f, const char *ids, int64_t now) {
  psp_buf all = {0};
  psp_stream_answer answer = {.batch = NULL};
  for (const char *at = ids; *at != '\0'; at += strspn(at, " ")) {
    const size_t len = strcspn(at, " ");
    psp_buf inner = {0}, received = {0};
    proto_text(&inner, 1, "data", 4);
    proto_text(&inner, 3, at, len);
    if (*at != '-') proto_text(&inner, 5, at, 1);
    proto_text(&received, 1, at, len);
    proto_text(&received, 2, inner.data, inner.len);
    proto_text(&all, 1, received.data, received.len);
    psp_buf_free(&inner);
    psp_buf_free(&received);
    at += len;
  }
  assert_int_equal(psp_proto_stream_answer(all.data, all.len, &answer, NULL), PSPROBE_OK);
  psp_leases_add(&f->l, psp_delivery_new(answer.batch), now);
  psp_buf_free(&all);
}

/* The next that may go, or NULL for `id` NULL. */
static psp_lease *next(fixture *f, const char *id, int64_t now) {
  psp_lease *lease = psp_leases_next(&f->l, now, &f->gone);
  if (id == NULL) {
    if (lease != NULL) fail_msg("%s may go", lease->message.ack_id);
    return NULL;
  }
  if (lease == NULL) fail_msg("%s may not go", id);
  assert_string_equal(lease->message.ack_id, id);
  return lease;
}

static void assert_list(const psp_lease_list *list, const char *ids) {
  char all[200] = "";
  for (const psp_lease *lease = list->first; lease != NULL; lease = lease->next)
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", lease->message.ack_id);
  assert_string_equal(all, ids);
}

/* ---- ordering ---- */

static void test_one_at_a_time_a_key(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, true, false);
  add(f, "a1 a2 b1 a3 - b2", 0);
  psp_lease *a1 = next(f, "a1", 0), *b1 = next(f, "b1", 0);
  next(f, "-", 0);
  next(f, NULL, 0);
  psp_leases_verdict(&f->l, b1, false, 0);
  psp_lease *b2 = next(f, "b2", 0);
  next(f, NULL, 0);
  psp_leases_verdict(&f->l, a1, false, 0);
  psp_lease *a2 = next(f, "a2", 0);
  next(f, NULL, 0);
  add(f, "a4 b3", 0); /* behind those of before */
  psp_leases_verdict(&f->l, b2, false, 0);
  psp_leases_verdict(&f->l, a2, false, 0);
  psp_lease *b3 = next(f, "b3", 0), *a3 = next(f, "a3", 0);
  next(f, NULL, 0);
  psp_leases_verdict(&f->l, b3, false, 0);
  psp_leases_verdict(&f->l, a3, false, 0);
  psp_leases_verdict(&f->l, next(f, "a4", 0), false, 0);
  assert_int_equal(psp_leases_in_hand(&f->l), 1);
  assert_int_equal(f->l.bytes, 4);
}

/* One that is given back comes again, and those after it come after it. */
static void test_a_nack_gives_back_what_is_behind(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, true, false);
  add(f, "a1 a2 b1 a3", 0);
  psp_lease *a1 = next(f, "a1", 0);
  psp_leases_verdict(&f->l, a1, true, S);
  assert_true(psp_leases_take(&f->l, true, false, S, &f->out));
  assert_list(&f->out, "a2 a3 a1 ");
  next(f, "b1", S);
  next(f, NULL, S);
  add(f, "a1", 2 * S); /* the key is free again */
  next(f, "a1", 2 * S);
}

/* As when it is given back: who waited too long is with the service again. */
static void test_a_lost_head_takes_those_behind_along(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, true, false);
  add(f, "a1 a2", 0);
  next(f, NULL, 61 * S);
  assert_list(&f->gone, "a1 ");
  assert_list(&f->l.nacks, "a2 ");
  assert_int_equal(f->l.bytes, 0);
}

/* It may change while messages are in hand. */
static void test_ordering_comes_and_goes(void **state) {
  fixture *f = *state;
  add(f, "a1 a2", 0);
  psp_leases_set_properties(&f->l, true, false);
  add(f, "a3 a4", 0);
  psp_lease *a1 = next(f, "a1", 0), *a2 = next(f, "a2", 0), *a3 = next(f, "a3", 0);
  next(f, NULL, 0);
  psp_leases_set_properties(&f->l, false, false);
  add(f, "a5", 0);
  next(f, "a5", 0);
  psp_leases_verdict(&f->l, a1, false, 0);
  psp_leases_verdict(&f->l, a2, false, 0);
  next(f, NULL, 0);
  psp_leases_verdict(&f->l, a3, false, 0);
  next(f, "a4", 0);
}

/* More keys than buckets, some of each bucket, and every order in which they end. */
static void test_many_keys(void **state) {
  (void)state;
  enum { KEYS = 3000 };
  static psp_key_order order;
  static psp_place places[KEYS][3];
  static char keys[KEYS][8];
  for (int k = 0; k < KEYS; k++) {
    assert_true(snprintf(keys[k], sizeof keys[k], "k%d", k) < (int)sizeof keys[k]);
    for (int i = 0; i < 3; i++) {
      places[k][i].key = keys[k];
      assert_int_equal(psp_order_enter(&order, &places[k][i]), i == 0);
    }
  }
  for (int i = 0; i < 3; i++)
    for (int n = 0; n < KEYS; n++) {
      const int k = (n * 1117 + i) % KEYS; /* prime to KEYS: each once */
      psp_place *after = psp_order_leave(&order, &places[k][i]);
      assert_ptr_equal(after, i < 2 ? &places[k][i + 1] : NULL);
    }
  for (int b = 0; b < PSP_ORDER_BUCKETS; b++)
    assert_null(order.heads[b]);
}

static void test_a_stop_gives_all_back(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, true, false);
  add(f, "a1 a2 a3 b1", 0);
  psp_lease *a1 = next(f, "a1", 0);
  psp_leases_refuse_waiting(&f->l, 0);
  assert_list(&f->l.nacks, "b1 a2 a3 ");
  psp_leases_verdict(&f->l, a1, false, 0);
  assert_int_equal(psp_leases_in_hand(&f->l), 0);
  assert_int_equal(f->l.bytes, 0);
}

/* ---- exactly-once delivery ---- */

/* A call for what is due. @return its number */
static uint64_t extend(fixture *f, const char *ids, int64_t now) {
  const char *list[10];
  char all[200] = "";
  uint64_t id = 0;
  size_t count = psp_leases_extend(&f->l, list, 10, now, &id);
  for (size_t i = 0; i < count; i++)
    snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", list[i]);
  assert_string_equal(all, ids);
  return id;
}

/* Nobody sees a message before the service has taken the receipt; which is due at once. */
static void test_receipts_come_first(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, false, true);
  add(f, "- a", 5 * S);
  assert_int_equal(psp_leases_due(&f->l), 5 * S);
  next(f, NULL, 5 * S);
  uint64_t id = extend(f, "- a ", 5 * S);
  assert_int_equal(f->l.period_ns, 60 * S); /* at least a minute */
  next(f, NULL, 5 * S);
  psp_leases_extended(&f->l, id, true, NULL, 5 * S, 6 * S, &f->gone);
  next(f, "-", 6 * S);
  next(f, "a", 6 * S);
  assert_int_equal(psp_leases_due(&f->l), 41 * S); /* at 60 % of the minute */
}

/* What the service has not taken is not delivered; what may be taken yet is tried again. */
static void test_receipts_that_fail(void **state) {
  fixture *f = *state;
  psp_ack_fate list[] = {{"a", true}, {"b", false}};
  const psp_ack_fates fates = {list, 2};
  psp_leases_set_properties(&f->l, false, true);
  add(f, "a b c", 0);
  uint64_t id = extend(f, "a b c ", 0);
  psp_leases_extended(&f->l, id, false, &fates, 0, 10 * MS, &f->gone);
  next(f, "c", 10 * MS);
  next(f, NULL, 10 * MS);
  assert_list(&f->gone, "b ");
  assert_int_equal(f->l.lost, 1);
  assert_in_range(psp_leases_due(&f->l), 11 * MS, 1100 * MS);
  id = extend(f, "a ", 1100 * MS);
  psp_leases_extended(&f->l, id, false, NULL, 1100 * MS, 1200 * MS, &f->gone); /* all of it */
  next(f, NULL, 1200 * MS);
  id = extend(f, "a ", 2300 * MS);
  psp_leases_extended(&f->l, id, true, NULL, 2300 * MS, 2400 * MS, &f->gone);
  next(f, "a", 2400 * MS);
}

static void test_receipts_keep_the_order(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, true, true);
  add(f, "a1 a2", 0);
  uint64_t first = extend(f, "a1 a2 ", 0);
  psp_leases_extended(&f->l, first, true, NULL, 0, 0, &f->gone);
  psp_lease *a1 = next(f, "a1", 0);
  next(f, NULL, 0);
  psp_leases_verdict(&f->l, a1, false, 0);
  next(f, "a2", 0);
}

/* An ack is told again for ten minutes, though the lease has ended. */
static void test_acks_again_for_ten_minutes(void **state) {
  fixture *f = *state;
  psp_leases_set_properties(&f->l, false, true);
  add(f, "-", 0);
  psp_leases_extended(&f->l, extend(f, "- ", 0), true, NULL, 0, 0, &f->gone);
  psp_leases_verdict(&f->l, next(f, "-", 0), false, 0);
  int64_t now = 10 * MS;
  for (; psp_leases_take(&f->l, false, true, now, &f->out); now += 5 * S)
    psp_leases_not_told(&f->l, &f->out, false, PSPROBE_UNAVAILABLE, 5 * S, now, &f->gone);
  assert_in_range(now, 600 * S, 610 * S);
  assert_list(&f->gone, "- ");
}

/* ---- leases by the p99 ---- */

/* A stream's lease of a minute is cut to what messages take, unless they are done before. */
static void test_the_lease_is_what_messages_take(void **state) {
  fixture *f = *state;
  add(f, "- a", 0);
  assert_int_equal(psp_leases_due(&f->l), 10 * MS);
  extend(f, "- a ", 10 * MS);
  assert_int_equal(f->l.period_ns, 10 * S);
  for (int i = 0; i < 100; i++) {
    add(f, "b", 0);
    next(f, i == 0 ? "-" : i == 1 ? "a" : "b", 0);
    psp_leases_verdict(&f->l, f->l.running.first, false, 25 * S);
  }
  add(f, "c", 100 * S);
  const char *ids[10];
  uint64_t id = 0;
  psp_leases_extend(&f->l, ids, 10, 101 * S, &id);
  assert_int_equal(f->l.period_ns, 25 * S);
}

int main(void) {
#define IN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      IN(test_one_at_a_time_a_key),
      IN(test_a_nack_gives_back_what_is_behind),
      IN(test_a_lost_head_takes_those_behind_along),
      IN(test_ordering_comes_and_goes),
      cmocka_unit_test(test_many_keys),
      IN(test_a_stop_gives_all_back),
      IN(test_receipts_come_first),
      IN(test_receipts_that_fail),
      IN(test_receipts_keep_the_order),
      IN(test_acks_again_for_ten_minutes),
      IN(test_the_lease_is_what_messages_take),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
