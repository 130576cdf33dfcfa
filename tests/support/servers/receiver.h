/* SPDX-License-Identifier: MIT */
#ifndef TEST_RECEIVER_H
#define TEST_RECEIVER_H
/** @file A subscriber of "jobs" over a scripted transport, and what its callback does and sees.
 * Every wait fails the test after thirty seconds. */
#include <pthread.h>
#include <semaphore.h>

#include <psprobe/subscriber.h>

#include "fake_client.h"

#define JOBS    FAKE_PUBSUB "/v1/projects/demo-p/subscriptions/jobs"
#define THREE   "{\"receivedMessages\":[" ONE("1") "," ONE("2") "," ONE("3") "]}"
#define ONE(n)  "{\"ackId\":\"a" n "\",\"message\":{\"data\":\"aGk=\",\"messageId\":\"" n "\"}}"
#define JUST(n) "{\"receivedMessages\":[" ONE(n) "]}"

typedef struct receiver {
  fake_client *client;
  psprobe_subscriber *subscriber;
  pthread_mutex_t lock;
  char seen[256]; /* message ids, in the order of the calls */
  sem_t entered, leave;
  bool hold; /* wait for `leave` */
  psprobe_settlement verdict;
  sem_t logged; /* for each log line */
  char log[4096];
} receiver;

/** cmocka's setup and teardown: *state is a receiver. */
int receiver_setup(void **state);
int receiver_teardown(void **state);

psprobe_settlement receiver_receive(void *arg, const psprobe_message *message);
/** A subscriber with these options and our callback and logger. */
void receiver_begin(receiver *r, psprobe_subscriber_options options);
/** Without an error, and nothing is leased afterwards. */
void receiver_stop(receiver *r);
psprobe_subscriber_stats receiver_stats(receiver *r);

/** A POST to the subscription, such as ":pull", that is to come. */
fake_call *receiver_expect(receiver *r, const char *verb);
void receiver_expect_ok(receiver *r, const char *verb);
/** That somebody looks at the subscription, which has this ack deadline. */
void receiver_expect_deadline(receiver *r, int seconds);
/** One pull brings `body` (NULL: none does), the others wait. */
fake_call *receiver_expect_pull(receiver *r, const char *body);

void receiver_wait(sem_t *sem);

#endif
