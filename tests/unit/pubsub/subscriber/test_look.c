/* SPDX-License-Identifier: MIT */
/** @file A subscription that cannot bring anything: found out at the beginning, and when nothing
 * comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "receiver.h"

#define OF(topic) "{\"name\":\"n\",\"topic\":\"" topic "\",\"ackDeadlineSeconds\":10}"
#define OURS      "projects/" FAKE_PROJECT "/topics/probes"
#define MS        INT64_C(1000000)

static fake_call *expect_look(receiver *r, const char *body) {
  fake_call *get = fake_expect(r->client->fake, "GET", JOBS);
  fake_reply(get, 200, NULL, body);
  return get;
}

static bool has_logged(receiver *r, const char *words) {
  pthread_mutex_lock(&r->lock);
  bool has = strstr(r->log, words) != NULL;
  pthread_mutex_unlock(&r->lock);
  return has;
}

static void wait_for(receiver *r, const char *words) {
  while (!has_logged(r, words))
    receiver_wait(&r->logged);
}

/* It fits at first; its topic is deleted while nothing comes; it is made again. */
static void test_cut_off_meanwhile(void **state) {
  receiver *r = *state;
  expect_look(r, OF(OURS));
  fake_times(expect_look(r, OF("_deleted-topic_")), 1);
  fake_call *gone = fake_expect(r->client->fake, "DELETE", JOBS);
  fake_reply(gone, 200, NULL, "{}");
  fake_call *made = fake_expect(r->client->fake, "PUT", JOBS);
  fake_reply(made, 200, NULL, OF(OURS));
  fake_times(expect_look(r, OF(OURS)), 0);
  receiver_expect_pull(r, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .look_ns = MS, .create_on = "probes"});
  wait_for(r, "event=subscription_made_again");
  fake_wait(made, 1);
  assert_non_null(strstr(fake_request(made, 0)->body, OURS));
  assert_true(has_logged(r, "its topic was deleted"));
  assert_true(has_logged(r, "its topic had been deleted"));
  receiver_stop(r);
}

/* Nobody has asked for another: it is told, once, and left alone. */
static void test_cut_off_is_told(void **state) {
  receiver *r = *state;
  fake_call *looks = fake_times(expect_look(r, OF("_deleted-topic_")), 0);
  receiver_expect_pull(r, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .look_ns = MS});
  fake_wait(looks, 3);
  wait_for(r, "event=subscription_unfit");
  const char *said = strstr(r->log, "event=subscription_unfit");
  assert_null(strstr(said + 1, "event=subscription_unfit"));
  receiver_stop(r);
}

static void test_of_another_topic(void **state) {
  receiver *r = *state;
  fake_times(expect_look(r, OF("projects/p/topics/other")), 0);
  receiver_expect_pull(r, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .create_on = "probes"});
  wait_for(r, "projects/p/topics/other, not to " OURS);
  receiver_stop(r);
}

/* A delete that fails is tried again at the next look. */
static void test_delete_that_fails(void **state) {
  receiver *r = *state;
  fake_times(expect_look(r, OF("_deleted-topic_")), 0);
  fake_reply(fake_expect(r->client->fake, "DELETE", JOBS), 403, NULL,
             "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}");
  fake_reply(fake_expect(r->client->fake, "DELETE", JOBS), 404, NULL,
             "{\"error\":{\"code\":404,\"message\":\"no\",\"status\":\"NOT_FOUND\"}}");
  fake_call *made = fake_times(fake_expect(r->client->fake, "PUT", JOBS), 0);
  fake_reply(made, 200, NULL, OF(OURS));
  fake_reply(fake_times(fake_expect(r->client->fake, "DELETE", JOBS), 0), 200, NULL, "{}");
  receiver_expect_pull(r, NULL);
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .look_ns = MS, .create_on = "probes"});
  wait_for(r, "event=subscription_made_again");
  receiver_stop(r);
}

#define KEYED(n) \
  "{\"ackId\":\"a" n "\",\"message\":{\"messageId\":\"" n "\",\"orderingKey\":\"k\"}}"

/* Where the subscription orders messages, the second of a key waits for the first, and who has none
 * goes before it. */
static void test_ordering_is_found_out(void **state) {
  receiver *r = *state;
  fake_call *look = fake_times(expect_look(r,
                                           "{\"name\":\"n\",\"topic\":\"t\","
                                           "\"ackDeadlineSeconds\":10,"
                                           "\"enableMessageOrdering\":true}"),
                               0);
  fake_call *pull = receiver_expect(r, ":pull"), *more = receiver_expect(r, ":pull");
  fake_reply(fake_times(receiver_expect(r, ":acknowledge"), 0), 200, NULL, "{}");
  r->hold = true;
  receiver_begin(r, (psprobe_subscriber_options){.pulls = 1, .workers = 2, .look_ns = MS});
  fake_wait(look, 2); /* then the first is known, not only answered */
  fake_reply(pull, 200, NULL,
             "{\"receivedMessages\":[" KEYED("1") "," KEYED("2") "," ONE("3") "]}");
  receiver_wait(&r->entered);
  receiver_wait(&r->entered);
  /* Whichever of the two workers is in first. */
  assert_true(strcmp(r->seen, "1 3 ") == 0 || strcmp(r->seen, "3 1 ") == 0);
  for (int i = 0; i < 3; i++)
    sem_post(&r->leave);
  receiver_wait(&r->entered);
  assert_string_equal(r->seen + 4, "2 ");
  fake_wait(more, 1);
  receiver_stop(r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, receiver_setup, receiver_teardown)

/* threads meet here */
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_cut_off_meanwhile), TEST(test_cut_off_is_told),       TEST(test_of_another_topic),
      TEST(test_delete_that_fails), TEST(test_ordering_is_found_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
