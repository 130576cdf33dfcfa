/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pubsub/publisher/lanes.h"

static psp_lanes lanes;

static int setup(void **state) {
  (void)state;
  return psp_lanes_init(&lanes, 3, 10000, 100) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  for (psp_outgoing *left; (left = psp_lanes_drop_oldest(&lanes)) != NULL;)
    free(left);
  psp_lanes_destroy(&lanes);
  return 0;
}

static psp_outgoing *made(const char *key, const char *data) {
  const psprobe_message message = {.data = data, .data_len = strlen(data), .ordering_key = key};
  psp_outgoing *outgoing = psp_outgoing_new(&message);
  assert_non_null(outgoing);
  return outgoing;
}

static void add(const char *key, const char *data, int64_t now_ns) {
  assert_int_equal(psp_lanes_add(&lanes, made(key, data), now_ns), PSP_LANE_OK);
}

static void drop(psp_outgoing_list *list) {
  for (psp_outgoing *one = list->first, *next; one != NULL; one = next) {
    next = one->next;
    free(one);
  }
  *list = (psp_outgoing_list){0};
}

/* What the next call has, as "abc". */
static psp_parcel taken(int64_t now_ns, const char *all) {
  char text[64] = "";
  psp_parcel parcel = psp_lanes_take(&lanes, now_ns);
  for (psp_outgoing *one = parcel.list.first; one != NULL; one = one->next)
    strncat(text, one->message.data, one->message.data_len);
  assert_string_equal(text, all);
  return parcel;
}

static void land(psp_parcel *parcel, bool failed, const char *fell) {
  char text[64] = "";
  psp_outgoing_list fallen = {0};
  psp_lanes_landed(&lanes, parcel, failed, &fallen);
  for (psp_outgoing *one = fallen.first; one != NULL; one = one->next)
    strncat(text, one->message.data, one->message.data_len);
  assert_string_equal(text, fell);
  drop(&fallen);
  drop(&parcel->list);
}

static void test_company(void **state) {
  (void)state;
  assert_int_equal(psp_lanes_next_ns(&lanes), INT64_MAX);
  add(NULL, "a", 1000);
  add(NULL, "b", 1050);
  assert_int_equal(psp_lanes_next_ns(&lanes), 1100); /* the first waits for as long as it may */
  taken(1099, "");
  psp_parcel two = taken(1100, "ab");
  add(NULL, "c", 1200);
  add(NULL, "d", 1200);
  add(NULL, "e", 1200);
  add(NULL, "f", 1200);
  psp_parcel three = taken(1200, "cde"); /* a whole call waits for nobody */
  taken(1299, "");
  psp_parcel last = taken(1300, "f"); /* several may be under way */
  assert_int_equal(lanes.under_way, 6);
  land(&three, false, "");
  land(&two, true, "");
  land(&last, false, "");
  assert_int_equal(lanes.bytes, 0);
  assert_int_equal(lanes.under_way, 0);
  assert_int_equal(lanes.paused, 0); /* without a key nothing is overtaken */
}

static void test_bytes(void **state) {
  (void)state;
  char big[6001];
  memset(big, 'x', 6000);
  big[6000] = 0;
  add(NULL, big, 0);
  add(NULL, big, 0);
  assert_true(psp_lanes_next_ns(&lanes) <= 0);
  psp_parcel one = psp_lanes_take(&lanes, 0), other = psp_lanes_take(&lanes, 100);
  assert_int_equal(one.list.count, 1);
  assert_int_equal(other.list.count, 1);
  assert_true(one.list.bytes > 6000);
  land(&one, false, "");
  land(&other, false, "");
}

static void test_keys(void **state) {
  (void)state;
  add("k", "a", 0);
  psp_parcel first = taken(100, "a");
  add("k", "b", 100);
  add("j", "c", 150);
  taken(240, ""); /* b is behind a, which is under way */
  psp_parcel other = taken(250, "c");
  land(&first, false, "");
  psp_parcel second = taken(250, "b");
  add("k", "d", 300);
  add("k", "e", 300);
  land(&second, true, "de"); /* they would overtake b */
  assert_int_equal(lanes.paused, 1);
  psp_outgoing *late = made("k", "f");
  assert_int_equal(psp_lanes_add(&lanes, late, 400), PSP_LANE_PAUSED);
  free(late);
  psp_lanes_resume(&lanes, "not there");
  psp_lanes_resume(&lanes, "k");
  assert_int_equal(lanes.paused, 0);
  add("k", "g", 400);
  psp_parcel third = taken(500, "g");
  land(&third, false, "");
  land(&other, false, "");
  assert_null(lanes.keyed); /* nothing is kept of a key that nobody uses */
}

static void test_oldest(void **state) {
  (void)state;
  add("k", "a", 1);
  add(NULL, "b", 2);
  add("k", "c", 3);
  psp_outgoing *first = psp_lanes_drop_oldest(&lanes), *second = psp_lanes_drop_oldest(&lanes);
  assert_memory_equal(first->message.data, "a", 1);
  assert_memory_equal(second->message.data, "b", 1);
  free(first);
  free(second);
  psp_parcel parcel = taken(103, "c");
  assert_null(psp_lanes_drop_oldest(&lanes)); /* what is under way stays */
  land(&parcel, false, "");
}

static void test_hurry(void **state) {
  (void)state;
  add("k", "a", 10);
  add(NULL, "b", 20);
  psp_lanes_hurry(&lanes, true);
  psp_parcel one = taken(20, "a"), two = taken(20, "b");
  add(NULL, "c", 30);
  psp_parcel three = taken(30, "c");
  psp_lanes_hurry(&lanes, false);
  add(NULL, "d", 40);
  taken(40, "");
  land(&one, false, "");
  land(&two, false, "");
  land(&three, false, "");
}

static void test_bound_of_calls(void **state) {
  (void)state;
  psp_parcel under_way[PSP_LANE_CALLS];
  for (int i = 0; i < PSP_LANE_CALLS + 1; i++)
    for (int k = 0; k < 3; k++)
      add(NULL, "x", i);
  for (int i = 0; i < PSP_LANE_CALLS; i++)
    under_way[i] = taken(1000, "xxx");
  taken(1000, "");
  assert_int_equal(psp_lanes_next_ns(&lanes), INT64_MAX);
  land(&under_way[3], false, "");
  under_way[3] = taken(1000, "xxx");
  for (int i = 0; i < PSP_LANE_CALLS; i++)
    land(&under_way[i], false, "");
}

static size_t lane_of(const psp_outgoing *one) {
  const char *key = one->message.ordering_key;
  return key != NULL ? (size_t)(*key - 'a') + 1 : 0;
}

/* Whatever happens in whatever order: what a lane's calls bring is in the order in which it came,
 * each message leaves once, and the counts agree. */
typedef struct world {
  uint32_t seed, next_of[4], seen_of[4];
  psp_parcel flying[64];
  size_t count;
} world;

static const char *const keys[] = {NULL, "a", "b", "c"};

static void give(world *w, size_t k, int64_t now_ns) {
  char text[12];
  snprintf(text, sizeof text, "%08x", w->next_of[k]);
  psp_outgoing *one = made(keys[k], text);
  if (psp_lanes_add(&lanes, one, now_ns) == PSP_LANE_OK)
    w->next_of[k]++;
  else
    free(one);
}

static void send(world *w, int64_t now_ns) {
  psp_parcel parcel = psp_lanes_take(&lanes, now_ns);
  if (parcel.lane != NULL) w->flying[w->count++] = parcel;
  for (psp_outgoing *one = parcel.list.first; one != NULL; one = one->next) {
    char text[9] = "";
    memcpy(text, one->message.data, 8);
    uint32_t number = (uint32_t)strtoul(text, NULL, 16);
    assert_true(number >= w->seen_of[lane_of(one)]);
    w->seen_of[lane_of(one)] = number + 1;
  }
}

static void answer(world *w, size_t which, bool failed) {
  psp_outgoing_list fallen = {0};
  psp_lanes_landed(&lanes, &w->flying[which], failed, &fallen);
  drop(&fallen);
  drop(&w->flying[which].list);
  w->flying[which] = w->flying[--w->count];
}

static void test_any_order(void **state) {
  (void)state;
  world w = {.seed = 20261130};
  for (int64_t now = 0; now < 20000; now++) {
    w.seed = w.seed * 1664525 + 1013904223;
    uint32_t what = w.seed >> 24;
    if (what < 120)
      give(&w, (w.seed >> 20) & 3, now);
    else if (what < 200 && w.count < 64)
      send(&w, now);
    else if (what < 245 && w.count > 0)
      answer(&w, (w.seed >> 8) % w.count, what > 235);
    else if (what < 252)
      psp_lanes_resume(&lanes, keys[(w.seed >> 20) & 3]);
    else
      free(psp_lanes_drop_oldest(&lanes));
    size_t under_way = 0;
    for (size_t i = 0; i < w.count; i++)
      under_way += w.flying[i].list.count;
    assert_int_equal(lanes.under_way, under_way);
  }
  assert_true(w.next_of[0] > 1000 && w.next_of[1] > 100 && w.seen_of[1] > 100);
  while (w.count > 0)
    answer(&w, 0, false);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_company), TEST(test_bytes),          TEST(test_keys),     TEST(test_oldest),
      TEST(test_hurry),   TEST(test_bound_of_calls), TEST(test_any_order)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
