/* SPDX-License-Identifier: MIT */
#include "receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

psprobe_settlement receiver_receive(void *arg, const psprobe_message *message) {
  receiver *r = arg;
  pthread_mutex_lock(&r->lock);
  snprintf(r->seen + strlen(r->seen), sizeof r->seen - strlen(r->seen), "%s ", message->message_id);
  pthread_mutex_unlock(&r->lock);
  sem_post(&r->entered);
  if (r->hold) sem_wait(&r->leave);
  return r->verdict;
}

static void take_line(void *arg, psprobe_log_level level, const char *line) {
  (void)level;
  receiver *r = arg;
  pthread_mutex_lock(&r->lock);
  snprintf(r->log + strlen(r->log), sizeof r->log - strlen(r->log), "%s\n", line);
  pthread_mutex_unlock(&r->lock);
  sem_post(&r->logged);
}

int receiver_setup(void **state) {
  receiver *r = calloc(1, sizeof *r);
  fake_client_setup((void **)&r->client);
  pthread_mutex_init(&r->lock, NULL);
  sem_init(&r->entered, 0, 0);
  sem_init(&r->leave, 0, 0);
  sem_init(&r->logged, 0, 0);
  *state = r;
  return 0;
}

int receiver_teardown(void **state) {
  receiver *r = *state;
  /* A test that failed may have left messages in the callback. */
  for (int i = 0; i < 1000; i++)
    sem_post(&r->leave);
  psprobe_subscriber_free(r->subscriber);
  fake_client_teardown((void **)&r->client);
  pthread_mutex_destroy(&r->lock);
  sem_destroy(&r->entered);
  sem_destroy(&r->leave);
  sem_destroy(&r->logged);
  free(r);
  return 0;
}

void receiver_begin(receiver *r, psprobe_subscriber_options options) {
  const psprobe_logger logger = {.sink = take_line, .arg = r, .level = PSPROBE_LOG_DEBUG};
  options.subscription = "jobs";
  options.receive = receiver_receive;
  options.arg = r;
  options.mode = PSPROBE_UNARY;
  options.logger = &logger;
  psprobe_error error = {0};
  if (psprobe_subscriber_new(r->client->client, &options, &r->subscriber, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
}

fake_call *receiver_expect(receiver *r, const char *verb) {
  char url[128];
  snprintf(url, sizeof url, JOBS "%s", verb);
  return fake_expect(r->client->fake, "POST", url);
}

void receiver_expect_deadline(receiver *r, int seconds) {
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"n\",\"topic\":\"t\",\"ackDeadlineSeconds\":%d}",
           seconds);
  fake_reply(fake_expect(r->client->fake, "GET", JOBS), 200, NULL, body);
}

fake_call *receiver_expect_pull(receiver *r, const char *body) {
  if (body != NULL) fake_reply(receiver_expect(r, ":pull"), 200, NULL, body);
  return fake_times(receiver_expect(r, ":pull"), 0);
}

void receiver_expect_ok(receiver *r, const char *verb) {
  fake_reply(receiver_expect(r, verb), 200, NULL, "{}");
}

void receiver_wait(sem_t *sem) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec += 30;
  if (sem_timedwait(sem, &at) != 0) fail_msg("what was waited for did not happen");
}

psprobe_subscriber_stats receiver_stats(receiver *r) {
  psprobe_subscriber_stats out;
  psprobe_subscriber_get_stats(r->subscriber, &out);
  return out;
}

void receiver_stop(receiver *r) {
  psprobe_error error = {0};
  if (psprobe_subscriber_stop(r->subscriber, 0, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  assert_int_equal(receiver_stats(r).leased, 0);
}
