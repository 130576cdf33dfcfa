/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_PROBER_H
#define TEST_FAKE_PROBER_H
/** @file A prober over real sockets whose answers the test says beforehand, and a client to reach
 * it. Every wait fails the test after thirty seconds. */
#include <psprobe/probe.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/server/server.h"

#define FAKE_PROBER_MAX 1000

/** What stands in a script in place of a status: leave the request without an answer. */
#define FAKE_HOLD (-1)
/** … or somebody else's 404, or a page to log in on with a 200. */
#define FAKE_STRANGER (-2)
#define FAKE_LOGIN    (-3)

/** The stamps of its 2xx answers. */
#define FAKE_PROBER_RECEIVED "1772600767000000001"
#define FAKE_PROBER_ANSWERED "1772600767000000002"

typedef struct fake_prober_request {
  char method[16], path[256], cold[16], handled[32], authorization[2048];
  char instance[80], invocation[24], sent[24], exchange[100];
} fake_prober_request;

typedef struct fake_prober {
  psp_server *server;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  const int *script; /**< ends with 0: from there on what stands before it */
  size_t at;
  fake_prober_request requests[FAKE_PROBER_MAX];
  size_t count;
  psp_exchange *held[FAKE_PROBER_MAX];
  size_t held_count;
} fake_prober;

/** `port` 0 picks one. The script is borrowed. */
fake_prober *fake_prober_new(int port, const int *script);
void fake_prober_free(fake_prober *prober);
const char *fake_prober_url(const fake_prober *prober);
/** Waits until `count` requests have come. */
void fake_prober_wait(fake_prober *prober, size_t count);
size_t fake_prober_count(fake_prober *prober);
/** Answers what is held. */
void fake_prober_release(fake_prober *prober, int status);

/** A client that needs no network. */
psprobe_client *fake_prober_client(void);
/** Keeps log lines and counts those that hold `word`. */
typedef struct log_counter {
  const char *word;
  _Atomic int count;
  char last[1200];
} log_counter;
psprobe_logger log_counter_logger(log_counter *counter);

#endif
