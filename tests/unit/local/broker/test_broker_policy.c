/* SPDX-License-Identifier: MIT */
/** @file Ordering keys, retry policy, dead letters, pushes. */
#include "broker_fixture.h"

static void ack_all(void) {
  for (size_t i = 0; i < given.count; i++)
    ack(given.deliveries[i].ack);
}

static void test_key_waits_for_its_messages(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ordering = true});
  publish_key(TOPIC, "a1", "a");
  publish_key(TOPIC, "b1", "b");
  publish_key(TOPIC, "a2", "a");
  publish_key(TOPIC, "a3", "a");
  publish_key(TOPIC, "free", NULL);
  assert_string_equal(pull(2), "a1 a2"); /* several of a key may go together, in order */
  uint64_t a1 = given.deliveries[0].ack, a2 = given.deliveries[1].ack;
  assert_string_equal(pull(10), "b1 free"); /* but no later one in another answer */
  ack(a1);
  assert_string_equal(pull(10), "");
  ack(a2);
  assert_string_equal(pull(10), "a3");
}

static void test_nacked_key_keeps_its_order(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ordering = true});
  publish_key(TOPIC, "1", "k");
  publish_key(TOPIC, "2", "k");
  publish_key(TOPIC, "3", "k");
  assert_string_equal(pull(2), "1 2");
  uint64_t two = given.deliveries[1].ack;
  deadline(given.deliveries[0].ack, 0);
  assert_string_equal(pull(10), "");
  deadline(two, 0);
  assert_string_equal(pull(10), "1 2 3");
  ack_all();
  assert_int_equal(held(), 0);
}

static void test_acked_key_wakes_a_waiting_pull(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ordering = true});
  publish_key(TOPIC, "1", "k");
  pull(1);
  publish_key(TOPIC, "2", "k");
  psp_broker_waiter waiting = {.max = 5};
  psp_broker_pull(broker, SUB, &waiting, now);
  assert_null(psp_broker_outbox(broker).pulls);
  ack(given.deliveries[0].ack);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &waiting);
  psp_broker_waiter_clear(&waiting);
}

static void test_without_ordering_keys_do_not_matter(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  publish_key(TOPIC, "1", "k");
  publish_key(TOPIC, "2", "k");
  assert_string_equal(pull(1), "1");
  assert_string_equal(pull(1), "2");
}

static void test_retry_policy(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){
      .has_retry = true, .retry_min = {true, 2, 0}, .retry_max = {true, 5, 500000000}});
  publish("a");
  static const int64_t waits[] = {2000, 4000, 5500, 5500};
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(pull(1), "a");
    assert_int_equal(given.deliveries[0].attempt, i + 1);
    deadline(given.deliveries[0].ack, 0);
    later(waits[i] * MS - 1);
    assert_string_equal(pull(1), "");
    later(1);
  }
  assert_string_equal(pull(1), "a");
}

static void test_nacked_while_waiting_can_be_acked(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.has_retry = true});
  publish("a");
  pull(1);
  deadline(given.deliveries[0].ack, 0);
  ack(given.deliveries[0].ack);
  assert_int_equal(held(), 0);
  later(100 * S);
  assert_string_equal(pull(1), "");
}

#define DEAD     "projects/p/topics/dead"
#define DEAD_SUB "projects/p/subscriptions/dead-sub"

static void test_dead_letter(void **state) {
  (void)state;
  make_topic(DEAD);
  make_sub_on(DEAD_SUB, DEAD, (psp_subscription_settings){0}, NULL);
  make_sub((psp_subscription_settings){.has_dead_letter = true, .dead_letter_topic = TEXT(DEAD)});
  psp_pair pair = {"k", "v"};
  psp_letter *letter = psp_letter_new("x", 1, &pair, 1, "key-1");
  uint64_t id;
  psp_broker_publish(broker, TOPIC, &letter, 1, now, &id, NULL);
  psp_letter_unref(letter);
  for (int i = 1; i <= 5; i++) {
    assert_string_equal(pull(1), "x");
    assert_int_equal(given.deliveries[0].attempt, i);
    if (i % 2)
      deadline(given.deliveries[0].ack, 0);
    else
      later(10 * S);
  }
  assert_int_equal(held(), 0);
  assert_string_equal(pull_from(DEAD_SUB, 1), "x");
  const psp_letter *dead = given.deliveries[0].letter;
  static const char *const pairs[][2] = {
      {"k", "v"},
      {"CloudPubSubDeadLetterSourceDeliveryCount", "5"},
      {"CloudPubSubDeadLetterSourceSubscription", "sub"},
      {"CloudPubSubDeadLetterSourceTopicPublishTime", "2026-11-24T22:18:48.773Z"},
      {"CloudPubSubDeadLetterSourceSubscriptionProject", "p"},
  };
  assert_int_equal(dead->attribute_count, 5);
  for (size_t i = 0; i < 5; i++) {
    assert_string_equal(dead->attributes[i].key, pairs[i][0]);
    assert_string_equal(dead->attributes[i].value, pairs[i][1]);
  }
  assert_string_equal(dead->ordering_key, "key-1");
  assert_int_equal(dead->id, id + 1);
}

/* Where a message died last is told, each thing once. */
static void test_dead_letter_of_a_dead_letter(void **state) {
  (void)state;
  make_topic(DEAD);
  make_topic("projects/p/topics/last");
  make_sub_on("projects/p/subscriptions/last-sub", "projects/p/topics/last",
              (psp_subscription_settings){0}, NULL);
  psp_subscription_settings to_last = {.has_dead_letter = true,
                                       .dead_letter_topic = TEXT("projects/p/topics/last")};
  make_sub_on(DEAD_SUB, DEAD, to_last, NULL);
  make_sub((psp_subscription_settings){.has_dead_letter = true, .dead_letter_topic = TEXT(DEAD)});
  publish("x");
  for (int i = 0; i < 10; i++) {
    const char *sub = i < 5 ? SUB : DEAD_SUB;
    assert_string_equal(pull_from(sub, 1), "x");
    psp_broker_modify_deadline(broker, sub, &given.deliveries[0].ack, 1, 0, NULL, now, NULL);
  }
  assert_string_equal(pull_from("projects/p/subscriptions/last-sub", 1), "x");
  const psp_letter *dead = given.deliveries[0].letter;
  assert_int_equal(dead->attribute_count, 4);
  assert_string_equal(dead->attributes[1].key, "CloudPubSubDeadLetterSourceSubscription");
  assert_string_equal(dead->attributes[1].value, "dead-sub");
}

static void test_dead_letter_topic_gone(void **state) {
  (void)state;
  make_topic(DEAD);
  make_sub((psp_subscription_settings){.has_dead_letter = true, .dead_letter_topic = TEXT(DEAD)});
  psp_broker_topic_delete(broker, DEAD, NULL);
  publish("a");
  for (int i = 0; i < 8; i++) {
    assert_string_equal(pull(1), "a"); /* never lost */
    deadline(given.deliveries[0].ack, 0);
  }
}

/* ---- pushes ---- */

static psp_broker_push *taken[200];
static size_t taken_count;

static size_t take_pushes(void) {
  taken_count = 0;
  for (psp_broker_push *push = psp_broker_outbox(broker).pushes; push != NULL; push = push->next)
    taken[taken_count++] = push;
  return taken_count;
}

static void done(psp_broker_push *push, bool ok) {
  psp_broker_push_done(broker, push, ok, now);
  psp_broker_push_free(push);
}

static void make_push_sub(void) {
  make_sub((psp_subscription_settings){.push = {.endpoint = TEXT("http://127.0.0.1:1/x")}});
}

static void test_push(void **state) {
  (void)state;
  make_push_sub();
  publish("a");
  assert_int_equal(take_pushes(), 1);
  assert_string_equal(taken[0]->target->url, "http://127.0.0.1:1/x");
  assert_string_equal(taken[0]->target->subscription, SUB);
  assert_int_equal(taken[0]->timeout_ns, 10 * S);
  assert_string_equal(pull(1), ""); /* nothing for pulls */
  done(taken[0], true);
  assert_int_equal(held(), 0);
}

static void test_push_window(void **state) {
  (void)state;
  make_push_sub();
  for (int i = 0; i < 300; i++)
    publish("a");
  size_t in_flight = take_pushes();
  assert_int_equal(in_flight, 3);
  for (int round = 0; round < 7; round++) {
    psp_broker_push *batch[200];
    size_t count = taken_count, next = 0;
    memcpy(batch, taken, sizeof batch);
    for (size_t i = 0; i < count; i++) {
      done(batch[i], true);
      for (psp_broker_push *push = psp_broker_outbox(broker).pushes; push != NULL;
           push = push->next)
        taken[next++] = push;
    }
    taken_count = next;
    static const size_t windows[] = {6, 12, 24, 48, 96, 100, 11};
    assert_int_equal(next, windows[round]);
  }
  for (size_t i = 0; i < taken_count; i++)
    done(taken[i], true);
  assert_int_equal(held(), 0);
}

static void test_push_backoff(void **state) {
  (void)state;
  make_push_sub();
  publish("a");
  int64_t wait = 100 * MS;
  for (int i = 0; i < 13; i++) {
    assert_int_equal(take_pushes(), 1);
    done(taken[0], false);
    assert_int_equal(psp_broker_next(broker), now.mono_ns + wait);
    later(wait - 1);
    assert_int_equal(take_pushes(), 0);
    later(1);
    wait = wait * 2 < 60 * S ? wait * 2 : 60 * S;
  }
  assert_int_equal(wait, 60 * S);
  take_pushes();
  done(taken[0], true);
  publish("b"); /* a success ends the pauses */
  assert_int_equal(take_pushes(), 1);
  done(taken[0], false);
  assert_int_equal(psp_broker_next(broker), now.mono_ns + 100 * MS);
}

static void test_push_failures_together_pause_once(void **state) {
  (void)state;
  make_push_sub();
  publish("a");
  publish("b");
  publish("c");
  assert_int_equal(take_pushes(), 3);
  psp_broker_push *all[3] = {taken[0], taken[1], taken[2]};
  for (int i = 0; i < 3; i++)
    done(all[i], false);
  assert_int_equal(psp_broker_next(broker), now.mono_ns + 100 * MS);
  later(100 * MS);
  assert_int_equal(take_pushes(), 1); /* the window has shrunk to one */
  done(taken[0], true);
}

static void test_push_deadline(void **state) {
  (void)state;
  make_push_sub();
  publish("a");
  take_pushes();
  psp_broker_push *hung = taken[0];
  later(10 * S);
  assert_int_equal(take_pushes(), 0); /* running out of time is a failure: a pause */
  later(100 * MS);
  assert_int_equal(take_pushes(), 0); /* the window is one, and the hung request is in it */
  done(hung, true);                   /* too late to count */
  assert_int_equal(held(), 1);
  assert_int_equal(take_pushes(), 1);
  done(taken[0], true);
  assert_int_equal(held(), 0);
}

static void set_endpoint(const char *endpoint) {
  psp_subscription_settings from = {.push = {.endpoint = psp_strdup(endpoint)}};
  assert_int_equal(psp_broker_subscription_update(broker, SUB, &from, PSP_SUB_PUSH, now, NULL),
                   PSPROBE_OK);
  psp_subscription_settings_free(&from);
}

static void test_push_changed_while_in_flight(void **state) {
  (void)state;
  make_push_sub();
  publish("a");
  publish("b");
  take_pushes();
  psp_broker_push *a = taken[0], *b = taken[1];
  set_endpoint("http://127.0.0.1:2/y");
  publish("c");
  assert_int_equal(take_pushes(), 1);
  assert_string_equal(taken[0]->target->url, "http://127.0.0.1:2/y");
  done(a, true); /* by the old endpoint, but done is done */
  assert_int_equal(held(), 2);
  done(b, false);
  psp_broker_push *c = taken[0];
  assert_int_equal(take_pushes(), 1); /* b at once: the new endpoint has not failed */
  done(c, true);
  psp_broker_push *again = taken[0];
  psp_broker_subscription_delete(broker, SUB, NULL);
  done(again, true);
}

static void test_push_to_pull_and_back(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){0});
  psp_broker_waiter waiting = {.max = 1};
  psp_broker_pull(broker, SUB, &waiting, now);
  set_endpoint("http://127.0.0.1:1/");
  publish("a");
  publish("b");
  assert_int_equal(take_pushes(), 2); /* and the pull goes on waiting */
  psp_broker_push *a = taken[0], *b = taken[1];
  done(a, false);
  set_endpoint(NULL);
  assert_ptr_equal(psp_broker_outbox(broker).pulls, &waiting);
  assert_int_equal(waiting.count, 1);
  assert_memory_equal(waiting.deliveries[0].letter->data, "a", 1);
  psp_broker_waiter_clear(&waiting);
  done(b, false);
  assert_string_equal(pull(5), "b");
}

static void test_push_in_order(void **state) {
  (void)state;
  make_sub((psp_subscription_settings){.ordering = true,
                                       .push = {.endpoint = TEXT("http://127.0.0.1:1/")}});
  publish_key(TOPIC, "1", "k");
  publish_key(TOPIC, "2", "k");
  publish_key(TOPIC, "x", "other");
  assert_int_equal(take_pushes(), 2);
  psp_broker_push *one = taken[0], *other = taken[1];
  assert_memory_equal(other->delivery.letter->data, "x", 1);
  done(other, true);
  assert_int_equal(take_pushes(), 0);
  done(one, true);
  assert_int_equal(take_pushes(), 1);
  assert_memory_equal(taken[0]->delivery.letter->data, "2", 1);
  done(taken[0], true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_key_waits_for_its_messages),
      TEST(test_nacked_key_keeps_its_order),
      TEST(test_acked_key_wakes_a_waiting_pull),
      TEST(test_without_ordering_keys_do_not_matter),
      TEST(test_retry_policy),
      TEST(test_nacked_while_waiting_can_be_acked),
      TEST(test_dead_letter),
      TEST(test_dead_letter_of_a_dead_letter),
      TEST(test_dead_letter_topic_gone),
      TEST(test_push),
      TEST(test_push_window),
      TEST(test_push_backoff),
      TEST(test_push_failures_together_pause_once),
      TEST(test_push_deadline),
      TEST(test_push_changed_while_in_flight),
      TEST(test_push_to_pull_and_back),
      TEST(test_push_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
